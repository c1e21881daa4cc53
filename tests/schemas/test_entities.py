"""The entities hold what the server sends, under names that every engine takes."""

from __future__ import annotations

import json

import duckdb
import pytest

from schemas.entities import CLIENTS, COMPANIES, CONTACTS, DOCUMENTS, GROUPS, LOOKUPS
from schemas.entity import Kind, Written
from tests.schemas.schema_records import DOCUMENT, GROUP, bodies

ALL = (CLIENTS, CONTACTS, DOCUMENTS, GROUPS, COMPANIES, *LOOKUPS)
POSTGRES_RESERVED = {
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "both", "case", "cast", "check",
    "collate", "column", "constraint", "create", "current_date", "default", "deferrable", "desc", "distinct", "do",
    "else", "end", "except", "false", "fetch", "for", "foreign", "from", "grant", "group", "having", "in", "initially",
    "intersect", "into", "lateral", "leading", "limit", "not", "null", "offset", "on", "only", "or", "order", "placing",
    "primary", "references", "returning", "select", "session_user", "some", "symmetric", "table", "then", "to",
    "trailing", "true", "union", "unique", "user", "using", "variadic", "when", "where", "window", "with",
}  # fmt: skip


@pytest.fixture(scope="module")
def recorded():
    clients = [r for body in bodies("clients_full_pull") for r in json.loads(body)["data"]]
    (statics,) = bodies("statics")
    (company,) = bodies("companies_current")
    return {
        "clients": clients,
        "contacts": [c for r in clients for c in r["contacts"]],
        "documents": [DOCUMENT],
        "group_settings": [GROUP],
        "companies": [json.loads(company)["data"]],
        **json.loads(statics),
    }


def keys_of(entity):
    own = {f.inside or f.json_key for f in entity.fields} | {child.name for child in entity.children}
    return own, entity.secrets, entity.elsewhere


@pytest.mark.parametrize("entity", [CLIENTS, CONTACTS, DOCUMENTS, GROUPS], ids=lambda e: e.name)
def test_every_recorded_key_has_one_place(entity, recorded):
    own, secrets, elsewhere = keys_of(entity)
    assert not own & secrets
    assert not own & elsewhere
    assert not secrets & elsewhere
    for record in recorded[entity.name]:
        assert record.keys() - own - secrets - elsewhere == set()
        assert own - record.keys() == set()


@pytest.mark.parametrize("entity", ALL, ids=lambda e: e.name)
def test_every_field_is_in_the_recordings(entity, recorded):
    own, _, _ = keys_of(entity)
    assert own <= set().union(*(record.keys() for record in recorded[entity.name]))


@pytest.mark.parametrize("entity", ALL, ids=lambda e: e.name)
def test_columns_are_unique_in_any_case_and_plain(entity):
    ours = ["source", "row_hash", "record", "arrival", "run_id"]
    parents = [f"{CLIENTS.singular}_id"] if entity in CLIENTS.children else []
    names = [f.name for f in entity.fields] + ours + parents
    assert len({name.lower() for name in names}) == len(names)
    assert all(name.isidentifier() and name.islower() and name.isascii() for name in names)


@pytest.mark.parametrize("entity", ALL, ids=lambda e: e.name)
def test_columns_need_no_quotes(entity):
    names = [entity.name, *(f.name for f in entity.fields)]
    assert not POSTGRES_RESERVED & set(names)
    with duckdb.connect() as connection:
        columns = ", ".join(f"{name} varchar" for name in names[1:])
        connection.execute(f"create table {entity.name} ({columns})")
        assert connection.execute(f"select {', '.join(names[1:])} from {entity.name}").fetchall() == []


@pytest.mark.parametrize("entity", ALL, ids=lambda e: e.name)
def test_every_field_is_described_in_a_sentence(entity):
    for f in entity.fields:
        assert len(f.description) > 5, f.name
        assert f.description[0].isupper() or f.name == "classification", f.name
        assert f.description.rstrip().endswith((".", "...")), f.name
        assert "\n" not in f.description


@pytest.mark.parametrize("entity", ALL, ids=lambda e: e.name)
def test_the_first_column_is_a_vital_id(entity):
    assert (entity.fields[0].name, entity.fields[0].vital, entity.fields[0].kind) == ("id", True, Kind.TEXT)


def test_money_is_vital_and_never_written():
    money = [f for entity in ALL for f in entity.fields if f.kind is Kind.MONEY]
    assert {f.name for f in money} == {"balance", "paid_to_date", "payment_balance", "credit_balance"}
    assert all(f.vital and f.written is Written.NEVER for f in money)


def test_bulk_update_takes_the_eight_columns_that_the_server_takes():
    assert {f.name for f in CLIENTS.fields if f.written is Written.BULK} == {
        "public_notes", "industry_id", "size_id", "country_id",
        "custom_value1", "custom_value2", "custom_value3", "custom_value4",
    }  # fmt: skip


def test_what_people_are_called_and_where_they_live_is_personal():
    personal = {f.name for entity in (CLIENTS, CONTACTS) for f in entity.fields if f.personal}
    assert personal >= {
        "name", "display_name", "first_name", "last_name", "email", "phone", "address1", "address2", "city", "state",
        "postal_code", "shipping_address1", "vat_number", "id_number", "private_notes", "public_notes", "website",
        "custom_value1", "custom_value2", "custom_value3", "custom_value4",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("entity", "singular"), [(CLIENTS, "client"), (COMPANIES, "company"), (GROUPS, "group_setting")]
)
def test_the_word_for_one(entity, singular):
    assert (entity.singular, entity.parent_column) == (singular, f"{singular}_id")
