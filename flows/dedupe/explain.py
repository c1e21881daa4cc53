"""Why two clients are taken for one, in words; and what speaks against it."""

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
"""What alone proves much: the deterministic keys, and what they are called."""
FEW_LETTERS: Final = 3


def keys_of(one: Comparable, other: Comparable) -> list[str]:
    """The keys that both share."""
    return [name for name in KEYS if _shared(one, other, name)]


def reasons(one: Comparable, other: Comparable) -> tuple[list[str], list[str]]:
    """What speaks for two clients being one, and what against: each a short text, the strongest first.

    No value of a client is in it: the texts are kept, and shown beside the records.
    """
    told_for = [f"same {KEYS[name]}" for name in keys_of(one, other)]
    against = [f"different {label}" for name, label in KEYS.items() if _differ(one, other, name)]
    for said, speaks_for in (_name(one, other), _address(one, other), _place(one, other), _domain(one, other)):
        if said:
            (told_for if speaks_for else against).append(said)
    if one.country and other.country and one.country != other.country:
        against.append("different countries")
    return told_for, against


def _shared(one: Comparable, other: Comparable, name: str) -> bool:
    return bool(set(values_of(one, name)) & set(values_of(other, name)))


def _differ(one: Comparable, other: Comparable, name: str) -> bool:
    return bool(values_of(one, name) and values_of(other, name)) and not _shared(one, other, name)


def _name(one: Comparable, other: Comparable) -> tuple[str, bool]:
    if not (one.name and other.name):
        return "", True
    if one.name == other.name:
        return "same name", True
    apart = OSA.distance(one.name, other.name)
    if apart <= FEW_LETTERS and min(len(one.name), len(other.name)) > 2 * apart:
        return f"names differ by {counted(apart, 'letter')}", True
    if set(one.words) <= set(other.words) or set(other.words) <= set(one.words):
        return "one name holds the other", True
    if len(set(one.words) & set(other.words)) * 2 >= max(len(one.words), len(other.words)):
        return "names share most words", True
    return "different names", False


def _address(one: Comparable, other: Comparable) -> tuple[str, bool]:
    if not (one.street and other.street):
        return "", True
    if one.street == other.street:
        return ("same address", True) if one.house == other.house else ("same street", True)
    near = OSA.normalized_similarity(one.street, other.street) > 0.8  # noqa: PLR2004 - a slip of the pen or two
    return ("similar street", True) if near else ("different street", False)


def _place(one: Comparable, other: Comparable) -> tuple[str, bool]:
    compared: list[tuple[str, Callable[[Comparable], str | None]]] = [
        ("postal code", lambda client: client.postal_code), ("city", lambda client: client.city),
    ]  # fmt: skip
    for label, value in compared:
        if value(one) and value(other):
            same = value(one) == value(other)
            return f"{'same' if same else 'different'} {label}", same
    return "", True


def _domain(one: Comparable, other: Comparable) -> tuple[str, bool]:
    if not (one.domain and other.domain):
        return "", True
    same = one.domain == other.domain
    return ("same domain", True) if same else ("different domain", False)
