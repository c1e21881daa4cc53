"""What safety costs: the requests of a full load, beside plain paging of the same list."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime

import pytest

from connector.scan import keyset, ranges, walk
from flows.configuration.values import Settings, Source
from flows.session.clock import Clock
from tests.histories.changes import Change, happen
from tests.histories.machine import MOMENTS, pulled
from tests.histories.mirror import differences
from tests.histories.server import URL, Server, Wire

ROWS, PAGE, FIRST = 2000, 40, 6
"""`FIRST`: the newest record, the skew (two), the company, its groups and the server's lists, whatever the size."""
DEEDS = ("edit", "charge", "insert", "add_contact", "purge", "archive")


def load(tmp_path, *, connections, fire, first=(), cap=5000):
    """A full load of a new warehouse while somebody changes something before every third request, if there is fire.

    Before it comes `first`; the server sends at most `cap` records a page.
    """
    rnd = random.Random(7)  # noqa: S311 - the same each time
    server = Server(now=MOMENTS[0], look_back=7200, pace=0.25)
    server.insert(ROWS, apart=0.4)  # two or three in each second
    server.world.switches.per_page_cap = cap
    for change in first:
        happen(server, change)

    def strike(number: int) -> None:
        if fire and number % 3 == 0:
            happen(server, Change(rnd.choice(DEEDS), tuple(rnd.randrange(ROWS) for _ in range(3)), how=number))

    source = Source(url=URL, page_size=PAGE, connections=connections, requests_per_second=1e6, entities=("clients",))
    settings = Settings(warehouse=str(tmp_path / "w.duckdb"), publish=False, sources={"main": source})
    wire, clock = Wire(server, strike), Clock(now=lambda: datetime.fromtimestamp(server.now, UTC))
    done = pulled(settings, wire, clock=clock)
    return server, wire, done, lambda: pulled(settings, Wire(server), clock=clock)


@pytest.mark.proof
@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("fire", [False, True], ids=["quiet", "under fire"])
def test_a_full_load_costs_at_most_three_tenths_more_requests_than_plain_paging(tmp_path, connections, fire):
    server, wire, done, again = load(tmp_path, connections=connections, fire=fire)
    assert done.run.kind == "full"
    assert done.run.requests == wire.count
    assert wire.count <= 1.3 * math.ceil(ROWS / PAGE) + FIRST
    if fire:
        again()
    assert differences(tmp_path / "w.duckdb", server, ghosts=False) == []


def test_after_a_mass_change_a_cold_pull_reads_a_tenth_more_and_an_idle_one_each_client_once(tmp_path, monkeypatch):
    """Eight in twenty clients in one second, and pages of less than that: all figures are a tenth of the usual."""
    monkeypatch.setattr(keyset, "PAGE_CAP", 500)
    monkeypatch.setattr(walk, "PAGE_CAP", 500)
    monkeypatch.setattr(ranges, "PAGE_CAP", 500)
    many = ROWS * 8 // 20
    server, _, done, again = load(
        tmp_path, connections=4, fire=False, first=[Change("change_many", (ROWS - many,))], cap=500
    )
    assert done.run.kind == "full"
    assert done.run.received <= 1.1 * ROWS
    idle = again()
    assert (idle.run.kind, idle.run.updated, idle.run.touched) == ("pull", 0, 0)
    assert idle.run.received <= ROWS + 15  # all were stamped within the look-back; page 5 overlaps by five at most
    assert idle.run.requests <= 7
    assert differences(tmp_path / "w.duckdb", server, ghosts=False) == []


@pytest.mark.proof
def test_a_bulk_change_of_more_rows_than_the_largest_page_is_read_whole(tmp_path):
    server, _, _, again = load(tmp_path, connections=4, fire=False)
    server.world.switches.per_page_cap = 500
    happen(server, Change("change_many", (0,), 1))
    assert again().run.updated == ROWS
    assert differences(tmp_path / "w.duckdb", server, ghosts=False) == []
