"""Reading with several cursors at once, against a server that changes between any two requests.

As in `test_scan_model`, but every pull is a full one, and what stands in for threads draws who goes on and whose page
is handed over. Three things must hold: after a quiet pull the mirror equals the server; a row that was there from the
first to the last request came; of two answers about one row and second the later one won.
"""

from __future__ import annotations

import random

import pytest

from connector.scan import keyset as keyset_module
from connector.scan import ranges as ranges_module
from connector.scan import scan as scan_module
from connector.scan.keyset import Step
from connector.scan.skew import HOUR
from connector.scan.state import since
from tests.connector.scan.changing_server import Mirror
from tests.connector.scan.test_scan_model import ZONES, settled

HISTORIES = 6
"""Of each kind; 80 kinds."""


def history(seed, *, chaos, pulls=2, page_size=4, rows=(30, 160), apart=(0, 0.3, 5), cuts=0.0, **traits):
    """The server and the mirror after some full pulls while everything moves, and one while nothing does."""
    rnd = random.Random(seed)  # noqa: S311 - the same each time
    server = settled(seed, rnd.randrange(*rows), apart, **traits)
    mirror = Mirror(page_size=page_size, connections=rnd.randrange(1, 6), cuts=cuts)
    server.chaos = chaos
    for _ in range(pulls):
        mirror.watermark = None
        mirror.pull(server)
        server.wait(rnd.choice([1, 30, 500]))
    server.wait(10_000)
    server.chaos, mirror.watermark = 0, None
    mirror.pull(server)
    return server, mirror


def faults(server, mirror):
    """What must be empty. A late commit can carry a row to where the scan has been; the next look-back brings it."""
    return mirror.wrong(server), [] if server.late else mirror.lacking, [] if server.late else mirror.older


@pytest.mark.quick(where=lambda west, clamp, traits, **_: clamp == 16 and (west == ZONES["UTC"] or not traits))
@pytest.mark.parametrize("traits", [{}, {"late": True}, {"purges": True}], ids=["", "late commits", "purges"])
@pytest.mark.parametrize("west", ZONES.values(), ids=ZONES)
@pytest.mark.parametrize("cuts", [0.0, 0.05], ids=["", "interrupted"])
@pytest.mark.parametrize(("clamp", "chaos"), [(16, 0.3), (5000, 0.7)])
def test_no_history_loses_a_row_or_keeps_an_old_version(traits, west, cuts, clamp, chaos):
    for seed in range(HISTORIES):
        server, mirror = history(seed, west=west, cuts=cuts, clamp=clamp, chaos=chaos, **traits)
        assert faults(server, mirror) == ([], [], []), f"seed {seed}"


@pytest.mark.parametrize("chaos", [0.0, 0.2, 0.5, 0.8])
def test_where_changes_move_no_stamp_the_later_answer_wins(chaos):
    for seed in range(4 * HISTORIES):
        _, mirror = history(seed, chaos=chaos, clamp=5000, quiet=True, apart=(0, 0.3, 1))
        assert (mirror.lacking, mirror.older) == ([], []), f"seed {seed}"


@pytest.mark.parametrize("trait", [{"ignores_filter": True}, {"clamp": 3}, {"too_many": 2}, {"poison": {7, 40}}])
def test_no_history_of_an_odd_server_loses_a_row(trait):
    poison = {"poison": set(trait["poison"])} if "poison" in trait else trait
    for seed in range(2 * HISTORIES):
        server, mirror = history(seed, chaos=0.1, **poison)
        assert set(mirror.wrong(server)) <= server.poison, f"seed {seed}"


def test_the_histories_read_with_several_cursors_at_once(monkeypatch):
    """The control: otherwise all of them would only test the sequential scan."""
    begun = []
    monkeypatch.setattr(scan_module, "read_spans", lambda *given: begun.append(given) or READ_SPANS(*given))
    for seed in range(HISTORIES):
        history(seed, chaos=0.3, clamp=5000)
    assert len(begun) > HISTORIES
    assert max(len(spans) for _, spans, _ in begun) == 5


# the price


