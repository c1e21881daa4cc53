"""Histories that once went wrong, each at its shortest."""

from __future__ import annotations

import pytest

from tests.histories.changes import Change, happen
from tests.histories.machine import MOMENTS, Histories, Terms
from tests.histories.quick import quick

TERMS = {
    "rows": 6, "apart": 5.0, "page_size": 2, "connections": 1, "look_back": 60, "pace": 0.0, "cap": 5000, "zone": "UTC",
    "moment": MOMENTS[0], "skewed": 0, "one_host": False, "sweep_days": 7, "virgin": False,
    "loaded": True, "seed": 0, "mood": [], "orderly": False,
}  # fmt: skip


@pytest.fixture
def history():
    """A history under these terms, which ends with a quiet pull and the comparison."""
    played = []

    def begin(**terms):
        played.append(Histories())
        played[-1].begin(given=Terms(**{**TERMS, **terms}))
        return played[-1]

    with quick():
        yield begin
        for one in played:
            one.teardown()


def test_a_change_committed_a_whole_look_back_after_its_stamp_is_seen(history):
    """In the second of the newest record's stamp, and before it: the newest record alone does not tell of it."""
    now = history(apart=0.0)
    happen(now.office, Change("charge", (0, 1), 1))
    now.office.advance(0.65)
    happen(now.office, Change("charge", (2,), 1))
    now.office.advance(59.3)
    now.pull_under_fire([])
    now.office.advance(0.1)
    happen(now.office, Change("charge", (1,), 2, late=10))
    now.check(0.0, thorough=True)


@pytest.mark.parametrize("late", [9, 5], ids=["not read before", "read before in a version with a later stamp"])
def test_an_interrupted_scan_that_goes_on_sees_what_was_committed_late_behind_it(history, late):
    now = history(rows=8, apart=100.0, look_back=600, loaded=False)
    if late == 5:
        happen(now.office, Change("edit", (2,), 0))
    now.pull_under_fire([(9, Change("cut"))])
    happen(now.office, Change("charge", (2 if late == 5 else 5,), 3, late=late))
    now.check(0.0, thorough=True)


def test_an_interrupted_scan_that_goes_on_after_a_restore_takes_nothing_from_before_it(history):
    now = history(rows=8, apart=100.0, look_back=600, loaded=False)
    now.office.save()
    happen(now.office, Change("charge", (2,), 0))
    now.pull_under_fire([(11, Change("cut"))])
    happen(now.office, Change("restore"))
    now.check(0.0, thorough=True)


def test_a_contact_that_is_back_with_a_client_that_is_as_it_was_is_not_lost(history):
    """The client that lost it was not stamped, so the mirror has its record as it was; then a backup is put back."""
    now = history(rows=4, apart=1000.0)
    now.office.save()
    now.office.advance(100)
    happen(now.office, Change("take_contact", (0, 1)))
    now.pull_under_fire([])
    happen(now.office, Change("restore"))
    now.check(1000.0, thorough=True)


def test_a_client_that_vanishes_during_a_full_pull_is_taken_out_by_the_next_one(history):
    now = history(rows=8, loaded=False)
    now.pull_under_fire([(7, Change("purge")), (0, Change("insert"))])
    now.check(1000.0, thorough=False)
    assert now.known["clients"] == set(now.office.ids())
