"""The envelope of a page: promised or refused by name; one bad record does not take its page along."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from connector.scan.pages import Malformed, Unreadable, narrows, read_page
from schemas.entities import CLIENTS
from schemas.errors import DataError, NetworkFailed, ServerUnavailable, UnexpectedShape
from schemas.shape import Shaped, Shapes, as_sent

NOW = datetime(2026, 11, 3, 10, tzinfo=UTC)
RECORDINGS = Path(__file__).parents[2] / "recordings"
GOOD = [b'{"id":"aB1","updated_at":5}', b'{"id":"cD2","updated_at":6}']
META = b'{"pagination":{"total":3,"count":3,"per_page":20,"current_page":1,"total_pages":1,"links":{}}}'


def body(*records: bytes, meta: bytes = META) -> bytes:
    return b'{"data":[' + b",".join(records) + b'],"meta":' + meta + b"}"


def page(content: bytes):
    """The page, which is the same where its records are shaped."""
    try:
        got = read_page(content, NOW, "5.10.42")
    except DataError as problem:
        with pytest.raises(type(problem), match=re.escape(str(problem))):
            read_page(content, NOW, "5.10.42", Shapes(CLIENTS))
        raise
    shaped = read_page(content, NOW, "5.10.42", Shapes(CLIENTS))
    sent = [as_sent(record) if isinstance(record, Shaped) else record for record in shaped.records]
    assert replace(shaped, records=sent) == got
    return got


def test_a_recorded_page_is_read_with_exact_decimals():
    recording = json.loads((RECORDINGS / "clients_full_pull.json").read_text())
    for exchange in recording["exchanges"]:
        sent = exchange["response"]["body"]
        got = page(sent.encode())
        assert got.records == json.loads(sent, parse_float=Decimal)["data"]
        assert (got.total, got.per_page, got.date, got.version) == (250, 100, NOW, "5.10.42")


@pytest.mark.parametrize("amount", ["99999999999999.999999", "-12345678901234.567891", "0.000001", "1e-6"])
def test_an_amount_of_more_digits_than_a_float_holds_is_read_to_the_last_one(amount):
    for record in (b'{"id":"a","balance":%s}', b'{"id":"a","name":"\xff","balance":0},{"id":"b","balance":%s}'):
        assert page(body(record % amount.encode())).records[-1]["balance"] == Decimal(amount)


def test_a_recorded_page_past_the_end_is_empty_and_knows_the_total():
    (exchange,) = json.loads((RECORDINGS / "list_page_past_the_end.json").read_text())["exchanges"]
    got = page(exchange["response"]["body"].encode())
    assert (got.records, got.per_page) == ([], 100)
    assert got.total == json.loads(exchange["response"]["body"])["meta"]["pagination"]["total"]


# the envelope


@pytest.mark.parametrize(
    "content", [b"", b" \n\t ", b"<!DOCTYPE html><title>Login</title>", b"\xef\xbb\xbf{}", b"\xff\xfe"]
)
def test_an_empty_body_and_one_that_is_no_json_are_unreadable(content):
    with pytest.raises(Unreadable):
        page(content)


@pytest.mark.parametrize("cut", range(1, len(body(*GOOD)), 7))
def test_a_body_that_breaks_off_is_unreadable_and_never_a_shorter_page(cut):
    with pytest.raises(Unreadable):
        page(body(*GOOD)[:-cut])


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"null",
        b'"text"',
        b"5",
        b"{}",
        b'{"message":"Down for maintenance"}',
        b'{"data":[]}',
        b'{"data":[],"meta":null}',
        b'{"data":[],"meta":[]}',
        b'{"data":[],"meta":{}}',
        b'{"data":[],"meta":{"pagination":[]}}',
        b'{"meta":' + META + b"}",
        b'{"data":{},"meta":' + META + b"}",
        b'{"data":{"0":{"id":"aB1"}},"meta":' + META + b"}",
        b'{"data":null,"meta":' + META + b"}",
        body(*GOOD, meta=b'{"pagination":{"total":3}}'),
        body(*GOOD, meta=b'{"pagination":{"total":3,"per_page":0}}'),
        body(*GOOD, meta=b'{"pagination":{"total":3,"per_page":-1}}'),
        body(*GOOD, meta=b'{"pagination":{"total":3,"per_page":"20"}}'),
        body(*GOOD, meta=b'{"pagination":{"total":3,"per_page":20.0}}'),
        body(*GOOD, meta=b'{"pagination":{"total":3,"per_page":null}}'),
    ],
)
def test_another_envelope_is_an_error_with_a_name_and_never_an_empty_page(content):
    with pytest.raises(UnexpectedShape):
        page(content)


def test_without_the_servers_clock_nothing_is_read():
    with pytest.raises(UnexpectedShape, match="Date"):
        read_page(body(*GOOD), None, None)


@pytest.mark.parametrize("total", [b"null", b'"3"', b"3.0", b"{}"])
def test_a_total_that_is_none_is_unknown(total):
    assert page(body(*GOOD, meta=b'{"pagination":{"per_page":20,"total":' + total + b"}}")).total is None


# one bad record

NESTED = b"[" * 100_000 + b"]" * 100_000
BAD = {
    "bad UTF-8": b'{"id":"xY9","name":"M\xfcller"}',
    "cut UTF-8": b'{"id":"xY9","name":"\xe2\x82"}',
    "an integer of 5,000 digits": b'{"id":"xY9","balance":' + b"9" * 5000 + b"}",
    "an exponent beyond all decimals": b'{"id":"xY9","balance":1e99999999999999999999}',
    "a negative exponent beyond all decimals": b'{"id":"xY9","balance":1e-99999999999999999999}',
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_bad_record_is_named_and_the_others_are_read(bad, place):
    records = [*GOOD[:place], bad, *GOOD[place:]]
    got = page(body(*records))
    good = [json.loads(one) for one in GOOD]
    assert got.records == [*good[:place], Malformed("xY9"), *good[place:]]
    assert (got.total, got.per_page) == (3, 20)


@pytest.mark.parametrize("around", [b"{}", b"1", b"[]", b"null", b'{"links":{}}'])
def test_records_that_look_like_the_rest_of_the_page_do_not_confuse_it(around):
    got = page(body(around, BAD["bad UTF-8"], around))
    assert got.records == [json.loads(around), Malformed("xY9"), json.loads(around)]
    assert (got.total, got.per_page) == (3, 20)


def test_the_envelope_may_come_in_another_order():
    content = b'{"meta":' + META + b',"static":{"a":1},"data":[' + BAD["bad UTF-8"] + b"," + GOOD[0] + b"]}"
    assert page(content).records == [Malformed("xY9"), json.loads(GOOD[0])]


def test_a_bad_record_without_an_id_is_still_one_record():
    got = page(body(b'{"name":"\xff"}', *GOOD))
    assert got.records[0].id.startswith("(no id, ")
    assert len(got.records) == 3


@pytest.mark.parametrize("key", ["an e-mail@x.example", "a" * 65, "\\u0041B", "../x"])
def test_an_id_of_another_form_is_not_taken_from_bad_bytes(key):
    (got,) = page(body(b'{"id":"' + key.encode() + b'","name":"\xff"}')).records
    assert got.id.startswith("(no id, ")


def test_bad_bytes_outside_the_records_make_no_page():
    with pytest.raises(DataError):
        page(b'{"data":[],"meta":{"pagination":{"per_page":20,"total":0,"links":{"next":"\xff"}}}}')


@pytest.mark.parametrize(
    "bad",
    [
        b'{"id":"xY9","x":"\\ud800"}',
        b'{"id":"xY9","x":NaN}',
        b'{"id":"xY9","x":Infinity}',
        b'{"id":"xY9","x":' + NESTED + b"}",
    ],
    ids=["a lone surrogate", "NaN", "Infinity", "nesting of 100,000"],
)
def test_what_breaks_the_grammar_makes_the_page_unreadable_for_the_scan_to_narrow_down(bad):
    with pytest.raises(Unreadable):
        page(body(GOOD[0], bad, GOOD[1]))
    assert len(page(body(*GOOD)).records) == 2


@settings(max_examples=200, derandomize=True, deadline=None, database=None)
@given(st.data())
def test_any_bytes_are_a_page_or_an_error_with_a_name(data):
    content = bytearray(body(*GOOD))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        records = len(page(bytes(content)).records)
    except DataError:
        records = 2
    assert records <= len(GOOD) + 2  # a changed byte can split a list, never make rows from nothing


# what may go through in a smaller page


@pytest.mark.parametrize(
    ("problem", "may"),
    [
        (Unreadable(), True),
        (ServerUnavailable(status=500), True),
        (NetworkFailed(status=200), True),
        (ServerUnavailable(status=503), False),
        (ServerUnavailable(status=502), False),
        (NetworkFailed(), False),
    ],
)
def test_which_problems_a_smaller_page_may_cure(problem, may):
    assert narrows(problem) is may


@pytest.mark.parametrize("total", ["1" + "0" * 30, "-1", "true", '"12"', "1.5", "null"])
def test_a_total_that_no_server_can_have_is_none(total):
    meta = b'{"pagination":{"per_page":20,"total":%s}}' % total.encode()
    assert page(b'{"data":[],"meta":' + meta + b"}").total is None


@pytest.mark.parametrize("size", ["1" + "0" * 30, "true", "0", "-5", '"20"'])
def test_a_page_size_that_no_server_can_have_is_an_unknown_shape(size):
    with pytest.raises(UnexpectedShape, match="page size"):
        page(b'{"data":[],"meta":{"pagination":{"per_page":%s,"total":1}}}' % size.encode())
