"""A million clients stay possible: what a connector asks for is found by an index, and nothing is asked once a row."""

from __future__ import annotations

import pytest

ASKED = (
    "sort=updated_at|desc&per_page=1",
    "sort=updated_at|asc&updated_at=1789000000&per_page=100",
    "sort=updated_at|asc&per_page=100",
    "sort=id|asc&per_page=100&page=2",
    "client_id={id}",
    "number=0100",
)


def statements(api, path):
    """The statements that one request makes, values and all."""
    seen = []
    api.world.db.set_trace_callback(seen.append)
    try:
        assert api.get(path).status_code == 200
    finally:
        api.world.db.set_trace_callback(None)
    return [sql for sql in seen if sql.lstrip().upper().startswith("SELECT")]


@pytest.mark.parametrize("kind", ["invoices", "payments", "credits"])
@pytest.mark.parametrize("query", ASKED)
def test_what_a_connector_asks_of_papers_is_found_by_an_index(busy, kind, query):
    path = f"/api/v1/{kind}?" + query.format(id=busy.rows(per_page=1)[0]["id"])
    for sql in statements(busy, path):
        if "count(*)" in sql or "FROM tokens" in sql or "IN ()" in sql:  # as below; an empty page asks for no row
            continue
        plan = [row[3] for row in busy.world.db.execute(f"EXPLAIN QUERY PLAN {sql}")]
        assert not [step for step in plan if step.startswith(f"SCAN {kind}")], (sql, plan)


@pytest.mark.parametrize("query", ASKED)
def test_what_a_connector_asks_for_is_found_by_an_index(busy, query):
    path = "/api/v1/clients?" + query.format(id=busy.rows(per_page=1)[0]["id"])
    for sql in statements(busy, path):
        if "count(*)" in sql or "FROM tokens" in sql:  # a count has to count; a token is found by its primary key
            continue
        plan = [row[3] for row in busy.world.db.execute(f"EXPLAIN QUERY PLAN {sql}")]
        assert not [step for step in plan if step.startswith("SCAN clients")], (sql, plan)
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan or "FROM clients" not in sql, (sql, plan)


def test_the_pages_of_a_walk_are_counted_once(busy):
    path = "/api/v1/clients?sort=id|asc&per_page=20&page="
    counts = [[sql for sql in statements(busy, path + str(page)) if "count(*)" in sql] for page in (1, 2, 3)]
    assert [len(found) for found in counts] == [1, 0, 0]


@pytest.mark.parametrize("kind", ["invoices", "payments", "credits", "quotes", "tasks", "projects"])
def test_a_page_of_papers_takes_as_many_statements_as_any_other(busy, kind):
    busy.get(f"/api/v1/{kind}?include=client")  # names of columns and the total are remembered
    short, long = (len(statements(busy, f"/api/v1/{kind}?per_page={size}&include=client")) for size in (2, 100))
    assert short == long


def test_a_page_takes_as_many_statements_as_any_other_whatever_its_size(busy):
    busy.get("/api/v1/clients?include=group_settings,ledger")  # as above
    short, long = (
        len(statements(busy, f"/api/v1/clients?per_page={size}&include=group_settings,ledger")) for size in (2, 100)
    )
    assert short == long
