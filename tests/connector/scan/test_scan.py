"""What the scan asks, what it makes of the answers, and where it stops: one behaviour at a time."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from connector.scan.pages import Malformed, Unreadable
from connector.scan.scan import first_look, next_watermark, read
from connector.scan.skew import HOUR
from connector.scan.state import PAST_THE_END, Scan, key, stamp
from schemas.errors import (
    EndlessList,
    NetworkFailed,
    NotAuthorised,
    PagesMoved,
    RateLimited,
    ServerUnavailable,
    UnexpectedShape,
)
from tests.connector.scan.changing_server import START, ChangingServer, name

NEW_YORK, NEWFOUNDLAND, BERLIN, INDIA, KIRITIMATI = 5 * HOUR, 3 * HOUR + 1800, -1 * HOUR, -5 * HOUR - 1800, -14 * HOUR


def server(rows=10, *, apart=10.0, **traits):
    """A quiet server with rows `apart` seconds from each other, the first at START."""
    it = ChangingServer(random.Random(1), **traits)  # noqa: S311 - the same each time
    for number in range(rows):
        it.insert(START + number * apart)
    it.now = START + rows * apart + 100
    return it


def pulled(it, cursor=None, *, page_size=4, **known):
    """The scan, and the ids that came, in the order in which they came."""
    scan = Scan(it.ask, first_look(it.ask), page_size=page_size, **known)
    return scan, [key(record) for page in read(scan, cursor) for record in page]


def ids(it):
    return {name(n) for n in it.rows}


# the first look


def test_an_idle_look_is_one_unfiltered_request_of_one_row():
    it = server()
    look = first_look(it.ask)
    assert it.log == [{"sort": "updated_at|desc", "per_page": 1}]
    assert (key(look.newest), stamp(look.newest), look.total, look.version) == (name(10), START + 90, 10, "5.10.42")
    assert look.began == int(it.now)


def test_an_empty_company_is_an_empty_scan():
    it = server(0)
    scan, came = pulled(it)
    assert (came, scan.look.newest, scan.look.total, scan.notes) == ([], None, 0, [])
    assert next_watermark(scan, 60) is None
    assert len(it.log) == 2


def test_where_the_newest_row_is_poison_a_page_past_the_end_tells_clock_and_total():
    it = server(poison={10})
    look = first_look(it.ask)
    assert (look.newest, look.total, look.began) == (None, 10, int(it.now))
    assert it.log[-1]["page"] == PAST_THE_END


def test_a_newest_row_that_is_no_object_is_none():
    it = server()
    it.record = lambda _: Malformed("aB1")
    assert first_look(it.ask).newest is None


@pytest.mark.parametrize("problem", [ServerUnavailable(status=503), NetworkFailed(), RateLimited(status=429)])
def test_a_server_that_is_down_is_no_poison(problem):
    def ask(params):
        raise problem

    with pytest.raises(type(problem)):
        first_look(ask)


# the cursor


def test_a_full_load_asks_its_first_list_without_a_filter_and_reads_all():
    it = server(10)
    scan, came = pulled(it, skew=0)
    assert it.log[1] == {"sort": "updated_at|asc", "per_page": 4}
    assert set(came) == ids(it)
    assert scan.full


def test_the_cursor_is_the_last_stamp_and_page_2_is_never_asked():
    it = server(10)
    pulled(it, skew=0)
    assert [p.get("updated_at") for p in it.log[1:]] == [None, START + 30, START + 60, START + 90]
    assert not any("page" in p for p in it.log)


def test_an_incremental_pull_reads_from_its_cursor_on_and_not_what_was_before():
    it = server(10)
    scan, came = pulled(it, int(START + 70), skew=0)
    assert came == [name(8), name(9), name(10)]
    assert not scan.full
    assert scan.open == [(START + 90, None)]


def test_a_page_of_one_second_grows_and_shrinks_again():
    it = server(0)
    for _ in range(11):
        it.insert(START)
    for number in range(6):
        it.insert(START + 10 + number)
    it.wait(100)
    _, came = pulled(it, skew=0)
    assert set(came) == ids(it)
    (asked,) = [number for number, p in enumerate(it.log) if p.get("page") == PAST_THE_END]
    assert [p["per_page"] for p in it.log[1:]] == [4, 1, 16, 4]
    assert (asked, it.log[asked]["updated_at"]) == (2, START + 1)  # how many rows lie behind that second
    assert not any("page" in p for p in it.log[:asked] + it.log[asked + 1 :])


def test_a_tie_above_the_cap_is_walked_by_id_once_in_full_pages_that_overlap_by_a_row():
    it = server(0, clamp=10)
    for _ in range(20):
        it.insert(START)
    for number in range(5):
        it.insert(START + 10 + number)
    it.wait(100)
    scan, came = pulled(it, skew=0)
    walk = [p for p in it.log if p["sort"] == "id|asc" and p.get("page") != PAST_THE_END]
    assert {p["updated_at"] for p in walk} == {int(START)}
    assert [(p["page"], p["per_page"]) for p in walk] == [(1, 10), (2, 9), (3, 8), (3, 10)]
    assert came[-32:] == [name(n) for n in (*range(1, 11), *range(10, 19), *range(17, 25), *range(21, 26))]
    assert (scan.newest_seen, scan.notes) == (START + 14, [])


def test_rows_without_a_stamp_are_read_by_a_full_load():
    it = server(6)
    for _ in range(30):
        it.insert(None)
    it.clamp = 8
    _, came = pulled(it, skew=0)
    assert set(came) == ids(it)


@pytest.mark.parametrize("total", [None, 0, 1, 10**9])
def test_a_total_that_is_missing_or_wrong_stops_nothing(total):
    it = server(25, total=lambda _: total)
    scan, came = pulled(it, skew=0)
    assert set(came) == ids(it)
    assert scan.look.total == total


@pytest.mark.parametrize("clamp", [1, 2, 3, 5])
def test_a_server_that_clamps_pages_is_read_whole(clamp):
    it = server(12, clamp=clamp)
    _, came = pulled(it, page_size=8, skew=0)
    assert set(came) == ids(it)


def test_a_row_that_keeps_changing_in_old_seconds_stops_the_walk_with_a_name():
    it = server(0, clamp=2)
    for _ in range(9):
        it.insert(START)
    it.before_each = lambda _: (it.wait(1), it.touch(5, it.now - 50))
    with pytest.raises(PagesMoved):
        pulled(it, skew=0)


@pytest.mark.parametrize("purged", [(1,), (1, 2), (1, 2, 3), (9, 10), range(1, 11)])
def test_rows_that_move_up_behind_purged_ones_are_not_missed_by_a_walk(purged):
    it = server(0, clamp=10)
    for _ in range(30):
        it.insert(START)
    it.wait(100)

    def purge_while_walking(number):
        if number > 1 and it.log[-1].get("page") == 1:
            for row in purged:
                it.purge(row)

    it.before_each = purge_while_walking
    _, came = pulled(it, skew=0)
    assert it.rows.keys() == set(range(1, 31)) - set(purged)
    assert ids(it) <= set(came)


def test_a_server_that_does_not_sort_is_not_believed():
    it = server(0, clamp=10)
    for _ in range(30):
        it.insert(START)
    it.wait(100)
    it._sorted = lambda found, _: it.rnd.sample(found, len(found))
    with pytest.raises(PagesMoved):
        pulled(it, skew=0)


def test_a_row_lost_behind_a_purged_one_beside_poison_is_found_by_the_next_walk():
    it = server(0, poison={11})
    for _ in range(12):
        it.insert(START)
    it.wait(100)

    def purge_while_walking(number):
        if number > 1 and it.log[-1].get("page") == 1 and it.log[-1]["per_page"] == 4:
            it.purge(1)  # the fifth row moves to page 1, which has been read

    it.before_each = purge_while_walking
    _, came = pulled(it, skew=0)
    walked = came.index(name(6))
    assert name(5) not in came[:walked]
    assert set(came) == ids(it) - {name(11)} | {name(1)}


# the watermark


def test_the_watermark_is_the_newest_stamp_or_the_servers_clock_less_the_look_back():
    it = server(10)
    scan, _ = pulled(it, skew=0)
    assert next_watermark(scan, 60) == START + 90 - 60
    it.rows[3].stamp = START + 10**6  # a clock that jumped
    scan, _ = pulled(it, skew=0)
    assert scan.newest_seen == START + 10**6
    assert next_watermark(scan, 60) == scan.look.began - 60
    assert next_watermark(scan, 10**10) == 1


# the filter


def test_a_filter_that_is_ignored_reads_everything_with_a_note():
    it = server(300, apart=60, ignores_filter=True)
    scan, came = pulled(it, int(START + 290 * 60), skew=0)
    assert set(came) == ids(it)
    assert scan.full
    assert "everything was read" in " ".join(scan.notes)


def test_a_filter_that_is_ignored_is_not_used_by_a_first_pull():
    it = server(30, apart=HOUR, ignores_filter=True)
    scan, came = pulled(it)
    assert set(came) == ids(it)
    assert "everything was read" in " ".join(scan.notes)
    assert all("updated_at" not in p for p in it.log if p["sort"] != "updated_at|desc")


def test_a_filter_that_is_ignored_within_the_tolerance_loses_nothing_either():
    it = server(40, apart=60, ignores_filter=True)
    _, came = pulled(it, int(START + 35 * 60), skew=0)
    assert set(came) == ids(it)


@pytest.mark.parametrize(
    ("west", "skew"),
    [
        (0, 0),
        (NEW_YORK, 6 * HOUR),
        (12 * HOUR, 13 * HOUR),
        (NEWFOUNDLAND, 5 * HOUR),
        (HOUR, 2 * HOUR),
        (BERLIN, 0),
        (INDIA, -4 * HOUR),
        (KIRITIMATI, -13 * HOUR),
    ],
)
def test_the_skew_of_every_zone_is_measured_and_nothing_is_hidden_at_a_page_break(west, skew):
    it = server(60, apart=1800, west=west)
    scan, came = pulled(it)
    assert scan.skew == skew
    assert set(came) == ids(it)
    assert not scan.notes


@pytest.mark.parametrize("west", [BERLIN, INDIA, KIRITIMATI, NEWFOUNDLAND, NEW_YORK])
def test_a_measured_zone_is_no_ignored_filter(west):
    it = server(60, apart=1800, west=west)
    skew = pulled(it)[0].skew
    del it.log[:]
    scan, came = pulled(it, int(START + 50 * 1800), page_size=16, skew=skew)
    assert not scan.notes
    assert not scan.full
    assert {name(n) for n in range(51, 61)} <= set(came)
    assert len(it.log) == 2


def test_a_newest_row_that_a_western_zone_hides_is_found_and_all_is_read_again():
    it = server(20, apart=60, west=NEW_YORK)
    scan, came = pulled(it, int(START + 15 * 60), skew=0)
    assert {name(n) for n in range(16, 21)} <= set(came)
    assert scan.skew == 6 * HOUR
    assert "time zone" in " ".join(scan.notes)


def test_a_zone_that_was_changed_is_found_by_a_recheck_even_where_the_newest_row_can_be_seen():
    it = server(30, apart=HOUR, west=NEW_YORK)
    cursor = int(START + 10 * HOUR)
    blind, came = pulled(it, cursor, page_size=64, skew=0)
    assert (blind.notes, came) == ([], [name(n) for n in range(16, 31)])
    scan, came = pulled(it, cursor, page_size=64, skew=0, recheck=True)
    assert {name(n) for n in range(11, 31)} <= set(came)
    assert scan.skew == 6 * HOUR


def test_a_recheck_of_a_skew_that_still_fits_is_one_request():
    it = server(3)
    pulled(it, int(START), skew=0, recheck=True)
    assert len(it.log) == 3


def test_a_change_while_the_zone_is_measured_does_not_spoil_the_measure():
    it = server(20, apart=60, west=HOUR)
    it.wait(5 * HOUR)  # nothing happened for hours; then something does, between the first look and the measuring
    it.before_each = lambda number: it.touch(3) if number == 1 else None
    scan, came = pulled(it)
    assert scan.skew == 2 * HOUR
    assert set(came) == ids(it)


def test_a_skew_that_cannot_be_measured_means_that_no_filter_is_used():
    it = server(60, apart=1800, west=NEW_YORK, poison={60})
    scan, came = pulled(it)
    assert set(came) == ids(it) - {name(60)}
    assert (scan.skew, scan.full, scan.poison) == (None, True, [name(60)])
    assert all("updated_at" not in p for p in it.log)


def test_a_newest_row_that_vanishes_while_it_is_read_is_no_trouble():
    it = server(10)
    it.before_each = lambda number: it.purge(10) if number == 3 else None
    _, came = pulled(it)
    assert ids(it) <= set(came)


def test_a_newest_row_that_is_there_but_never_comes_stops_the_pull():
    it = server(10)
    look = first_look(it.ask)
    ask = it.ask

    def hiding(params):
        page = ask(params)
        return page if "client_id" in params else type(page)(page.records[:2], None, page.per_page, page.date, None)

    with pytest.raises(PagesMoved, match="did not reach the newest record"):
        list(read(Scan(hiding, look, page_size=4, skew=0), None))


# poison


@pytest.mark.parametrize("poison", [{1}, {10}, {5}, {1, 2, 3}, {4, 17}, {30}, {29, 30}, set(range(1, 30, 3))])
@pytest.mark.parametrize("clamp", [5000, 7, 3])
@pytest.mark.parametrize("tied", [False, True])
def test_poison_rows_are_named_and_all_others_are_read(poison, clamp, tied):
    it = server(30, apart=0 if tied else 10, poison=poison, clamp=clamp)
    scan, came = pulled(it, page_size=16, skew=0)
    assert set(came) == ids(it) - {name(n) for n in poison}
    assert sorted(scan.poison) == sorted(name(n) for n in poison)


@pytest.mark.parametrize(
    ("poison", "told"),
    [(12, f"(the one behind {name(11)} in the order of ids)"), (1, "(number 1 in the order of ids)")],
)
def test_a_row_that_is_poison_even_without_its_fields_is_named_by_its_place(poison, told):
    it = server(30, poison={poison}, poison_details=True)
    scan, came = pulled(it, skew=0)
    assert set(came) == ids(it) - {name(poison)}
    assert scan.poison == [told]


def test_a_row_that_answers_in_the_next_walk_was_no_poison():
    it = server(30, poison={12})

    def heal(number):
        if any("filter_details" in p for p in it.log):
            it.poison = set()

    it.before_each = heal
    scan, came = pulled(it, skew=0)
    assert set(came) == ids(it)
    assert scan.poison == []


def test_more_than_twenty_poison_rows_stop_the_pull():
    it = server(60, poison=set(range(2, 60, 2)))
    with pytest.raises(UnexpectedShape, match="More than 20 records"):
        pulled(it, skew=0)


@pytest.mark.parametrize("too_many", [1, 3, 100])
@pytest.mark.parametrize("tied", [False, True])
def test_a_server_that_fails_on_large_pages_is_read_in_small_ones_without_poison(too_many, tied):
    it = server(250, apart=0 if tied else 10, too_many=too_many)
    scan, came = pulled(it, page_size=128, skew=0)
    assert set(came) == ids(it)
    assert scan.poison == []


def test_a_server_that_goes_down_in_the_middle_ends_the_pull_with_its_error():
    it = server(30)

    def go_down(number):
        if number == 4:
            raise ServerUnavailable(status=503)

    it.before_each = go_down
    with pytest.raises(ServerUnavailable):
        pulled(it, skew=0)


def test_a_server_that_only_says_500_from_some_point_on_never_ends_a_pull_well():
    it = server(100)
    it.before_each = lambda number: setattr(it, "too_many", 0) if number == 4 else None
    with pytest.raises((UnexpectedShape, ServerUnavailable)):
        pulled(it, skew=0)


# a token that may not see money


@pytest.mark.parametrize("cursor", [None, int(START)])
@pytest.mark.parametrize("clamp", [5000, 2])
def test_rows_of_a_viewers_token_are_refused(cursor, clamp):
    it = server(10, client_hash="", clamp=clamp)
    with pytest.raises(NotAuthorised, match="may not see money"):
        pulled(it, cursor, skew=0)


def test_one_row_without_a_hash_among_others_is_no_viewers():
    it = server(10)
    record = it.record
    it.record = lambda n: {**record(n), "client_hash": "" if n % 2 else "x"}
    _, came = pulled(it, skew=0)
    assert set(came) == ids(it)


def test_a_server_that_answers_no_page_at_all_is_not_searched_for_poison():
    """Narrowing would ask hundreds of times; a page without rows tells the two apart."""
    it, asked = server(), []

    def ask(params):
        asked.append(params)
        if len(asked) > 1:
            raise ServerUnavailable("The server cannot answer now (500)", status=500)
        return it.ask(params)

    scan = Scan(ask, first_look(ask), skew=0)
    with pytest.raises(ServerUnavailable, match="500"):
        list(read(scan, None))
    assert len(asked) == 3
    assert scan.poison == []


# a list that does not end


def endless(it, records, **says):
    """The same server; from its second answer on, every page is what `records` makes of its number."""
    asked = it.ask

    def ask(params):
        page = asked(params)
        return page if len(it.log) < 2 else replace(page, records=records(len(it.log)), **says)

    it.ask = ask


def rows(*numbers, stamped=START):
    return [{"id": name(n), "updated_at": int(stamped), "client_hash": "x"} for n in numbers]


@pytest.mark.parametrize("cursor", [None, int(START)])
def test_a_long_list_ends_although_the_total_shrinks_to_what_the_filter_leaves(cursor):
    it = server(12_000, apart=1.0)
    assert it.ask({"sort": "updated_at|asc", "updated_at": int(START) + 11_990, "per_page": 1}).total == 10
    _, came = pulled(it, cursor, page_size=1_000, skew=0)
    assert set(came) == ids(it)


@pytest.mark.parametrize("total", [None, 10, 10**9])
@pytest.mark.parametrize("cursor", [None, int(START)])
def test_a_page_that_repeats_for_ever_stops_the_scan_by_name(total, cursor):
    it = server(10)
    endless(it, lambda _: rows(*range(1, 11)), per_page=10, total=total)
    with pytest.raises(EndlessList, match="31 pages in a row held only records that had come before"):
        pulled(it, cursor, skew=0)
    assert len(it.log) < 60


def test_records_that_repeat_with_ever_newer_stamps_stop_the_scan():
    it = server(10)
    endless(it, lambda number: rows(*range(1, 11), stamped=START + number), per_page=10)
    with pytest.raises(EndlessList, match="31 pages in a row"):
        pulled(it, skew=0)


@pytest.mark.parametrize("moves", [True, False])
def test_new_records_far_beyond_the_total_stop_the_scan(moves):
    it = server(10)
    endless(
        it,
        lambda number: rows(*range(number * 1000, number * 1000 + 1000), stamped=START + number * moves),
        per_page=1000,
        total=50,
    )
    with pytest.raises(EndlessList, match=r"11,000 records came in 11 pages, but the server reports a total of 50\."):
        pulled(it, page_size=1000, skew=0)


def test_unreadable_places_that_all_have_one_name_are_not_searched_for_ever():
    it = server(10)
    asked = it.ask

    def ask(params):
        page = asked(params)
        if len(it.log) < 3 or (params["per_page"] == 1 and params.get("page", 1) == PAST_THE_END):
            return page
        if "filter_details" in params:
            return replace(page, records=rows(1))
        raise Unreadable

    it.ask = ask
    with pytest.raises(UnexpectedShape, match="More than 20 records"):
        pulled(it, skew=0)
