"""What stands behind a client, typed: names that vary, numbers in texts, JSON inside texts, and no secret."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from schemas.entities import ACTIVITIES, GROUPS
from schemas.errors import UnexpectedShape
from schemas.includes import (
    SYSTEM_LOGS,
    Activity,
    Group,
    SystemLog,
    activity_of,
    group_of_record,
    ledger_row_of,
    system_log_of,
)
from tests.schemas.schema_records import GROUP

AT = datetime(2026, 11, 22, 7, 42, 54, tzinfo=UTC)
TIMES = {"created_at": 1795333374, "updated_at": 1795333374}
ACTIVITY = {
    "id": "aKeAct0001", "activity_type_id": "61", "client_id": "aKeCli0001", "company_id": "VolejRejNm",
    "user_id": "VolejRejNm", "token_id": "canary-token", "invoice_id": "", "payment_id": "", "credit_id": "",
    "contact_id": "", "notes": "", "is_system": False, "ip": "canary-ip", **TIMES,
}  # fmt: skip
ROW = {
    "invoice_id": "aKeInv0001",
    "notes": "sent",
    "balance": 5,
    "adjustment": Decimal("5.5"),
    "activity_id": 5,
    **TIMES,
    "archived_at": 0,
}
LOG = {
    "id": "aKeLog0001", "company_id": "VolejRejNm", "user_id": "VolejRejNm", "client_id": "aKeCli0001", "event_id": 30,
    "category_id": 2, "type_id": 400, "log": "{}", **TIMES,
}  # fmt: skip
HASH = "aB3" * 13 + "x"


@pytest.mark.parametrize(
    ("kind", "entity", "more"),
    [(Activity, ACTIVITIES, set()), (SystemLog, SYSTEM_LOGS, {"log"}), (Group, GROUPS, set())],
)
def test_its_fields_are_those_of_its_entity(kind, entity, more):
    fields = {field.name: field for field in dataclasses.fields(kind)}
    assert set(fields) == {f.name for f in entity.fields} | more
    assert {f.name for f in entity.fields if f.personal and fields[f.name].repr} == set()


def test_an_activity_has_no_ip_and_no_token():
    found = activity_of(ACTIVITY)
    assert (found.activity_type_id, found.invoice_id, found.created_at) == ("61", None, AT)
    assert "canary" not in repr(dataclasses.asdict(found))


@pytest.mark.parametrize(
    ("kind", "notes", "kept"),
    [
        ("151", f"Gone Ltd ({HASH})", "Gone Ltd"),
        ("153", f"Gone (Bern) ({HASH})", "Gone (Bern)"),
        ("61", f"Gone Ltd ({HASH})", "Gone Ltd"),
        ("141", "called (Bern)", "called (Bern)"),
        ("61", "", None),
    ],
)
def test_the_hash_that_opens_the_portal_is_taken_off_the_notes_and_nothing_else(kind, notes, kept):
    assert activity_of({**ACTIVITY, "activity_type_id": kind, "notes": notes}).notes == kept


@pytest.mark.parametrize(
    ("key", "entity", "entity_id"),
    [
        ("invoice_id", "invoice", "x"),
        ("credit_id", "credit", "x"),
        ("recurringInvoice_id", "recurringInvoice", "x"),
        ("_id", None, None),
    ],
)
def test_a_ledger_row_names_its_paper_by_the_name_of_a_key(key, entity, entity_id):
    row = {key: "x", **{name: value for name, value in ROW.items() if name != "invoice_id"}}
    found = ledger_row_of(row)
    assert (found.entity, found.entity_id, found.activity_id) == (entity, entity_id, 5)
    assert (found.balance, found.adjustment, found.notes, found.created_at) == (5, Decimal("5.5"), "sent", AT)
    assert "sent" not in repr(found)


def test_a_log_is_decoded_however_deep_its_json_stands_in_texts():
    inner = json.dumps({"token": "canary", "deep": json.dumps([{"password": "canary", "kept": 1.10}])})
    found = system_log_of({**LOG, "log": json.dumps({"inner": inner, "text": "[no json", "to": "ann@x.test"})})
    assert found.log == {"inner": {"deep": [{"kept": Decimal("1.1")}]}, "text": "[no json", "to": "ann@x.test"}
    assert (found.event_id, found.created_at) == (30, AT)
    assert "ann" not in repr(found)


@pytest.mark.parametrize(
    ("told", "log"), [("", None), (None, None), ("null", None), ('"plain"', "plain"), ("[]", []), ("5", 5)]
)
def test_a_log_may_be_any_json_or_none(told, log):
    assert system_log_of({**LOG, "log": told}).log == log


@pytest.mark.parametrize(
    ("of", "record", "place"),
    [
        (activity_of, {**ACTIVITY, "id": ""}, "activities .*id"),
        (activity_of, {**ACTIVITY, "activity_type_id": 61}, "activity_type_id is a whole number"),
        (activity_of, "text", "not an object"),
        (ledger_row_of, {**ROW, "balance": None}, "balance is null"),
        (ledger_row_of, {**ROW, "adjustment": "x"}, "adjustment is a text"),
        (ledger_row_of, {**ROW, "activity_id": "5"}, "activity_id is a text"),
        (ledger_row_of, {**ROW, "invoice_id": 5}, "invoice_id is a whole number"),
        (ledger_row_of, {**ROW, "created_at": "x"}, "created_at is a text"),
        (ledger_row_of, [], "not an object"),
        (system_log_of, {**LOG, "log": "{broken: ann@x.test"}, "aKeLog0001: log is not JSON"),
        (system_log_of, {**LOG, "log": "[" * 100_000}, "log is not JSON"),
        (system_log_of, {**LOG, "event_id": "30"}, "event_id is a text"),
        (system_log_of, None, "not an object"),
        (group_of_record, {**GROUP, "settings": 5}, "settings is a whole number"),
        (group_of_record, [], "not an object"),
    ],
)
def test_an_odd_one_is_told_by_its_field_and_without_its_value(of, record, place):
    with pytest.raises(UnexpectedShape, match=place) as odd:
        of(record)
    assert "ann@" not in str(odd.value)
    assert odd.value.__context__ is None or "ann@" not in repr(odd.value.__context__)


def test_a_group_has_its_settings_and_no_credential_of_them():
    found = group_of_record({**GROUP, "settings": {"currency_id": "3", "smtp_password": "canary"}})
    assert (found.name, found.currency_id, found.settings) == ("Wholesale", "3", {"currency_id": "3"})
