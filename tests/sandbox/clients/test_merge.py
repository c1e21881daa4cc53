"""Merges and purges that go through, on each generation."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sandbox.server import create_app
from tests.sandbox.clients.merging import figures, merge, show
from tests.sandbox.conftest import NOW, Api


def test_payment_balance_is_not_carried_over_and_credits_are(api, pair):
    one, other = pair
    assert merge(api, one, other).status_code == 200
    assert figures(show(api, one)) == (150, 30, 3, 5)


def test_a_credit_balance_without_any_credit_behind_it_falls_to_nothing(api, pair):
    one, other = pair
    api.world.db.execute("UPDATE credits SET is_deleted = 1")
    assert merge(api, one, other).json()["data"]["credit_balance"] == 0


def test_the_sum_of_the_credits_is_rounded_as_the_currency_is(api):
    yen = {"settings": {"currency_id": "45"}}
    for more, expected in (({}, Decimal("2.46")), (yen, 2)):
        one, other = api.make("One", **more), api.make("Two")
        api.balances(one, credit_balance="1.234")
        api.balances(other, credit_balance="1.221")
        assert merge(api, one, other).json(parse_float=Decimal)["data"]["credit_balance"] == expected


def test_papers_and_tokens_move_with_their_ids(api, pair):
    one, other = pair
    api.world.db.execute(
        "INSERT INTO gateway_tokens (company_id, client_id, token, gateway_customer_reference, gateway_type_id, meta)"
        " SELECT 1, id, 'pm', 'cus', 1, '{}' FROM clients WHERE name = 'Two'"
    )
    tables = ("invoices", "payments", "credits", "gateway_tokens")
    before = [api.world.db.execute(f"SELECT id FROM {table}").fetchall() for table in tables]
    merge(api, one, other)
    assert [api.world.db.execute(f"SELECT id FROM {table}").fetchall() for table in tables] == before
    for table in tables:
        assert len(api.world.db.execute(f"SELECT DISTINCT client_id FROM {table}").fetchall()) == 1, table


def test_the_ledger_names_a_nameless_client_by_its_contact(api):
    one, other = api.make("One"), api.make("", contacts=[{"first_name": "Ann", "last_name": "Lee"}])
    merged = merge(api, one, other, "?include=ledger").json()["data"]
    assert merged["ledger"][0]["notes"] == "Balance update after merging Ann Lee"


def test_two_merges_leave_two_rows_with_a_running_balance_of_their_own(api):
    one, two, three = api.make("One"), api.make("Two"), api.make("Three")
    for client, balance in ((one, 100), (two, 50), (three, 25)):
        api.balances(client, balance=balance)
    merge(api, one, two)
    merge(api, one, three)
    now = show(api, one)
    rows = [(x["adjustment"], x["balance"], x["activity_id"], x["notes"]) for x in now["ledger"]]
    assert rows == [
        (25, 75, 61, "Balance update after merging Three"),
        (50, 50, 61, "Balance update after merging Two"),
    ]
    assert now["balance"] == 175


def test_only_the_newest_fifty_activities_come_along(api):
    one, other = api.make("One"), api.make("Two")
    for _ in range(30):
        api.bulk("archive", other["id"])
        api.bulk("restore", other["id"])
    merge(api, one, other)
    assert len(show(api, one)["activities"]) == 50
    rows = api.get("/api/v1/activities?per_page=500").json()["data"]
    assert [sum(row["client_id"] == client["id"] for row in rows) for client in (one, other)] == [51, 11]


def test_system_logs_go_with_the_client_that_goes(api, pair):
    one, other = pair
    api.post(f"/_sandbox/clients/{other['id']}/system_logs", json={"count": 3})
    merge(api, one, other)
    assert show(api, one, "system_logs")["system_logs"] == []
    assert api.world.db.execute("SELECT count(*) FROM system_logs").fetchone() == (0,)


def test_a_contact_without_an_address_comes_along_where_the_survivor_has_no_contact(api):
    one, other = api.make("One", contacts=[{"email": "a@x.io"}]), api.make("Two", contacts=[{"first_name": "Ann"}])
    api.world.db.execute("UPDATE contacts SET deleted_at = 1 WHERE email = 'a@x.io'")
    assert [x["first_name"] for x in merge(api, one, other).json()["data"]["contacts"]] == ["Ann"]


# ---- generations ----------------------------------------------------------------------------------------------------


def test_from_2026_on_a_drifted_balance_is_put_right_by_a_merge(modern):
    one, other = modern.make("One"), modern.make("Two")
    modern.balances(one, balance=100)
    modern.balances(other, balance=50)
    modern.world.db.execute("UPDATE clients SET balance = '999' WHERE name = 'One'")
    merged = merge(modern, one, other, "?include=ledger").json()["data"]
    assert (merged["balance"], merged["ledger"][0]["adjustment"]) == (150, -849)


@pytest.mark.parametrize(("generation", "status"), [("5.10", 200), ("5.12", 200), ("2026", 401)])
@pytest.mark.parametrize("what", ["merge", "purge"])
def test_the_company_of_the_first_client_counts_from_2026_on(generation, status, what):
    with Api(create_app(clock=lambda: NOW, behaves_like=generation)) as api:
        theirs = {"X-API-TOKEN": api.sandbox.other_token, "X-API-PASSWORD": api.sandbox.password}
        one, other = api.make("One"), api.post("/api/v1/clients", json={}, headers=theirs).json()["data"]
        path = f"/api/v1/clients/{one['id']}/{other['id'] + '/' if what == 'merge' else ''}{what}"
        assert api.post(path, headers=theirs).status_code == status


@pytest.mark.parametrize(("generation", "types"), [("5.10", []), ("5.12", ["151", "153"]), ("2026", ["151", "153"])])
def test_merge_and_purge_leave_an_activity_since_5_12(generation, types):
    with Api(create_app(clock=lambda: NOW, behaves_like=generation)) as api:
        one, other, third = api.make("One"), api.make("Two"), api.make("Three")
        assert merge(api, one, other).status_code == 200
        password = {"X-API-PASSWORD": api.sandbox.password}
        assert api.post(f"/api/v1/clients/{third['id']}/purge", headers=password).status_code == 200
        rows = [row for row in api.get("/api/v1/activities").json()["data"] if row["activity_type_id"] != "1"]
        assert sorted(row["activity_type_id"] for row in rows) == types
        told = {row["activity_type_id"]: (row["client_id"], row["notes"]) for row in rows}
        if types:
            assert told["151"] == (one["id"], f"Two ({other['client_hash']})")
            assert told["153"] == ("", f"Three ({third['client_hash']})")


# ---- purge ----------------------------------------------------------------------------------------------------------


def test_a_purge_leaves_no_row_of_the_client_in_any_table(busy):
    ids = [row["id"] for row in busy.rows(per_page=40)]
    for i in ids:
        busy.post(f"/_sandbox/clients/{i}/balances", json={"balance": 5, "credit_balance": 1, "documents": True})
        busy.post(f"/_sandbox/clients/{i}/system_logs", json={})
    tables = ["contacts", "documents", "gateway_tokens", "activities", "ledger", "system_logs", "invoices", "credits"]
    for i in ids:
        assert busy.post(f"/api/v1/clients/{i}/purge", headers={"X-API-PASSWORD": busy.sandbox.password}).is_success
    for table in tables:
        orphans = f"SELECT count(*) FROM {table} WHERE client_id NOT IN (SELECT id FROM clients)"
        assert busy.world.db.execute(orphans).fetchone() == (0,), table


@pytest.mark.parametrize(("generation", "left"), [("5.10", 11), ("2026", 0)])
def test_a_purge_takes_the_newest_fifty_activities_and_later_generations_all(generation, left):
    with Api(create_app(clock=lambda: NOW, behaves_like=generation)) as api:
        client = api.make("One")
        for _ in range(30):
            api.bulk("archive", client["id"])
            api.bulk("restore", client["id"])
        api.post(f"/api/v1/clients/{client['id']}/purge", headers={"X-API-PASSWORD": api.sandbox.password})
        rows = api.get("/api/v1/activities?per_page=500").json()["data"]
        assert sum(row["client_id"] == client["id"] for row in rows) == left
