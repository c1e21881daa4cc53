"""Records → rows: value by value as they were recorded, exactly, or in quarantine by name and without personal data."""

from __future__ import annotations

import json
import random
import re
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.php.hashids import encode
from schemas.entities import CLIENTS, COMPANIES, CONTACTS, DOCUMENTS, GROUPS, LOOKUPS
from schemas.entity import Kind
from schemas.normalise import Drift, normalise
from schemas.values import NOBODY, to_json
from tests.schemas.both_roads import both
from tests.schemas.schema_records import GROUP, bodies, client, quick

DECODER = msgspec.json.Decoder(float_hook=Decimal)
ENTITIES = {"clients": CLIENTS, "contacts": CONTACTS, "documents": DOCUMENTS}
VOLATILE = {"updated_at", "last_login"}


def row_of(record, entity=CLIENTS):
    batch = both(entity, [record])
    assert batch.quarantined == []
    (row,) = batch.rows
    return row


def quarantined(record, entity=CLIENTS):
    batch = both(entity, [record])
    assert batch.rows == []
    (found,) = batch.quarantined
    return found


def named(entity, values):
    return dict(zip((f.name for f in entity.fields), values, strict=True))


# what was recorded


def naive(record, key):
    """What the warehouse should hold for a key of a recorded record, by reading it once more and simply."""
    if key in ("balance", "paid_to_date", "payment_balance", "credit_balance"):
        return f"{Decimal(record[key]):.6f}"
    if key in ("currency_id", "language_id", "payment_terms", "valid_until", "default_task_rate", "send_reminders"):
        return record["settings"].get(key) or None
    value = record[key]
    if key in ("settings", "tax_info", "e_invoice"):
        return json.dumps(value or {}, ensure_ascii=False, separators=(",", ":"))
    if key in ("email", "display_name"):
        return value.strip() or None
    return value if isinstance(value, bool) else value or None


def told(value):
    return str(value) if isinstance(value, Decimal) else value


@pytest.mark.parametrize("name", ["clients_full_pull", "clients_second_pull"])
def test_every_recorded_value_arrives_as_it_was_sent(name):
    compared = 0
    for body in bodies(name):
        sent = json.loads(body, parse_float=Decimal)["data"]
        batch = both(CLIENTS, DECODER.decode(body)["data"])
        assert batch.quarantined == []
        assert batch.drift == set()
        for record, row in zip(sent, batch.rows, strict=True):
            assert (row.id, row.updated_at) == (record["id"], record["updated_at"])
            values = named(CLIENTS, map(told, row.values))
            assert values == {key: naive(record, key) for key in values}
            contacts = [named(CONTACTS, contact) for contact in row.children[0]]
            assert contacts == [{key: naive(contact, key) for key in contacts[0]} for contact in record["contacts"]]
            assert row.children[1] == ()
            compared += len(values)
    assert compared > 300


def test_the_kept_record_has_the_numbers_as_they_were_sent():
    (row,) = normalise(CLIENTS, [DECODER.decode(to_json(client(balance=Decimal("123456789.123456"))))]).rows
    assert '"balance":123456789.123456' in row.record


def test_documents_become_rows_without_their_hashes_and_links():
    row = row_of(client())
    (document,) = (named(DOCUMENTS, values) for values in row.children[1])
    assert (document["id"], document["name"], document["size"], document["is_public"]) == (
        "aKeDoc0001",
        "a.txt",
        5,
        True,
    )
    assert "canary" not in row.record


def test_the_recorded_lists_company_and_group_fit():
    (statics,) = bodies("statics")
    lists = DECODER.decode(statics)
    for lookup in LOOKUPS:
        batch = both(lookup, lists[lookup.name])
        assert (len(batch.rows), batch.quarantined) == (len(lists[lookup.name]), [])
        assert not any(d.kind == "missing" for d in batch.drift)
    (company,) = bodies("companies_current")
    assert named(COMPANIES, row_of(DECODER.decode(company)["data"], COMPANIES).values)["currency_id"]
    group = named(GROUPS, row_of(dict(GROUP), GROUPS).values)
    assert (group["name"], group["currency_id"]) == ("Wholesale", "3")


