"""The feed of what happened in the company."""

from __future__ import annotations

import pytest

from sandbox.people.seed import COMPANY_A
from tests.sandbox.clients.merging import merge, show
from tests.sandbox.conftest import NOW, Api

FEED = "/api/v1/activities"


def types(api: Api, query: str = "", **more) -> list[str]:
    return [row["activity_type_id"] for row in api.get(f"{FEED}?per_page=500{query}", **more).json()["data"]]


@pytest.fixture
def lived(api: Api) -> dict:
    """A client to whom one thing a minute was done."""
    client = api.make("One")
    for do in (
        lambda: api.put(f"/api/v1/clients/{client['id']}", json={"city": "x"}),
        lambda: api.bulk("archive", client["id"]),
        lambda: api.bulk("restore", client["id"]),
        lambda: api.delete(f"/api/v1/clients/{client['id']}"),
        lambda: api.bulk("bulk_update", client["id"], column="custom_value1", new_value="x"),
    ):
        api.switch(clock={"advance": 60})
        assert do().status_code == 200
    return client


def test_the_newest_come_first_and_bulk_update_leaves_none(api, lived):
    assert types(api) == ["3", "26", "2", "61", "1"]


def test_pages_are_those_of_every_list(api, lived):
    page = api.get(f"{FEED}?per_page=2&page=2").json()
    assert [row["activity_type_id"] for row in page["data"]] == ["2", "61"]
    assert page["meta"]["pagination"] == {
        "total": 5,
        "count": 2,
        "per_page": 2,
        "current_page": 2,
        "total_pages": 3,
        "links": {"previous": f"http://sandbox{FEED}?page=1", "next": f"http://sandbox{FEED}?page=3"},
    }
    assert api.get(f"{FEED}?rows=1").json()["meta"]["pagination"]["per_page"] == 20
    assert api.get(f"{FEED}?page=9").json()["data"] == []


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (str(int(NOW) + 120), 3),
        (str(int(NOW) + 121), 2),
        (f"{int(NOW) + 120}.9", 3),
        ("0", 5),
        ("", 5),
        ("garbage", 5),
        ("2026-12-31", 5),
        (str(int(NOW) * 1000), 5),
        ("-5", 5),
    ],
)
def test_updated_at_is_inclusive_and_only_a_number_restricts(api, lived, value, count):
    assert len(types(api, f"&updated_at={value}")) == count


def test_updated_at_is_exact_in_any_time_zone(api, lived):
    api.switch(timezone="America/New_York")
    assert len(types(api, f"&updated_at={int(NOW) + 120}")) == 3


def test_sorts_and_filters_of_clients_do_nothing_here(api, lived):
    assert types(api, "&sort=nope|asc&status=deleted&name=x&is_deleted=1") == ["3", "26", "2", "61", "1"]


def test_each_row_names_the_token_that_did_it(api, lived):
    theirs = {"X-API-TOKEN": api.sandbox.other_token}
    api.post("/api/v1/clients", json={}, headers=theirs)
    (other,) = api.get(FEED, headers=theirs).json()["data"]
    ours = api.get(FEED).json()["data"]
    assert {row["token_id"] for row in ours} == {ours[0]["token_id"]}
    assert other["token_id"] not in {"", ours[0]["token_id"]}
    assert other["user_id"] == ours[0]["user_id"]


def test_users_who_are_no_admin_get_a_server_error(api, lived):
    viewer = {"X-API-TOKEN": api.sandbox.viewer_token}
    answer = api.get(f"{FEED}?per_page=200", headers=viewer)
    assert (answer.status_code, answer.json()) == (500, {"message": "Server Error"})


def test_the_client_can_be_included_and_an_unknown_name_is_refused(api, lived):
    row = api.get(f"{FEED}?include=client&per_page=1").json()["data"][0]
    assert (row["client"]["id"], row["client"]["name"]) == (lived["id"], "One")
    answer = api.get(f"{FEED}?include=nope")
    assert (answer.status_code, answer.json()["message"]) == (400, "Relation `nope` is not a valid include.")
    assert api.get(f"{FEED}?include=nope&updated_at=9999999999").status_code == 200  # where there is no row


