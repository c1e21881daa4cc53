"""Histories of mass changes: most rows change in one second, and pages are too small for such a second.

As in `test_scan_model`, but before each pull somebody changes many rows at once, and rows vanish while they are read.
Three things must hold: after a quiet pull the mirror equals the server; a row that was there from the first to the last
request of a full pull came; of two answers about one row and second the later one won.
"""

from __future__ import annotations

import random

import pytest

from connector.scan import ahead as ahead_module
from connector.scan import chain as chain_module
from connector.scan import ranges as ranges_module
from connector.scan import walk as walk_module
from connector.scan.ahead import overlapping, planned
from connector.scan.skew import HOUR
from connector.scan.state import key, seen, stamp
from tests.connector.scan.changing_server import Mirror
from tests.connector.scan.test_scan_model import settled

HISTORIES = 5
"""Of each kind; more than 80 kinds."""


def history(seed, *, chaos, clamp, pulls=3, page_size=4, full=False, cuts=0.0, connections=(1, 4), **traits):
    """The server and the mirror after mass changes, each read while things move, and one quiet pull."""
    rnd = random.Random(seed)  # noqa: S311 - the same each time
    server = settled(seed, rnd.randrange(20, 120), (0, 0.3, 5), clamp=clamp, **traits)
    mirror = Mirror(page_size=page_size, connections=rnd.choice(connections), cuts=cuts)
    server.before_each = lambda _: purge_some(server, rnd) if server.purges else None
    for number in range(pulls):
        change_many(server, rnd)
        server.wait(rnd.choice((0, 0.5, 100)))
        server.chaos = chaos
        mirror.watermark = None if full else mirror.watermark
        mirror.pull(server)
        server.chaos = 0
        server.wait(rnd.choice((1, 20, 500)) if number < pulls - 1 else 10_000)
    mirror.watermark = None if full else mirror.watermark
    mirror.pull(server)
    return server, mirror


def purge_some(server, rnd):
    """Several rows vanish at once, before some request."""
    if server.chaos and rnd.random() < 0.2:
        ids = list(server.rows)
        for number in rnd.sample(ids, min(len(ids), rnd.randrange(2, 6))):
            server.purge(number)