def test_a_setting_of_another_type_is_a_text():
    values = named(CLIENTS, row_of(client(settings={"payment_terms": 14, "send_reminders": True})).values)
    assert (values["payment_terms"], values["send_reminders"], values["currency_id"]) == ("14", "true", None)


@pytest.mark.parametrize("settings", [[], {}])
def test_settings_may_be_an_empty_list(settings):
    values = named(CLIENTS, row_of(client(settings=settings)).values)
    assert (values["settings"], values["currency_id"]) == ("{}", None)


# the hash


def test_the_order_of_the_contacts_is_no_change():
    record = client()
    before = row_of(record).row_hash
    record["contacts"].reverse()
    assert row_of(record).row_hash == before


@pytest.mark.parametrize("empty", [[], {}])
def test_an_empty_object_or_list_is_no_change(empty):
    assert (
        row_of(client(tax_info=empty, e_invoice=empty)).row_hash == row_of(client(tax_info={}, e_invoice=[])).row_hash
    )


@pytest.mark.parametrize(("one", "other"), [(100, Decimal("100.0")), (0, Decimal("-0.0")), (1, Decimal("1e0"))])
def test_the_notation_of_an_amount_is_no_change(one, other):
    assert row_of(client(balance=one)).row_hash == row_of(client(balance=other)).row_hash


CHANGED = {
    Kind.TEXT: "changed", Kind.LINK: "changed", Kind.MAIL: "changed", Kind.SETTING: "changed",
    Kind.MONEY: Decimal("77.000001"), Kind.TIME: 1234567, Kind.COUNT: 4711, Kind.JSON: {"changed": 1},
}  # fmt: skip
FIELDS = [(name, f) for name, entity in ENTITIES.items() for f in entity.fields]


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=[f"{name}.{f.name}" for name, f in FIELDS])
def test_every_field_counts_as_a_change_except_the_volatile_ones(name, field):
    before, record = row_of(client()), client()
    holder = record if name == "clients" else record[name][0]
    if field.inside:
        holder = holder[field.inside]
    key = field.json_key
    holder[key] = not holder[key] if field.kind is Kind.FLAG else CHANGED[field.kind]
    assert (row_of(record).row_hash == before.row_hash) == (field.name in VOLATILE)
    assert row_of(record).record != before.record
    assert field.volatile == (field.name in VOLATILE)


def test_the_hash_of_zero_is_nobody():
    """A server with the default salt sends it where no user is assigned (seen on 5.12.28)."""
    assert encode(0) == NOBODY
    none, nobody, somebody = (
        normalise(CLIENTS, [client(assigned_user_id=one, group_settings_id=one)]).rows[0]
        for one in ("", NOBODY, encode(1))
    )
    assert (nobody.values, nobody.row_hash) == (none.values, none.row_hash)
    assert somebody.row_hash != none.row_hash


@pytest.mark.parametrize("name", ["contacts", "documents"])
def test_a_child_that_went_is_a_change(name):
    before, record = row_of(client()), client()
    record[name].pop()
    assert row_of(record).row_hash != before.row_hash


def test_a_secret_is_no_change():
    record = client(client_hash="another")
    record["contacts"][0]["contact_key"] = record["contacts"][0]["password"] = "another"
    before, after = row_of(client()), row_of(record)
    assert (after.row_hash, after.record) == (before.row_hash, before.record)


# quarantine

NO_ID = re.compile(r"\(no id, [0-9a-f]{8}\)")
UNFIT = {
    Kind.TEXT: ["bad\0", 5, ["canary"]], Kind.LINK: ["bad\0", 5], Kind.MAIL: ["bad\0", 5],
    Kind.SETTING: ["bad\0", ["canary"]], Kind.MONEY: ["canary", None, Decimal("1e-7"), 10**14],
    Kind.TIME: [-1, "canary", True], Kind.FLAG: ["canary", 1],
    Kind.COUNT: ["canary", Decimal("1.5"), 2**63], Kind.JSON: ["canary", 5, {"a": "\0"}],
}  # fmt: skip


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=[f"{name}.{f.name}" for name, f in FIELDS])
def test_a_value_that_does_not_fit_quarantines_the_whole_client_and_names_its_place(name, field):
    for bad in UNFIT[field.kind]:
        record = client()
        holder, place = (record, "") if name == "clients" else (record[name][-1], f"{name}[{len(record[name]) - 1}].")
        (holder[field.inside] if field.inside else holder)[field.json_key] = bad
        found = quarantined(record)
        assert (found.entity, found.field) == ("clients", place + field.name)
        assert found.id == record["id"] if (name, field.name) != ("clients", "id") else NO_ID.fullmatch(found.id)
        assert "canary" not in str(found)


