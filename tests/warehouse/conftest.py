"""A warehouse for each engine, and a short way to load records into it. The database is real."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from schemas.clocks import Clocks
from schemas.entities import CLIENTS
from schemas.normalise import normalise
from schemas.vanished import Vanished
from tests.records import MOMENT
from warehouse.control.state import Binding, Run
from warehouse.engine.duckdb import open_warehouse
from warehouse.load.load import Loaded, Reference, Scanned, load
from warehouse.load.staging import ScanKey, Staging
from warehouse.opened.migrate import migrate
from warehouse.opened.open import open_place

BINDING = Binding("https://ninja.test", "VolejRejNm", "fingerprint")
KEY = ScanKey(BINDING.base_url, BINDING.company_id, BINDING.company_fingerprint, None, True, "shape")


@pytest.fixture
def warehouse_path(tmp_path):
    """Where the warehouse of a test that is about DuckDB's file is."""
    return tmp_path / "state" / "warehouse.duckdb"


@pytest.fixture
def warehouse(place):
    """An open warehouse of this version, on each engine."""
    with open_place(place) as opened:
        migrate(opened, now=MOMENT)
        yield opened


@pytest.fixture
def duckdb_warehouse(warehouse_path):
    """An open warehouse of this version, in a DuckDB file that it has made."""
    with open_warehouse(warehouse_path) as opened:
        migrate(opened, now=MOMENT)
        yield opened


@pytest.fixture
def load_records(warehouse, place) -> Callable[..., Loaded]:
    """Load pages of records as one run; its source, kind, server's clock, what vanished and the rest may be given."""
    count = iter(range(1, 1000))

    def run(
        *pages,
        source="main",
        reference: Reference | None = None,
        watermark=MOMENT,
        kind="pull",
        began=MOMENT,
        vanished: Sequence[Vanished] = (),
        unlisted=None,
        after=None,
        entity=CLIENTS,
    ) -> Loaded:
        staging, number = Staging.of(place, source, entity), next(count)
        staging.begin(KEY, Clocks(1, None))
        for page in pages:
            staging.add(entity, normalise(entity, page), open=[(None, None)], newest_seen=0)
        quarantined, drift = staging.quarantined, staging.drift
        scanned = Scanned(
            entity,
            replace(BINDING, company_fingerprint=source),
            watermark,
            MOMENT,
            0,
            sum(map(len, pages)),
            quarantined,
            frozenset(drift),
            vanished,
            unlisted,
            after,
        )
        finished = MOMENT + timedelta(seconds=number)
        begun = Run(f"run-{number:03d}", source, kind, began, finished, 1.0, 3, received=staging.records)
        begun = replace(begun, entity=entity.name)
        return load(warehouse, staging, scanned, begun, reference)

    return run
