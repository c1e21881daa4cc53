"""The skew of every time zone: nothing is hidden by it, and it costs at most two and a half hours of rows."""

from __future__ import annotations

import random

import pytest

from connector.scan.pages import Malformed
from connector.scan.skew import HOUR, QUARTER, measure_skew, skew_fits
from connector.scan.state import TOLERANCE
from schemas.errors import NetworkFailed, ServerUnavailable
from tests.connector.scan.changing_server import START, ChangingServer

ZONES = range(-14 * HOUR, 12 * HOUR + 1, QUARTER)
NEWEST = int(START)


def server(**traits):
    it = ChangingServer(random.Random(1), **traits)  # noqa: S311 - the same each time
    for hours in (30, 20, 10, 0):
        it.insert(START - hours * HOUR + 0.7)
    it.now = START + 60
    return it


@pytest.mark.parametrize("west", ZONES)
def test_every_zone_is_measured_so_that_nothing_is_hidden_and_little_comes_again(west):
    it = server(west=west)
    skew = measure_skew(it.ask, NEWEST)
    margin = skew - west  # how far before the cursor the filter reaches
    assert margin == 0 if west == 0 else 0 < margin <= 2 * HOUR
    assert len(it.log) <= 10


@pytest.mark.parametrize("west", [w for w in ZONES if abs(w) >= HOUR])
@pytest.mark.parametrize("moved", [-HOUR, HOUR])
def test_daylight_saving_on_either_side_hides_nothing_and_is_no_ignored_filter(west, moved):
    skew = measure_skew(server(west=west).ask, NEWEST)
    assert 0 <= skew - (west + moved) <= TOLERANCE


def test_a_server_in_utc_costs_two_requests():
    it = server()
    assert measure_skew(it.ask, NEWEST) == 0
    assert len(it.log) == 2


def test_a_filter_without_effect_has_no_skew():
    assert measure_skew(server(ignores_filter=True).ask, NEWEST) is None


def test_without_a_newest_record_nothing_is_asked():
    it = server()
    assert measure_skew(it.ask, 0) is None
    assert it.log == []


@pytest.mark.parametrize("west", [0, HOUR, 5 * HOUR, -HOUR, -5 * HOUR - 1800])
@pytest.mark.parametrize("at", range(10))
def test_a_record_that_is_changed_meanwhile_never_makes_the_skew_too_small(west, at):
    it = server(west=west)
    it.wait(6 * HOUR)
    it.before_each = lambda number: it.touch(2) if number == at else None
    skew = measure_skew(it.ask, NEWEST)
    assert skew is None or skew >= west


@pytest.mark.parametrize("west", [0, HOUR, 5 * HOUR, -HOUR, -5 * HOUR - 1800])
@pytest.mark.parametrize("at", range(10))
def test_a_record_that_vanishes_meanwhile_never_makes_the_skew_too_small(west, at):
    it = server(west=west)
    it.before_each = lambda number: it.purge(4) if number == at else None
    skew = measure_skew(it.ask, NEWEST)
    assert skew is None or skew >= west


def test_a_list_that_changes_all_the_time_cannot_be_measured():
    it = server(west=HOUR)
    it.before_each = lambda _: (it.wait(6 * HOUR), it.touch(1))
    assert measure_skew(it.ask, NEWEST) is None


def test_a_newest_record_that_cannot_be_read_cannot_be_measured_by():
    assert measure_skew(server(poison={4}).ask, NEWEST) is None
    it = server()
    it.record = lambda _: Malformed("aB1")
    assert measure_skew(it.ask, NEWEST) is None


@pytest.mark.parametrize("problem", [ServerUnavailable(status=503), NetworkFailed()])
@pytest.mark.parametrize("ask_for", [lambda ask: measure_skew(ask, NEWEST), lambda ask: skew_fits(ask, NEWEST, 0)])
def test_a_server_that_is_down_is_not_an_unknown_skew(problem, ask_for):
    def ask(params):
        raise problem

    with pytest.raises(type(problem)):
        ask_for(ask)


@pytest.mark.parametrize("west", ZONES)
def test_a_measured_skew_fits(west):
    it = server(west=west)
    assert skew_fits(it.ask, NEWEST, measure_skew(it.ask, NEWEST))


@pytest.mark.parametrize(("west", "known"), [(5 * HOUR, 0), (HOUR, 0), (5 * HOUR, 4 * HOUR), (0, -4 * HOUR)])
def test_a_skew_that_hides_the_newest_record_does_not_fit(west, known):
    assert not skew_fits(server(west=west).ask, NEWEST, known)


def test_a_newer_record_or_poison_in_its_place_says_nothing_so_it_is_measured_anew():
    it = server(west=HOUR)
    it.wait(6 * HOUR)
    it.touch(1)
    assert not skew_fits(it.ask, NEWEST, 0)
    assert not skew_fits(server(poison={4}).ask, NEWEST, 0)