def test_a_bad_mail_of_the_second_contact_is_named():
    record = client()
    record["contacts"][1]["email"] = ["anna@example.com"]
    assert str(quarantined(record)) == f"clients {record['id']}: contacts[1].email is a list instead of a text"


@pytest.mark.parametrize(
    "field",
    ["id", "balance", "paid_to_date", "payment_balance", "credit_balance", "is_deleted", "contacts", "documents"],
)
def test_what_a_client_may_not_lack(field):
    record = client()
    del record[field]
    assert quarantined(record).field == field


@pytest.mark.parametrize("name", ["contacts", "documents"])
@pytest.mark.parametrize("value", [None, {}, {"0": {"id": "a"}}, "x", 1, False])
def test_children_that_are_no_list(name, value):
    assert str(quarantined(client(**{name: value}))).endswith(f"{name} is not a list")


@pytest.mark.parametrize("value", [None, "x", 1, []])
def test_a_child_that_is_no_object(value):
    record = client()
    record["contacts"].insert(1, value)
    assert str(quarantined(record)).endswith("contacts[1] is not an object")


def test_a_child_without_an_id():
    record = client()
    record["contacts"][0]["id"] = ""
    assert quarantined(record).field == "contacts[0].id"


@pytest.mark.parametrize("record", [None, "x", 1, [], [["id", "a"]]])
def test_a_record_that_is_no_object(record):
    found = quarantined(record)
    assert NO_ID.fullmatch(found.id)
    assert (found.field, found.record) == ("record", None)


def test_a_nul_character_in_an_unknown_field_is_refused_as_one_in_a_known_field_is():
    found = quarantined(client(future={"deep": ["Anna\0"]}))
    assert (found.field, found.reason) == ("record", "holds a text with a NUL character")
    assert row_of(client(future="C:\\u0000")).id


@pytest.mark.parametrize("depth", [400, 600, 900])
@pytest.mark.parametrize("key", ["future", "settings", "name"])
def test_deep_nesting_takes_one_record_and_not_the_page(depth, key):
    deep = None
    for _ in range(depth):
        deep = {"a": deep}
    batch = both(CLIENTS, [client(id="first"), client(id="deep", **{key: deep}), client(id="last")])
    assert [row.id for row in batch.rows if row.id != "deep"] == ["first", "last"]
    assert len(batch.rows) + len(batch.quarantined) == 3
    assert all(found.id == "deep" for found in batch.quarantined)


def test_good_records_around_a_bad_one_are_kept_in_their_order():
    batch = both(CLIENTS, [client(id="a"), client(id="b", balance="x"), None, client(id="c")])
    assert [row.id for row in batch.rows] == ["a", "c"]
    assert [NO_ID.sub("nameless", found.id) for found in batch.quarantined] == ["b", "nameless"]


def test_records_without_an_id_are_counted_one_by_one_and_known_again():
    first, second = client(id="", name="One"), client(id="", name="Two")
    names = [found.id for found in both(CLIENTS, [first, second, first, {}, {}, {}]).quarantined]
    assert len(set(names)) == 6
    assert [found.id for found in both(CLIENTS, [second, {}]).quarantined] == [names[1], names[3]]


@pytest.mark.parametrize("name", ["clients", "contacts", "documents"])
def test_an_id_that_is_longer_than_any_of_the_server_is_no_id(name):
    record = client()
    holder, place = (record, "") if name == "clients" else (record[name][-1], f"{name}[{len(record[name]) - 1}].")
    holder["id"] = "x" * 64
    assert row_of(record)
    holder["id"] = "x" * 65
    found = quarantined(record)
    assert (found.field, found.reason) == (place + "id", "is longer than 64 characters, which no id of the server is")


