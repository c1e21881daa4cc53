"""Filters as texts: read as they are meant, or refused with the reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from connector.clients import Filter, parse_filter
from connector.clients.filters import NAMES
from schemas.errors import SettingsError


def test_every_filter_can_be_told_as_a_text():
    told = {
        "updated_at": "2026-01-02T03:04:05+02:00", "created_at": "2026-01-02", "status": "active, archived",
        "is_deleted": "false", "with_trashed": "true", "client_id": "a", "name": "b", "email": "c", "id_number": "d",
        "number": "e", "group": "f", "filter": "g h", "between_balance": "-1.50:20", "balance_gt": "-1",
        "balance_gte": "0.5", "balance_lt": "10", "balance_lte": "9", "balance_eq": "5",
    }  # fmt: skip
    assert set(told) == set(NAMES)
    assert parse_filter(told) == Filter(
        updated_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))),
        created_at=datetime(2026, 1, 2, tzinfo=UTC), status=["active", "archived"], is_deleted=False, with_trashed=True,
        client_id="a", name="b", email="c", id_number="d", number="e", group="f", filter="g h",
        between_balance=(Decimal("-1.50"), Decimal(20)), balance_gt=Decimal(-1), balance_gte=Decimal("0.5"),
        balance_lt=Decimal(10), balance_lte=Decimal(9), balance_eq=Decimal(5),
    )  # fmt: skip
    assert parse_filter({}) == Filter()
    assert parse_filter({"updated_at": "1767225600"}) == Filter(updated_at=1_767_225_600)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("balance", "gt:1000", "balance_gt"),
        ("balance", "1000:gt", "each generation"),
        ("filter_deleted_clients", "true", "breaks the server"),
        ("vendor_id", "x", "does nothing"),
        ("with", "x", "client_id"),
        ("filter_details", "true", "balances of 0"),
        ("sort", "id|asc", "is not a filter"),
        ("update_at", "1", "all clients"),
        ("Name", "x", "all clients"),
        ("status", "activ", "has no activ"),
        ("status", "", "has no"),
        ("is_deleted", "1", "true or false"),
        ("with_trashed", "", "true or false"),
        ("updated_at", "yesterday", "2026-12-31"),
        ("updated_at", "2026-13-45", "2026-12-31"),
        ("updated_at", "", "2026-12-31"),
        ("updated_at", "1767225600000", "milliseconds"),
        ("updated_at", "9" * 5000, "not a time"),
        ("between_balance", "10", "colon"),
        ("between_balance", "1:2:3", "colon"),
        ("between_balance", "a:b", "colon"),
        ("balance_gt", "1_000", "amount"),
        ("balance_gt", "1,5", "amount"),
        ("balance_gt", "nan", "amount"),
        ("balance_gt", "", "amount"),
        ("name", "", "empty"),
        ("name", "Bob*", "beginning"),
    ],
)
def test_what_means_nothing_or_something_else_to_the_server_is_refused_with_the_reason(name, value, words):
    with pytest.raises(SettingsError) as refusal:
        parse_filter({name: value})
    assert words in str(refusal.value)
