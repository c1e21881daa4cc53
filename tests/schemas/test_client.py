"""Typed clients: the fields of the entities under the same names, exact, aware, and without a secret."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.client import Client, Contact, Document, as_dict, client_of, document_of
from schemas.entities import CLIENTS, CONTACTS, DOCUMENTS
from schemas.errors import UnexpectedShape
from tests.schemas.schema_records import DOCUMENT, bodies, client, quick

PAIRS = [(Client, CLIENTS), (Contact, CONTACTS), (Document, DOCUMENTS)]
NAMES = [entity.name for _, entity in PAIRS]


def recorded():
    return [r for body in bodies("clients_full_pull") for r in json.loads(body, parse_float=Decimal)["data"]]


@pytest.mark.parametrize(("kind", "entity"), PAIRS, ids=NAMES)
def test_its_fields_are_those_of_its_entity_and_its_children(kind, entity):
    own = [field.name for field in dataclasses.fields(kind)]
    assert sorted(own) == sorted([f.name for f in entity.fields] + [child.name for child in entity.children])


@pytest.mark.parametrize(("kind", "entity"), PAIRS, ids=NAMES)
def test_what_is_personal_is_not_printed_and_what_is_vital_has_no_default(kind, entity):
    fields = {field.name: field for field in dataclasses.fields(kind)}
    assert {f.name for f in entity.fields if f.personal and fields[f.name].repr} == set()
    required = {name for name, field in fields.items() if field.default is field.default_factory is dataclasses.MISSING}
    assert required == {f.name for f in entity.fields if f.vital} | {"id"}


def test_every_recorded_client_has_its_values():
    for record in recorded():
        found = client_of(record)
        assert (found.id, found.number, found.is_deleted) == (record["id"], record["number"], record["is_deleted"])
        assert found.balance == record["balance"]
        assert [contact.id for contact in found.contacts] == [contact["id"] for contact in record["contacts"]]
        assert found.currency_id == (record["settings"].get("currency_id") or None)


def test_money_is_exact_times_are_aware_and_nothing_is_none():
    found = client_of(
        client(balance=Decimal("-12345678.100001"), created_at=1795333374, archived_at=0, city="", group_settings_id="")
    )
    assert (found.balance, str(found.balance)) == (Decimal("-12345678.100001"), "-12345678.100001")
    assert found.created_at == datetime(2026, 11, 22, 7, 42, 54, tzinfo=UTC)
    assert (found.archived_at, found.city, found.group_settings_id) == (None, None, None)
    assert found.documents[0].size == 5


def test_settings_are_decoded_with_exact_numbers_and_without_credentials():
    found = client_of(
        client(settings={"default_task_rate": Decimal("80.1"), "smtp_password": "canary", "x": {"api_key": "canary"}})
    )
    assert found.settings == {"default_task_rate": Decimal("80.1"), "x": {}}
    assert client_of(client(settings=[], tax_info=[], e_invoice={})).settings == {}


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({"is_deleted": False, "archived_at": 0}, "active"),
        ({"is_deleted": False, "archived_at": 5}, "archived"),
        ({"is_deleted": True, "archived_at": 5}, "deleted"),
        ({"is_deleted": True, "archived_at": 0}, "deleted"),
    ],
)
def test_its_status_is_that_of_the_servers_filter(state, status):
    assert client_of(client(**state)).status == status


def test_no_secret_of_a_record_is_in_it():
    record = client(
        client_hash="canary-1", gateway_tokens=[{"token": "canary-2", "gateway_customer_reference": "canary-3"}]
    )
    for number, contact in enumerate(record["contacts"]):
        contact.update(contact_key=f"canary-4{number}", link=f"https://canary-5{number}", password="canary-6")
    record["documents"][0].update(hash="canary-7", url="canary-8", link="canary-9", preview="canary-0")
    assert "canary" in json.dumps(record, default=str)
    assert "canary" not in repr(as_dict(client_of(record)))
    assert "canary" not in repr(dataclasses.asdict(client_of(record)))


def test_as_a_dictionary_it_has_its_contacts_and_documents_as_such():
    told = as_dict(client_of(client()))
    assert [type(one) for one in (*told["contacts"], *told["documents"])] == [dict, dict, dict]
    assert told["contacts"][0]["is_primary"] is True


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"id": ""}, "id is missing"),
        ({"balance": "12 EUR"}, "balance is a text"),
        ({"balance": Decimal("0.0000001")}, "balance is an amount of money with more than six decimals"),
        ({"balance": 10**15}, "balance is an amount of money of more than 14 digits"),
        ({"is_deleted": "no"}, "is_deleted is a text"),
        ({"name": 5}, "name is a whole number"),
        ({"name": "Secret Name\x00"}, "name is a text with a NUL character"),
        ({"created_at": "yesterday"}, "created_at is a text"),
        ({"created_at": -1}, "created_at is a time before 1970"),
        ({"contacts": None}, "contacts is not a list"),
        ({"contacts": [5]}, r"contacts\[0\] is not an object"),
        ({"contacts": [{"first_name": "Ann"}]}, r"contacts\[0\].id is missing"),
        ({"settings": 5}, "settings is a whole number"),
    ],
)
def test_an_odd_record_is_told_by_the_field_that_does_not_fit_and_without_its_value(changes, place):
    with pytest.raises(UnexpectedShape, match=place) as odd:
        client_of(client(**changes))
    assert not any(word in str(odd.value) for word in ("12 EUR", "Secret Name", "yesterday", "Ann"))


@pytest.mark.parametrize("record", [None, 5, "text", [], [client()], {}, {"id": "a"}])
def test_what_is_no_record_is_told_to_be_none(record):
    with pytest.raises(UnexpectedShape, match="unknown shape"):
        client_of(record)


@pytest.mark.parametrize(
    ("changes", "place"), [({"size": "5"}, "size"), ({"id": None}, "id"), ({"created_at": 1.5}, "created_at")]
)
def test_an_odd_document_is_told_too(changes, place):
    with pytest.raises(UnexpectedShape, match=place):
        document_of({**DOCUMENT, **changes})


def test_a_document_has_what_is_known_of_the_file():
    found = document_of(DOCUMENT)
    assert (found.name, found.type, found.size, found.is_public) == ("a.txt", "txt", 5, True)
    assert found.created_at == datetime(2026, 11, 22, 7, 42, 54, tzinfo=UTC)


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals()
    | st.lists(st.text(), max_size=2)
    | st.just({"a": {}})
)


@quick
@given(name=st.sampled_from(sorted(client())), value=VALUES)
def test_whatever_stands_in_a_field_it_is_a_client_or_unexpected_and_nothing_else(name, value):
    try:
        found = client_of(client(**{name: value}))
    except UnexpectedShape as odd:
        assert name in str(odd) or name == "id"  # noqa: PT017 - both ends are right, each in its own way
    else:
        assert isinstance(found.balance, Decimal)