def change_many(server, rnd):
    """One bulk update, or an import, in this second."""
    ids = list(server.rows)
    for number in rnd.sample(ids, rnd.randrange(len(ids) // 2, len(ids) + 1)):
        server.touch(number)
    for _ in range(rnd.choice((0, 0, 20, 60))):
        server.insert()


def faults(server, mirror):
    """What must be empty. A late commit can carry a row to where the scan has been; the next look-back brings it."""
    return mirror.wrong(server, without_stamp=False), [] if server.late else [*mirror.lacking, *mirror.older]


@pytest.mark.quick(where=lambda clamp, west, cuts, **_: clamp == 8 and west == 0 and not cuts)
@pytest.mark.parametrize("traits", [{}, {"late": True}, {"purges": True}], ids=["", "late commits", "purges"])
@pytest.mark.parametrize("west", [0, 5 * HOUR], ids=["UTC", "New York"])
@pytest.mark.parametrize("cuts", [0.0, 0.1], ids=["", "interrupted"])
@pytest.mark.parametrize("full", [False, True], ids=["", "full"])
@pytest.mark.parametrize("clamp", [3, 8, 50])
def test_no_history_of_mass_changes_loses_a_row_or_keeps_an_old_version(traits, west, cuts, full, clamp):
    for seed in range(HISTORIES):
        server, mirror = history(seed, chaos=0.4, clamp=clamp, west=west, cuts=cuts, full=full, **traits)
        assert faults(server, mirror) == ([], []), f"seed {seed}"


@pytest.mark.parametrize("largest", [8, 5000], ids=["the last second is known to need a walk", ""])
@pytest.mark.parametrize("cuts", [0.0, 0.1], ids=["", "interrupted"])
@pytest.mark.parametrize("traits", [{}, {"purges": True}, {"quiet": True}], ids=["", "purges", "some move no stamp"])
def test_no_full_read_with_pages_asked_at_once_loses_a_row_or_keeps_an_old_version(monkeypatch, traits, cuts, largest):
    monkeypatch.setattr(ranges_module, "PAGE_CAP", largest)
    for seed in range(2 * HISTORIES):
        server, mirror = history(
            seed, chaos=0.6, clamp=8, page_size=7, connections=(2, 4), full=True, cuts=cuts, **traits
        )
        assert faults(server, mirror) == ([], []), f"seed {seed}"


ODD = {
    "fails on large pages": {"too_many": 7},
    "poison": {"poison": {3, 30}},
    "no total": {"total": lambda _: None},
    "a total of three": {"total": lambda _: 3},
    "ignores the filter": {"ignores_filter": True},
}


@pytest.mark.parametrize("trait", ODD.values(), ids=ODD)
def test_no_history_of_an_odd_server_loses_a_row(trait):
    for seed in range(4 * HISTORIES):
        given = {"poison": set(trait["poison"])} if "poison" in trait else trait
        server, mirror = history(seed, chaos=0.1, clamp=16, **given)
        assert set(faults(server, mirror)[0]) <= server.poison, f"seed {seed}"


def test_the_histories_ask_for_pages_at_once_and_some_of_those_do_not_agree(monkeypatch):
    """The control: otherwise the walks would read one page after the other, and nothing would change between two."""
    batches, agreed = [], []
    monkeypatch.setattr(chain_module, "planned", lambda *given: batches.append(planned(*given)) or batches[-1])
    monkeypatch.setattr(ahead_module, "_agree", lambda *given: agreed.append(AGREE(*given)) or agreed[-1])
    for seed in range(4 * HISTORIES):
        history(seed, chaos=0.6, clamp=8, page_size=7, connections=(4,), full=True, quiet=True)
    assert sum(len(pages) > 1 for pages in batches) > 40
    assert agreed.count(True) > 100
    assert agreed.count(False) > 2


def test_the_histories_go_back_where_a_page_does_not_continue_the_list(monkeypatch):
    """The control: otherwise most pages would continue it, and nothing would be tried."""
    answers = []
    monkeypatch.setattr(chain_module, "_continues", lambda *given: answers.append(CONTINUES(*given)) or answers[-1])
    for seed in range(4 * HISTORIES):
        history(seed, chaos=0.5, clamp=16, purges=True)
    assert answers.count(True) > 100
    assert answers.count(False) > 50


# the histories have teeth: every tempting mistake is caught by one of them


def any_page(page, known, began):
    return True


def whatever_they_hold(front, behind):
    """Of two versions of a row, the one that was answered first may arrive last."""
    return True


def an_empty_page_as_well(page, known, began):
    return not page.records or CONTINUES(page, known, began)


def by_its_total(page, known, began):
    """As many rows came as there are: one vanished, and another one came in behind."""
    return bool(page.records) and page.total is not None


def one_walk(scan, cursor):
    for page in walk_module._pages_by_id(scan, cursor):
        yield seen(scan, page.records)


def until_nothing_is_new(scan, cursor):
    """Two rows that are lost behind two purged ones, one after the other, end this one too early."""
    known = {}
    for _ in range(walk_module.MOST_WALKS):
        began, fresh = 0, False
        for page in walk_module._pages_by_id(scan, cursor):
            began = began or int(page.date.timestamp())
            new = [r for r in page.records if known.get(key(r)) != stamp(r)]
            known.update((key(r), stamp(r)) for r in new)
            fresh = fresh or any(stamp(r) < began for r in new)
            yield seen(scan, page.records)
        if not fresh:
            return


CONTINUES, AGREE = chain_module._continues, ahead_module._agree
AT_ONCE = {"clamp": 8, "page_size": 7, "connections": (4,), "full": True}

MISTAKES = {
    "any page continues": (chain_module, "_continues", any_page, {}),
    "any page asked at once continues": (chain_module, "_continues", any_page, AT_ONCE),
    "pages asked at once agree": (ahead_module, "_agree", whatever_they_hold, {**AT_ONCE, "quiet": True}),
    "an empty page is the end": (chain_module, "_continues", an_empty_page_as_well, {}),
    "a page continues by its total": (chain_module, "_continues", by_its_total, {}),
    "one walk beside poison": (walk_module, "repeated", one_walk, {"clamp": 2, "page_size": 2}),
    "walks until nothing is new": (walk_module, "repeated", until_nothing_is_new, {"clamp": 2, "page_size": 2}),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_planted_mistake_shows_in_some_history(monkeypatch, mistake):
    module, what, wrong, traits = mistake
    monkeypatch.setattr(module, what, wrong)
    for seed in range(1500):
        server, mirror = history(seed, **{"clamp": 16, "chaos": 0.5, "purges": True, **traits})
        if any(faults(server, mirror)):
            return
    pytest.fail("no history shows the mistake")


# the pages


@pytest.mark.parametrize("limit", [3, 4, 5, 8, 20, 100, 5000])
def test_a_page_that_overlaps_has_the_row_at_the_place_and_the_one_behind_it(limit):
    for place in [*range(1, 200), *range(limit, 30 * limit, limit), 123_456]:
        number, size = overlapping(place, limit)
        if number:
            assert (number - 1) * size < place < number * size
            assert size <= limit
        else:
            assert all(place % size == 0 for size in range(2, limit + 1))


def test_pages_that_overlap_are_nearly_full_and_begin_with_the_list():
    assert overlapping(0, 5000) == (1, 5000)
    assert overlapping(5000, 5000) == (2, 4999)
    place = pages = 0
    while place < 1_000_000:
        number, size = overlapping(place, 5000)
        place, pages = number * size, pages + 1
    assert pages < 1.1 * 1_000_000 / 5000
