"""The pages of the list: each client once, none lost where nobody writes, and what stays missing is said."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from connector import clients
from connector.api.api import Api
from connector.clients.listing import SORTED_BY
from connector.door.answer import Answer
from schemas.errors import NotAuthorised, PagesMoved, SettingsError, UnexpectedShape
from tests.records import client


@pytest.fixture(scope="module")
def everybody(box):
    return sorted(c["id"] for c in box.call("GET", "/api/v1/clients?per_page=5000")["data"])


def ids(found):
    return [one.id for one in found]


class Busy:
    """A door to a server to which something happens before one of its pages is asked for."""

    def __init__(self, door, page, happens):
        self.door, self.page, self.happens = door, page, happens

    def get(self, path, params):
        if params["page"] == self.page and self.happens:
            happens, self.happens = self.happens, None
            happens()
        return self.door.get(path, params)


class Told:
    """A door that answers with pages of a test: lists of records, a total, a page size."""

    def __init__(self, *pages):
        self.pages, self.asked = list(pages), []

    def get(self, _path, params):
        self.asked.append(params)
        records, total, size = self.pages[min(len(self.asked), len(self.pages)) - 1]
        body = {"data": records, "meta": {"pagination": {"total": total, "per_page": size}}}
        return Answer(200, json.dumps(body, default=float).encode(), datetime(2026, 1, 1, tzinfo=UTC), "5.10.42")


@pytest.mark.parametrize("size", [1, 6, 25, 500])
def test_each_client_comes_once_whatever_the_size_of_a_page(box, api, everybody, size):
    box.requests()
    assert sorted(ids(clients.list_clients(api, page_size=size))) == everybody
    assert len(box.requests()) == -(-len(everybody) // size)


def test_the_order_is_the_one_that_was_asked_for(api):
    balances = [c.balance for c in clients.list_clients(api, sort="balance|desc", page_size=500)]
    assert balances == sorted(balances, reverse=True)
    numbers = [c.number for c in clients.list_clients(api, sort="display_name|asc")]
    assert numbers != sorted(numbers)


def test_every_column_that_can_be_named_can_be_sorted_by(api):
    for column in SORTED_BY:
        assert next(clients.list_clients(api, sort=f"{column}|desc", page_size=1))


@pytest.mark.parametrize(
    ("sort", "words"),
    [
        ("shoe_size|asc", "shoe_size"),
        ("currency_id|asc", "currency_id"),
        ("settings|asc", "settings"),
        ("name", "direction"),
        ("name|ASC", "direction"),
        ("name|up", "direction"),
        ("|asc", "sorted by"),
    ],
)
def test_a_sort_that_breaks_or_does_nothing_is_refused_at_once(api, sort, words):
    with pytest.raises(SettingsError, match=words):
        clients.list_clients(api, sort=sort)


@pytest.mark.parametrize("size", [0, -1, 5001])
def test_a_page_size_that_the_server_replaces_is_refused(api, size):
    with pytest.raises(SettingsError, match="page_size"):
        clients.list_clients(api, page_size=size)


def test_rows_of_one_rank_that_hide_at_the_edges_of_pages_come_all_the_same(box, api, everybody):
    box.switch(shuffle=True)  # rows of one rank come in another order each time, as a database may send them
    try:
        assert sorted(ids(clients.list_clients(api, sort="is_deleted|asc", page_size=4))) == everybody
    finally:
        box.switch(shuffle=False)


def test_a_server_that_sends_smaller_pages_is_followed(box, api, everybody):
    box.switch(per_page_cap=4)
    try:
        assert sorted(ids(clients.list_clients(api, page_size=10))) == everybody
    finally:
        box.switch(per_page_cap=5000)


def test_a_server_that_begins_to_send_smaller_pages_is_followed_too(box, api, everybody):
    busy = Api(Busy(api.door, 2, lambda: box.switch(per_page_cap=4)), api.journal)
    try:
        assert sorted(ids(clients.list_clients(busy, page_size=10))) == everybody
    finally:
        box.switch(per_page_cap=5000)


def test_nobody_is_lost_or_comes_twice_where_others_vanish_meanwhile(box, api):
    mine = [box.make(f"Passing {n}")["id"] for n in range(12)]
    wanted = clients.Filter(name="Passing")
    busy = Api(
        Busy(api.door, 3, lambda: [box.call("POST", f"/api/v1/clients/{one}/purge") for one in mine[:3]]), api.journal
    )
    found = ids(clients.list_clients(busy, wanted, page_size=2))
    assert sorted(found) == sorted(mine)  # the purged ones had come before
    assert ids(clients.list_clients(api, wanted)) == mine[3:]


def test_a_client_that_is_touched_meanwhile_comes_once(box, api):
    mine = [box.make(f"Moving {n}")["id"] for n in range(8)]
    touch = lambda: box.bulk("bulk_update", mine[0], column="public_notes", new_value="touched")  # noqa: E731
    busy = Api(Busy(api.door, 2, touch), api.journal)
    found = ids(clients.list_clients(busy, clients.Filter(name="Moving"), sort="updated_at|asc", page_size=3))
    assert (len(found), set(found)) == (8, set(mine))


def test_clients_that_stay_missing_are_said_to_be(api):
    told = Told(([client("a"), client("b")], 3, 500))
    with pytest.raises(PagesMoved, match="missing"):
        list(clients.list_clients(Api(told, api.journal)))
    assert 2 <= len(told.asked) < 10


def test_a_server_that_tells_no_total_is_read_to_its_last_page(api):
    told = Told(([client("a"), client("b")], None, 2), ([client("c")], None, 2))
    assert ids(clients.list_clients(Api(told, api.journal), page_size=2)) == ["a", "b", "c"]


def test_a_server_whose_pages_change_their_size_for_ever_is_left(api):
    sizes = [([client(f"c{n}-{i}") for i in range(2)], 100, 2 + n % 2) for n in range(50)]
    with pytest.raises(PagesMoved, match="size"):
        list(clients.list_clients(Api(Told(*sizes), api.journal), page_size=2))


def test_a_broken_client_is_told_with_the_way_to_find_it(box, api):
    poison = box.make("Poison")["id"]
    box.switch(poison=[poison])
    try:
        with pytest.raises(UnexpectedShape, match="ninja-sync pull"):
            list(clients.list_clients(api))
    finally:
        box.switch(poison=[])


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (client("a", balance="12x"), "a: balance"),
        (client("a", balance=10**15), "balance"),
        ("text", "not an object"),
        ({}, "id"),
    ],
)
def test_a_record_that_is_none_is_told_by_id_and_field(api, record, words):
    with pytest.raises(UnexpectedShape, match=words):
        list(clients.list_clients(Api(Told(([record], 1, 500)), api.journal)))


def test_a_record_that_is_no_json_is_told_by_its_id(api):
    class Garbled:
        def get(self, _path, _params):
            body = b'{"data": [{"id": "aB1", "name": "\xff"}], "meta": {"pagination": {"total": 1, "per_page": 500}}}'
            return Answer(200, body, datetime(2026, 1, 1, tzinfo=UTC), "5.10.42")

    with pytest.raises(UnexpectedShape, match="aB1"):
        list(clients.list_clients(Api(Garbled(), api.journal)))


def test_a_token_that_may_not_see_money_gets_no_list_of_zeros(box, journal):
    viewer = box.api(journal, token=box.sandbox.viewer_token)
    with viewer.door:
        for ask in (clients.list_clients, lambda api: iter([clients.count_clients(api)])):
            with pytest.raises(NotAuthorised, match="money"):
                list(ask(viewer))


def test_another_companys_clients_are_not_in_it(box, journal, everybody):
    other = box.api(journal, token=box.sandbox.other_token)
    with other.door:
        found = ids(clients.list_clients(other))
    assert found
    assert not set(found) & set(everybody)
