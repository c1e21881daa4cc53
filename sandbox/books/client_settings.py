"""A setting as it holds for a client: its own, else its group's, else the company's (Client::getSetting)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from functools import cache
from typing import Any

from sandbox.books.company import template
from sandbox.books.lookups import statics
from sandbox.store.database import Row, select


def setting(db: sqlite3.Connection, client: Mapping[str, Any], name: str) -> Any:
    """The nearest value that is not empty."""
    group = (
        select(db, "group_settings", "id = ?", (client["group_settings_id"],)) if client["group_settings_id"] else []
    )
    for settings in (client["settings"], group[0]["settings"] if group else None):
        if settings and (value := (json.loads(settings) or {}).get(name)) not in (None, ""):
            return value
    if name == "currency_id":
        return str(company_of(db, client)["currency_id"])
    return template()["settings"].get(name)


def company_of(db: sqlite3.Connection, client: Mapping[str, Any]) -> Row:
    """The company of a client."""
    return select(db, "companies", "id = ?", (client["company_id"],))[0]


def currency_of(db: sqlite3.Connection, client: Mapping[str, Any]) -> str:
    """The id of the client's currency."""
    return str(setting(db, client, "currency_id"))


def precision_of(db: sqlite3.Connection, client: Mapping[str, Any]) -> int:
    """The decimals of the client's currency."""
    return int(_currency(currency_of(db, client)).get("precision", 2))


@cache
def _currency(number: str) -> dict[str, Any]:
    return next((x for x in statics()["currencies"] if x["id"] == number), {})


def formatted(amount: str, currency: str) -> str:
    """An amount with its currency's symbol, as notes write it: `€5.00`."""
    return f"{_currency(currency).get('symbol', '')}{float(amount):,.2f}"
