"""Pages asked for ahead: how many are under way, in which order they arrive, and which of them count."""

from __future__ import annotations

import random
import threading
from contextlib import closing

import pytest

from connector.scan import ahead as ahead_module
from connector.scan.ahead import answers, planned
from connector.scan.chain import Links
from connector.scan.pages import PAGE_CAP, UNREADABLE
from connector.scan.scan import first_look, read
from connector.scan.state import PAST_THE_END, Scan, Wall
from connector.scan.walk import walk
from schemas.errors import NotAuthorised
from tests.connector.scan.changing_server import START, ChangingServer, name

LONG = 60
"""Seconds that no test waits for."""


def crowded(rows=100, clamp=20, **traits):
    """A server whose clients all changed in one second, which has more rows than the largest page."""
    it = ChangingServer(random.Random(1), clamp=clamp, **traits)  # noqa: S311 - the same each time
    for _ in range(rows):
        it.insert(START)
    it.wait(1000)
    return it


def scan_of(it, ask=None, *, connections=4, page_size=10, together=None):
    scan = Scan(ask or it.ask, first_look(it.ask), page_size=page_size, skew=0, connections=connections)
    scan.together, scan.full = together, True
    return scan


def walked(scan):
    """All records of a walk that knows how many rows there are."""
    scan.walls[int(START)] = Wall(PAGE_CAP, scan.look.total)
    return [record for page in walk(scan, int(START)) for record in page]


def backwards(sources, at_once):
    """All sources, the last one first."""
    for place, source in reversed(list(enumerate(sources))):
        for item in source:
            yield place, item


def asked_by_id(it):
    return [p for p in it.log if p.get("sort") == "id|asc" and p["page"] != PAST_THE_END]


# how many are under way


class Counted:
    """A server that answers in one thread at a time, and counts the requests of a walk that are under way at once.

    Each of the first `meet` of them waits until all of those are there.
    """

    def __init__(self, it, meet):
        self.it, self.turn, self.meeting = it, threading.Lock(), threading.Barrier(meet, timeout=LONG)
        self.under_way = self.most = self.begun = 0

    def ask(self, params):
        if params.get("sort") != "id|asc" or params["page"] == PAST_THE_END:
            with self.turn:
                return self.it.ask(params)
        with self.turn:
            self.begun, self.under_way = self.begun + 1, self.under_way + 1
            self.most, waits = max(self.most, self.under_way), self.begun <= self.meeting.parties
        if waits:
            self.meeting.wait()
        with self.turn:
            self.under_way -= 1
            return self.it.ask(params)


@pytest.mark.parametrize("connections", [2, 4])
def test_the_walk_of_a_full_read_has_a_request_under_way_on_each_connection(connections):
    it = crowded()
    wire = Counted(it, meet=connections)
    came = {record["id"] for page in read(scan_of(it, wire.ask, connections=connections), None) for record in page}
    assert came == {name(n) for n in it.rows}
    assert wire.most == connections


def test_other_pulls_ask_for_one_page_after_the_other_and_no_larger_number_of_them():
    it = crowded()
    wire = Counted(it, meet=1)
    came = {record["id"] for page in read(scan_of(it, wire.ask), int(START)) for record in page}
    assert came == {name(n) for n in it.rows}
    assert wire.most == 1
    assert len(asked_by_id(it)) <= 100 / 20 + 2


def test_behind_a_page_that_does_not_count_the_next_one_is_asked_for_alone():
    """Rows vanish in front between the first two answers, so that the second page does not count."""
    it = crowded()
    steps, within = [], False

    def rows_vanish_between(sources, at_once):
        nonlocal within
        steps.append("at once")
        for place, source in enumerate(sources):
            within = True
            page = next(source)
            within = False
            yield place, page
            for number in range(1, 12):
                it.purge(number)

    def noted(params):
        if params.get("sort") == "id|asc" and params["page"] != PAST_THE_END and not within:
            steps.append("alone")
        return it.ask(params)

    came = {record["id"] for record in walked(scan_of(it, noted, together=rows_vanish_between))}
    assert came >= {name(n) for n in it.rows}
    assert steps[:2] == ["at once", "alone"]
    assert "at once" in steps[2:], "where a page counts again"


# in which order they arrive


def test_pages_arrive_in_their_order_whichever_was_answered_first():
    it = crowded(40)
    scan = scan_of(it, together=backwards)
    pages = planned((1, 10), 40, 10, 12)
    came = [(place, len(page.records)) for place, page, _ in answers(scan, {"sort": "id|asc"}, pages)]
    assert [place for place, _ in came] == pages
    assert [p["page"] for p in asked_by_id(it)] == [number for number, _ in reversed(pages)]


