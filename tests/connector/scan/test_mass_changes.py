"""What a mass change costs: the records and requests of a scan, beside one plain reading of the same rows.

Eight in twenty clients change in one second, and that second has more rows than the largest page.
"""

from __future__ import annotations

import random

import pytest

from connector.scan import keyset as keyset_module
from connector.scan import ranges as ranges_module
from connector.scan import walk as walk_module
from connector.scan.scan import first_look, read
from connector.scan.skew import HOUR
from connector.scan.state import Scan, key
from tests.connector.scan.changing_server import START, ChangingServer, by_chance, name

ROWS, PAGE, CAP, MANY = 2000, 100, 500, 800
LOOK_BACK = 600


@pytest.fixture(autouse=True)
def _a_largest_page_of_500(monkeypatch):
    """A tenth of the real one, as all figures here."""
    monkeypatch.setattr(keyset_module, "PAGE_CAP", CAP)
    monkeypatch.setattr(walk_module, "PAGE_CAP", CAP)
    monkeypatch.setattr(ranges_module, "PAGE_CAP", CAP)


class Counted:
    """A server after a bulk update in the middle of its list or at its end, and the records of its answers."""

    def __init__(self, *, many=MANY, behind=0, apart=1.0, clamp=CAP, **traits):
        self.server = it = ChangingServer(random.Random(1), clamp=clamp, **traits)  # noqa: S311 - the same each time
        for number in range(ROWS):
            it.insert(START + number * apart)
        self.second = START + ROWS * apart + 50.3
        changed = it.rnd.sample(sorted(it.rows), many + behind)
        for place, number in enumerate(changed):
            it.rows[number].stamp = self.second + max(0, place + 1 - many) * 0.5
        it.now = self.second + 300 + behind
        self.records = 0

    def ask(self, params):
        page = self.server.ask(params)
        self.records += len(page.records)
        return page

    def read(self, since=None, **traits):
        """The ids that came, and those that should have."""
        scan = Scan(self.ask, first_look(self.ask), page_size=PAGE, **traits)
        scan.together = by_chance(self.server.rnd)
        came = {key(record) for page in read(scan, since) for record in page}
        return came, {name(n) for n, row in self.server.rows.items() if since is None or row.stamp >= since}

    def idle(self, **traits):
        """A pull of the look-back, in which nothing has changed since the last one."""
        since = int(self.second) - LOOK_BACK
        recent = sum(row.stamp >= since for row in self.server.rows.values())
        return self.read(since, recent=recent, **traits)


@pytest.mark.parametrize("many", [150, 420, MANY], ids=["a page", "nearly the largest page", "more than that"])
@pytest.mark.parametrize("behind", [0, 600], ids=["at the end", "in the middle"])
@pytest.mark.parametrize("connections", [1, 4])
def test_a_cold_pull_reads_at_most_a_quarter_more_than_there_is(connections, behind, many):
    it = Counted(behind=behind, many=many)
    came, there = it.read(skew=0, connections=connections)
    assert came == there
    assert it.records <= 1.25 * ROWS
    assert sum(p["per_page"] > 1 for p in it.server.log) <= 1.5 * ROWS / PAGE


def test_a_cold_pull_reads_no_page_of_a_second_at_the_end_before_it_walks_there():
    """It counts that second once; the connections share the rows before it, and the walk reads it alone."""
    it = Counted()
    came, there = it.read(skew=0, connections=4)
    assert came == there
    assert it.records <= 1.12 * ROWS
    at_the_end = [p for p in it.server.log if p.get("updated_at") == int(it.second)]
    assert all(p["sort"] == "id|asc" for p in at_the_end)
    assert sum(p["per_page"] == 1 for p in at_the_end) == 1


@pytest.mark.parametrize("zone", [5 * HOUR, -3 * HOUR])
def test_a_cold_pull_in_another_time_zone_reads_at_most_half_as_much_again(zone):
    """The filter is an hour or two too wide there, and this list is two hours long."""
    it = Counted(west=zone, apart=5.0)
    came, there = it.read()
    assert came == there
    assert it.records <= 1.5 * ROWS


@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("clamp", [CAP, 60])
@pytest.mark.parametrize("many", [150, 420, MANY], ids=["a page", "nearly the largest page", "more than that"])
def test_an_idle_pull_brings_each_row_of_the_look_back_once_and_few_more_at_each_page_break(many, clamp, connections):
    it = Counted(many=many, clamp=clamp)
    came, there = it.idle(skew=0, connections=connections)
    assert came == there
    look, pages = 1, len(it.server.log) - 1
    assert it.records <= len(there) + look + pages * (pages + 1) // 2
    assert pages <= 1.2 * len(there) / clamp + 1


def test_an_import_over_some_seconds_costs_little_more_than_plain_pages():
    """Each second has more than half a page: pages of the usual size would bring it twice."""
    it = Counted(many=0)
    for number in range(1, 1201):
        it.server.rows[number].stamp = it.second + number // 60
    it.server.now += 100
    came, there = it.read(int(it.second) - LOOK_BACK, skew=0)
    assert came == there
    assert it.records <= 1.3 * len(there)


def test_the_first_pull_after_a_mass_change_reads_one_page_more_than_there_is():
    it = Counted()
    came, there = it.read(int(it.second) - 30, skew=0)
    assert came == there
    assert it.records <= len(there) + 2 * PAGE


def test_a_page_that_fails_is_asked_no_second_time():
    """The server fails on more than 300 rows; the walk takes smaller pages from then on."""
    it = Counted(too_many=300)
    came, there = it.read(int(it.second) - 30, skew=0)
    assert came == there
    assert sum(p["per_page"] > 300 for p in it.server.log) == 1
    assert it.records <= 1.3 * len(there)
