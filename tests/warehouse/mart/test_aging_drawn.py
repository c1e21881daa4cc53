"""Ageing of drawn books, today and as of many days, against a book-keeper who rolls each account forward by hand."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from schemas.billing import CREDITS, INVOICES, PAYMENTS
from schemas.entities import CLIENTS
from tests.receivables.book_keeper import Lists, age
from tests.receivables.fill import fill, put
from tests.receivables.office import Office
from tests.warehouse.mart.test_daily import reference
from warehouse.control.state import Binding, bind
from warehouse.opened.open import open_place

ZONES = ("Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati", "UTC", "Asia/Kathmandu")
BOOKS = int(os.environ.get("NINJA_SYNC_WORLDS", "20"))
FIGURES = (
    "open_invoices, not_due, overdue_1_30, overdue_31_60, overdue_61_90, overdue_over_90, without_due_date, owed, "
    "overpaid, net, unapplied_payments, open_credits"
)


@pytest.fixture
def books(place):
    """Drawn books, each a source of its own: the server's lists by source, loaded into one warehouse."""
    first = int(os.environ.get("NINJA_SYNC_SEED", "1"))
    until = datetime.now(UTC).replace(microsecond=0)
    drawn = {}
    with open_place(place) as writer:
        for number in range(first, first + BOOKS):
            zone, source = ZONES[number % len(ZONES)], f"book{number}"
            office = Office(f"b{number}", zone, until).work(90 + 10 * (number % 7))
            bind(writer, source, Binding("https://ninja.test", source, source), version="5.12.28", now=until)
            for entity, rows in reference(zone).rows.items():
                put(writer, entity, rows, source)
            fill(writer, CLIENTS, office.clients, source)
            for entity in (INVOICES, PAYMENTS, CREDITS):
                fill(writer, entity, getattr(office, entity.name), source)
            drawn[source] = Lists(office.clients, office.invoices, office.payments, office.credits, zone)
    return drawn


@pytest.fixture
def warehouse(books, place):
    """The warehouse with those books, to read: a writer has little memory, and many small loads take some of it."""
    with open_place(place, read_only=True) as opened:
        yield opened


def figures(warehouse, asked, **params):
    """The figures of each client by source, from a view or a function."""
    columns, rows = warehouse.answer(f"select source, client_id, {FIGURES} from {asked}", params or None)
    found = {}
    for source, client_id, *row in rows:
        assert client_id not in found.setdefault(source, {})
        found[source][client_id] = dict(zip(columns[2:], row, strict=True))
    return found


def today_of(lists):
    return datetime.now(UTC).astimezone(ZoneInfo(lists.zone)).date()


def test_every_figure_of_every_client_is_the_book_keepers_on_many_days(warehouse, books):
    chance = Random("days")  # noqa: S311 - which days are asked for
    now = datetime.now(UTC).date()
    days = [now - timedelta(days=n) for n in (-400, -2, -1, 0, 1, 2, 3, 401, 500)]
    days += [now - timedelta(days=chance.randrange(400)) for _ in range(15)]
    compared = 0
    for day in days:
        found = figures(warehouse, "mart.aging_as_of(cast($day as date))", day=day)
        for source, lists in books.items():
            expected = age(lists, day, today_of(lists))
            assert found.get(source, {}) == expected, f"{source} as of {day}"
            compared += len(expected)
    assert compared > len(days) * len(books)


def test_the_books_have_every_kind_of_figure(warehouse, books):
    """The comparison above would not see a column that is always zero."""
    found = [
        row
        for clients in figures(warehouse, "mart.aging_as_of(current_date - 60)").values()
        for row in clients.values()
    ]
    assert all(any(row[name] for row in found) for name in FIGURES.replace(",", " ").split())
    assert warehouse.rows("select distinct part from mart.open_items order by part") == [
        ("deposit",),
        ("rest",),
        ("whole",),
    ]


def test_today_and_any_later_day_are_the_view_of_today(warehouse, books):
    view = figures(warehouse, "mart.aging")
    assert view == {source: age(lists, date(9999, 1, 1), today_of(lists)) for source, lists in books.items()}
    ours = "source, invoice_id, part, due_date, days_overdue, days_old, bucket, open_amount"
    items = warehouse.rows(f"select {ours} from mart.open_items order by source, invoice_id, part")
    assert len(items) > 5 * len(books)
    for ahead in (1, 2, 1000):  # every zone has today behind it
        assert figures(warehouse, f"mart.aging_as_of(current_date + {ahead})") == view
        then = f"select {ours} from mart.open_items_as_of(current_date + {ahead}) order by source, invoice_id, part"
        assert warehouse.rows(then) == items


def test_open_items_add_up_to_the_balances_of_the_server(warehouse, books):
    for source, lists in books.items():
        balances = {i["id"]: i["balance"] for i in lists.invoices if not i["is_deleted"] and i["balance"]}
        rows = warehouse.rows(
            "select invoice_id, sum(open_amount) from mart.open_items where source = $source group by invoice_id",
            {"source": source},
        )
        assert dict(rows) == balances
