"""Many clients are read in as few requests as it takes, and none is missed although the list moves meanwhile."""

from __future__ import annotations

import pytest

from connector.clients.present import NEWEST, read_present, status_of
from tests.meanwhile import Meanwhile


@pytest.fixture(autouse=True)
def as_it_was(box):
    yield
    box.switch(faults=[], poison=[], per_page_cap=None)


@pytest.fixture
def everyone(box):
    return {one["id"]: one for one in box.call("GET", "/api/v1/clients?per_page=5000")["data"]}


def asked(box):
    return [one.split("?")[0].removeprefix("/api/v1") for one in box.requests()]


def test_all_states_are_read_and_what_is_not_there_is_left_out(box, api, everyone):
    found = read_present(api.door, [*everyone, "WrongIdxxx", "../x", ""])
    assert found.records.keys() == everyone.keys()
    assert found.unread == set()
    told = {key: status_of(record) for key, record in found.records.items()}
    assert set(told.values()) == {"active", "archived", "deleted"}
    assert all((told[key] == "deleted") == one["is_deleted"] for key, one in everyone.items())


@pytest.mark.parametrize(
    ("wanted", "cap", "requests"),
    [(2, None, 2), (3, None, 1), (25, None, 1), (25, 10, 3), (3, 1, 1 + 3), (3, 5, 1 + 3)],
    ids=["few", "a page of all", "all", "pages", "pages of one", "more pages than clients"],
)
def test_pages_are_read_as_long_as_they_are_fewer_than_the_clients(box, api, everyone, wanted, cap, requests):
    box.switch(per_page_cap=cap)
    ids = list(everyone)[-wanted:]  # the last ones of the list, by their ids
    box.requests()
    assert read_present(api.door, ids).records.keys() == set(ids)
    assert len(asked(box)) == requests


def test_those_just_written_stand_on_the_first_page(box, api, everyone):
    ids = [key for key, one in everyone.items() if not one["is_deleted"]][:4]
    box.bulk("bulk_update", *ids, column="custom_value1", new_value="x")
    box.switch(per_page_cap=5)
    box.requests()
    assert read_present(api.door, ids, sort=NEWEST).records.keys() == set(ids)
    assert len(asked(box)) == 1


def test_a_record_that_the_server_cannot_send_is_told_and_the_others_are_read(box, api, everyone):
    ids = list(everyone)[:5]
    box.switch(poison=[ids[2]])
    found = read_present(api.door, ids)
    assert (found.records.keys(), found.unread) == (set(ids) - {ids[2]}, {ids[2]})


def test_a_client_that_moves_over_a_page_border_meanwhile_is_not_missed(box, other_api, everyone):
    """Behind one that vanishes, everybody moves up: the first of the second page would be on no page."""
    ids = list(everyone)
    box.switch(per_page_cap=13)
    purge = Meanwhile("GET", lambda: box.call("POST", f"/api/v1/clients/{ids[0]}/purge"), nth=2)
    found = read_present(other_api(transport=purge).door, ids[1:])
    assert found.records.keys() == set(ids[1:])