@pytest.mark.parametrize("chaos", [0.0, 0.7])
@pytest.mark.parametrize("connections", [2, 4])
def test_a_full_load_costs_at_most_three_tenths_more_requests_than_plain_paging(chaos, connections):
    server = settled(7, 4000, [0, 0, 0.3, 1, 2])
    server.chaos, plain = chaos, 4000 / 100
    Mirror(page_size=100, connections=connections).pull(server)
    assert len(server.log) <= 1.3 * plain


# the histories have teeth: every tempting mistake is caught by one of them


def nothing_follows(scan, spans):
    yield from KEYSET(scan, spans) if scan.newest_seen == 0 else ()


def from_the_highest_cursor(spans, began):
    return [max(spans, key=lambda span: span[0] or 0)]


def only_the_tail(spans, began):
    return WITH_TAIL(spans, began)[-1:]


def a_second_too_short(records, start, end):
    return WITHIN(records, start, None if end is None else end - 1)


def without_its_first_second(records, start, end):
    return WITHIN(records, None if start is None else start + 1, end)


def whatever_a_page_brings(records, start, end):
    return records


def over_a_second_too_early(scan, span):
    for step in STEPS(scan, span):
        yield Step(step.records, step.open, step.done or (span[1] is not None and step.open[0] == span[1] - 1))
        if step.open[0] is not None and step.open[0] + 1 == span[1]:
            return


def behind_the_last_second(cursor, page):
    found = NEXT(cursor, page)
    return found if found in (None, cursor) else found + 1


def stuck_is_done(scan, span):
    """Where a span needs a walk, it is taken for read."""
    yield from STEPS(scan, span)
    yield Step([], (span[0], span[1]), done=True)


def each_span_by_page_number(scan, span):
    number = 1
    while True:
        page = scan.ask({"sort": "updated_at|asc", "per_page": scan.page_size, "page": number, **since(scan, span[0])})
        done = len(page.records) < page.per_page
        yield Step(page.records, span, done)
        if done:
            return
        number += 1


READ_SPANS, KEYSET, WITH_TAIL = scan_module.read_spans, scan_module.keyset, ranges_module.with_tail
WITHIN, STEPS, NEXT = ranges_module._within, ranges_module.steps, keyset_module._next

OFTEN = {"quiet": True, "chaos": 0.95, "rows": (30, 60), "apart": (0, 0.3, 1), "clamp": 5000}
MISTAKES = {
    "no tail": (scan_module, "keyset", nothing_follows, {}),
    "go on from the highest cursor": (ranges_module, "with_tail", from_the_highest_cursor, {"clamp": 5}),
    "stuck spans are left out": (ranges_module, "with_tail", only_the_tail, {"clamp": 5, "apart": (0, 0, 0, 0.3, 5)}),
    "stuck is done": (ranges_module, "steps", stuck_is_done, {"clamp": 5, "apart": (0, 0, 0, 0.3, 5)}),
    "the end is exclusive a second too early": (ranges_module, "_within", a_second_too_short, {}),
    "the start is exclusive": (ranges_module, "_within", without_its_first_second, {}),
    "a span is over a second too early": (ranges_module, "steps", over_a_second_too_early, {}),
    "behind the last second": (keyset_module, "_next", behind_the_last_second, {}),
    "spans by page number": (ranges_module, "steps", each_span_by_page_number, {}),
    "the older answer wins": (ranges_module, "_within", whatever_a_page_brings, OFTEN),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_planted_mistake_shows_in_some_history(monkeypatch, mistake):
    module, what, wrong, traits = mistake
    monkeypatch.setattr(module, what, wrong)
    for seed in range(1500):
        server, mirror = history(seed, **{"clamp": 16, "chaos": 0.5, **traits})
        found = (mirror.lacking, mirror.older) if server.quiet else faults(server, mirror)
        if any(found):
            return
    pytest.fail("no history shows the mistake")


@pytest.mark.parametrize("hours", [1, 30])
def test_a_stamp_in_the_future_does_not_hide_what_is_touched_meanwhile(hours):
    for seed in range(HISTORIES):
        server = settled(seed, 120, (0, 0.3, 5))
        server.rows[60].stamp = server.now + hours * HOUR
        server.chaos, mirror = 0.7, Mirror(connections=3)
        mirror.pull(server)
        assert mirror.lacking == [], f"seed {seed}"
