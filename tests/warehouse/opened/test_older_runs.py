"""A warehouse that knows only clients is carried over: its runs, watermark and notes are those of the clients."""

from __future__ import annotations

import pytest

from schemas.billing import INVOICES
from schemas.entities import CLIENTS
from tests.engines import Databases, Files
from tests.records import MOMENT
from tests.warehouse.opened.older import build
from warehouse.control.state import last_begun, read_state
from warehouse.opened.migrate import migrate
from warehouse.opened.open import open_place

LAST = "0051_duplicate_basis"
"""The newest migration of the version that pulled clients only."""
RUN = {"run_id": "run-001", "now": MOMENT}
OLDER = (
    """
    insert into control.sources
    values ('main', 'https://ninja.test', 'VolejRejNm', 'print', '5.10.42', 0, $now, $now)
    """,
    """
    insert into control.runs (
        run_id, source, kind, began_at, finished_at, seconds, requests, received, inserted, updated, touched, unchanged,
        quarantined, quarantine_open, changed, notes
    )
    values ($run_id, 'main', 'full', $now, $now, 1, 1, 0, 0, 0, 0, 0, 0, 0, true, cast('[]' as json))
    """,
    """
    insert into control.watermarks (source, entity, watermark, began_at, full_at, run_id, unexplained, held)
    values ('main', 'clients', $now, $now, $now, $run_id, 1, true)
    """,
    "insert into control.unlisted values ('main', 'aB1', 'held', $run_id)",
)


@pytest.fixture(params=["duckdb", "postgres"])
def upgraded(request, tmp_path):
    """The warehouse of the earlier version after an upgrade, on each engine."""
    engine = Files() if request.param == "duckdb" else Databases(request.getfixturevalue("postgres"))
    with open_place(engine.new(tmp_path / "state")) as warehouse:
        with warehouse.transaction():
            build(warehouse, LAST)
            for statement in OLDER:
                warehouse.execute(statement, RUN)
        migrate(warehouse, now=MOMENT)
        yield warehouse


def test_the_clients_keep_their_state_and_other_records_are_read_from_the_start(upgraded):
    clients, invoices = (read_state(upgraded, "main", entity) for entity in (CLIENTS, INVOICES))
    assert (clients.watermark, clients.full_at, clients.run_id, clients.held) == (MOMENT, MOMENT, "run-001", True)
    assert (clients.blind, clients.quarantine_open, clients.erased_listed) == (None, 0, 0)
    assert invoices.binding == clients.binding
    assert (invoices.watermark, invoices.began_at, invoices.run_id) == (None, None, None)
    assert last_begun(upgraded, "main", full=True) is not None
    assert last_begun(upgraded, "main", full=True, entities=["clients", "invoices"]) is None


def test_earlier_runs_and_unlisted_records_are_of_clients(upgraded):
    assert upgraded.rows("select entity, kind from control.runs") == [("clients", "full")]
    assert upgraded.rows("select entity, id, why from control.unlisted") == [("clients", "aB1", "held")]
    assert upgraded.rows("select entity, not_listed from mart.entity_status") == [("clients", 1)]
