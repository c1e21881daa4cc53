"""Every table that holds a client is known to an erasure."""

from __future__ import annotations

from warehouse.control.erase import TRACES

OF_A_CLIENT = ("id", "client_id", "survivor_id", "mergeable_id", "id_a", "id_b")
NOT_OF_A_CLIENT = {
    "companies", "countries", "currencies", "group_settings", "industries", "languages", "sizes", "timezones",
}  # fmt: skip
OTHER_IDS = {("contacts", "id"), ("documents", "id"), ("activities", "id")}
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
