"""Every table that holds a client is known to an erasure."""

from __future__ import annotations

from datetime import UTC, datetime

from warehouse.control.erase import erase
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


def test_what_people_wrote_about_plans_with_the_client_is_erased_and_other_words_stay(warehouse):
    now = datetime.now(UTC)
    for plan_id, client_id in (("p1", "gone"), ("p2", "here"), ("m1", None)):
        warehouse.execute(
            "insert into control.plans (source, plan_id, kind, made_at, expires_at, base_at, newest_at, author, "
            "reason, company, version, digest, state) values ('main', $id, 'push', $now, $now, $now, $now, 'a', "
            "'Erika has moved', 'c', '', $id, 'rejected')",
            {"id": plan_id, "now": now},
        )
        warehouse.execute(
            "insert into control.approvals (source, plan_id, digest, comment) "
            "values ('main', $id, $id, 'Erika called')",
            {"id": plan_id},
        )
        warehouse.execute(
            "insert into control.rejections values ('main', $id, $id, 'b', $now, 'Erika wrote')",
            {"id": plan_id, "now": now},
        )
        if client_id:
            warehouse.execute(
                "insert into control.plan_cells values ('main', $id, $client, 'city', cast('1' as json), "
                "cast('2' as json), false)",
                {"id": plan_id, "client": client_id},
            )
    warehouse.execute(
        "insert into control.merge_steps "
        "values ('main', 'm1', 0, 'other', 'gone', cast('{}' as json), 'done', null, null)"
    )
    erase(warehouse, "main", "gone", reason="asked for", keep_balances=False, now=now)
    for column, table in (("reason", "plans"), ("comment", "approvals"), ("comment", "rejections")):
        rows = warehouse.rows(f"select plan_id, {column} from control.{table} order by plan_id")
        assert [(plan_id, bool(words)) for plan_id, words in rows] == [("m1", False), ("p1", False), ("p2", True)]
