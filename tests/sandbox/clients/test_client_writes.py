"""Writes beyond the recorded scenarios."""

from __future__ import annotations

import pytest


def test_a_contact_id_of_another_client_moves_that_contact(api):
    one, two = api.make("One", contacts=[{"first_name": "Ann"}]), api.make("Two")
    stolen = one["contacts"][0]["id"]
    body = {"contacts": [{"id": stolen}], "settings": two["settings"]}
    answer = api.put(f"/api/v1/clients/{two['id']}", json=body).json()["data"]
    assert [(c["id"], c["first_name"]) for c in answer["contacts"]] == [(stolen, "Ann")]
    assert api.get(f"/api/v1/clients/{one['id']}").json()["data"]["contacts"] == []


def test_documents_in_a_put_swallow_every_other_field(api):
    client = api.make("One")
    answer = api.put(f"/api/v1/clients/{client['id']}", json={"name": "Two", "documents": [{"id": "x"}]})
    assert answer.json()["data"]["name"] == "One"


@pytest.mark.parametrize("number", ["", None, "0"])
def test_an_empty_number_draws_a_new_one(api, number):
    client = api.make()
    answer = api.put(f"/api/v1/clients/{client['id']}", json={"number": number}).json()["data"]
    assert int(answer["number"]) == int(client["number"]) + 1


def test_the_number_zero_is_taken_by_numbers_that_start_with_no_digit(api):
    client = api.make()
    assert api.put(f"/api/v1/clients/{client['id']}", json={"number": 0}).status_code == 200
    api.make(number="K-1")
    answer = api.put(f"/api/v1/clients/{client['id']}", json={"number": 0})
    assert answer.json()["errors"] == {"number": ["The number has already been taken."]}


def test_automatic_numbers_jump_over_those_that_are_taken(api):
    first = api.make()
    api.make(number=f"{int(first['number']) + 1:04d}")
    assert int(api.make()["number"]) == int(first["number"]) + 2


def test_overlong_texts_are_shown_once_and_then_cut(api):
    client = api.make(
        "n" * 300, phone="1" * 300, custom_value1="c" * 300, contacts=[{"email": "a" * 60 + "@" + "b" * 60}]
    )
    assert len(client["name"]) == 300
    stored = api.get(f"/api/v1/clients/{client['id']}").json()["data"]
    assert [len(stored[k]) for k in ("name", "phone", "custom_value1")] == [191, 255, 300]
    assert len(stored["contacts"][0]["email"]) == 100


def test_a_contacts_phone_is_cut_earlier_than_its_clients(api):
    contact = {"first_name": "f" * 300, "phone": "1" * 300}
    (stored,) = api.make("One", contacts=[contact])["contacts"]
    assert (len(stored["first_name"]), len(stored["phone"])) == (191, 191)


def test_an_overlong_number_is_shown_once_and_then_cut(api):
    client = api.make("One", number="7" * 308)
    assert len(client["number"]) == 308
    assert len(api.get(f"/api/v1/clients/{client['id']}").json()["data"]["number"]) == 191


def test_a_group_gives_its_currency_to_a_new_client_for_good(api):
    group = api.post("/api/v1/group_settings", json={"name": "G", "settings": {"currency_id": "3"}}).json()["data"]
    client = api.make(group_settings_id=group["id"])
    assert client["settings"]["currency_id"] == "3"
    assert client["group_settings_id"] == group["id"]


def test_assign_group_leaves_out_what_is_not_live(api):
    group = api.post("/api/v1/group_settings", json={"name": "G"}).json()["data"]
    live, archived = api.make("live"), api.make("archived")
    api.bulk("archive", archived["id"])
    rows = api.bulk("assign_group", live["id"], archived["id"], group_settings_id=group["id"]).json()["data"]
    assert {row["name"]: row["group_settings_id"] for row in rows} == {"live": group["id"], "archived": ""}


