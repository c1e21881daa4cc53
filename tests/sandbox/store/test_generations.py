"""What differs between the generations of the server, each difference seen by a request."""

from __future__ import annotations

import pytest

from sandbox.server import create_app
from sandbox.store.generation import GENERATIONS
from tests.sandbox.conftest import NOW, Api


def bad_token(api):
    return "errors" in api.get("/api/v1/ping", headers={"X-API-TOKEN": "no"}).json()


def malformed(api):
    return api.post("/api/v1/clients", content=b"{", headers={"Content-Type": "application/json"}).status_code


def unknown_sort(api):
    return api.get("/api/v1/clients?sort=nope|asc").status_code


def words(api):
    api.make("Acme of London")
    return api.names(filter="London Acme")


def hidden_in_show(api):
    client = api.make()
    api.balances(client, balance=5)
    answer = api.get(f"/api/v1/clients/{client['id']}", headers={"X-API-TOKEN": api.sandbox.viewer_token})
    return answer.json()["data"]["balance"]


def documents_of_put(api):
    body = {"name": "new", "documents": [{"id": "x"}]}
    return api.put(f"/api/v1/clients/{api.make('old')['id']}", json=body).json()["data"]["name"]


def list_value(api):
    return api.post("/api/v1/clients", json={"custom_value1": ["x"]}).status_code


def locations(api):
    return api.make().get("locations")


def documented_balance(api):
    for name, balance in (("zero", 0), ("rich", 2000)):
        api.balances(api.make(name), balance=balance)
    return api.names(balance="gt:1000")


def unsorted(api):
    api.make("first"), api.make("second")
    return [row["name"] for row in api.rows()]


def several_sorts(api):
    for name, city in (("b", "x"), ("a", "x"), ("c", "w")):
        api.make(name, city=city)
    return [row["name"] for row in api.get("/api/v1/clients?sort[]=city|asc&sort[]=name|asc").json()["data"]]


def merge_activity(api):
    one, other = api.make("kept"), api.make("other")
    api.post(f"/api/v1/clients/{one['id']}/{other['id']}/merge", headers={"X-API-PASSWORD": api.sandbox.password})
    return "151" in {row["activity_type_id"] for row in api.get("/api/v1/activities?per_page=50").json()["data"]}


@pytest.mark.parametrize(
    ("seen", "on_5_10", "on_5_12", "on_2026"),
    [
        (bad_token, True, False, False),
        (malformed, 200, 400, 400),
        (unknown_sort, 500, 200, 200),
        (words, [], ["Acme of London"], ["Acme of London"]),
        (hidden_in_show, 5, 0, 0),
        (documents_of_put, "old", "new", "new"),
        (list_value, 500, 422, 422),
        (locations, None, [], []),
        (documented_balance, ["zero"], ["zero"], ["rich"]),
        (unsorted, ["first", "second"], ["first", "second"], ["second", "first"]),
        (merge_activity, False, True, True),
        (several_sorts, ["b", "a", "c"], ["b", "a", "c"], ["c", "a", "b"]),
    ],
)
def test_each_generation_answers_in_its_own_way(seen, on_5_10, on_5_12, on_2026):
    for generation, expected in zip(GENERATIONS, (on_5_10, on_5_12, on_2026), strict=True):
        with Api(create_app(clock=lambda: NOW, behaves_like=generation)) as api:
            assert seen(api) == expected, generation


def test_malformed_json_is_told_and_makes_no_client():
    with Api(create_app(clock=lambda: NOW, behaves_like="5.12")) as api:
        answer = api.post("/api/v1/clients", content=b"{", headers={"Content-Type": "application/json"})
        assert answer.json() == {"message": "Malformed JSON payload.", "error": "Invalid JSON data provided"}
        assert api.rows() == []
