"""How a full read is cut, what its parts bring, and what is left to the scan behind them: one behaviour at a time."""

from __future__ import annotations

import random
import threading

import pytest

from connector.scan import ranges as ranges_module
from connector.scan.pages import Malformed
from connector.scan.ranges import cut, with_tail
from connector.scan.scan import first_look, read
from connector.scan.skew import HOUR
from connector.scan.state import PAST_THE_END, Scan, Wall, key
from schemas.clocks import JITTER
from schemas.errors import NotAuthorised, ServerUnavailable
from tests.connector.scan.changing_server import START, ChangingServer, by_chance, name


def server(rows=80, *, apart=10.0, **traits):
    """A quiet server with rows `apart` seconds from each other, the first at START."""
    it = ChangingServer(random.Random(1), **traits)  # noqa: S311 - the same each time
    for number in range(rows):
        it.insert(START + number * apart)
    it.now = START + rows * apart + 100
    return it


def scan_of(it, *, connections=4, page_size=4, skew=0):
    scan = Scan(it.ask, first_look(it.ask), page_size=page_size, skew=skew, connections=connections)
    scan.together = by_chance(it.rnd)
    return scan


def ids(it):
    return {name(n) for n in it.rows}


def came(scan, **more):
    return [key(record) for page in read(scan, None, **more) for record in page]


def filters(it):
    return [p["updated_at"] for p in it.log if p.get("sort") == "updated_at|asc" and "updated_at" in p]


# the cut


def test_a_full_read_is_cut_at_stamps_of_the_list_by_one_request_of_one_row_for_each_cut():
    it = server(80)
    spans = cut(scan_of(it))
    assert spans == [(None, START + 220), (START + 220, START + 440), (START + 440, START + 660), (START + 660, None)]
    assert it.log[1:] == [{"sort": "updated_at|asc", "per_page": 1, "page": page} for page in (23, 45, 67)]


@pytest.mark.parametrize("rows", [0, 1, 31])
def test_a_small_list_is_not_cut(rows):
    it = server(rows)
    assert cut(scan_of(it)) == [(None, None)]
    assert len(it.log) == 1


def test_one_connection_cuts_nothing():
    assert cut(scan_of(server(), connections=1)) == [(None, None)]


def test_a_list_of_one_second_is_not_cut_into_pieces():
    it = server(80, apart=0)
    scan = scan_of(it)
    assert cut(scan) == [(None, START), (START, None)]
    assert set(came(scan)) == ids(it)


@pytest.fixture
def ends_with_a_crowd(monkeypatch):
    """Of 80 rows, the last 40 are of one second, and the largest page has 20; on a server with these traits."""
    monkeypatch.setattr(ranges_module, "PAGE_CAP", 20)

    def made(**traits):
        it = server(80, clamp=20, **traits)
        for number in range(41, 81):
            it.rows[number].stamp = START + 790.5
        return it

    return made


def test_where_the_list_ends_with_a_second_that_needs_a_walk_the_rest_is_cut_as_if_it_were_all(ends_with_a_crowd):
    it = ends_with_a_crowd()
    scan = scan_of(it)
    assert cut(scan) == [
        (None, START + 110), (START + 110, START + 220), (START + 220, START + 330), (START + 330, START + 790),
        (START + 790, None),
    ]  # fmt: skip
    assert scan.walls == {int(START + 790): Wall(20, 40)}
    assert it.log[4] == {"sort": "id|asc", "per_page": 1, "page": PAST_THE_END, "updated_at": START + 790}
    assert set(came(scan_of(it))) == ids(it)


def test_a_second_at_the_end_that_a_page_can_read_changes_no_cut(ends_with_a_crowd):
    it = ends_with_a_crowd()
    for number in range(41, 62):
        it.rows[number].stamp = START + number * 10
    scan = scan_of(it)
    assert cut(scan)[-1] == (START + 790, None)
    assert scan.walls == {}
    assert len(it.log) == 5


def test_a_skewed_filter_counts_no_second_at_the_end(ends_with_a_crowd):
    it = ends_with_a_crowd(west=HOUR)
    scan = scan_of(it, skew=HOUR)
    cut(scan)
    assert scan.walls == {}
    assert len(it.log) == 4


def counts_fail(it, status):
    def ask(params):
        if params.get("page") == PAST_THE_END:
            raise ServerUnavailable(status=status)
        return it.ask(params)

    return ask


def test_where_the_second_at_the_end_cannot_be_counted_nothing_is_assumed_of_it(ends_with_a_crowd):
    it = ends_with_a_crowd()
    scan = scan_of(it)
    scan.ask = counts_fail(it, 500)
    assert cut(scan)[-1] == (START + 790, None)
    assert scan.walls == {}


def test_a_server_that_is_down_when_the_second_at_the_end_is_counted_ends_the_read(ends_with_a_crowd):
    it = ends_with_a_crowd()
    scan = scan_of(it)
    scan.ask = counts_fail(it, 503)
    with pytest.raises(ServerUnavailable):
        cut(scan)


