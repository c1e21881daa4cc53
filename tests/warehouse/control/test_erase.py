"""Every table that holds a client is known to an erasure."""

from __future__ import annotations

from warehouse.control.traces import OWNED, TRACES
from warehouse.schema.mirror import mirrored

OF_A_CLIENT = ("id", "client_id", "survivor_id", "mergeable_id", "id_a", "id_b")
NOT_OF_A_CLIENT = {
    "companies", "countries", "currencies", "group_settings", "industries", "languages", "products", "sizes",
    "timezones", "vendors",
}  # fmt: skip
SHARED = ("record_versions", "record_changes", "vanished_records")
OTHER_IDS = {(name, "id") for name in (*SHARED, *(entity.name for entity, _ in mirrored() if entity.name != "clients"))}
"""Ids of the row itself, where another column names the client."""


def test_each_column_that_holds_the_id_of_a_client_is_erased(warehouse):
    columns = warehouse.rows(
        "select table_schema, table_name, column_name from information_schema.columns as c "
        "where table_schema in ('ninja', 'control') and exists (select 1 from information_schema.tables as t "
        "where t.table_schema = c.table_schema and t.table_name = c.table_name and t.table_type = 'BASE TABLE')"
    )
    there = {
        (f"{schema}.{table}", column)
        for schema, table, column in columns
        if column in OF_A_CLIENT and table not in NOT_OF_A_CLIENT and (table, column) not in OTHER_IDS
    }
    assert {(trace.table, column) for trace in TRACES for column in trace.columns} == there


def test_each_table_with_records_of_a_client_is_erased():
    tables = {f"ninja.{table.name}" for entity in OWNED for table in (entity, *entity.children)}
    assert tables | {f"control.{name}" for name in SHARED} <= {trace.table for trace in TRACES}