def test_a_merge_moves_activities_and_a_later_poll_sees_them(api, lived):
    survivor = api.make("Two")
    api.switch(clock={"advance": 60})
    now = int(NOW) + 360
    assert types(api, f"&updated_at={now}") == []
    assert merge(api, survivor, lived).status_code == 200
    assert types(api, f"&updated_at={now}") == ["3", "26", "2", "61", "1"]
    assert len(show(api, survivor)["activities"]) == 6


def test_a_purge_takes_a_clients_activities_away(api, lived):
    api.post(f"/api/v1/clients/{lived['id']}/purge", headers={"X-API-PASSWORD": api.sandbox.password})
    assert types(api) == []


# ---- of one record --------------------------------------------------------------------------------------------------


def entity(api: Api, more: dict | None = None, **body):
    return api.post(f"{FEED}/entity", json=body, headers=more or {})


def test_of_one_client_they_are_rendered_and_not_paged(api, lived):
    api.make("Two")
    answer = entity(api, entity="client", entity_id=lived["id"])
    assert list(answer.json()) == ["data"]
    rows = answer.json()["data"]
    assert [row["activity_type_id"] for row in rows] == [3, 26, 2, 61, 1]
    assert rows[0]["client"] == {"label": "One", "hashed_id": lived["id"]}
    assert rows[0]["user"]["label"] == "Olive Owner"


@pytest.mark.parametrize(("rows", "count"), [(2, 2), ("3", 3), (0, 0), ("", 5), (-1, 5), ("x", 0)])
def test_rows_says_how_many(api, lived, rows, count):
    assert len(entity(api, entity="client", entity_id=lived["id"], rows=rows).json()["data"]) == count


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ({}, 422, {"entity", "entity_id"}),
        ({"entity": "client"}, 422, {"entity_id"}),
        ({"entity": "client", "entity_id": "zzzzzzzzzz"}, 422, {"entity_id"}),
        ({"entity": "client", "entity_id": ""}, 422, {"entity_id"}),
        ({"entity": "nonsense", "entity_id": []}, 422, {"entity", "entity_id"}),
        ({"entity": "quote", "entity_id": "VolejRejNm"}, 422, {"entity_id"}),
        ({"entity": "nonsense"}, 422, {"entity", "entity_id"}),
        ({"entity": "nonsense", "entity_id": "VolejRejNm"}, 500, set()),
        ({"entity_id": "VolejRejNm"}, 500, set()),
    ],
)
def test_what_names_no_record_is_refused(api, lived, body, status, fields):
    answer = entity(api, **body)
    assert (answer.status_code, set(answer.json().get("errors", {}))) == (status, fields)


def test_another_companys_client_is_unknown(api, lived):
    theirs = {"X-API-TOKEN": api.sandbox.other_token}
    assert entity(api, theirs, entity="client", entity_id=lived["id"]).status_code == 422


def test_a_viewer_may_ask_for_one_client(api, lived):
    viewer = {"X-API-TOKEN": api.sandbox.viewer_token}
    assert len(entity(api, viewer, entity="client", entity_id=lived["id"]).json()["data"]) == 5


def test_rendered_for_the_web_application_everybody_gets_their_own(api, lived):
    assert len(api.get(f"{FEED}?reactv2=true").json()["data"]) == 5
    viewer = {"X-API-TOKEN": api.sandbox.viewer_token}
    assert api.get(f"{FEED}?reactv2=true", headers=viewer).json() == {"data": []}


def test_there_is_an_index_for_the_feed(api):
    sql = "EXPLAIN QUERY PLAN SELECT * FROM activities WHERE company_id = ? ORDER BY created_at DESC, id DESC LIMIT 20"
    plan = " ".join(str(row) for row in api.world.db.execute(sql, (COMPANY_A,)))
    assert "activities_company" in plan
    assert "TEMP B-TREE" not in plan
