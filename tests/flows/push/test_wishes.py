"""Where wishes come from, and which are refused as a whole before anybody is asked."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from flows.ask.ask import Result
from flows.ask.files import as_csv
from flows.push.wishes import wished_rows, wishes_of_file, wishes_of_frame
from flows.sheets.spreadsheets import Reading
from schemas.errors import SettingsError


def values(rows):
    return [(row.key, row.client, dict(row.values)) for row in rows]


def test_null_leaves_alone_unless_it_is_told_to_clear():
    found = Result(["id", "city", "phone"], [("a", "Bern", None), ("b", None, None)])
    assert values(wished_rows(found)) == [("id", "a", {"city": "Bern"}), ("id", "b", {})]
    assert values(wished_rows(found, null_clears=True)) == [
        ("id", "a", {"city": "Bern", "phone": None}), ("id", "b", {"city": None, "phone": None}),
    ]  # fmt: skip


def test_the_surest_key_names_the_client_and_the_others_are_wishes():
    assert values(wished_rows(Result(["number", "city"], [("7", "Bern")]))) == [("number", "7", {"city": "Bern"})]
    assert values(wished_rows(Result(["id_number", "city"], [("7", "Bern")]))) == [("id_number", "7", {"city": "Bern"})]
    assert values(wished_rows(Result(["number", "id"], [("7", "a")]))) == [("id", "a", {"number": "7"})]


def test_whole_numbers_of_sql_are_whole_numbers():
    found = Result(["id", "payment_terms", "custom_value1"], [("a", Decimal("30.000000"), 7.0)])
    assert values(wished_rows(found)) == [("id", "a", {"payment_terms": 30, "custom_value1": 7})]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["city"], "which client is meant"),
        (["id"], "No column holds a value"),
        (["id", "source"], "No column holds a value"),
        (["id", "balance"], "balance cannot be written"),
        (["id", "display_name", "city"], "display_name cannot be written"),
        (["id", "ctiy"], "ctiy is not a field of a client: did you mean city?"),
        (["id", "settings"], "setting by setting"),
        (["id", "city", "city"], "same name"),
    ],
)
def test_columns_that_cannot_be_are_refused_with_what_can(columns, words):
    with pytest.raises(SettingsError) as refusal:
        wished_rows(Result(columns, []))
    assert words in str(refusal.value)


def test_a_csv_of_ours_comes_back_as_it_was(tmp_path):
    rows = [("a", "=1+1", "Zürich"), ("b", "-5", None), ("c", "'quoted'", 'say "no", twice\nplease')]
    file = tmp_path / "wishes.csv"
    file.write_bytes(as_csv(Result(["id", "custom_value1", "city"], rows)).encode())
    assert values(wishes_of_file(file)[0]) == [
        ("id", "a", {"custom_value1": "=1+1", "city": "Zürich"}), ("id", "b", {"custom_value1": "-5"}),
        ("id", "c", {"custom_value1": "'quoted'", "city": 'say "no", twice\nplease'}),
    ]  # fmt: skip


def test_a_byte_order_mark_and_empty_lines_do_no_harm(tmp_path):
    file = tmp_path / "excel.csv"
    file.write_bytes("\ufeffid,city\r\n\r\na,Bern\r\n".encode())
    assert values(wishes_of_file(file)[0]) == [("id", "a", {"city": "Bern"})]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"id,city\na,\x81\n", "neither in UTF-8 nor in Windows-1252"),
        (b"", "no heading id or number or id_number. It has: nothing"),
        (b"city,phone\na,b\n", "no heading id or number or id_number. It has: city, phone"),
        (b'id,city\na,"x', "not a valid CSV"),
        (b"id,,city\na,b,c\n", "column 2 has values, but no heading"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path, content, words):
    file = tmp_path / "wishes.csv"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=words):
        wishes_of_file(file)


def read(tmp_path, content, **how):
    file = tmp_path / "changes.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return wishes_of_file(file, how=Reading(**how))


def test_a_file_of_european_excel_is_read_and_says_how(tmp_path):
    rows, notes = read(tmp_path, "number;City;Postal Code;Country\r\n0015;Z\xfcrich;8001;Schweiz\r\n".encode("cp1252"))
    assert values(rows) == [("number", "0015", {"city": "Zürich", "postal_code": "8001", "country_id": "Schweiz"})]
    assert [note.split(".")[0] for note in notes] == [
        "The encoding is Windows-1252 (Western Europe)", "The separator is a semicolon",
        "The column 'City' is the field city", "The column 'Postal Code' is the field postal_code",
        "The column 'Country' is the field country_id",
    ]  # fmt: skip


def test_the_usual_headings_of_an_address_are_known(tmp_path):
    rows, notes = read(tmp_path, "Number,Street,ZIP,Town,Telephone,VAT ID\n1,Rue 2,1000,Genf,022,CHE-1\n")
    known = {"address1": "Rue 2", "postal_code": "1000", "city": "Genf", "phone": "022", "vat_number": "CHE-1"}
    assert values(rows) == [("number", "1", known)]
    assert "The column 'Street' is the field address1." in notes


@pytest.mark.parametrize(
    ("content", "how"),
    [
        ("id\tcity\na\tBern\n".encode("utf-16"), {}),
        (b"sep=|\r\nid|city\r\na|Bern\r\n", {}),
        ("id,city\na,Łódź\n".encode("cp1250"), {"encoding": "windows-1250"}),
        (b"\xef\xbb\xbfID;CITY;;\r\na;Bern;;\r\n;;;\r\n", {}),
        (b'id;city,phone\na;"Bern"\n', {"separator": ";"}),
    ],
)
def test_the_file_or_an_option_says_how_it_is_read(tmp_path, content, how):
    if how.get("separator"):
        with pytest.raises(SettingsError, match="city,phone is not a field"):
            read(tmp_path, content, **how)
        return
    ((key, client, found),) = values(read(tmp_path, content, **how)[0])
    assert (key, client, found["city"]) == ("id", "a", "Łódź" if how else "Bern")


def test_a_file_that_can_be_read_in_two_ways_is_asked_about(tmp_path):
    content = "id;x,number\na;1,2\n"
    with pytest.raises(SettingsError, match="comma or semicolon between its cells: choose one with --separator"):
        read(tmp_path, content)


def test_rows_of_another_length_are_refused_by_themselves(tmp_path):
    rows, _ = read(tmp_path, 'id,city\na,Bern,more\nb\n"c","Bi\nel"\nd,Thun\n')
    assert [(row.place, dict(row.wrong)) for row in rows] == [
        ("line 2", {"": "the row has 3 values, and line 1 has 2 headings"}),
        ("line 3", {"": "the row has 1 value, and line 1 has 2 headings"}), ("line 4", {}), ("line 6", {}),
    ]  # fmt: skip
    assert values(rows)[2:] == [("id", "c", {"city": "Bi\nel"}), ("id", "d", {"city": "Thun"})]


def test_blanks_are_blank_and_words_for_nothing_are_asked_about(tmp_path):
    content = "id,city,phone,custom_value1\na, \xa0,NULL,#REF!\nb,nan,4.179E+11,=x\n"
    rows, _ = read(tmp_path, content)
    assert [dict(row.values) for row in rows] == [{}, {"custom_value1": "=x"}]
    assert [sorted(row.wrong) for row in rows] == [["custom_value1", "phone"], ["city", "phone"]]
    assert "--null-words" in rows[0].wrong["phone"]
    assert "shortened" in rows[1].wrong["phone"]
    assert dict(read(tmp_path, content, null_words="text")[0][1].values) == {"city": "nan", "custom_value1": "=x"}
    assert "city" not in read(tmp_path, content, null_words="blank")[0][1].wrong


@pytest.mark.parametrize(
    ("text", "decimal", "meant"),
    [
        ("85,50", None, "85.50"), ("1.234,50", None, "1234.50"), ("1,234.50", None, "1234.50"), ("1'234", None, "1234"),
        ("1 234,5", None, "1234.5"),
        ("1.234.567", None, "1234567"), ("0,125", None, "0.125"), ("1234,567", None, "1234.567"),
        ("1.234", ",", "1234"), ("1,234", ",", "1.234"), ("1,234", ".", "1234"), ("-7", None, "-7"),
        ("1.234", None, "--decimal"), ("1,5", ".", "one way"), ("12,34,5", None, "one way"),
        ("abc", None, "not a number"),
    ],
)  # fmt: skip
def test_amounts_are_read_with_their_countrys_signs_or_asked_about(tmp_path, text, decimal, meant):
    ((row,), _) = read(tmp_path, f'id;default_task_rate\na;"{text}"\n', decimal=decimal)
    assert meant in (row.values.get("default_task_rate") or row.wrong["default_task_rate"])
    assert bool(row.wrong) != bool(row.values)


def test_a_workbook_is_read_sheet_by_sheet(tmp_path):
    book = Workbook()
    book.active.append(["Number", "City", "default_task_rate", "is_tax_exempt"])
    book.active.append([15, "Bern", 80.125, True])
    book.active.append(["0016", "=A1", None, None])
    book.save(tmp_path / "one.xlsx")
    rows, _ = wishes_of_file(tmp_path / "one.xlsx")
    assert values(rows)[0] == ("number", "15", {"city": "Bern", "default_task_rate": "80.125", "is_tax_exempt": True})
    assert "no stored result" in rows[1].wrong[""]
    book.create_sheet("More").append(["x"])
    book.save(tmp_path / "two.xlsx")
    with pytest.raises(SettingsError, match=r"several sheets: choose one with --sheet \(Sheet, More\)"):
        wishes_of_file(tmp_path / "two.xlsx")
    assert wishes_of_file(tmp_path / "two.xlsx", how=Reading(sheet="sheet"))[1][0] == "The sheet is 'Sheet'."
    (tmp_path / "no.xlsx").write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(SettingsError, match="cannot be read as a workbook"):
        wishes_of_file(tmp_path / "no.xlsx")


def test_parquet_and_frames_hold_the_same(tmp_path):
    table = pa.table({"id": ["a", "b"], "custom_value1": ["x", None], "is_tax_exempt": [True, None]})
    wanted = [("id", "a", {"custom_value1": "x", "is_tax_exempt": True}), ("id", "b", {})]
    pq.write_table(table, tmp_path / "wishes.parquet")
    assert values(wishes_of_file(tmp_path / "wishes.parquet")[0]) == wanted
    assert values(wishes_of_frame(table)) == values(wishes_of_frame(table.to_pandas())) == wanted
    (tmp_path / "no.parquet").write_bytes(b"nonsense")
    with pytest.raises(SettingsError, match="is not a Parquet file"):
        wishes_of_file(tmp_path / "no.parquet")


def test_blank_last_cells_of_a_workbook_are_blank(tmp_path):
    book = Workbook()
    for row in (["Number", "City", "Phone"], ["15", "Bern"], ["16", None, "1"], ["17"], ["18", "Genf", "2", "more"]):
        book.active.append(row)
    book.save(tmp_path / "short.xlsx")
    rows, _ = wishes_of_file(tmp_path / "short.xlsx")
    assert values(rows)[:3] == [
        ("number", "15", {"city": "Bern"}), ("number", "16", {"phone": "1"}), ("number", "17", {}),
    ]  # fmt: skip
    assert rows[3].wrong[""] == "the row has 4 values, and line 1 has 3 headings"
