"""What a pull of a few changes reads of a large mirror: the changed rows, and no records of others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import pytest

from schemas.entities import CLIENTS, CONTACTS
from tests.warehouse.engine.test_sql_runs import prepare, sql, values, with_one_client
from warehouse.engine.seam import POSTGRES, scratch
from warehouse.schema.mirror import columns

OTHERS = 10_000
"""Clients that do not change: so many that Postgres prefers an index where it can use one."""
OF_RECORDS = ("load/accepted", "load/close_versions", "load/compared")
"""The statements that read records of the mirror."""
BY_INDEX = (
    *OF_RECORDS,
    "load/delete_children",
    "load/delete_moved",
    "load/delete_parents",
    "load/displaced",
    "load/open_versions",
    "read/recent",
    "read/row_version",
    "vanished/donors",
    "vanished/ours",
)
"""The statements of a pull of changes that read the mirror, except for the count of all clients."""


def add_others(warehouse) -> None:
    """Add clients to the one that there is, each with a contact like its own."""
    for table, parent in ((CLIENTS, None), (CONTACTS, CLIENTS)):
        names = columns(table, parent)
        new = {"id": "id || n", "client_id": "client_id || n", "updated_at": "updated_at - interval '1 year'"}
        selected = ", ".join(new.get(name, name) for name in names)
        warehouse.execute(
            f"insert into ninja.{table.name} ({', '.join(names)}) "
            f"select {selected} from ninja.{table.name}, generate_series(1, {OTHERS}) as g (n)"
        )


@pytest.fixture
def large_duckdb(warehouse_path):
    """A DuckDB warehouse with one client, and many that do not change."""
    with with_one_client(warehouse_path) as warehouse:
        add_others(warehouse)
        yield warehouse


@pytest.fixture(scope="module")
def large_postgres(postgres):
    """The same on Postgres."""
    name = postgres.make_database()
    with with_one_client(postgres.place(name)) as warehouse:
        add_others(warehouse)
        yield warehouse
    postgres.drop_database(name)


def plan(warehouse, name: str) -> Iterator[tuple[dict, dict]]:
    """The nodes of the plan of a statement, each with the node above it."""
    with scratch(warehouse):
        prepare(warehouse, name, set())
        if warehouse.engine == POSTGRES:
            warehouse.execute("analyze")
        ((*_, found),) = warehouse.rows(f"explain (format json) {sql(name, warehouse.engine)}", values(name))
    return below({}, [one.get("Plan", one) for one in json.loads(str(found))])


def below(above: dict, nodes: Iterable[dict]) -> Iterator[tuple[dict, dict]]:
    """All nodes below one, each with the node above it."""
    for node in nodes:
        yield above, node
        yield from below(node, node.get("children", node.get("Plans", ())))


@pytest.mark.parametrize("name", OF_RECORDS)
def test_duckdb_reads_records_of_the_mirror_by_rowid(large_duckdb, name):
    """Joined by the id first, nearly all records would be read."""
    joins = [
        above["extra_info"]
        for above, node in plan(large_duckdb, name)
        if str(node["extra_info"].get("Table")).endswith("ninja.clients") and "record" in str(node["extra_info"])
    ]
    assert joins
    assert all("SEMI" in join.get("Join Type", "") and "rowid" in join["Conditions"] for join in joins), joins


@pytest.mark.parametrize("name", BY_INDEX)
def test_postgres_finds_rows_of_the_mirror_by_an_index(large_postgres, name):
    scans = [
        (node["Node Type"], node.get("Index Cond") or node.get("Recheck Cond", ""))
        for _, node in plan(large_postgres, name)
        if node.get("Relation Name") in ("clients", "contacts") and "Scan" in node["Node Type"]
    ]
    assert scans
    assert all(" AND " in by for _, by in scans), scans  # the source, and a client's id or stamp
