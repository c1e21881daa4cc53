"""Files for others: the same rows as the views, without a person where that is asked; CSV that is no program."""

from __future__ import annotations

import csv
import io
import itertools
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import msgspec
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from flows.ask.ask import Result
from flows.ask.files import as_csv
from flows.configuration.load import place_of
from flows.sheets.spreadsheets import looks_like_formula, read_sheet, without_apostrophe
from schemas.billing import INVOICES, PAYMENTS
from schemas.errors import WarehouseError
from tests.engines import address
from tests.receivables.fill import fill
from tests.warehouse.mart.test_aging import ago, invoice, payment, use
from warehouse.engine.sql import named
from warehouse.opened.open import open_place
from warehouse.publish.export import LEFT_OUT, export
from warehouse.schema.functions import texts
from warehouse.schema.personal import is_personal


@pytest.fixture
def loaded(settings, pulls, place):
    told = msgspec.structs.replace(settings, warehouse=address(place), publish=False)
    pulls(using=told)
    return told


def exported(settings, folder, *, personal=True):
    with open_place(place_of(settings)) as warehouse:
        return export(warehouse, folder, personal=personal)


def test_each_view_is_a_file_by_source_and_a_table_equal_to_the_view(loaded, tmp_path):
    files = exported(loaded, tmp_path / "out")
    assert {file.stem for file in files} == {*named("mart"), "reader"} - set(LEFT_OUT)
    with open_place(place_of(loaded)) as warehouse, duckdb.connect(str(tmp_path / "out" / "reader.duckdb")) as reader:
        for view in set(named("mart")) - set(LEFT_OUT):
            wanted = sorted(warehouse.table(f"select * from mart.{view}").to_pylist(), key=repr)
            found = sorted(
                pq.read_table(tmp_path / "out" / "source=main" / f"{view}.parquet", partitioning=None).to_pylist(),
                key=repr,
            )
            assert found == wanted, view
            assert reader.sql(f"select count(*) from mart.{view}").fetchall() == [(len(wanted),)]
    assert not list(tmp_path.rglob("*.part"))
    assert {file.stat().st_mode & 0o077 for file in files} == {0}


@pytest.mark.parametrize("personal", [True, False])
def test_the_copy_answers_for_any_day_as_the_warehouse_does(loaded, tmp_path, personal):
    with open_place(place_of(loaded)) as warehouse:
        fill(warehouse, INVOICES, [invoice("i", client_id="z", balance=30, paid_to_date=70)])
        fill(warehouse, PAYMENTS, [payment("p", use("u", 70), client_id="z"), payment("q", client_id="z")])
        export(warehouse, tmp_path / "out", personal=personal)
        with duckdb.connect(str(tmp_path / "out" / "reader.duckdb"), read_only=True) as reader:
            for days, name in itertools.product((0, 49, 70), texts()):
                asked = f"select * from mart.{name}(date '{ago(days)}')"
                rows = reader.sql(asked).fetchall()
                assert rows == warehouse.rows(asked) != []


def test_without_personal_data_no_file_holds_a_person(loaded, server, tmp_path):
    files = exported(loaded, tmp_path / "out", personal=False)
    content = {
        cell
        for file in files
        if file.suffix == ".parquet"
        for row in pq.read_table(file, partitioning=None).to_pylist()
        for cell in row.values()
    }
    for client in server.clients().values():
        people = {
            client["name"],
            client["display_name"],
            client["private_notes"],
            client["vat_number"],
            client["phone"],
        }
        people |= {contact[name] for contact in client["contacts"] for name in ("email", "first_name", "last_name")}
        assert not content & {text for text in people if text.strip()}
    assert sum(client["id"] in content for client in server.clients().values()) == 120
    for file in files:
        if file.suffix == ".parquet":
            assert not [name for name in pq.read_schema(file).names if is_personal(file.stem, name)]


def test_the_file_for_readers_answers_for_any_day_without_personal_data_too(loaded, tmp_path):
    for personal in (True, False):
        exported(loaded, tmp_path / str(personal), personal=personal)
        with duckdb.connect(str(tmp_path / str(personal) / "reader.duckdb"), read_only=True) as reader:
            assert reader.sql("select count(*) from mart.aging_as_of(current_date)").fetchall() == [(0,)]


