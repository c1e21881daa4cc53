"""The figures set from outside, the papers behind them, and what includes show of them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.books.ledger import FIGURES, totals
from sandbox.server import create_app
from tests.sandbox.clients.merging import show
from tests.sandbox.conftest import NOW, Api

MONEY = st.integers(-(10**13), 10**13).map(lambda n: str(Decimal(n) / 10**6))
LEDGER_KEYS = {"notes", "balance", "adjustment", "activity_id", "created_at", "updated_at", "archived_at"}


def papers(api: Api, name: str = "One") -> dict[str, Decimal]:
    """What the papers of the client of this name add up to."""
    number = api.world.db.execute("SELECT id FROM clients WHERE name = ?", (name,)).fetchone()[0]
    return {key: Decimal(value) for key, value in totals(api.world.db, number).items() if key in FIGURES}


def statements(api: Api, path: str) -> int:
    """How many statements the database was given for one answer."""
    seen: list[str] = []
    api.world.db.set_trace_callback(seen.append)
    try:
        assert api.get(path).status_code == 200
    finally:
        api.world.db.set_trace_callback(None)
    return len(seen)


# ---- figures --------------------------------------------------------------------------------------------------------


def test_figures_without_documents_are_not_in_the_ledger(api):
    client = api.make("One")
    api.balances(client, balance=120.5, paid_to_date=80, credit_balance=10, payment_balance=20)
    assert show(api, client)["ledger"] == []
    assert papers(api) == {
        "balance": Decimal("120.5"),
        "paid_to_date": 80,
        "credit_balance": 10,
        "payment_balance": 20,
    }


def test_figures_with_documents_leave_the_rows_of_an_invoice_and_a_payment(api):
    client = api.make("One")
    api.balances(client, balance="120.5", paid_to_date=80, payment_balance=20, documents=True)
    paid, billed = show(api, client)["ledger"]
    assert billed.keys() == LEDGER_KEYS | {"invoice_id"}
    assert paid.keys() == LEDGER_KEYS | {"payment_id"}
    assert next(iter(billed)) == "invoice_id"
    assert [billed[k] for k in ("adjustment", "balance", "activity_id")] == [Decimal("180.5"), Decimal("180.5"), 5]
    assert [paid[k] for k in ("adjustment", "balance", "activity_id")] == [-60, Decimal("120.5"), 11]


def test_only_the_figures_that_are_named_change_and_updated_at_does_not(api):
    client = api.make("One")
    api.balances(client, balance=1, paid_to_date=2, credit_balance=3, payment_balance=4)
    api.switch(clock={"advance": 60})
    api.balances(client, paid_to_date=9)
    api.balances(client)
    now = show(api, client)
    assert [now[name] for name in FIGURES] == [1, 9, 3, 4]
    assert now["updated_at"] == client["updated_at"]


@pytest.mark.parametrize("wrong", ["x", "NaN", "Infinity", [1], None, "1e40"])
def test_what_is_no_amount_is_refused_and_changes_nothing(api, wrong):
    client = api.make("One")
    answer = api.post(f"/_sandbox/clients/{client['id']}/balances", json={"paid_to_date": 1, "balance": wrong})
    assert answer.status_code == 400
    assert show(api, client)["paid_to_date"] == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.dictionaries(st.sampled_from(FIGURES), MONEY, min_size=1), st.booleans()), max_size=5),
)
def test_after_any_settings_the_papers_add_up_to_the_figures(sets):
    with Api(create_app(clock=lambda: NOW)) as api:
        client, expected = api.make("One"), dict.fromkeys(FIGURES, Decimal(0))
        for figures, documents in sets:
            api.balances(client, **figures, documents=documents)
            expected |= {name: Decimal(value) for name, value in figures.items()}
        assert papers(api) == expected
        rows = [(Decimal(r[0]), Decimal(r[1])) for r in api.world.db.execute("SELECT adjustment, balance FROM ledger")]
        assert [balance for _, balance in rows] == [sum(x for x, _ in rows[: i + 1]) for i in range(len(rows))]
        if sets and sets[-1][1] and set(sets[-1][0]) != {"credit_balance"} and rows:
            assert rows[-1][1] == expected["balance"]


# ---- seeded clients -------------------------------------------------------------------------------------------------


def test_the_ledger_of_every_seeded_client_ends_at_its_balance(busy):
    for row in busy.rows(include="ledger", per_page=500):
        newest = row["ledger"][0]["balance"] if row["ledger"] else 0
        assert newest == row["balance"]
        running = sum(Decimal(str(entry["adjustment"])) for entry in row["ledger"])
        assert running == Decimal(str(row["balance"]))


def test_the_papers_of_seeded_clients_add_up_to_their_figures(busy):
    for number, *stored in busy.world.db.execute(f"SELECT id, {', '.join(FIGURES)} FROM clients WHERE company_id = 1"):
        added = totals(busy.world.db, number)
        assert [added[name] for name in FIGURES] == stored


def test_seeded_clients_keep_their_ledger_through_a_merge(busy):
    one, other = [row for row in busy.rows(sort="id|asc", status="active") if row["balance"]][:2]
    answer = busy.post(
        f"/api/v1/clients/{one['id']}/{other['id']}/merge?include=ledger",
        headers={"X-API-PASSWORD": busy.sandbox.password},
    )
    merged = answer.json(parse_float=Decimal)["data"]
    assert merged["ledger"][0]["balance"] == merged["balance"]
    expected = sum(Decimal(str(client["credit_balance"])) for client in (one, other))
    assert merged["credit_balance"] == expected


def test_clients_added_later_have_a_ledger_too(api):
    ids = api.post("/_sandbox/clients", json={"count": 30}).json()["ids"]
    rows = [show(api, {"id": i}) for i in ids]
    assert any(row["balance"] for row in rows)
    assert all((row["ledger"][0]["balance"] if row["ledger"] else 0) == row["balance"] for row in rows)


# ---- system logs and groups -----------------------------------------------------------------------------------------


def test_system_logs_are_json_in_a_text(api):
    client = api.make("One")
    path = f"/_sandbox/clients/{client['id']}/system_logs"
    ids = api.post(path, json={"log": {"to": "a@x.io"}, "event_id": 34}).json()["ids"]
    (row,) = show(api, client, "system_logs")["system_logs"]
    assert json.loads(row["log"]) == {"to": "a@x.io"}
    assert (row["id"], row["client_id"], row["event_id"], row["category_id"]) == (ids[0], client["id"], 34, 2)
    assert row.keys() == {
        "id", "company_id", "user_id", "client_id", "event_id", "category_id", "type_id", "log", "updated_at",
        "created_at",
    }  # fmt: skip
    assert api.post("/_sandbox/clients/zzzzzzzzzz/system_logs", json={}).status_code == 400
    assert api.post(path, json={"count": 10_001}).status_code == 400


def test_the_newest_fifty_system_logs_of_each_client_are_in_lists_too(api):
    made = []
    for name in "AB":
        path = f"/_sandbox/clients/{api.make(name)['id']}/system_logs"
        made.append(api.post(path, json={"count": 60}).json()["ids"])
    shown = [[entry["id"] for entry in row["system_logs"]] for row in api.rows(include="system_logs", sort="id|asc")]
    assert shown == [ids[:9:-1] for ids in made]


def test_a_deleted_group_is_not_included(api):
    group = api.post("/api/v1/group_settings", json={"name": "G"}).json()["data"]
    client = api.make("One", group_settings_id=group["id"])
    assert show(api, client, "group_settings")["group_settings"]["id"] == group["id"]
    api.delete(f"/api/v1/group_settings/{group['id']}")
    assert "group_settings" not in show(api, client, "group_settings")
    assert show(api, client)["group_settings_id"] == group["id"]


@pytest.mark.parametrize("include", ["ledger", "system_logs", "group_settings", "activities", ""])
def test_a_long_page_needs_no_more_statements_than_a_short_one(busy, include):
    path = f"/api/v1/clients?sort=id|asc&include={include}&per_page="
    busy.get(path + "200")  # names of columns and the total are remembered
    assert statements(busy, path + "200") == statements(busy, path + "2")


def test_the_blank_client_has_empty_includes(api):
    row = api.get("/api/v1/clients/create?include=activities,ledger,system_logs,group_settings").json()["data"]
    assert [row[name] for name in ("activities", "ledger", "system_logs")] == [[], [], []]
    assert "group_settings" not in row


def test_something_inside_an_include_brings_the_include(api):
    client = api.make("One")
    assert show(api, client, "ledger.x,activities.user").keys() >= {"ledger", "activities"}
    assert api.rows(include="ledger.x,activities.user")[0]["activities"] == []


def test_the_name_that_is_shown_is_the_primary_contacts(api):
    contacts = [{"first_name": "Ann", "is_primary": True}, {"first_name": "Bob"}]
    client, thief = api.make("", contacts=contacts), api.make("Thief")
    assert client["display_name"] == "Ann "
    api.put(f"/api/v1/clients/{thief['id']}", json={"contacts": [{"id": client["contacts"][0]["id"]}]})
    assert show(api, client)["display_name"] == "No Contact Set"
    assert api.make("0", contacts=contacts)["display_name"] == "Ann "  # "0" is no name in PHP's eyes
