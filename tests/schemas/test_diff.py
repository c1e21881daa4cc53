"""What differs between two versions of a record."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from schemas.diff import Difference, differences
from schemas.values import to_json
from tests.schemas.schema_records import client, quick


def changed(before, after):
    return differences(to_json(before), to_json(after))


def test_a_changed_field_is_told_with_both_values():
    assert changed({"id": "a", "name": "Ann"}, {"id": "a", "name": "Bob"}) == [Difference("name", "Ann", "Bob")]


def test_equal_records_do_not_differ():
    assert changed(client(), client()) == []


def test_stamps_of_the_record_and_of_its_contacts_are_no_difference():
    before, after = client(), client(updated_at=1)
    after["contacts"][0]["updated_at"] = after["contacts"][0]["last_login"] = 7
    assert changed(before, after) == []


def test_contacts_in_another_order_are_no_difference():
    before, after = client(), client()
    after["contacts"].reverse()
    assert changed(before, after) == []


def test_a_change_inside_a_contact_is_told_by_the_contacts_id():
    before, after = client(), client()
    contact = after["contacts"][1]
    contact["email"] = "new@example.com"
    assert changed(before, after) == [
        Difference(f"contacts.{contact['id']}.email", before["contacts"][1]["email"], "new@example.com")
    ]


def test_a_contact_that_came_or_went_is_told():
    with_two, with_one = client(), client()
    gone = with_one["contacts"].pop()
    (left,) = changed(with_two, with_one)
    (came,) = changed(with_one, with_two)
    assert (left.field, left.after, json.loads(left.before)) == (f"contacts.{gone['id']}", "", gone)
    assert (came.field, came.before, json.loads(came.after)) == (f"contacts.{gone['id']}", "", gone)


def test_settings_are_told_one_by_one():
    before, after = client(settings={"currency_id": "3"}), client(settings={"currency_id": "1", "language_id": "2"})
    assert changed(before, after) == [
        Difference("settings.currency_id", "3", "1"),
        Difference("settings.language_id", "", "2"),
    ]


def test_a_new_record_is_told_without_its_empty_fields():
    found = differences(None, '{"id":"a","name":"","balance":1.50,"settings":{},"contacts":[],"is_deleted":false}')
    assert found == [Difference("id", "", "a"), Difference("balance", "", "1.50"), Difference("is_deleted", "", "no")]


def test_a_field_that_went_is_told():
    assert differences('{"id":"a","old":"x"}', '{"id":"a"}') == [Difference("old", "x", "")]


def test_none_null_empty_text_list_and_object_are_all_nothing():
    assert changed({"a": "", "b": [], "c": None, "d": {}}, {"a": None, "b": {}, "c": "", "e": []}) == []


@quick
@given(st.integers(10**16, 10**20 - 1))
def test_the_last_decimal_of_a_large_balance_is_told(units):
    before, after = Decimal(units).scaleb(-6), Decimal(units - 1).scaleb(-6)
    (found,) = changed({"balance": before}, {"balance": after})
    assert (Decimal(found.before), Decimal(found.after)) == (before, after)
