"""The differences between two versions of a record, field by field, for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = msgspec.json.Encoder(decimal_format="number")

UNTOLD = frozenset({"updated_at", "last_login"})
"""Fields that move without a change of the record."""


class Change(msgspec.Struct, frozen=True):
    """A record that is new (`before` is None) or changed, as JSON without secrets."""

    id: str
    before: str | None
    after: str


class Difference(msgspec.Struct, frozen=True):
    """One field that differs; `''` stands for an empty value."""

    field: str
    before: str
    after: str


def differences(before: str | None, after: str) -> list[Difference]:
    """The differences between two records (JSON texts); for a new record, all its fields that are not empty.

    Values with equal text are not decoded: a load that changes every client compares each of them.
    """
    old, new = _PARTS.decode(before) if before else {}, _PARTS.decode(after)
    differing: list[Difference] = []
    for key in [*new, *(k for k in old if k not in new)]:
        if key not in UNTOLD and old.get(key) != new.get(key):
            differing += _compared(key, _value(old.get(key)), _value(new.get(key)))
    return differing


def _value(text: msgspec.Raw | None) -> object:
    return None if text is None else _DECODER.decode(text)


def _compared(place: str, old: object, new: object) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*new, *(k for k in old if k not in new)]:
            if key not in UNTOLD:
                yield from _compared(f"{place}.{key}" if place else key, old.get(key), new.get(key))
    elif _is_records(old) and _is_records(new):
        yield from _compared(place, _by_id(old), _by_id(new))
    else:
        in_words = _moment if place.endswith("_at") else _in_words
        if in_words(old) != in_words(new):
            yield Difference(place, in_words(old), in_words(new))


def _is_records(value: object) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(child, dict) for child in value))


def _by_id(value: object) -> dict[str, object]:
    """Children by their id, so that another order is no difference."""
    children = value if isinstance(value, list) else []
    return {str(child.get("id", n)): child for n, child in enumerate(children)}


def _moment(value: object) -> str:
    """Unix seconds in the form that people read, in UTC."""
    if not isinstance(value, int) or not value:
        return ""
    return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _in_words(value: object) -> str:
    if value is None or value in ("", {}, []):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else _ENCODER.encode(value).decode()