@pytest.mark.parametrize("total", [None, 0, 10**9])
def test_a_total_that_is_missing_or_wrong_loses_nothing(total):
    it = server(80, total=lambda _: total)
    assert set(came(scan_of(it))) == ids(it)


def test_where_a_cut_falls_on_poison_there_is_one_cut_less():
    it = server(80, poison={45})
    assert cut(scan_of(it)) == [(None, START + 220), (START + 220, START + 660), (START + 660, None)]


def test_a_server_that_is_down_is_no_reason_for_one_cut_less():
    it = server(80)
    scan = scan_of(it)

    def down(params):
        raise ServerUnavailable(status=503)

    scan.ask = down
    with pytest.raises(ServerUnavailable):
        cut(scan)


# the parts


def test_no_record_comes_from_two_parts():
    """All but those in the seconds where pages of one part meet, and in the tail, come once."""
    it = server(400)
    found = came(scan_of(it, page_size=20))
    assert set(found) == ids(it)
    assert len(found) <= 400 + len(filters(it))


def test_the_last_request_is_the_tail_which_brings_no_second_time_what_was_before_the_scan_began():
    it = server(80)
    scan = scan_of(it)
    assert set(came(scan)) == ids(it)
    assert filters(it)[-1] == scan.look.began - JITTER


def test_the_tail_begins_where_the_list_ended_if_that_was_when_the_scan_began():
    it = server(80)
    it.now = START + 790
    assert set(came(scan_of(it))) == ids(it)
    assert filters(it)[-1] == START + 790


def test_what_was_touched_before_its_part_was_read_comes_with_the_tail():
    it = server(80)
    it.before_each = lambda number: it.touch(20) if number == 4 else None
    scan = scan_of(it)
    assert name(20) in came(scan)
    assert scan.newest_seen == int(it.rows[20].stamp)


def test_records_without_a_stamp_come_with_the_first_part():
    it = server(80)
    for _ in range(10):
        it.insert(None)
    assert set(came(scan_of(it))) == ids(it)


def test_a_record_that_is_no_json_is_handed_over_wherever_it_stands():
    it = server(80)
    record = it.record
    it.record = lambda n: Malformed(name(n)) if n in (22, 23, 40, 80) else record(n)
    assert set(came(scan_of(it))) == ids(it)


def test_where_a_part_needs_a_walk_those_behind_it_stop_and_those_before_it_end():
    it = server(200, clamp=8)
    for number in range(90, 120):
        it.rows[number].stamp = START + 900.0
    scan = scan_of(it, page_size=8)
    assert set(came(scan)) == ids(it)
    walked = [p for p in it.log if p["sort"] == "id|asc" and p["page"] != PAST_THE_END]
    assert {p["updated_at"] for p in walked} == {int(START + 900)}


@pytest.mark.parametrize("poison", [{1}, {30}, {80}, {22, 23, 67}])
def test_poison_is_named_and_all_others_are_read(poison):
    it = server(80, poison=poison)
    scan = scan_of(it)
    assert set(came(scan)) == ids(it) - {name(n) for n in poison}
    assert sorted(scan.poison) == sorted(name(n) for n in poison)


def test_a_filter_that_is_ignored_reads_everything_by_id():
    it = server(80, apart=3600, ignores_filter=True)
    scan = scan_of(it)
    assert set(came(scan)) == ids(it)
    assert "everything was read" in " ".join(scan.notes)


def test_a_viewers_token_is_refused_although_a_part_brings_one_row_only():
    with pytest.raises(NotAuthorised, match="may not see money"):
        came(scan_of(server(80, client_hash="")))


# what is left open


def test_what_is_left_open_does_not_overlap_and_reaches_back_to_the_beginning():
    assert with_tail([(None, 10), (15, 20), (25, None)], began=99) == [(None, 10), (15, 20), (25, None)]
    assert with_tail([(None, 10), (15, 20), (25, None)], began=17) == [(None, 10), (15, 17), (17, None)]
    assert with_tail([(None, 10), (15, 20), (25, None)], began=12) == [(None, 10), (12, None)]


@pytest.mark.parametrize("pages", range(1, 24, 3))
def test_a_read_that_is_taken_up_asks_only_for_what_is_open(pages):
    it = server(80)
    scan = scan_of(it)
    reading, first = read(scan, None), []
    for _ in range(pages):
        first += map(key, next(reading))
    reading.close()
    asked, again = len(it.log), scan_of(it)
    again.newest_seen = scan.newest_seen
    second = came(again, resume=scan.open)
    assert set(first) | set(second) == ids(it)
    assert len(it.log) - asked < 2 + 28 - pages + 8


def test_a_read_is_whole_with_threads_as_well():
    """The order between threads is the machine's here; a lock stands for the server's own."""
    it, lock = server(2000, apart=1), threading.Lock()
    it.chaos = 0.3
    ask = it.ask

    def one_at_a_time(params):
        with lock:
            return ask(params)

    it.ask = one_at_a_time
    scan = scan_of(it, page_size=20)
    scan.together, there = None, set(ids(it))
    found = set(came(scan))
    assert (there & ids(it)) - found == set()