@pytest.mark.parametrize("key", ["x" * 9000, "a\0b", "\x1b[31m", "\u202e"])
def test_the_name_of_an_unknown_field_is_told_so_that_a_key_can_hold_it(key):
    (told,) = {one.field for one in both(CLIENTS, [client(**{key: 1})]).drift}
    assert told.isprintable()
    assert len(told) <= 100


def test_a_quarantined_record_is_kept_without_its_secrets():
    record = client(balance="x", name={"password": "canary"})
    kept = quarantined(record).record
    assert record["client_hash"] not in kept
    assert record["contacts"][0]["contact_key"] not in kept
    assert "canary" not in kept
    assert json.loads(kept)["number"] == record["number"]


PERSONAL = [
    *[("clients", f) for f in CLIENTS.fields if f.personal],
    *[("contacts", f) for f in CONTACTS.fields if f.personal],
    *[("documents", f) for f in DOCUMENTS.fields if f.personal],
]
personal_texts = st.text(st.characters(categories=["L", "Nd"]), min_size=12, max_size=30).map(lambda t: f"P{t}")


@settings(quick, max_examples=40)
@given(st.data())
def test_no_personal_value_is_ever_said(data):
    record, values = client(), []
    for name, field in PERSONAL:
        value = data.draw(personal_texts)
        values.append(value)
        holder = record if name == "clients" else record[name][0]
        bad = data.draw(st.sampled_from([value, value, value, value + "\0", [value], {value: value}]))
        holder[field.json_key] = bad
    broken = data.draw(st.sampled_from(["balance", "contacts", "is_deleted", "id", "settings", "documents"]))
    record[broken] = values[0]
    found = quarantined(record)
    said = " ".join([found.entity, found.id, found.field, found.reason, str(found)])
    assert not [value for value in values if value in said and not (broken == "id" and value == values[0])]
    assert re.fullmatch(r"[a-z_0-9.\[\]]+", found.field)


@pytest.mark.parametrize("hostile", ["anna@example.com", "Anna Lee", "a\x1b[2J", "x" * 65, "", " "])
def test_an_id_that_is_none_is_not_said(hostile):
    assert NO_ID.fullmatch(quarantined(client(id=hostile, balance="x")).id)


@quick
@given(st.randoms(use_true_random=False))
def test_whatever_is_sent_becomes_a_row_or_is_quarantined(rnd: random.Random):
    junk = [None, True, 0, -1, 2**70, Decimal("1e999999"), Decimal("-0.5"), "", " ", "x\0", "💶", [], {}, [[]], {"": 1}]
    record = client()
    for _ in range(rnd.randrange(1, 4)):
        holder = rnd.choice([record, record["settings"], *record["contacts"], *record["documents"]])
        key = rnd.choice([*holder, "future"])
        if not (holder is record and key in ("settings", "contacts", "documents")):
            holder[key] = rnd.choice(junk)
    batch = both(CLIENTS, [record])
    assert len(batch.rows) + len(batch.quarantined) == 1
    for one in (*batch.rows, *batch.quarantined):
        assert one.record is None or isinstance(DECODER.decode(one.record), dict)


# drift


def test_a_new_field_is_kept_and_reported():
    batch = both(CLIENTS, [client(tags=["vip"])])
    assert batch.drift == {Drift("clients", "tags", "new")}
    assert json.loads(batch.rows[0].record)["tags"] == ["vip"]


def test_a_new_field_of_a_contact_is_reported_for_contacts():
    record = client()
    record["contacts"][1]["pronouns"] = "they"
    assert normalise(CLIENTS, [record]).drift == {Drift("contacts", "pronouns", "new")}


def test_a_field_that_is_not_sent_any_more_is_null_and_reported():
    record = client()
    del record["website"], record["settings"]
    batch = both(CLIENTS, [record])
    assert batch.drift == {Drift("clients", "website", "missing"), Drift("clients", "settings", "missing")}
    values = named(CLIENTS, batch.rows[0].values)
    assert values["website"] is values["settings"] is values["currency_id"] is None


def test_known_keys_without_a_column_and_absent_secrets_are_no_drift():
    record = client(locations=[{"id": "l", "name": "Depot"}])
    del record["client_hash"], record["gateway_tokens"]
    batch = both(CLIENTS, [record])
    assert batch.drift == set()
    assert json.loads(batch.rows[0].record)["locations"][0]["name"] == "Depot"
