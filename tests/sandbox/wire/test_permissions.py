"""What users without the rights of an admin see and may do."""

from __future__ import annotations

import sqlite3

import pytest

from sandbox.store.database import OldDatabaseError, connect


def user(api, permissions="", **more):
    made = api.post("/_sandbox/users", json={"permissions": permissions, **more}).json()
    return made | {"headers": {"X-API-TOKEN": made["token"]}}


def listed(api, headers):
    return [row["name"] for row in api.get("/api/v1/clients?sort=id|asc", headers=headers).json()["data"]]


def test_a_user_without_rights_sees_only_what_is_his_own(api):
    nobody = user(api)
    theirs, his = api.make("theirs"), api.make("his", assigned_user_id=nobody["id"])
    assert listed(api, nobody["headers"]) == ["his"]
    path = "/api/v1/clients/"
    assert api.get(path + theirs["id"], headers=nobody["headers"]).status_code == 401
    assert api.get(path + his["id"], headers=nobody["headers"]).status_code == 200
    assert api.put(path + his["id"], json={"name": "mine"}, headers=nobody["headers"]).status_code == 200
    assert api.put(path + theirs["id"], json={"name": "mine"}, headers=nobody["headers"]).status_code == 401
    assert api.post(path, json={}, headers=nobody["headers"]).status_code in {401, 404}
    assert api.post("/api/v1/clients", json={}, headers=nobody["headers"]).status_code == 401


@pytest.mark.parametrize(
    ("permissions", "status"),
    [("view_all", 200), ("edit_all", 200), ("view_activity", 200), ("view_client", 500), ("", 500)],
)
def test_who_may_view_activities_gets_the_feed_and_others_an_error(api, permissions, status):
    made = api.post("/_sandbox/users", json={"permissions": permissions}).json()
    assert api.get("/api/v1/activities", headers={"X-API-TOKEN": made["token"]}).status_code == status


def test_the_token_without_rights_sees_nothing_of_others(api):
    api.make("theirs")
    assert listed(api, {"X-API-TOKEN": api.sandbox.none_token}) == []
    assert api.get("/api/v1/activities", headers={"X-API-TOKEN": api.sandbox.none_token}).status_code == 500


@pytest.mark.parametrize(
    ("permissions", "seen", "balance"),
    [
        ("", 0, None), ("view_client", 1, 0), ("view_client,view_invoice", 1, 5), ("view_client,edit_client", 1, 5),
        ("edit_client", 1, 5), ("edit_all", 1, 5), ("view_all", 1, 5), ("create_client", 0, None),
    ],
)  # fmt: skip
def test_permissions_decide_which_rows_and_figures_a_list_shows(api, permissions, seen, balance):
    api.balances(api.make(), balance=5)
    rows = api.get("/api/v1/clients", headers=user(api, permissions)["headers"]).json()["data"]
    assert len(rows) == seen
    assert [row["balance"] for row in rows] == ([] if balance is None else [balance])


@pytest.mark.parametrize(
    ("permissions", "status"), [("create_client", 200), ("create_all", 200), ("edit_all", 401), ("view_client", 401)]
)
def test_making_a_client_is_a_right_of_its_own(api, permissions, status):
    headers = user(api, permissions)["headers"]
    assert api.post("/api/v1/clients", json={}, headers=headers).status_code == status
    assert api.get("/api/v1/clients/create", headers=headers).status_code == status


def test_bulk_looks_at_the_first_row_only_or_leaves_rows_out_silently(api):
    nobody = user(api)
    own, theirs = api.make("own", assigned_user_id=nobody["id"]), api.make("theirs")
    body = {"ids": [own["id"], theirs["id"]], "action": "bulk_update", "column": "custom_value1", "new_value": "x"}
    assert api.post("/api/v1/clients/bulk", json=body, headers=nobody["headers"]).status_code == 200
    assert [row["custom_value1"] for row in api.rows()] == ["x", "x"]
    body = {"ids": [own["id"], theirs["id"]], "action": "archive"}
    answer = api.post("/api/v1/clients/bulk", json=body, headers=nobody["headers"])
    assert [row["name"] for row in answer.json()["data"]] == ["own"]
    assert api.names(status="archived") == ["own"]


@pytest.mark.parametrize(("state", "message"), [("is_deleted", "User inactive"), ("is_locked", "User access locked")])
def test_users_who_are_out_are_told_so(api, state, message):
    answer = api.get("/api/v1/ping", headers=user(api, "view_all", **{state: True})["headers"])
    assert (answer.status_code, answer.json()) == (403, {"message": message, "errors": {}})


def test_a_database_of_another_version_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "old.sqlite"
    with sqlite3.connect(path) as old:
        old.execute("CREATE TABLE clients (id INTEGER PRIMARY KEY)")
    before = path.read_bytes()
    with pytest.raises(OldDatabaseError, match="another version"):
        connect(path)
    assert path.read_bytes() == before
