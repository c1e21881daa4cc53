"""Shaped records in columns, and decoded ones one by one: both roads make the same of any record, page and bytes."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.scan.pages import read_page
from schemas.columns import Columns
from schemas.entities import CLIENTS, COMPANIES, GROUPS, LOOKUPS
from schemas.normalise import AT_ONCE, normalise
from schemas.shape import MOST_LAYOUTS, Shaped, Shapes
from schemas.values import to_json
from tests.schemas.both_roads import META, NOW, both, compared, decoded, escaped, outcome, page, rows, same, shaped
from tests.schemas.pages import CONTACT_KEYS, DOCUMENT_KEYS, KEYS, PIECES, main
from tests.schemas.schema_records import GROUP, bodies, client, quick

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.decimals(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.sampled_from(["", "0", " ", "a\x00b", "\\u0000", 0, 1, Decimal("1.50"), Decimal("-0"), Decimal("1e-7")]),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.sampled_from(["currency_id", "smtp_password", "a"]), st.text(max_size=3), max_size=2),
)  # fmt: skip


@st.composite
def changed_clients(draw):
    """A client with some fields set to anything, some left out, and in another order."""
    record = client(id=draw(st.text("abc", min_size=1, max_size=3)))
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=3)):
        record[key] = draw(VALUES)
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=1)):
        record.pop(key, None)
    for name, keys in (("contacts", CONTACT_KEYS), ("documents", DOCUMENT_KEYS)):
        for key in draw(st.lists(st.sampled_from(keys), max_size=2)):
            children = record.get(name)
            if isinstance(children, list) and children and isinstance(children[-1], dict):
                children[-1][key] = draw(VALUES)
    return dict(draw(st.permutations(list(record.items())))) if draw(st.booleans()) else record


@given(st.lists(changed_clients(), max_size=4), st.booleans())
@quick
def test_both_roads_make_the_same_of_any_records(records, ascii_only):
    """On a page, with a decoder that has seen another page; all that is not ASCII may come escaped, as PHP sends it."""
    written = [to_json(record) for record in records]
    if ascii_only:
        written = list(map(escaped, written))
    shapes = Shapes(CLIENTS)
    compared(page([to_json(client()).encode()]), shapes)
    content = page([text.encode() for text in written])
    compared(content, shapes)
    compared(content, shapes)


def test_both_roads_make_the_same_of_pages_that_chance_draws():
    main(300, seed=7)


@given(st.data())
@quick
def test_both_roads_make_the_same_of_any_bytes(data):
    """A page in which bytes were changed, or pieces that are seldom valid were put in."""
    content = bytearray(page([to_json(client(id=name)).encode() for name in ("a", "b", "c")]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - len(META) - 4))
        if data.draw(st.booleans()):
            content[at] = data.draw(st.integers(0, 255))
        else:
            while content[at : at + 1] not in b'",:{[' and at:  # where a piece may fit
                at -= 1
            content[at + 1 : at + 1] = data.draw(st.sampled_from(PIECES))
    shapes = Shapes(CLIENTS)
    compared(page([to_json(client()).encode()]), shapes)
    compared(bytes(content), shapes)


HOSTILE = {
    "a key too many": b'{"shoe_size":44,',
    "the same key twice": b'{"name":"another","name":7,',
    "a null": b'{"vat_number":null,',
    "an amount as a text": b'{"balance":"12.50",',
    "a suspicious key": b'{"settings":{"smtp_password":"canary"},',
    "a deep one": b'{"tax_info":{"a":[{"api_token":"canary"}]},',
    "an unknown one": b'{"portal_token":"canary",',
    "bad UTF-8 in an unknown field": b'{"shoe_size":"\xff",',
    "bad UTF-8 in a secret": b'{"client_hash":"\xff",',
    "bad UTF-8 in settings": b'{"settings":{"a":"\xff"},',
    "a NUL": b'{"private_notes":"a\\u0000b",',
    "an escaped backslash before u0000": b'{"private_notes":"C:\\\\u0000",',
    "a lone surrogate": b'{"name":"\\ud800",',
    "a number beyond decimals": b'{"balance":1e99999999999999999999,',
    "one in settings": b'{"settings":{"a":1e99999999999999999999},',
    "a time as a decimal": b'{"created_at":1.0,',
    "a huge whole number": b'{"created_at":' + b"9" * 40 + b",",
    "nesting": b'{"shoe_size":' + b"[" * 600 + b"]" * 600 + b",",
    "an amount of many digits": b'{"balance":99999999999999.999999,',
    "an amount in exponent form": b'{"balance":1.5e-3,',
    "minus zero": b'{"balance":-0.0,',
}


@pytest.mark.parametrize("start", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("seen", [True, False], ids=["after an ordinary page", "at once"])
def test_both_roads_make_the_same_of_a_hostile_record(start, seen):
    """The key that is in front comes again behind it, as `client` has it; of two equal keys the last one counts."""
    key = start.split(b'"')[1].decode()
    rest = {name: value for name, value in client(id="odd").items() if name != key}
    odd = start + to_json(rest).encode()[1:]
    plain = to_json(client(id="plain")).encode()
    shapes = Shapes(CLIENTS)
    if seen:
        compared(page([plain, plain]), shapes)
    content = page([plain, odd, to_json(client(id="last")).encode()])
    compared(content, shapes)
    _, batch = outcome(content, shapes)
    if batch is not None:
        assert not any("canary" in row.record for row in rows(CLIENTS, batch))
        assert {"plain", "last"} <= set(batch.ids)


@pytest.mark.parametrize("entity", LOOKUPS, ids=lambda entity: entity.name)
def test_both_roads_make_the_same_of_the_recorded_lists(entity):
    (statics,) = bodies("statics")
    both(entity, json.loads(statics, parse_float=Decimal)[entity.name])


def test_both_roads_make_the_same_of_the_recorded_company_and_of_a_group():
    (company,) = bodies("companies_current")
    for entity, record in ((COMPANIES, json.loads(company, parse_float=Decimal)["data"]), (GROUPS, dict(GROUP))):
        both(entity, [record])


@pytest.mark.parametrize("name", ["clients_full_pull", "clients_second_pull"])
def test_recorded_pages_are_shaped_and_their_records_are_the_same_texts(name):
    shapes = Shapes(CLIENTS)
    for body in bodies(name):
        came = read_page(body.encode(), NOW, None, shapes).records
        assert all(isinstance(record, Shaped) for record in came)
        plain = read_page(body.encode(), NOW, None).records
        assert [row.record for row in rows(CLIENTS, normalise(CLIENTS, came))] == [
            row.record for row in normalise(CLIENTS, plain).rows
        ]


@pytest.mark.parametrize("entity", [CLIENTS, GROUPS, COMPANIES, *LOOKUPS], ids=lambda entity: entity.name)
def test_no_records_are_no_rows(entity):
    assert normalise(entity, []).ids == []


def test_records_with_fewer_or_more_fields_than_known_are_shaped_too():
    short, long = client(), client(shoe_size=44)
    del short["website"]
    del short["contacts"][0]["phone"], short["contacts"][1]["phone"]
    for record in (short, client(), long):
        written = [to_json(record).encode()] * 3
        batch = shaped(CLIENTS, written)
        assert batch.rows == []
        same(CLIENTS, batch, decoded(CLIENTS, written))


def test_a_page_is_shaped_by_the_records_of_the_page_before():
    shapes = Shapes(CLIENTS)
    content = page([to_json(client(id=name)).encode() for name in "ab"])
    assert shapes.page(content) is None
    read_page(content, NOW, None, shapes)
    assert all(isinstance(record, Shaped) for record in shapes.page(content)["data"])


def test_a_server_whose_records_all_differ_is_read_one_record_at_a_time():
    shapes = Shapes(CLIENTS)
    written = [to_json(client(id=f"c{n}", **{f"new{n}": n})).encode() for n in range(MOST_LAYOUTS + 20)]
    batch = shaped(CLIENTS, written, shapes)
    assert len(batch.rows) == 20
    same(CLIENTS, batch, decoded(CLIENTS, written))


@pytest.mark.parametrize("missing", ["contacts", "documents"])
def test_a_record_without_a_list_is_set_aside_although_its_children_have_new_fields_elsewhere(missing):
    known, without = client(id="known"), client(id="without")
    known[missing][0]["shoe_size"] = 44
    del without[missing]
    shapes = Shapes(CLIENTS)
    compared(page([to_json(known).encode()] * 2), shapes)
    compared(page([to_json(record).encode() for record in (known, without, known)]), shapes)


def test_of_one_client_twice_on_a_page_the_later_one_arrives_later_on_both_roads():
    """A NUL, even an escaped backslash before `u0000`, sends a record down the other road."""
    old, new = client(id="same", private_notes="C:\\u0000"), client(id="same", name="New")
    content = page([to_json(record).encode() for record in (old, new)])
    shapes = Shapes(CLIENTS)
    compared(page([to_json(client()).encode()] * 2), shapes)
    _, batch = outcome(content, shapes)
    assert [type(part) for part in batch.parts] == [list, Columns]
    compared(content, shapes)


@pytest.mark.parametrize("place", [0, AT_ONCE - 1, AT_ONCE, 2 * AT_ONCE])
@pytest.mark.parametrize("balance", ["much", Decimal("0.0000001")])
def test_one_odd_record_among_many_is_the_only_one_set_aside(place, balance):
    records = [client(id=f"c{n}", contacts=[], documents=[]) for n in range(2 * AT_ONCE + 1)]
    records[place]["balance"] = balance
    batch = shaped(CLIENTS, [to_json(record).encode() for record in records])
    assert [record.id for record in batch.quarantined] == [f"c{place}"]
    assert batch.ids == [r["id"] for r in records if r["balance"] != balance]
    assert batch.columns
