"""`ninja-sync history`: which days are known, the rows of each period, and what is said about gaps."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest

from flows.ask.ask import reading
from flows.ask.history import (
    NO_PULL,
    REMOVED,
    History,
    Series,
    Span,
    _is_copy,
    gaps_of,
    lines_about,
    read_history,
    table_of,
)
from schemas.errors import SettingsError

FIRST = date(2026, 1, 30)


def days(*numbers):
    return [FIRST + timedelta(days=n) for n in numbers]


def history(unknown=(), *, span=6, sums=((0, 10, 0), (3, 20, 5)), currency="EUR"):
    """A history of `span` days, in which the numbered days are unknown; `sums` are (day, owed, overpaid)."""
    rows = [
        {"owed": Decimal(owed), "overpaid": Decimal(over), "clients": 2, "debtors": 1, "creditors": 1}
        for _, owed, over in sums
    ]
    series = Series("main", currency, days(*(n for n, _, _ in sums)), rows)
    return History(
        "Us", {"main": Span("main", days(*range(span)), dict.fromkeys(days(*unknown), NO_PULL))}, [series], False
    )


def test_a_period_shows_its_last_known_day_and_counts_the_unknown_ones():
    rows = table_of(history([1, 4, 5]), "month").records()
    assert [(row["period"], row["day"], row["owed"], row["unknown_days"]) for row in rows] == [
        ("2026-01", *days(0), Decimal("10.00"), 1),
        ("2026-02", *days(3), Decimal("20.00"), 2),
    ]
    assert (rows[1]["overpaid"], rows[1]["net"]) == (Decimal("5.00"), Decimal("15.00"))


def test_a_period_without_a_known_day_has_no_sums():
    first, *_, last = table_of(history([0, 5]), "day").records()
    assert (first["period"], first["day"], first["owed"], first["net"], first["unknown_days"]) == (
        "2026-01-30", None, None, None, 1,
    )  # fmt: skip
    assert last["owed"] is None


@pytest.mark.parametrize(
    ("by", "periods"),
    [
        ("week", ["2026-W05", "2026-W06"]),
        ("month", ["2026-01", "2026-02"]),
        ("quarter", ["2026-Q1"]),
        ("year", ["2026"]),
    ],
)
def test_days_are_grouped_into_periods(by, periods):
    assert [row["period"] for row in table_of(history(), by).records()] == periods


def test_other_periods_are_refused():
    with pytest.raises(SettingsError, match="day, week, month, quarter, year"):
        table_of(history(), "decade")


def test_gaps_are_named_with_their_reason():
    with_gaps = history([1, 2, 4])
    with_gaps.spans["main"].unknown[days(0)[0]] = REMOVED
    assert [row[1:] for row in gaps_of(with_gaps).rows] == [
        (*days(0, 0), 1, REMOVED), (*days(1, 2), 2, NO_PULL), (*days(4, 4), 1, NO_PULL),
    ]  # fmt: skip
    assert lines_about(with_gaps) == [
        "Not known: 2026-01-31 to 2026-02-01, 2026-02-03; no pull ran then.",
        "Not known: 2026-01-30; versions of then were removed for their age.",
        "Deleted clients are left out.",
    ]


@pytest.fixture
def pulled(settings, pulls, query):
    """Settings of a warehouse that was pulled today, and as if ten, nine, five and two days ago."""
    pulls()
    for ago in (10, 9, 5, 2):
        query(
            "insert into control.runs by name (select * replace ('ago' || $ago as run_id, 'idle' as kind, "
            "began_at - to_days(cast($ago as integer)) as began_at) from control.runs where run_id not like 'ago%')",
            ago=ago,
        )
    query("update ninja.clients set valid_from = valid_from - to_days(10)")
    return msgspec.structs.replace(settings, publish=False)


def test_a_day_is_known_if_a_pull_began_on_it_or_on_the_day_after(pulled):
    span = read_history(pulled, "main").spans["main"]
    today = span.days[-1]
    assert len(span.days) == 11
    assert [(today - day).days for day in span.known()] == [10, 9, 6, 5, 3, 2, 1, 0]
    assert {row["why"] for row in gaps_of(read_history(pulled, None)).records()} == {NO_PULL}


def test_today_is_no_gap_before_its_pull(pulled, query):
    query("delete from control.runs where run_id not like 'ago%'")
    span = read_history(pulled, "main").spans["main"]
    first = span.days[0]
    assert [(day - first).days for day in span.days] == list(range(10))
    assert [(day - first).days for day in span.unknown] == [2, 3, 6, 9]


def test_the_sums_of_today_are_the_balances_of_today(pulled, query):
    balances = query(
        "select currency_code, owed, overpaid, net, clients, debtors, creditors from mart.balances_by_currency"
    )
    found = table_of(read_history(pulled, None), "year").records()
    names = ("currency", "owed", "overpaid", "net", "clients", "debtors", "creditors")
    assert sorted(tuple(row[name] for name in names) for row in found) == sorted(balances)


def test_days_can_be_chosen_and_must_be_in_order(pulled):
    today = read_history(pulled, None).spans["main"].days[-1]
    since, until = today - timedelta(days=3), today - timedelta(days=1)
    assert list(read_history(pulled, None, since=since, until=until).spans["main"].days) == [
        since, since + timedelta(days=1), until,
    ]  # fmt: skip
    assert len(read_history(pulled, None, since=date(1990, 1, 1), until=date(2990, 1, 1)).spans["main"].days) == 11
    with pytest.raises(SettingsError, match="is after"):
        read_history(pulled, None, since=until, until=since)
    with pytest.raises(SettingsError, match="no source 'other'"):
        read_history(pulled, "other")


def test_the_command_prints_tables_documents_and_files(command, tmp_path):
    command("pull")
    code, out, err = command("history")
    assert (code, "Owed and overpaid at the end of each month's last known day" in out) == (0, True)
    assert "Deleted clients are left out." in err
    code, out, _ = command("history", "--by", "day", "--json")
    document = json.loads(out)
    assert document["unknown"] == []
    (day,) = {row["day"] for row in document["history"]}
    code, _, err = command("history", "--csv", "h.csv", "--plot", "h.svg")
    assert (code, "The picture is in h.svg." in err) == (0, True)
    with (tmp_path / "h.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["day"], row["owed"]) for row in rows] == [(day, row["owed"]) for row in document["history"]]


@pytest.mark.parametrize("arguments", [("--from", "2026-02-30"), ("--plot", "h.gif"), ("--by", "hour")])
def test_the_command_refuses_what_it_does_not_know(command, arguments):
    command("pull")
    code, _, err = command("history", *arguments)
    assert code == 2
    assert "Traceback" not in err


def test_before_the_first_pull_nothing_is_known(call):
    code, out = call("history")
    assert (code, out) == (0, "")
    with pytest.raises(SettingsError, match="nothing to draw"):
        call("history", "--plot", "h.png")
    assert json.loads(call("history", "--json")[1]) == {"history": [], "unknown": []}


@pytest.mark.publishes
def test_it_reads_the_warehouse_itself_and_knows_its_copy(settings, pulls):
    pulls()
    assert not read_history(settings, None).copied
    with reading(settings) as copy:
        assert _is_copy(copy, settings)
