"""Products, vendors, expenses, projects and tasks: what all of them do alike, and what each does on its own."""

from __future__ import annotations

import json

import pytest

from sandbox.server import create_app
from tests.sandbox.conftest import NOW, Api

KINDS = ("products", "vendors", "expenses", "projects", "tasks")
NAMES = {
    "products": "product_key",
    "vendors": "name",
    "expenses": "public_notes",
    "projects": "name",
    "tasks": "description",
}
OTHERS = (*KINDS, "quotes", "recurring_invoices")


def made(api: Api, kind: str, **more) -> dict:
    """A new record of this kind, called Thing."""
    body = {NAMES[kind]: "Thing"} | ({"client_id": api.make("One")["id"]} if kind == "projects" else {}) | more
    answer = api.post(f"/api/v1/{kind}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def listed(api: Api, kind: str, query: str = "") -> list[str]:
    """The ids of a list."""
    return [row["id"] for row in api.get(f"/api/v1/{kind}?{query}").json()["data"]]


def act(api: Api, kind: str, action: str, *rows: dict) -> list[dict]:
    answer = api.post(f"/api/v1/{kind}/bulk", json={"action": action, "ids": [row["id"] for row in rows]})
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_sent_comes_back_and_what_is_not_stays(api, kind):
    row = made(api, kind, custom_value1="x", custom_value2="y")
    api.switch(clock={"advance": 5})
    changed = api.put(f"/api/v1/{kind}/{row['id']}", json={"custom_value2": "z", "is_deleted": True}).json()["data"]
    assert changed == row | {"custom_value2": "z", "updated_at": row["updated_at"] + 5}
    assert api.get(f"/api/v1/{kind}/{row['id']}").json()["data"] == changed
    assert api.get(f"/api/v1/{kind}/{row['id']}/edit").json()["data"] == changed


@pytest.mark.parametrize("kind", KINDS)
def test_a_blank_record_has_the_fields_of_a_stored_one(api, kind):
    blank = api.get(f"/api/v1/{kind}/create").json()["data"]
    assert blank.keys() == made(api, kind).keys()
    assert blank["id"] == ""


@pytest.mark.parametrize("kind", KINDS)
def test_states_are_found_by_status(api, kind):
    rows = [made(api, kind) for _ in range(3)]
    act(api, kind, "archive", rows[1])
    (deleted,) = act(api, kind, "delete", rows[2])
    assert deleted["is_deleted"]
    assert deleted["archived_at"]
    for status, row in zip(("active", "archived", "deleted"), rows, strict=True):
        assert listed(api, kind, f"status={status}") == [row["id"]]
    assert len(listed(api, kind)) == 3
    act(api, kind, "restore", *rows)
    assert len(listed(api, kind, "status=active")) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_a_deleted_record_is_not_changed(api, kind):
    row = made(api, kind)
    assert api.delete(f"/api/v1/{kind}/{row['id']}").json()["data"]["is_deleted"]
    answer = api.put(f"/api/v1/{kind}/{row['id']}", json={"custom_value1": "x"})
    assert (answer.status_code, answer.json()["message"][:17]) == (400, "Record is deleted")


@pytest.mark.parametrize("kind", KINDS)
def test_lists_are_filtered_by_stamp_and_text_and_sorted(api, kind):
    rows = []
    for name in ("alpha", "beta", "gamma"):
        rows.append(made(api, kind, **{NAMES[kind]: name}))
        api.switch(clock={"advance": 10})
    assert listed(api, kind, f"updated_at={rows[1]['updated_at']}&sort=id|asc") == [row["id"] for row in rows[1:]]
    assert listed(api, kind, "filter=bet") == [rows[1]["id"]]
    assert listed(api, kind, f"sort={NAMES[kind]}|desc") == [row["id"] for row in reversed(rows)]
    assert listed(api, kind, "sort=updated_at|desc&per_page=1") == [rows[2]["id"]]


@pytest.mark.parametrize("kind", ["expenses", "projects", "tasks"])
def test_records_of_a_client_are_found_by_client_id(api, kind):
    client, other = api.make("One"), api.make("Two")
    mine, _ = made(api, kind, client_id=client["id"]), made(api, kind, client_id=other["id"])
    assert listed(api, kind, f"client_id={client['id']}") == [mine["id"]]
    (row,) = api.get(f"/api/v1/{kind}?client_id={client['id']}&include=client").json()["data"]
    assert row["client"]["name"] == "One"


@pytest.mark.parametrize("kind", ["products", "vendors"])
def test_client_id_says_nothing_about_records_without_a_client(api, kind):
    row = made(api, kind)
    assert listed(api, kind, f"client_id={api.make('One')['id']}") == [row["id"]]


@pytest.mark.parametrize("kind", ["vendors", "expenses", "projects", "tasks"])
def test_numbers_are_automatic_and_unique(api, kind):
    assert [made(api, kind)["number"] for _ in range(2)] == ["0001", "0002"]
    answer = api.post(f"/api/v1/{kind}", json={"name": "N", "client_id": api.make("T")["id"], "number": "0001"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == {"number": ["The number has already been taken."]}
    row = made(api, kind, number="X-1")
    assert api.put(f"/api/v1/{kind}/{row['id']}", json={"number": ""}).json()["data"]["number"] == "0003"


@pytest.mark.parametrize("kind", KINDS)
def test_strangers_and_viewers_see_none(api, kind):
    row = made(api, kind)
    for token in (api.sandbox.other_token, api.sandbox.viewer_token, api.sandbox.none_token):
        headers = {"X-API-TOKEN": token}
        assert api.get(f"/api/v1/{kind}", headers=headers).json()["data"] == []
        assert api.get(f"/api/v1/{kind}/{row['id']}", headers=headers).status_code == 401
        assert api.put(f"/api/v1/{kind}/{row['id']}", json={}, headers=headers).status_code == 401
        assert api.delete(f"/api/v1/{kind}/{row['id']}", headers=headers).status_code == 401
    viewer = {"X-API-TOKEN": api.sandbox.viewer_token}
    assert api.post(f"/api/v1/{kind}", json={}, headers=viewer).status_code == 401
    assert api.get(f"/api/v1/{kind}/create", headers=viewer).status_code == 401


@pytest.mark.parametrize("kind", OTHERS)
def test_unknown_ids_and_relations_are_refused(api, kind):
    assert api.get(f"/api/v1/{kind}/zzzzzzzzzz").status_code == 400
    assert api.get(f"/api/v1/{kind}/1234567890").json()["message"] == "Record with value 1234567890 not found"
    assert api.get(f"/api/v1/{kind}?include=nope").status_code == 200  # no row, so no relation is loaded


def test_a_project_needs_a_name_and_a_client(api):
    answer = api.post("/api/v1/projects", json={})
    assert answer.status_code == 422
    assert answer.json()["errors"].keys() == {"name", "client_id"}


@pytest.mark.parametrize("kind", ["expenses", "projects", "tasks"])
def test_a_client_that_does_not_exist_is_refused(api, kind):
    answer = api.post(f"/api/v1/{kind}", json={"name": "N", "client_id": "zzzzzzzzzz"})
    assert answer.status_code == 422
    assert answer.json()["errors"]["client_id"] == ["The selected client id is invalid."]


def test_a_vendor_has_contacts(api):
    assert [contact["email"] for contact in made(api, "vendors")["contacts"]] == [""]
    row = made(api, "vendors", contacts=[{"email": "a@x.io"}, {"first_name": "Ann"}])
    assert [(c["email"], c["first_name"], c["is_primary"]) for c in row["contacts"]] == [
        ("a@x.io", "", True),
        ("", "Ann", False),
    ]
    kept = api.put(f"/api/v1/vendors/{row['id']}", json={"city": "Ulm"}).json()["data"]
    assert kept["contacts"] == row["contacts"]
    now = api.put(f"/api/v1/vendors/{row['id']}", json={"contacts": [{"email": "c@x.io"}]}).json()["data"]
    assert [contact["email"] for contact in now["contacts"]] == ["c@x.io"]


def test_expenses_are_of_today_and_found_by_their_state(api):
    logged, pending = made(api, "expenses", amount="12.5"), made(api, "expenses", should_be_invoiced=True)
    assert (logged["amount"], logged["date"], logged["currency_id"]) == (12.5, "2026-09-21", "1")
    assert listed(api, "expenses", "client_status=logged") == [logged["id"]]
    assert listed(api, "expenses", "client_status=pending") == [pending["id"]]
    assert listed(api, "expenses", "client_status=invoiced") == []
    assert len(listed(api, "expenses", "client_status=paid")) == 2


def test_a_task_that_goes_on_is_running_and_its_hours_count_for_the_project(api):
    project = made(api, "projects")
    start = int(NOW) - 86_400
    own = {"project_id": project["id"], "client_id": project["client_id"]}
    done = made(api, "tasks", time_log=json.dumps([[start, start + 7300]]), **own)
    going = made(api, "tasks", time_log=[[start, start + 3600], [start + 4000, 0]], **own)
    assert (done["is_running"], going["is_running"], going["date"]) == (False, True, "2026-09-20")
    assert listed(api, "tasks", "client_status=is_running") == [going["id"]]
    assert len(listed(api, "tasks", "client_status=uninvoiced")) == 2
    assert api.get(f"/api/v1/projects/{project['id']}").json()["data"]["current_hours"] == 3


def test_a_merge_takes_them_along_and_a_purge_removes_them(api):
    one, two = api.make("One"), api.make("Two")
    rows = {kind: made(api, kind, client_id=two["id"]) for kind in ("expenses", "projects", "tasks")}
    api.switch(clock={"advance": 60})
    password = {"X-API-PASSWORD": api.sandbox.password}
    assert api.post(f"/api/v1/clients/{one['id']}/{two['id']}/merge", headers=password).status_code == 200
    for kind, row in rows.items():
        now = api.get(f"/api/v1/{kind}/{row['id']}").json()["data"]
        assert (now["client_id"], now["updated_at"]) == (one["id"], row["updated_at"] + 60)
    assert api.post(f"/api/v1/clients/{one['id']}/purge", headers=password).status_code == 200
    assert [listed(api, kind) for kind in rows] == [[], [], []]


@pytest.fixture(scope="module")
def seeded():
    with Api(create_app(clients=80, seed=6, clock=lambda: NOW)) as api:
        yield api


@pytest.mark.parametrize("kind", OTHERS)
def test_a_seeded_sandbox_has_some_of_every_kind(seeded, kind):
    rows = seeded.get(f"/api/v1/{kind}?per_page=100&sort=id|asc").json()["data"]
    assert len(rows) > 5
    made_at = [row["created_at"] for row in rows]
    assert made_at == sorted(made_at)
    assert all(row["created_at"] <= row["updated_at"] <= NOW for row in rows)
    if kind != "products":
        assert [row["number"] for row in rows] == [f"{n:04d}" for n in range(1, len(rows) + 1)]


def test_seeded_quotes_are_in_all_states_and_move_no_figure(seeded):
    rows = seeded.get("/api/v1/quotes?per_page=100").json()["data"]
    assert {row["status_id"] for row in rows} >= {"1", "2", "3", "4", "-1"}
    assert all(row["balance"] == 0 for row in rows)
    assert all(bool(row["invoice_id"]) == (row["status_id"] == "4") for row in rows)
