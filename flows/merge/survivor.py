"""Who survives of several clients that are one: by rules in an order that a person can read and change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from schemas.client import Client, as_dict
from schemas.errors import SettingsError

Score = Callable[[Client], float]
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def _filled(client: Client) -> int:
    """How many of its columns say something."""
    return sum(value not in (None, "", {}, [], 0, False) for value in as_dict(client).values())


RULES: Final[Mapping[str, Score]] = {
    "active": lambda one: one.status == "active",
    "has_balance": lambda one: one.balance != 0,
    "has_paid": lambda one: one.paid_to_date != 0,
    "most_paid": lambda one: float(one.paid_to_date),
    "most_contacts": lambda one: len(one.contacts),
    "most_documents": lambda one: len(one.documents),
    "most_complete": _filled,
    "valid_vat_number": lambda one: bool(one.has_valid_vat_number),
    "has_id_number": lambda one: one.id_number is not None,
    "most_recent_activity": lambda one: (one.updated_at or _LONG_AGO).timestamp(),
    "oldest": lambda one: -(one.created_at or _LONG_AGO).timestamp(),
    "newest": lambda one: (one.created_at or _LONG_AGO).timestamp(),
}
"""What each rule prefers: the client with the highest score. Money is only compared here, never kept."""

DEFAULT: Final = ("active", "has_balance", "has_paid", "most_complete", "oldest")


def survivor_of(clients: Sequence[Client], rules: Sequence[str] = DEFAULT) -> Client:
    """The client that survives: the first rule decides, the next one between equals, at last the smallest id.

    Raises SettingsError for a rule that there is none of.
    """
    unknown = [rule for rule in rules if rule not in RULES]
    if unknown:
        raise SettingsError(f"There is no survivor rule {unknown[0]!r}; there is: {', '.join(RULES)}.")
    ordered = sorted(clients, key=lambda one: one.id)
    return max(ordered, key=lambda one: tuple(RULES[rule](one) for rule in rules))


def why(survivor: Client, others: Sequence[Client], rules: Sequence[str] = DEFAULT) -> str:
    """The rule that decided, in its own word."""
    left = [one for one in others if one.id != survivor.id]
    for rule in rules:
        score = RULES[rule]
        left = [one for one in left if score(one) == score(survivor)]
        if not left:
            return rule
    return "equal in all, the smallest id"
