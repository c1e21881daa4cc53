"""Files for others: the same rows as the views, without a person where that is asked; CSV that is no program."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import msgspec
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.ask import Result
from flows.csv_export import as_csv
from flows.settings import place_of
from schemas.errors import WarehouseError
from tests.engines import address
from warehouse.export import LEFT_OUT, export
from warehouse.personal import is_personal
from warehouse.place import open_place
from warehouse.statements import named


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
    assert Path(tmp_path / "x.csv").read_bytes() == b"t,n,nothing\r\n'=1+1,1.50,\r\n"
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
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert cell.removeprefix("'") == text.removeprefix("'") or cell == text
        assert Decimal(number) == money


def test_times_and_negative_amounts_stay_what_they_are():
    result = Result(["w", "n"], [(datetime(2026, 1, 2, tzinfo=UTC), Decimal("-1.5"))])
    assert as_csv(result) == "w,n\r\n2026-01-02T00:00:00+00:00,-1.5\r\n"
