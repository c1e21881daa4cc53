"""The real scan against a server that changes between any two requests: no row is lost, no row is stale.

A history is three pulls while everything moves, then one while nothing does. Each is drawn from a seed, so that a
failure can be looked at again. Rows that were purged may stay in the mirror: a scan cannot see them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from connector.scan import keyset as keyset_module
from connector.scan import scan as scan_module
from connector.scan import skew as skew_module
from connector.scan import walk as walk_module
from connector.scan.skew import HOUR
from connector.scan.state import Scan, Span, seen, since
from tests.connector.scan import changing_server
from tests.connector.scan.changing_server import LOOK_BACK, ChangingServer, Mirror

HISTORIES = 14
"""Of each kind; 40 kinds."""

ZONES = {
    "UTC": 0,
    "New York": 5 * HOUR,
    "Azores": HOUR,
    "Newfoundland": 3 * HOUR + 1800,
    "Berlin": -HOUR,
    "India": -5 * HOUR - 1800,
}


def settled(seed, rows, apart, **traits):
    """A server with some rows, many of them in the same second, and nothing going on."""
    server = ChangingServer(random.Random(seed), **traits)  # noqa: S311 - the same each time
    for _ in range(rows):
        server.insert(None if server.rnd.random() < 0.02 else -1)
        server.wait(server.rnd.choice(apart))
    server.wait(10)
    return server


def history(seed, *, chaos, pulls=3, page_size=4, apart=(0, 0, 0.3, 5), **traits):
    """The server and the mirror after a history, and how many of its pulls stopped with PagesMoved."""
    rnd = random.Random(seed)  # noqa: S311 - as above
    server, mirror = settled(seed, rnd.randrange(5, 120), apart, **traits), Mirror(page_size=page_size)
    server.chaos = chaos
    for _ in range(pulls):
        mirror.pull(server)
        server.wait(rnd.choice([1, 30, 500, 5000]))
    server.wait(10_000)
    stopped, server.chaos = mirror.stopped, 0
    mirror.pull(server)
    return server, mirror, stopped


def stamped_wrong(server, mirror):
    """What a pull promises: rows that have a stamp. The others are read by full pulls."""
    return mirror.wrong(server, without_stamp=False)


@pytest.mark.quick(where=lambda west, clamp, late, **_: clamp == 16 and (west == ZONES["UTC"] or late))
@pytest.mark.parametrize("late", [False, True], ids=["", "late commits"])
@pytest.mark.parametrize("west", ZONES.values(), ids=ZONES)
@pytest.mark.parametrize(("clamp", "chaos"), [(16, 0.2), (5, 0.2), (5000, 0.7)])
def test_no_history_loses_a_row_or_keeps_an_old_version(late, west, clamp, chaos):
    stops = 0
    for seed in range(HISTORIES):
        server, mirror, stopped = history(seed, late=late, west=west, clamp=clamp, chaos=chaos)
        assert stamped_wrong(server, mirror) == [], f"seed {seed}"
        assert mirror.stopped == stopped, f"seed {seed}: a quiet pull always comes to its end"
        stops += stopped
    assert stops < 0.6 * 3 * HISTORIES, "most pulls come to their end although everything moves"


@pytest.mark.parametrize("clamp", [2, 3, 5])
@pytest.mark.parametrize("chaos", [0.1, 0.2, 0.4])
def test_no_history_with_many_purges_in_large_ties_loses_a_row(clamp, chaos):
    for seed in range(40):
        server, mirror, _ = history(
            seed, clamp=clamp, chaos=chaos, purges=True, page_size=2, apart=[0] * 12 + [0.3, 5], pulls=2
        )
        assert stamped_wrong(server, mirror) == [], f"seed {seed}"


@pytest.mark.parametrize("west", ZONES.values(), ids=ZONES)
def test_a_full_pull_has_the_rows_without_a_stamp_as_well(west):
    for seed in range(10):
        server, mirror, _ = history(seed, west=west, clamp=16, chaos=0.3)
        mirror.watermark = None
        mirror.pull(server)
        assert mirror.wrong(server) == [], f"seed {seed}"


# the price


@pytest.mark.parametrize("chaos", [0.0, 0.7])
def test_a_full_load_costs_at_most_three_tenths_more_requests_than_plain_paging(chaos):
    server = settled(7, 4000, [0, 0, 0.3, 1, 2])
    server.chaos, plain = chaos, 4000 / 100
    Mirror(page_size=100).pull(server)
    assert len(server.log) <= 1.3 * plain


def test_an_incremental_pull_of_a_few_changes_is_two_requests():
    server = settled(7, 400, [1, 2])
    mirror = Mirror(page_size=100)
    mirror.pull(server)
    server.wait(5000)
    for number in (3, 5, 7):
        server.touch(number)
        server.wait(20)
    del server.log[:]
    mirror.pull(server)
    assert len(server.log) == 2
    assert stamped_wrong(server, mirror) == []


# the histories have teeth: every tempting mistake is caught by one of them


def newest_and_one_second(scan: Scan, look_back: int) -> int | None:
    return scan.newest_seen + 1 if scan.newest_seen else None


def without_look_back(scan: Scan, look_back: int) -> int | None:
    return scan.newest_seen or None


def by_our_clock_five_minutes_ahead(scan: Scan, look_back: int) -> int | None:
    return scan.look.began + 300 - look_back


def offset_paging(scan: Scan, spans: list[Span]) -> Iterator[list[object]]:
    number = 1
    while True:
        params = {"sort": "updated_at|asc", "per_page": scan.page_size, "page": number}
        page = scan.ask({**params, **since(scan, spans[0][0])})
        yield seen(scan, page.records)
        if len(page.records) < page.per_page:
            return
        number += 1


def one_walk(scan: Scan, cursor: int | None) -> Iterator[list[object]]:
    for page in walk_module._pages_by_id(scan, cursor):
        yield seen(scan, page.records)


def offset_paging_by_id(scan: Scan, spans: list[Span]) -> Iterator[list[object]]:
    yield from one_walk(scan, spans[0][0])


def until_the_total(scan: Scan, spans: list[Span]) -> Iterator[list[object]]:
    came = 0
    for records in KEYSET(scan, spans):
        yield records
        came += len(records)
        if spans[0][0] is None and scan.look.total is not None and came >= scan.look.total:
            return


def a_tie_is_over_after_its_largest_page(scan: Scan, cursor: int | None) -> Iterator[list[object]]:
    yield from ()


def never_skewed(ask, newest: int) -> int | None:
    return 0


def measured_by_whatever_is_newest(ask, newest: int) -> int | None:
    return MEASURE(ask, newest)[0] or 0


KEYSET, MEASURE = scan_module.keyset, skew_module._measure_once

MISTAKES = {
    "watermark = newest + 1": (changing_server, "next_watermark", newest_and_one_second, {"late": True}),
    "watermark = newest": (changing_server, "next_watermark", without_look_back, {"late": True}),
    "watermark by our clock": (changing_server, "next_watermark", by_our_clock_five_minutes_ahead, {}),
    "offset paging by updated_at": (scan_module, "keyset", offset_paging, {}),
    "offset paging by id": (scan_module, "keyset", offset_paging_by_id, {}),
    "stop at the total": (scan_module, "keyset", until_the_total, {"pulls": 0}),
    "no walk": (keyset_module, "walk", a_tie_is_over_after_its_largest_page, {}),
    "one walk": (keyset_module, "walk", one_walk, {"clamp": 5, "purges": True}),
    "no skew": (scan_module, "measure_skew", never_skewed, {"west": 5 * HOUR, "clamp": 5000}),
    "skew by a newer record": (scan_module, "measure_skew", measured_by_whatever_is_newest, {"west": HOUR, "clamp": 5}),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_planted_mistake_loses_rows_in_some_history(monkeypatch, mistake):
    module, what, wrong, traits = mistake
    monkeypatch.setattr(module, what, wrong)
    for seed in range(1500):
        server, mirror, _ = history(seed, **{"clamp": 16, "chaos": 0.5, **traits})
        if stamped_wrong(server, mirror):
            return
    pytest.fail("no history shows the mistake")


def test_the_look_back_is_what_late_commits_need():
    server = settled(1, 20, [5])
    mirror = Mirror()
    server.commit_late(3, LOOK_BACK * 0.9)
    server.wait(1)
    server.touch(4)
    mirror.pull(server)
    server.wait(100)
    mirror.pull(server)
    assert stamped_wrong(server, mirror) == []
