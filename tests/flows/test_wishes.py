"""Where wishes come from, and which are refused as a whole before anybody is asked."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.ask import Result
from flows.csv_export import as_csv
from flows.wishes import wished_rows, wishes_of_file, wishes_of_frame
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
        (["id"], "Nothing is wished for"),
        (["id", "source"], "Nothing is wished for"),
        (["id", "balance"], "balance cannot be written"),
        (["id", "display_name", "city"], "display_name cannot be written"),
        (["id", "colour"], "colour is no column"),
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
    assert values(wishes_of_file(file)) == [
        ("id", "a", {"custom_value1": "=1+1", "city": "Zürich"}), ("id", "b", {"custom_value1": "-5"}),
        ("id", "c", {"custom_value1": "'quoted'", "city": 'say "no", twice\nplease'}),
    ]  # fmt: skip


def test_a_byte_order_mark_and_empty_lines_do_no_harm(tmp_path):
    file = tmp_path / "excel.csv"
    file.write_bytes("\ufeffid,city\r\n\r\na,Bern\r\n".encode())
    assert values(wishes_of_file(file)) == [("id", "a", {"city": "Bern"})]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"id,city\na,B,c\n", "line 2"),
        (b"id,city\na,\xff\n", "UTF-8"),
        (b"", "which client"),
        (b'id,city\na,"x', "no CSV"),
    ],
)
def test_a_file_that_is_no_csv_is_refused(tmp_path, content, words):
    file = tmp_path / "wishes.csv"
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=words):
        wishes_of_file(file)


def test_parquet_and_frames_hold_the_same(tmp_path):
    table = pa.table({"id": ["a", "b"], "custom_value1": ["x", None], "is_tax_exempt": [True, None]})
    wanted = [("id", "a", {"custom_value1": "x", "is_tax_exempt": True}), ("id", "b", {})]
    pq.write_table(table, tmp_path / "wishes.parquet")
    assert values(wishes_of_file(tmp_path / "wishes.parquet")) == wanted
    assert values(wishes_of_frame(table)) == values(wishes_of_frame(table.to_pandas())) == wanted
    (tmp_path / "no.parquet").write_bytes(b"nonsense")
    with pytest.raises(SettingsError, match="no Parquet"):
        wishes_of_file(tmp_path / "no.parquet")
