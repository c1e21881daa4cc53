"""Pages of ageing: the command's figures, filtered, in order, page by page; computed again after each load."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from flows.ask import aging_page, open_items
from flows.ask.aging import BUCKETS, COLUMNS, DUE, read_aging
from flows.ask.aging_page import NO_CURRENCY, OLDEST, Question, read_file, read_page, takes_long
from flows.ask.kept import Kept
from flows.ask.open_items import prepare_items, read_items
from flows.configuration.load import place_of
from schemas.errors import SettingsError
from warehouse.opened.open import open_place

THEN = datetime.now(UTC).date() - timedelta(days=100)
DAYS = pytest.mark.parametrize("day", [None, THEN])


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    """Answers are kept by the place of a warehouse, and the tests use places again."""
    kept = Kept()
    for module in (aging_page, open_items):
        monkeypatch.setattr(module, "KEPT", kept)


def command(settings, day):
    """The tables of `ninja-sync aging`."""
    return {name: table.records() for name, table in read_aging(settings, None, at=day).items()}


@DAYS
def test_the_sums_and_the_deleted_clients_are_the_commands(kept, day):
    page, theirs = read_page(kept, None, Question(day)), command(kept, day)
    for ours, row in zip(page.sums, theirs["by_currency"], strict=True):
        assert {name: ours[name] for name in row} == row
    assert page.left_out == theirs["left_out"]
    assert page.currency == "EUR"
    assert page.sums[0]["owed"] > 0


@DAYS
def test_all_clients_in_a_file_are_the_commands_file(kept, day):
    table = read_aging(kept, None, at=day)["by_client"]
    found = read_file(kept, None, Question(day, least=Decimal(10**9)), every=True)
    assert list(found.columns) == list(table.columns)
    assert [list(row) for row in found.rows] == [list(row) for row in table.rows]
    assert len(found.rows) > 3


@DAYS
def test_pages_hold_each_client_of_the_currency_once_in_order(kept, day, monkeypatch):
    monkeypatch.setattr(aging_page, "PAGE", 2)
    pages = [read_page(kept, None, Question(day, page=number)) for number in range(1, 6)]
    rows = [row for page in pages for row in page.clients]
    theirs = [row for row in command(kept, day)["by_client"] if row["currency"] == "EUR"]
    assert {page.of_all for page in pages} == {len(rows)} == {len(theirs)}
    assert len(rows) > 4
    key = ("number", "client", *COLUMNS[DUE])
    assert sorted(str([row[name] for name in key]) for row in rows) == sorted(
        str([row[name] for name in key]) for row in theirs
    )
    assert [row["owed"] for row in rows] == sorted((row["owed"] for row in rows), reverse=True)


def test_the_longest_overdue_stand_first_if_asked(kept):
    rows = read_page(kept, None, Question(order=OLDEST)).clients
    ages = [row["most_days_overdue"] or 0 for row in rows]
    assert ages == sorted(ages, reverse=True)
    assert len(set(ages)) > 2
    with pytest.raises(SettingsError, match="order"):
        Question(order="name")


def test_filters_leave_out_who_owes_less_and_who_is_not_late(kept):
    everybody = read_page(kept, None, Question()).clients
    least = sorted(row["owed"] for row in everybody)[len(everybody) // 2]
    found = read_page(kept, None, Question(least=least))
    assert {row["client_id"] for row in found.clients} == {r["client_id"] for r in everybody if r["owed"] >= least}
    late = read_page(kept, None, Question(overdue=True)).clients
    buckets = BUCKETS[DUE][1:]
    assert {row["client_id"] for row in late} == {
        row["client_id"] for row in everybody if sum(row[name] for name in buckets) > 0
    }
    assert 0 < found.of_all < len(everybody)
    of_file = read_file(kept, None, Question(least=least), every=False)
    assert len(of_file.rows) == found.of_all


def test_a_client_without_a_known_currency_has_a_page_of_its_own(kept):
    page = read_page(kept, None, Question(currency=NO_CURRENCY))
    assert page.currency is None
    assert {row["currency"] for row in page.clients} == {None}
    assert page.clients
    with pytest.raises(SettingsError, match="Currencies: EUR, none"):
        read_page(kept, None, Question(currency="USD"))


def test_a_day_that_has_not_come_and_an_unknown_source_are_refused(kept):
    with pytest.raises(SettingsError, match="has not come"):
        read_page(kept, None, Question(date(2999, 1, 1)))
    with pytest.raises(SettingsError, match="no source"):
        read_page(kept, "other", Question())


def test_figures_are_kept_until_a_load_changes_something(kept):
    before = read_page(kept, None, Question()).sums[0]
    with open_place(place_of(kept)) as warehouse:
        warehouse.execute("update ninja.invoices set balance = balance + 7 where balance > 0")
    assert read_page(kept, None, Question()).sums[0] == before
    with open_place(place_of(kept)) as warehouse:
        warehouse.execute(
            "insert into control.runs (run_id, source, kind, began_at, finished_at, seconds, requests, received,"
            " inserted, updated, touched, unchanged, quarantined, quarantine_open, changed, notes)"
            " values ('later', 'main', 'pull', now(), now(), 0, 0, 0, 0, 0, 0, 0, 0, 0, true, '[]')"
        )
    after = read_page(kept, None, Question()).sums[0]
    assert after["owed"] > before["owed"]


def test_an_earlier_day_of_large_books_takes_long_once(kept, monkeypatch):
    assert not takes_long(kept, None, THEN)
    monkeypatch.setattr(aging_page, "MANY", 2)
    assert takes_long(kept, None, THEN)
    assert not takes_long(kept, None, None)
    read_page(kept, None, Question(THEN))
    assert not takes_long(kept, None, THEN)


@DAYS
def test_the_open_items_of_each_client_add_up_to_its_figures(kept, day):
    if day:
        prepare_items(kept, day)
    for row in read_page(kept, None, Question(day)).clients:
        found = read_items(kept, row["source"], row["client_id"], day)
        assert (found.number, found.client) == (row["number"], row["client"])
        if not found.items:
            assert (row["owed"], row["overpaid"]) == (0, 0)
            continue
        (sums,) = found.sums
        assert [sums[name] for name in ("owed", "overpaid", "net")] == [
            row[name] for name in ("owed", "overpaid", "net")
        ]
        late = [item["open_amount"] for item in found.items if item["open_amount"] > 0 and item["days_overdue"]]
        assert sum(late) == row["owed"] - row["not_due"]


def test_a_client_that_is_not_known_has_no_page(kept):
    for source, client_id in (("main", "nobody"), ("main", "' or 1=1 --")):
        with pytest.raises(SettingsError, match="no client"):
            read_items(kept, source, client_id)
    (row, *_) = read_page(kept, None, Question()).clients
    with pytest.raises(SettingsError, match="no source"):
        read_items(kept, "other", row["client_id"])


def test_a_question_can_be_asked_again_with_other_choices():
    assert replace(Question(THEN, "EUR", page=3), page=1) == Question(THEN, "EUR")
