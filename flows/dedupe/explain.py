"""Reasons, in words, for and against two clients being the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flows.dedupe.comparable import Comparable
from flows.dedupe.keys import values_of
from flows.show.counted import counted
from schemas.extras import needs

with needs("dedupe"):
    from rapidfuzz.distance import OSA

KEYS: Final = {
    "vat_number": "VAT number",
    "id_number": "register number",
    "emails": "e-mail address",
    "phones": "phone",
}
"""The keys that prove much on their own, with their names for people."""
FEW_LETTERS: Final = 3


def keys_of(client: Comparable, other: Comparable) -> list[str]:
    """Return the keys that both clients share."""
    return [name for name in KEYS if _shared(client, other, name)]


def reasons(client: Comparable, other: Comparable) -> tuple[list[str], list[str]]:
    """Return the reasons for and against two clients being the same, as short texts, the strongest first.

    The texts hold no value of a client: they are stored, and shown beside the records.
    """
    speaking_for = [f"same {KEYS[name]}" for name in keys_of(client, other)]
    against = [f"different {label}" for name, label in KEYS.items() if _differ(client, other, name)]
    for said, speaks_for in (
        _name(client, other),
        _address(client, other),
        _place(client, other),
        _domain(client, other),
    ):
        if said:
            (speaking_for if speaks_for else against).append(said)
    if client.country and other.country and client.country != other.country:
        against.append("different countries")
    return speaking_for, against


def _shared(client: Comparable, other: Comparable, name: str) -> bool:
    return bool(set(values_of(client, name)) & set(values_of(other, name)))


def _differ(client: Comparable, other: Comparable, name: str) -> bool:
    return bool(values_of(client, name) and values_of(other, name)) and not _shared(client, other, name)


def _name(client: Comparable, other: Comparable) -> tuple[str, bool]:
    if not (client.name and other.name):
        return "", True
    if client.name == other.name:
        return "same name", True
    apart = OSA.distance(client.name, other.name)
    if apart <= FEW_LETTERS and min(len(client.name), len(other.name)) > 2 * apart:
        return f"names differ by {counted(apart, 'letter')}", True
    if set(client.words) <= set(other.words) or set(other.words) <= set(client.words):
        return "one name holds the other", True
    if len(set(client.words) & set(other.words)) * 2 >= max(len(client.words), len(other.words)):
        return "names share most words", True
    return "different names", False


def _address(client: Comparable, other: Comparable) -> tuple[str, bool]:
    if not (client.street and other.street):
        return "", True
    if client.street == other.street:
        return ("same address", True) if client.house == other.house else ("same street", True)
    near = OSA.normalized_similarity(client.street, other.street) > 0.8  # noqa: PLR2004 - a typo or two
    return ("similar street", True) if near else ("different street", False)


def _place(client: Comparable, other: Comparable) -> tuple[str, bool]:
    compared: list[tuple[str, Callable[[Comparable], str | None]]] = [
        ("postal code", lambda client: client.postal_code), ("city", lambda client: client.city),
    ]  # fmt: skip
    for label, value in compared:
        if value(client) and value(other):
            same = value(client) == value(other)
            return f"{'same' if same else 'different'} {label}", same
    return "", True


def _domain(client: Comparable, other: Comparable) -> tuple[str, bool]:
    if not (client.domain and other.domain):
        return "", True
    same = client.domain == other.domain
    return ("same domain", True) if same else ("different domain", False)