def test_assign_group_needs_a_group_of_the_company(api):
    client = api.make()
    assert "group_settings_id" in api.bulk("assign_group", client["id"]).json()["errors"]
    assert (
        "group_settings_id" in api.bulk("assign_group", client["id"], group_settings_id="zzzzzzzzzz").json()["errors"]
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), ("", ""), (True, "1"), (["a"], '["a"]'), ("0", ""), (5, "5"), ("c" * 300, "c" * 300)],
)
def test_bulk_update_takes_anything(api, value, shown):
    client = api.make(custom_value1="before")
    rows = api.bulk("bulk_update", client["id"], column="custom_value1", new_value=value).json()["data"]
    assert rows[0]["custom_value1"] == shown


def test_bulk_update_without_a_value_empties_the_column(api):
    client = api.make(custom_value1="before")
    assert api.bulk("bulk_update", client["id"], column="custom_value1").json()["data"][0]["custom_value1"] == ""


def test_a_viewer_changes_nothing_and_is_told_nothing(api):
    client = api.make("One")
    viewer = {"X-API-TOKEN": api.sandbox.viewer_token}
    body = {"action": "archive", "ids": [client["id"]]}
    assert api.post("/api/v1/clients/bulk", json=body, headers=viewer).status_code == 200
    assert api.names(status="active") == ["One"]
    assert api.post("/api/v1/clients", json={}, headers=viewer).status_code == 401
    assert api.put(f"/api/v1/clients/{client['id']}", json={}, headers=viewer).status_code == 401


def test_money_is_kept_to_the_micro(api):
    client = api.make()
    path = f"/_sandbox/clients/{client['id']}/balances"
    for exact, shown in (
        ("10000000000000.123456", "10000000000000.123"),
        ("-0.000001", "-1.0e-6"),
        ("0.1", "0.1"),
        ("7.000", "7"),
    ):
        api.post(path, content=f'{{"balance": {exact}}}')
        assert f'"balance": {shown},' in api.get(f"/api/v1/clients/{client['id']}").text
    assert api.world.db.execute("SELECT balance FROM clients").fetchone() == ("7",)


def test_merge_adds_exactly_and_tells_the_ledger(api):
    one, two = api.make("One"), api.make("Two")
    api.balances(one, balance=0.1, credit_balance=1)
    api.balances(two, balance=0.2, credit_balance=2, payment_balance=3)
    password = {"X-API-PASSWORD": api.sandbox.password}
    merged = api.post(f"/api/v1/clients/{one['id']}/{two['id']}/merge?include=ledger", headers=password).json()["data"]
    assert (merged["balance"], merged["credit_balance"], merged["payment_balance"]) == (0.3, 3, 0)
    assert merged["ledger"][0]["notes"] == "Balance update after merging Two"
    assert (merged["ledger"][0]["adjustment"], merged["ledger"][0]["activity_id"]) == (0.2, 61)


def test_merge_loses_contacts_that_have_no_address(api):
    one, two = api.make("One", contacts=[{"email": "a@x.io"}]), api.make("Two", contacts=[{"first_name": "Nameonly"}])
    password = {"X-API-PASSWORD": api.sandbox.password}
    merged = api.post(f"/api/v1/clients/{one['id']}/{two['id']}/merge", headers=password).json()["data"]
    assert [c["email"] for c in merged["contacts"]] == ["a@x.io"]


def test_password_comes_before_ids_and_rights(api):
    viewer = {"X-API-TOKEN": api.sandbox.viewer_token, "X-API-PASSWORD": api.sandbox.password}
    assert api.post("/api/v1/clients/zzzzzzzzzz/purge").status_code == 412
    assert api.post("/api/v1/clients/zzzzzzzzzz/purge", headers=viewer).status_code == 412


def test_the_password_is_forgotten_after_half_an_hour(api):
    one = api.make()
    password = {"X-API-PASSWORD": api.sandbox.password}
    assert api.post("/api/v1/clients/zzzzzzzzzz/purge", headers=password).status_code == 400
    api.switch(clock={"advance": 29 * 60})
    assert api.post("/api/v1/clients/zzzzzzzzzz/purge").status_code == 400
    api.switch(clock={"advance": 31 * 60})
    assert api.post(f"/api/v1/clients/{one['id']}/purge").status_code == 412
