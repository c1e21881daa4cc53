"""The fast road and the careful road make the same rows of the same records; what is odd takes the careful one."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.entities import CLIENTS, COMPANIES, GROUPS, LOOKUPS
from schemas.normalise import AT_ONCE, _one_by_one, _ordinary, normalise
from schemas.ordinary import ordinary
from tests.schemas.schema_records import GROUP, bodies, client, quick

VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.decimals(allow_nan=True), st.text(max_size=5),
    st.sampled_from(["", "0", " ", "a\x00b", "\\u0000", 0, 1, Decimal("1.50"), Decimal("-0"), Decimal("1e-7")]),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.sampled_from(["currency_id", "smtp_password", "a"]), st.text(max_size=3), max_size=2),
)  # fmt: skip
KEYS = sorted({*client(), "portal_token", "shoe_size"})
CONTACT_KEYS = sorted({*client()["contacts"][0], "api_key", "shoe_size"})


@st.composite
def changed_clients(draw):
    """A client with some fields set to anything, some left out, and in another order."""
    record = client(id=draw(st.text("abc", min_size=1, max_size=3)))
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=3)):
        record[key] = draw(VALUES)
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=1)):
        record.pop(key, None)
    contacts = record.get("contacts")
    for key in draw(st.lists(st.sampled_from(CONTACT_KEYS), max_size=2)):
        if isinstance(contacts, list) and contacts and isinstance(contacts[0], dict):
            contacts[0][key] = draw(VALUES)
    return dict(draw(st.permutations(list(record.items())))) if draw(st.booleans()) else record


@given(st.lists(changed_clients(), max_size=4))
@quick
def test_both_roads_make_the_same_of_any_records(records):
    careful, fast = _one_by_one(CLIENTS, records), _ordinary(CLIENTS, records)
    assert fast is None or fast == careful
    assert (fast is None) <= bool(careful.quarantined or _has_an_escaped_nul(careful))


@pytest.mark.parametrize("entity", LOOKUPS, ids=lambda entity: entity.name)
def test_both_roads_make_the_same_of_the_recorded_lists(entity):
    (statics,) = bodies("statics")
    records = json.loads(statics, parse_float=Decimal)[entity.name]
    assert _ordinary(entity, records) == _one_by_one(entity, records)


def test_both_roads_make_the_same_of_the_recorded_company_and_of_a_group():
    (company,) = bodies("companies_current")
    for entity, record in ((COMPANIES, json.loads(company, parse_float=Decimal)["data"]), (GROUPS, dict(GROUP))):
        assert _ordinary(entity, [record]) == _one_by_one(entity, [record])


def _has_an_escaped_nul(batch):
    return any("\\u0000" in row.record for row in batch.rows)


@pytest.mark.parametrize("entity", [CLIENTS, GROUPS, COMPANIES, *LOOKUPS], ids=lambda entity: entity.name)
def test_no_records_are_ordinary(entity):
    assert ordinary(entity, []) is not None
    assert normalise(entity, []).rows == []


def test_what_is_ordinary_goes_the_fast_road_also_where_a_server_sends_fewer_or_more_fields():
    short, long = client(), client(shoe_size=44)
    del short["website"]
    del short["contacts"][0]["phone"]
    assert ordinary(CLIENTS, [short, client(), long]) is not None
    assert ordinary(GROUPS, [dict(GROUP)]) is not None


def test_the_records_that_came_are_left_as_they_were():
    record, same = client(client_hash="planted"), client(client_hash="planted")
    ordinary(CLIENTS, [record])
    assert record == same


@pytest.mark.parametrize("place", [0, AT_ONCE - 1, AT_ONCE, 2 * AT_ONCE])
def test_one_odd_record_among_many_is_the_only_one_set_aside_and_the_order_stays(place):
    records = [client(id=f"c{n}", contacts=[], documents=[]) for n in range(2 * AT_ONCE + 1)]
    records[place]["balance"] = "much"
    batch = normalise(CLIENTS, iter(records))
    assert [one.id for one in batch.quarantined] == [f"c{place}"]
    assert [row.id for row in batch.rows] == [r["id"] for r in records if r["balance"] != "much"]