def test_a_page_that_cannot_be_read_arrives_in_its_turn():
    it = crowded(40, poison={15})
    came = list(answers(scan_of(it, together=backwards), {"sort": "id|asc"}, planned((1, 10), 40, 10, 12)))
    assert [isinstance(page, UNREADABLE) for _, page, _ in came] == [place == 1 for place in range(len(came))]
    assert all(agrees for *_, agrees in came)


def test_any_other_error_ends_them_all():
    def refuse(params):
        raise NotAuthorised

    it = crowded(40)
    with pytest.raises(NotAuthorised), closing(answers(scan_of(it, refuse), {}, [(1, 10), (2, 9)])) as came:
        next(came)


def test_closing_the_answers_ends_all_that_is_under_way():
    it = crowded()
    wire = Counted(it, meet=4)
    with closing(answers(scan_of(it, wire.ask), {"sort": "id|asc"}, planned((1, 10), 100, 10, 12))) as came:
        next(came)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ninja-sync-read")]
    assert wire.under_way == 0


# which of them count


@pytest.mark.parametrize("changed", [True, False])
def test_two_pages_agree_where_their_common_rows_are_the_same_even_if_who_takes_them_changes_them(changed):
    it = crowded(30)

    def a_row_changes_between(sources, at_once):
        for place, source in enumerate(sources):
            yield place, next(source)
            if changed and place == 0:
                it.touch(10, START)  # the last row of the first page, which begins the second one

    agreed = []
    for _, page, agrees in answers(scan_of(it, together=a_row_changes_between), {"sort": "id|asc"}, [(1, 10), (2, 9)]):
        agreed.append(agrees)
        for record in page.records:
            record.clear()
    assert agreed == [True, not changed]


@pytest.mark.parametrize("order", [lambda s, _: ((n, next(i)) for n, i in enumerate(s)), backwards])
def test_of_two_versions_of_a_row_with_one_stamp_the_later_one_arrives_last(order):
    """A row at the end of one page and the beginning of the next changes between their answers, in its second."""
    it = crowded()
    it.before_each = lambda number: it.touch(10, START) if number and it.log[-1].get("sort") == "id|asc" else None
    arrived = [record["version"] for record in walked(scan_of(it, together=order)) if record["id"] == name(10)]
    assert len(arrived) > 1
    assert arrived[-1] == max(arrived)


def test_a_row_that_moves_up_into_a_page_that_was_answered_before_is_not_missed():
    it = crowded()
    gone = set(range(1, 8))

    def rows_vanish_between(sources, at_once):
        for place, source in enumerate(sources):
            yield place, next(source)
            for number in gone:
                it.purge(number)

    came = {record["id"] for record in walked(scan_of(it, together=rows_vanish_between))}
    assert came >= {name(n) for n in it.rows}


def page_of(*numbers):
    it = ChangingServer(random.Random(1))  # noqa: S311 - the same each time
    for number in range(1, 101):
        it.insert(START)
        if number not in numbers:
            it.purge(number)
    it.wait(1000)
    return it.ask({"sort": "id|asc", "per_page": 50})


def test_a_common_row_further_in_front_than_the_last_page_proves_nothing_of_pages_asked_at_once():
    links = Links()
    assert links.add(1, page_of(1, 2, 3), agrees=True)
    assert links.add(2, page_of(3, 4, 5), agrees=True)
    assert not links.add(3, page_of(2, 3, 4, 5, 6), agrees=True)
    links.begin()
    assert links.add(3, page_of(2, 3, 4, 5, 6), agrees=True)


def test_a_page_counts_only_if_it_agrees_with_the_one_in_front():
    links = Links()
    assert links.add(1, page_of(1, 2, 3), agrees=True)
    assert not links.add(2, page_of(3, 4, 5), agrees=False)
    assert not links.add(2, page_of(4, 5), agrees=True)
    assert links.add(2, page_of(3, 4, 5), agrees=True)


# the plan


@pytest.mark.parametrize("limit", [20, 100, 1000, 5000])
def test_planned_pages_overlap_the_one_in_front_and_reach_the_expected_end(limit):
    rows = 7 * limit
    pages = planned((1, limit), rows, limit, 10**6)
    ends = [number * size for number, size in pages]
    begins = [(number - 1) * size for number, size in pages]
    assert all(
        begin <= max(1, end - limit // ahead_module.SHARE) - 1 for begin, end in zip(begins[1:], ends, strict=False)
    )
    assert ends == sorted(set(ends))
    assert ends[-2] < rows <= ends[-1]


def test_a_plan_has_no_more_pages_than_asked_for_and_one_where_the_number_of_rows_is_unknown():
    assert len(planned((1, 1000), 10**9, 1000, 12)) == 12
    assert planned((1, 1000), 0, 1000, 12) == [(1, 1000)]
    assert planned((2, 3), 100, 3, 12) == [(2, 3)]  # no page of three rows has both the sixth and the seventh one
