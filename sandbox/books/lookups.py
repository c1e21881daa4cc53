"""The lookups every server ships: countries, currencies, sizes, industries, languages; and the answer of /statics.

`data/statics.json` is a recorded answer of 5.10.42 with the gateways' keys and fields emptied.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

CLASSIFICATIONS = ("individual", "business", "company", "partnership", "trust", "charity", "government", "other")


@cache
def statics() -> dict[str, Any]:
    """All lookups, as `GET /statics` sends them."""
    data: dict[str, Any] = json.loads((resources.files("sandbox") / "data/statics.json").read_text(encoding="utf-8"))
    return data


@cache
def country_ids() -> frozenset[int]:
    """Ids of countries that exist."""
    return frozenset(int(c["id"]) for c in statics()["countries"])


@cache
def _country_codes() -> dict[str, int]:
    codes = (("iso_3166_2", c) for c in statics()["countries"]), (("iso_3166_3", c) for c in statics()["countries"])
    return {c[key]: int(c["id"]) for pairs in codes for key, c in pairs}


def country_of_code(code: Any) -> int | None:
    """The country of an ISO code of two or three capital letters."""
    return _country_codes().get(code) if isinstance(code, str) else None


@cache
def _currency_codes() -> dict[str, str]:
    return {c["code"]: c["id"] for c in statics()["currencies"]}


def currency_of_code(code: Any) -> str:
    """The currency's id as a text, `''` for an unknown code."""
    return _currency_codes().get(code, "") if isinstance(code, str) else ""


def currency_code(number: str) -> str:
    """The ISO code of a currency's id, `''` for an unknown one."""
    return next((code for code, own in _currency_codes().items() if own == number), "")


@cache
def _languages() -> dict[str, str]:
    return {x["locale"]: x["id"] for x in statics()["languages"]}


def language_of_code(locale: Any) -> str:
    """The language's id as a text, `''` for an unknown one."""
    return _languages().get(locale, "") if isinstance(locale, str) else ""


def bulk_columns() -> list[str]:
    """The columns that bulk_update takes (Client.php:230-239)."""
    columns: list[str] = statics()["bulk_updates"]["client"]
    return columns