def test_a_folder_that_cannot_be_written_is_named(loaded, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(WarehouseError, match="out"):
        exported(loaded, tmp_path / "out" / "deeper")


def test_the_command_writes_them_and_a_csv(command, tmp_path):
    assert command("pull")[0] == 0
    code, out, err = command("publish", "--to", tmp_path / "out", "--without-personal-data")
    assert code == 0
    assert "source=main/clients.parquet" in out + err
    assert command("publish", "--without-personal-data")[0] == 2
    code, _, err = command("sql", "--csv", tmp_path / "x.csv", "select '=1+1' as t, 1.50 as n, null as nothing")
    assert (code, err) == (0, "")
    assert Path(tmp_path / "x.csv").read_bytes() == b"\xef\xbb\xbft,n,nothing\r\n'=1+1,1.50,\r\n"
    assert command("sql", "--csv", "-", "select 1 as n")[1].splitlines() == ["n", "1"]


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"])),
            st.decimals(allow_nan=False, allow_infinity=False, places=6),
        ),
        max_size=5,
    )
)
def test_no_text_of_a_csv_is_a_formula_and_none_is_lost(rows):
    read = list(csv.reader(io.StringIO(as_csv(Result(["text", "money"], rows)), newline="")))[1:]
    assert len(read) == len(rows)
    for (text, money), (cell, number) in zip(rows, read, strict=True):
        assert not looks_like_formula(cell)
        assert without_apostrophe(cell) == text
        assert Decimal(number) == money


@pytest.mark.parametrize(
    "text",
    ["=1+1", "\uff1d1+1", "  =1", "\n=1", "\ufeff=1", "\u200b@x", "\t", "\rx", "+41 44", "\uff0b1", "\x00-1", "\xa0-2"],
)
def test_what_a_spreadsheet_could_take_for_a_formula_gets_an_apostrophe(text):
    (cell,) = list(csv.reader(io.StringIO(as_csv(Result(["t"], [(text,)])), newline="")))[1]
    assert cell == "'" + text


def test_a_csv_for_europe_has_its_own_signs_and_a_pipe_has_no_mark(command, tmp_path):
    assert command("pull")[0] == 0
    query = "select 'a;b' as t, 1234.50 as n, -0.5 as m"
    assert command("sql", "--csv", tmp_path / "x.csv", "--separator", "semicolon", "--decimal", ",", query)[0] == 0
    assert (tmp_path / "x.csv").read_text("utf-8-sig").splitlines() == ["t;n;m", '"a;b";1234,50;-0,5']
    code, _, err = command("sql", "--csv", tmp_path / "x.csv", "--decimal", ",", query)
    assert (code, "--separator semicolon" in err) == (2, True)
    assert command("sql", "--decimal", ",", query)[0] == 2


def test_a_workbook_keeps_texts_as_texts_and_amounts_as_numbers(command, tmp_path):
    assert command("pull")[0] == 0
    query = (
        "select '0015' as number, '=1+1' as formula, '_x0041_' as escaped, chr(7) || 'b' as control, 1234.5 as amount, "
        "12345678901234.123456 as long, true as flag, timestamptz '2026-01-02 03:04:05+02' as at, null as nothing"
    )
    assert command("sql", "--xlsx", tmp_path / "x.xlsx", query)[0] == 0
    assert (tmp_path / "x.xlsx").stat().st_mode & 0o777 == 0o600
    row = next(load_workbook(tmp_path / "x.xlsx").active.iter_rows(min_row=2))
    assert [(cell.value, cell.data_type) for cell in row] == [
        ("0015", "s"), ("=1+1", "s"), ("_x005F_x0041_", "s"), ("_x0007_b", "s"), (1234.5, "n"),
        ("12345678901234.123456", "s"), (True, "b"), (datetime(2026, 1, 2, 1, 4, 5), "d"), (None, "n"),  # noqa: DTZ001
    ]  # fmt: skip
    sheet = read_sheet(tmp_path / "x.xlsx", ["number"])
    assert sheet.rows[0].cells[:5] == ["0015", "=1+1", "_x0041_", "\x07b", Decimal("1234.5")]


def test_times_and_negative_amounts_stay_what_they_are():
    result = Result(["w", "n"], [(datetime(2026, 1, 2, tzinfo=UTC), Decimal("-1.5"))])
    assert as_csv(result) == "w,n\r\n2026-01-02T00:00:00+00:00,-1.5\r\n"
