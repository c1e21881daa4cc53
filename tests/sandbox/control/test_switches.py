from __future__ import annotations

import pytest

NOW = 1_790_000_000.25


def test_all_are_off_at_first(api):
    assert api.get("/_sandbox/switches").json() == {
        "latency_ms": 0,
        "timezone": "UTC",
        "per_page_cap": 5000,
        "shuffle": False,
        "clock": {"now": NOW, "frozen": False},
        "faults": [],
        "poison": [],
        "merge_dies": None,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonsense": 1},
        {"timezone": "Mars/Phobos"},
        {"per_page_cap": 5001},
        {"per_page_cap": 0},
        {"faults": [{"do": "explode"}]},
        {"faults": [{"do": "status", "when": 1}]},
        {"poison": ["zzzzzzzzzz"]},
        {"clock": {"then": 1}},
        {"latency_ms": "soon"},
    ],
)
def test_what_is_not_understood_changes_nothing(api, wrong):
    answer = api.post("/_sandbox/switches", json={"shuffle": True, **wrong})
    assert answer.status_code == 400
    assert api.get("/_sandbox/switches").json()["shuffle"] is False


def test_null_puts_a_switch_back(api):
    api.switch(per_page_cap=3, timezone="Europe/Berlin", latency_ms=1, poison=[api.make()["id"]], clock={"now": 5})
    state = api.switch(per_page_cap=None, timezone=None, latency_ms=None, poison=None, clock=None, faults=None)
    assert (state["per_page_cap"], state["timezone"], state["latency_ms"], state["poison"]) == (5000, "UTC", 0, [])
    assert state["clock"] == {"now": NOW, "frozen": False}


def test_clock_moves_stamps_and_the_date_header(api):
    api.switch(clock={"now": 1700000000.5})
    answer = api.post("/api/v1/clients", json={})
    assert answer.json()["data"]["created_at"] == 1700000000
    assert answer.headers["date"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    api.switch(clock={"advance": 3600})
    assert api.make()["created_at"] == 1700003600
    api.switch(clock={"now": None, "advance": 10})
    assert api.make()["created_at"] == int(NOW) + 10


def test_west_of_utc_the_last_hours_are_hidden(api):
    client = api.make()
    api.switch(timezone="America/New_York")  # four hours behind at that time
    shown = api.rows()[0]["updated_at"]
    assert shown == client["updated_at"]
    assert api.rows(updated_at=shown) == []
    assert api.rows(updated_at=shown - 4 * 3600 + 1) == []
    assert len(api.rows(updated_at=shown - 4 * 3600)) == 1
    assert api.rows(created_at=shown) == []


def test_east_of_utc_created_at_shows_hours_too_many(api):
    """`updated_at` is looked at twice, the second time exactly, so it is not skewed there."""
    shown = api.make()["updated_at"]
    api.switch(timezone="Asia/Tokyo")
    assert len(api.rows(created_at=shown + 9 * 3600)) == 1
    assert api.rows(created_at=shown + 9 * 3600 + 1) == []
    assert len(api.rows(updated_at=shown)) == 1
    assert api.rows(updated_at=shown + 1) == []


def test_the_server_may_cap_pages_lower(api):
    for _ in range(5):
        api.make()
    api.switch(per_page_cap=3)
    meta = api.get("/api/v1/clients?per_page=100").json()["meta"]["pagination"]
    assert (meta["per_page"], meta["count"], meta["total_pages"]) == (3, 3, 2)


def test_shuffle_changes_the_order_where_sort_leaves_it_open(busy):
    busy.switch(shuffle=True)
    orders = {tuple(busy.names(sort="", per_page=50)) for _ in range(3)}
    assert len(orders) == 3
    assert len({tuple(busy.names(sort="id|asc", per_page=50)) for _ in range(3)}) == 1
    tied = [row["updated_at"] for row in busy.rows(sort="is_deleted|asc", per_page=50)]
    assert tied != [row["updated_at"] for row in busy.rows(sort="is_deleted|asc", per_page=50)]


def test_poison_empties_every_answer_with_that_client(busy):
    ids = [row["id"] for row in busy.rows(sort="id|asc", per_page=10)]
    busy.switch(poison=[ids[6]])
    bad = busy.get("/api/v1/clients?sort=id|asc&per_page=5&page=2")
    assert (bad.status_code, bad.content) == (200, b"")
    assert len(busy.rows(sort="id|asc", per_page=5, page=1)) == 5
    assert len(busy.rows(sort="id|asc", per_page=5, page=3)) == 5
    assert busy.get(f"/api/v1/clients/{ids[6]}").content == b""


def test_latency_delays_the_api_only(api, monkeypatch):
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    api.switch(latency_ms=250)
    monkeypatch.setattr("sandbox.wire.front.asyncio.sleep", sleep)
    api.get("/api/v1/ping")
    api.get("/_sandbox/switches")
    assert waits == [0.25]
