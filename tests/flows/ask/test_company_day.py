"""The day that it is for a company: its own, not that of UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
import pytest

from flows.ask.company_day import company_day
from flows.configuration.load import place_of
from flows.session.clock import Clock
from flows.statements.fetch import period_of
from tests.engines import address
from tests.receivables.fill import put
from tests.warehouse.mart.test_daily import reference
from warehouse.control.state import Binding, bind
from warehouse.opened.open import open_place


@pytest.fixture
def company(settings, place):
    """Makes a warehouse that knows one company, in a time zone."""

    def made(zone):
        chosen = msgspec.structs.replace(settings, warehouse=address(place), publish=False)
        with open_place(place_of(chosen)) as warehouse:
            bind(
                warehouse, "main", Binding("https://ninja.test", "co", "main"), version="5.12.28", now=datetime.now(UTC)
            )
            for entity, rows in reference(zone).rows.items():
                put(warehouse, entity, rows)
        return chosen

    return made


@pytest.mark.parametrize(
    ("zone", "now", "first", "last"),
    [
        ("Pacific/Auckland", datetime(2026, 12, 31, 20, tzinfo=UTC), date(2027, 1, 1), date(2027, 1, 1)),
        ("America/New_York", datetime(2027, 1, 1, 2, tzinfo=UTC), date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_ends_on_the_companys_own_day(company, zone, now, first, last):
    settings, clock = company(zone), Clock(now=lambda: now)
    period = period_of("", "", today=lambda: company_day(settings, "main", clock=clock))
    assert (period.start, period.end) == (first, last)
    assert company_day(settings, None, clock=clock) == last
    assert company_day(settings, "unknown", clock=clock) == now.date()


def test_where_nothing_was_pulled_it_is_the_day_of_utc(settings, tmp_path):
    now = datetime(2027, 1, 1, 2, tzinfo=UTC)
    for warehouse in (str(tmp_path / "none.duckdb"), "postgresql://nobody@127.0.0.1:1/none"):
        chosen = msgspec.structs.replace(settings, warehouse=warehouse)
        assert company_day(chosen, "main", clock=Clock(now=lambda: now)) == now.date()
