"""Files as people have them are recognised, doubt is named, and a file that is no table says how to save it."""

from __future__ import annotations

import io
import zipfile

import pytest

from flows.sheets.csv_text import splits_of
from flows.sheets.recognise import MOST_BYTES, MOST_ROWS, recognise
from flows.sheets.spreadsheets import Reading
from flows.sheets.workbooks import MOST_UNPACKED
from schemas.errors import SettingsError
from tests.workbooks import workbook

KNOWN = {"number", "city", "id"}


def packed(parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def table_of(read):
    return list(read.table.columns), [list(row.cells) for row in read.table.rows]


@pytest.mark.parametrize(
    ("content", "separator", "encoding"),
    [
        ("number;City\r\n0015;Zürich\r\n".encode("cp1252"), ";", "cp1252"),
        ("number\tCity\n0015\tZürich\n".encode("utf-16"), "\t", "utf-16"),
        ("number\tCity\n0015\tZürich\n".encode("utf-16-le"), "\t", "utf-16-le"),
        ("number|City\n0015|Zürich\n".encode("utf-8-sig"), "|", "utf-8"),
        ("sep=;\nnumber;City\n0015;Zürich\n".encode(), ";", "utf-8"),
        ("number,City\n0015,Zürich\n".encode(), ",", "utf-8"),
    ],
)
def test_a_csv_of_any_country_is_recognised(content, separator, encoding):
    read = recognise("a.csv", content, known=KNOWN)
    assert (read.how.separator, read.how.encoding, read.unsure) == (separator, encoding, set())
    assert table_of(read) == (["number", "City"], [["0015", "Zürich"]])


def test_headings_that_nobody_knows_are_recognised_too():
    read = recognise("a.csv", b"Kunde;Ort\n1;Bern, Altstadt\n2;Genf\n", known=KNOWN)
    assert table_of(read) == (["Kunde", "Ort"], [["1", "Bern, Altstadt"], ["2", "Genf"]])


def test_two_possible_separators_are_named_and_one_can_be_chosen():
    content = b"id;city,number\na;1,2\n"
    assert recognise("a.csv", content, known=KNOWN).unsure == {"separator"}
    read = recognise("a.csv", content, Reading(separator=";"), KNOWN)
    assert (read.unsure, table_of(read)[0]) == (set(), ["id", "city,number"])


def test_the_headings_are_found_below_a_title_or_where_a_person_says():
    content = b"Report of May\n\nNumber;Town;\n1;Bern;x\n2;Genf;\n"
    read = recognise("a.csv", content, known=KNOWN)
    assert read.how.heading_line == 3
    assert table_of(read) == (["Number", "Town", "column 3"], [["1", "Bern", "x"], ["2", "Genf", None]])
    assert table_of(recognise("a.csv", content, Reading(heading_line=4), KNOWN))[0] == ["1", "Bern", "x"]
    with pytest.raises(SettingsError, match="Line 2 is blank"):
        recognise("a.csv", content, Reading(heading_line=2), KNOWN)


@pytest.mark.parametrize(
    ("cells", "decimal"),
    [(["85,5"], ","), (["1.234,50", "7"], ","), (["1'234.50"], "."), (["1.234"], None), (["1,5", "1.5"], None)],
)
def test_the_decimal_sign_is_inferred_from_amounts_that_have_one_reading(cells, decimal):
    content = "number;rate\n" + "".join(f"1;{cell}\n" for cell in cells)
    assert recognise("a.csv", content.encode(), known=KNOWN).how.decimal == decimal


def test_a_sheet_of_a_workbook_can_be_chosen_and_blank_last_cells_are_no_fault():
    content = workbook(First=[["Number", "City", "Phone"], [15, "Bern"]], Empty=[], More=[["id", "city"], ["a", "b"]])
    read = recognise("a.xlsx", content, known=KNOWN)
    assert (read.how.sheet, list(read.sheets), read.unsure) == ("First", ["First", "Empty", "More"], {"sheet"})
    assert table_of(read) == (["Number", "City", "Phone"], [[15, "Bern", None]])
    assert [row.wrong for row in read.table.rows] == [""]
    chosen = recognise("a.xlsx", content, Reading(sheet="More"), KNOWN)
    assert (chosen.unsure, table_of(chosen)) == (set(), (["id", "city"], [["a", "b"]]))


def test_bytes_that_no_usual_encoding_has_are_shown_to_choose():
    content = b"number,city\n1,\x81\n"
    assert recognise("a.csv", content, known=KNOWN).unsure == {"encoding"}
    assert table_of(recognise("a.csv", content, Reading(encoding="mac-roman"), KNOWN))[1] == [["1", "Å"]]
    with pytest.raises(SettingsError, match="not in UTF-8: some of its bytes"):
        recognise("a.csv", content, Reading(encoding="utf-8"), KNOWN)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\xef\xbb\xbf\r\n \r\n", "is empty"),
        ("a.xlsx", workbook(Sheet=[]), "table is empty"),
        ("a.csv", b'id,city\na,"x', "quotation mark is not closed"),
        ("a.csv", (",".join(f"c{n}" for n in range(10_000)) + "\n").encode() * 2, "10,000 columns; at most 500"),
        ("a.xlsx", workbook(Sheet=[[f"c{n}" for n in range(10_000)]]), "10,000 columns; at most 500"),
        ("a.csv", b"id,city\n" + b"a,b\n" * (MOST_ROWS + 1), "100,001 rows; at most 100,000"),
        ("a.csv", b"x" * (MOST_BYTES + 1), r"20\.0 MB; at most 20 MB"),
        ("a.xlsx", packed({"xl/workbook.xml": b"0" * (MOST_UNPACKED + 1)}), "unpacks to 500 MB; at most 500 MB"),
        ("a.xlsx", workbook(Sheet=[["id", "city"]])[:3000], "cannot be read as a workbook"),
        ("a.xlsx", b"hello, world", "cannot be read as a workbook"),
        ("a.ods", packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), "not an Excel workbook"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 100, "old format of Excel, or has a password"),
        ("a.csv", b"%PDF-1.7", "not a table"),
        ("a.csv", bytes(range(1, 5)) + b"\x00" * 3 + b"abcdefgh" * 9, "not a text"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_table_is_refused_with_advice(name, content, words):
    with pytest.raises(SettingsError, match=words):
        recognise(name, content, known=KNOWN)


def test_the_rows_beyond_the_most_are_not_even_split():
    content = b"id,city\n" + b"a,b\n" * (3 * MOST_ROWS)
    with pytest.raises(SettingsError, match="more than 100,000 rows"):
        recognise("a.csv", content, Reading(), KNOWN)
    splits = splits_of(content.decode(), None, most=5)
    assert {len(rows) for rows in splits.tables.values()} == {5}
