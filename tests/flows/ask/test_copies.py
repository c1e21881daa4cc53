"""Readers of a copy that a server keeps open answer from the newest copy, and are used by one question at a time."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from msgspec.structs import replace

from flows.ask.ask import reading
from flows.ask.copies import COPIES, MOST
from schemas.errors import WarehouseError

ASKED = "select city from ninja.clients where id = $id"


@pytest.fixture
def published(settings, pulls):
    """Settings of a warehouse with copies for readers."""
    using = replace(settings, publish=True)
    pulls(using=using)
    return using


def test_a_reader_is_kept_and_a_new_copy_is_seen_at_once(published, pulls, server):
    client = next(iter(server.clients(status="active").values()))
    with COPIES.kept():
        with reading(published) as first:
            before = first.rows(ASKED, {"id": client["id"]})
        with reading(published) as again:
            assert again is first
        server.edit(client, city="Elsewhere")
        pulls(using=published)
        with reading(published) as newest:
            assert newest is not first
            assert newest.rows(ASKED, {"id": client["id"]}) == [("Elsewhere",)] != before


def test_two_questions_at_once_have_a_reader_each_and_few_are_kept(published):
    meeting, seen = Barrier(MOST + 2, timeout=120), []

    def ask():
        with reading(published) as reader:
            seen.append(reader)
            meeting.wait()
            assert reader.rows("select count(*) from ninja.clients") == [(120,)]

    with COPIES.kept():
        threads = [Thread(target=ask) for _ in range(MOST + 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(map(id, seen))) == MOST + 2
        with reading(published) as one, reading(published) as other:
            assert {id(one), id(other)} < set(map(id, seen))


def test_a_reader_that_met_an_error_is_not_used_again(published):
    with COPIES.kept():
        with pytest.raises(WarehouseError), reading(published) as broken:
            broken.rows("select * from ninja.nothing")
        with reading(published) as reader:
            assert reader is not broken
            assert reader.rows("select 1") == [(1,)]


def test_a_command_keeps_nothing(published):
    with reading(published) as first:
        pass
    with reading(published) as second:
        assert second is not first
        assert second.rows("select 1") == [(1,)]
