"""The documents of a client: all of them, once each, and no way to the files in them."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import pytest

from connector import clients
from connector.api.api import Api
from connector.door.answer import Answer
from schemas.errors import NotAuthorised, NotFound, PagesMoved, SettingsError, UnexpectedShape
from tests.schemas.schema_records import DOCUMENT


@pytest.fixture
def filed(box, api):
    """A client with five documents."""
    made = box.make("Filed")
    for n in range(5):
        api.door.upload(f"/clients/{made['id']}/upload", f"paper {n}.txt", b"paper number %d" % n, repeatable=False)
    return made["id"]


class Told:
    """A door that answers with pages of a test."""

    def __init__(self, *pages, total):
        self.pages, self.total = list(pages), total

    def post(self, _path, *, params, repeatable):
        assert repeatable
        body = {"data": self.pages[params["page"] - 1], "meta": {"pagination": {"total": self.total, "per_page": 2}}}
        return Answer(200, json.dumps(body).encode(), datetime(2026, 1, 1, tzinfo=UTC))


def document(key, **fields):
    return {**DOCUMENT, "id": key, **fields}


@pytest.mark.parametrize(("size", "requests"), [(100, 1), (2, 3), (5, 2)])
def test_all_come_once_with_what_is_known_of_the_files(box, api, filed, size, requests):
    box.requests()
    found = list(clients.documents(api, filed, page_size=size))
    assert len(box.requests()) == requests
    assert sorted(one.name for one in found) == [f"paper {n}.txt" for n in range(5)]
    assert {(one.type, one.size) for one in found} == {("txt", len("paper number 0"))}
    assert {one.id for one in found} == {one.id for one in clients.show(api, filed).documents}


def test_a_client_without_documents_has_none(box, api):
    assert list(clients.documents(api, box.make("Bare")["id"])) == []


def test_nothing_that_opens_a_file_is_in_them(api, filed, as_it_is):
    told = repr([dataclasses.asdict(one) for one in clients.documents(api, filed)])
    for one in as_it_is(filed)["documents"]:
        assert [one[key] for key in ("hash", "url", "link") if one[key] in told] == []


def test_who_is_not_there_or_may_not_be_seen_is_told(box, api, journal, filed):
    with pytest.raises(NotFound):
        list(clients.documents(api, "zzzzzzzzzz"))
    other = box.api(journal, token=box.sandbox.other_token)
    with other.door, pytest.raises(NotAuthorised):
        list(clients.documents(other, filed))
    with pytest.raises(SettingsError):
        clients.documents(api, filed, page_size=0)


def test_one_that_comes_twice_is_told_once_and_missing_ones_are_said_to_be(api):
    pages = ([document("a"), document("b")], [document("b"), document("c")], [])
    assert [one.id for one in clients.documents(Api(Told(*pages, total=3), api.journal), "x")] == ["a", "b", "c"]
    with pytest.raises(PagesMoved):
        list(clients.documents(Api(Told(*pages, total=4), api.journal), "x"))


@pytest.mark.parametrize(("odd", "words"), [({"size": "5"}, "a: size"), ({"name": 5}, "name"), ({"id": ""}, "id")])
def test_an_odd_one_is_told_by_its_field(api, odd, words):
    with pytest.raises(UnexpectedShape, match=words):
        list(clients.documents(Api(Told([{**document("a"), **odd}], total=1), api.journal), "x"))
