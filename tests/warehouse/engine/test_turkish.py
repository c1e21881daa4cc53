"""Both engines make the same keys and the same order from the same records, whatever language a database speaks."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from schemas.clocks import Clocks
from schemas.entities import CLIENTS
from schemas.normalise import normalise
from tests.records import MOMENT, client, contact
from tests.turkish import needs_turkish, turkish_postgres
from tests.warehouse.conftest import BINDING, KEY
from warehouse.control.state import Run
from warehouse.engine.sql import named
from warehouse.load.load import Scanned, load
from warehouse.load.staging import Staging
from warehouse.opened.migrate import migrate
from warehouse.opened.open import open_place

pytestmark = needs_turkish
RECORDS = [
    client("a", vat_number="it 12345678901", contacts=[
        contact("k", email="INFO@LIMITED.COM"), contact("K", email=" ILKAY@İZMİR.TR "), contact("1", email="ı@x.tr"),
    ]),
    client("B", name="ISIK İnşaat", vat_number="IT12345678901", contacts=[contact("m", email="ÄÖÜß.ΟΔΟΣ.ЖЩ@X.COM")]),
    client("b", name="ırmak", vat_number="fi1234567i", contacts=[]),
]  # fmt: skip


def mart(place):
    """All views of a warehouse into which the records were loaded."""
    staging = Staging.of(place, "main")
    staging.begin(KEY, Clocks(1, None))
    staging.add(CLIENTS, normalise(CLIENTS, RECORDS), open=[(None, None)], newest_seen=0)
    scanned = Scanned(CLIENTS, replace(BINDING, company_fingerprint="main"), MOMENT, MOMENT, 0, len(RECORDS))
    with open_place(place) as warehouse:
        migrate(warehouse, now=MOMENT)
        load(warehouse, staging, scanned, Run("run-1", "main", "pull", MOMENT, MOMENT, 1.0, 3, received=3), None)
        return {
            view: sorted(warehouse.rows(f"select * from mart.{view}"), key=lambda row: [*map(str, row)])
            for view in named("mart") if view != "client_balance_daily"
        }  # fmt: skip


@pytest.fixture(scope="module")
def turkish():
    """A place in a Turkish database."""
    with turkish_postgres() as (cluster, name):
        yield cluster.place(name)


def test_a_turkish_database_shows_what_a_file_shows(turkish, tmp_path):
    here, there = mart(tmp_path / "w.duckdb"), mart(turkish)
    assert there == here
    with open_place(turkish) as warehouse:
        keys = dict(warehouse.rows("select id, email_key from mart.contacts"))
    assert keys == {"k": "info@limited.com", "K": "ilkay@izmir.tr", "1": "ı@x.tr", "m": "äöüß.οδοσ.жщ@x.com"}
