"""Ageing as of each day against what the same books said on that day, before anything later happened.

This holds for offices that enter each document on its own day, and do nothing that docs/receivables.md lists as
impossible to know later.
"""

from __future__ import annotations

import copy
import os
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal

import pytest

from schemas.billing import CREDITS, INVOICES, PAYMENTS
from tests.receivables.book_keeper import Lists, age
from tests.receivables.fill import fill
from tests.receivables.office import Office
from tests.warehouse.mart.test_aging_drawn import ZONES, figures
from tests.warehouse.mart.test_daily import reference
from warehouse.engine.seam import DUCKDB

BOOKS = int(os.environ.get("NINJA_SYNC_WORLDS", "8"))
DAYS = 60
CENT = Decimal("0.01")
ALWAYS = {
    "bill": 30, "pay": 22, "pay_by_credit": 5, "apply_later": 10, "use_credit_later": 3, "archive": 2, "give_credit": 6,
}  # fmt: skip
ONE_OR_OTHER = ({"refund": 12, "refund_unapplied": 5, "refund_credit": 5}, {"cancel": 6, "reverse": 4})
"""A refund of a cancelled or reversed invoice is its last change, so no book has both."""


class Punctual(Office):
    """An office that keeps the lists of each day; it leaves a payment alone once it was refunded."""

    def live(self, number: int) -> Punctual:
        """Do drawn actions at the hours of each day."""
        weights = ALWAYS | ONE_OR_OTHER[number % 2]
        self.seen: dict = {}
        first = self.until.astimezone(self.zone).date() - timedelta(days=DAYS)
        for place in range(DAYS):
            day = first + timedelta(days=place)
            for hour in sorted(self.chance.sample(range(24), self.chance.randint(0, 4))):
                self.now = datetime(day.year, day.month, day.day, hour, 30, tzinfo=self.zone)
                getattr(self, self.chance.choices(list(weights), list(weights.values()))[0])()
            self.seen[day] = self.lists()
        return self

    def lists(self) -> Lists:
        """A copy of what the server lists."""
        return Lists(*copy.deepcopy((self.clients, self.invoices, self.payments, self.credits)), str(self.zone))

    def _day(self, _off: int) -> str:
        return super()._day(0)

    def _alive(self, records):
        return [record for record in super()._alive(records) if not _is_refunded(record)]

    def _apply(self, payment, invoice, part):
        """A deposit is never paid in full: its record would be gone."""
        if invoice["partial"] > 0:
            part = min(part, (invoice["partial"] * 2 / 3).quantize(CENT, ROUND_DOWN))
        if part:
            super()._apply(payment, invoice, part)


def _is_refunded(record):
    return bool(record.get("refunded") or any(use["refunded"] for use in record.get("paymentables", ())))


@pytest.fixture
def offices(warehouse, load_records):
    """Books of drawn offices, each a source of its own."""
    first, until, made = int(os.environ.get("NINJA_SYNC_SEED", "1")), datetime.now(UTC), {}
    for number in range(first, first + BOOKS):
        zone, source = ZONES[number % len(ZONES)], f"book{number}"
        office = made[source] = Punctual(f"r{number}", zone, until, clients=4).live(number)
        load_records(office.clients, reference=reference(zone), source=source)
        for entity, records in ((INVOICES, office.invoices), (PAYMENTS, office.payments), (CREDITS, office.credits)):
            fill(warehouse, entity, records, source)
    if warehouse.engine == DUCKDB:
        warehouse.checkpoint()
    return made


def test_each_day_is_as_its_own_lists_were(warehouse, offices):
    days = sorted(set().union(*(office.seen for office in offices.values())))
    compared = 0
    for day in days[:-1]:
        found = figures(warehouse, "mart.aging_as_of(cast($day as date))", day=day)
        for source, office in offices.items():
            if day in office.seen:
                expected = age(office.seen[day], day, day)
                wrong = _different(found.get(source, {}), expected)
                assert not wrong, f"{source} as of {day}: {wrong}"
                compared += len(expected)
    assert compared > DAYS * BOOKS


def _different(found, expected):
    """The figures that differ: (client, name, found, expected). A client that is missing has zeros."""
    pairs = [(key, name, found.get(key, {}).get(name, 0), expected.get(key, {}).get(name, 0))
             for key in found | expected for name in (found.get(key) or expected[key])]  # fmt: skip
    return [pair for pair in pairs if pair[2] != pair[3]]
