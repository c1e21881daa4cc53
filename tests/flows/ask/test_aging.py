"""`ninja-sync aging` and `flows.aging`: the figures of the views, in tables, files and frames, today and on a day."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from flows import aging as aging_frame
from flows.ask.aging import BUCKETS, COLUMNS, day_of, read_aging, tell_aging
from flows.ask.ask import Result
from flows.configuration.load import place_of
from schemas.errors import SettingsError
from warehouse.opened.open import open_place

THEN = datetime.now(UTC).date() - timedelta(days=100)


def view(settings, asked):
    with open_place(place_of(settings), read_only=True) as warehouse:
        columns, rows = warehouse.answer(f"select * from {asked}")
    return [dict(zip(columns, row, strict=True)) for row in rows]


@pytest.mark.parametrize("at", [None, THEN])
@pytest.mark.parametrize("basis", BUCKETS)
@pytest.mark.parametrize("by", ["client", "country", "currency"])
def test_each_grouping_adds_up_to_the_view_in_each_currency(kept, at, basis, by):
    name = {"due": "mart.aging", "invoice": "mart.aging_by_invoice_date"}[basis]
    rows = view(kept, f"{name}_as_of(date '{at}')" if at else name)
    tables = read_aging(kept, None, by=by, basis=basis, at=at)
    for table in ("by_currency", f"by_{by}"):
        found = tables[table].records()
        for currency in {row["currency_code"] for row in rows}:
            for column in (*BUCKETS[basis], "owed", "overpaid", "net"):
                ours = sum(row[column] for row in found if row["currency"] == currency)
                assert ours == sum(row[column] for row in rows if row["currency_code"] == currency) is not None
    if by == "client":
        assert len(tables["by_client"].rows) == len(rows)
        assert None not in {row["client"] for row in tables["by_client"].records()}
    else:
        for column, amount in (("debtors", "owed"), ("creditors", "overpaid")):
            counts = [sum(r[column] for r in tables[t].records()) for t in ("by_currency", f"by_{by}")]
            assert counts == [sum(row[amount] > 0 for row in rows)] * 2
    assert {row["currency"] for row in tables["by_currency"].records()} == {"EUR", None}


def test_the_sums_of_deleted_clients_are_left_out_and_said(kept):
    (row,) = read_aging(kept, None)["left_out"].records()
    rows = view(kept, "mart.open_items where client_status = 'deleted' and open_amount > 0")
    assert row["owed"] == sum(r["open_amount"] for r in rows) > 0


def test_a_frame_of_a_day_has_the_columns_of_the_view_with_names(kept):
    today, then = aging_frame(settings=kept), aging_frame(THEN, settings=kept)
    assert list(today.columns) == list(then.columns)
    assert then["client_name"].notna().all()
    assert then["owed"].sum() == sum(row["owed"] for row in view(kept, f"mart.aging_as_of(date '{THEN}')"))


@pytest.mark.parametrize("text", ["", "31.12.2026", "2026-02-30", "yesterday"])
def test_a_text_that_is_no_day_is_refused_with_an_example(text):
    with pytest.raises(SettingsError, match="2026-12-31"):
        day_of(text)


def test_an_unknown_grouping_basis_or_source_is_refused(kept):
    for wrong in ({"by": "group"}, {"basis": "paid"}):
        with pytest.raises(SettingsError, match="is one of"):
            read_aging(kept, None, **wrong)
    with pytest.raises(SettingsError, match="no source"):
        read_aging(kept, "elsewhere")


def test_the_command_prints_tables_and_writes_files(kept, environment, command, tmp_path):
    environment["NINJA_SYNC_WAREHOUSE"] = kept.warehouse
    told = json.loads(command("aging", "--json")[1])
    assert set(told) == {"by_currency", "by_client", "left_out"}
    code, out, err = command("aging", "--at", THEN)
    assert (code, "by currency" in out, f"at the end of {THEN}, by client" in out) == (0, True, True)
    assert "Left out: open invoices of deleted clients" in err
    assert not [line for line in err.splitlines() if len(line) > 80]
    assert command("aging", "--csv", tmp_path / "aging.csv", "--xlsx", tmp_path / "aging.xlsx")[0] == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "aging.csv").read_text("utf-8-sig"))))
    assert [Decimal(row["owed"]) for row in rows] == [Decimal(row["owed"]) for row in told["by_client"]]
    sheet = load_workbook(tmp_path / "aging.xlsx").active
    assert [cell.value for cell in sheet[1]] == list(rows[0])
    for wrong in (["--by", "x"], ["--at", "soon"], ["--decimal", ","]):
        assert command("aging", *wrong)[0] == 2


@pytest.mark.parametrize("width", [80, 100, 120])
@pytest.mark.parametrize("owed", ["1234.50", "123456.78", "1234567.89"])
def test_number_name_and_every_age_of_a_client_are_shown_in_any_terminal(capsys, monkeypatch, width, owed):
    ages = dict.fromkeys(BUCKETS["due"], Decimal(owed) / 5)
    records = [
        {"source": "main", "day": THEN, "currency": "USD", "number": number, "client": "Northwind Roofing & Plumbing",
         "country": "United States", "clients": 2, "debtors": 2, "creditors": 0,
         **dict.fromkeys(COLUMNS["due"], Decimal(0)), **ages, "owed": Decimal(owed)}
        for number in ("0012", "0345")
    ]  # fmt: skip
    tables = {
        name: Result(columns, [[record[column] for column in columns] for record in records])
        for name, columns in (
            ("by_currency", ("source", "day", "currency", "clients", "debtors", "creditors", *COLUMNS["due"])),
            ("by_client", ("source", "day", "currency", "number", "client", "country", *COLUMNS["due"])),
        )
    }
    monkeypatch.setattr("flows.show.show.WIDTH_OF_FILES", width)
    tell_aging({**tables, "left_out": Result((), [])})
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    by_client = out[out.index("by client") :]
    shown = ("0012", "0345", "Northwind", "Plumbing", "not due", "1-30", "31-60", "61-90", "over 90", "owed")
    assert [text for text in shown if text not in by_client.partition("no room")[0]] == []


@pytest.mark.parametrize("width", [80, 250])
@pytest.mark.parametrize("by", ["currency", "country"])
def test_sums_have_both_sides_and_the_net_in_any_terminal(capsys, monkeypatch, width, by):
    figures = {name: Decimal("1234567.89") for name in COLUMNS["due"]} | {"overpaid": Decimal(5), "net": Decimal(-7)}
    counts = {"source": "main", "day": THEN, "currency": "USD", "clients": 3, "debtors": 2, "creditors": 1}
    record = {**counts, "country": "United States", **figures}
    columns = [name for name in record if name != "country" or by == "country"]
    table = Result(columns, [[record[name] for name in columns]])
    monkeypatch.setattr("flows.show.show.WIDTH_OF_FILES", width)
    tell_aging({f"by_{by}": table, "by_currency": table, "left_out": Result((), [])})
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    assert not {"overpaid", "net"} & set(" ".join(line for line in out.splitlines() if "no room" in line).split(", "))
    rows = [line.split() for line in out.splitlines() if "-7.00" in line]
    assert rows
    for row in rows:
        assert [row[row.index("-7.00") - 2], row[row.index("-7.00") - 1]] == ["1,234,567.89", "5.00"]
    assert len(rows) == out.count("1-30")


def test_what_is_left_out_is_said_where_nothing_else_is_open(kept, environment, command):
    with open_place(place_of(kept)) as warehouse:
        warehouse.execute("update ninja.clients set is_deleted = true")
    environment["NINJA_SYNC_WAREHOUSE"] = kept.warehouse
    code, out, err = command("aging")
    assert (code, out) == (0, "")
    assert "No client has an open invoice" in err
    assert "Left out: open invoices of deleted clients" in err


def test_a_day_that_has_come_nowhere_is_refused(kept):
    ahead = datetime.now(UTC).date() + timedelta(days=2)
    with pytest.raises(SettingsError, match="has not come yet"):
        read_aging(kept, None, at=ahead)


def test_without_documents_the_command_says_so(command):
    assert command("pull")[0] == 0
    code, out, err = command("aging")
    assert (code, out) == (0, "")
    assert "No client has an open invoice" in err
