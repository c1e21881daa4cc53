"""Choose the client to keep among duplicates, by rules in an order that people can read and change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from schemas.client import Client, as_dict
from schemas.errors import SettingsError

Score = Callable[[Client], float]
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def _filled(client: Client) -> int:
    """Return the number of columns that have a value."""
    return sum(value not in (None, "", {}, [], 0, False) for value in as_dict(client).values())


RULES: Final[Mapping[str, Score]] = {
    "active": lambda client: client.status == "active",
    "has_balance": lambda client: client.balance != 0,
    "has_paid": lambda client: client.paid_to_date != 0,
    "most_paid": lambda client: float(client.paid_to_date),
    "most_contacts": lambda client: len(client.contacts),
    "most_documents": lambda client: len(client.documents),
    "most_complete": _filled,
    "valid_vat_number": lambda client: bool(client.has_valid_vat_number),
    "has_id_number": lambda client: client.id_number is not None,
    "most_recent_activity": lambda client: (client.updated_at or _LONG_AGO).timestamp(),
    "oldest": lambda client: -(client.created_at or _LONG_AGO).timestamp(),
    "newest": lambda client: (client.created_at or _LONG_AGO).timestamp(),
}
"""The score of each rule: the client with the highest one is preferred. Money is only compared here, never stored."""

WORDS: Final[Mapping[str, str]] = {
    "active": "is active",
    "has_balance": "has a balance",
    "has_paid": "has paid",
    "most_paid": "has paid most",
    "most_contacts": "has most contacts",
    "most_documents": "has most documents",
    "most_complete": "has most fields filled in",
    "valid_vat_number": "has a valid VAT number",
    "has_id_number": "has an ID number",
    "most_recent_activity": "was changed last",
    "oldest": "was created first",
    "newest": "was created last",
    "equal in all, the smallest id": "no rule prefers another",
}
"""What each rule says of the client that it prefers, and what `why` says if no rule prefers any."""

DEFAULT: Final = ("active", "has_balance", "has_paid", "most_complete", "oldest")


def survivor_of(clients: Sequence[Client], rules: Sequence[str] = DEFAULT) -> Client:
    """Return the client to keep: by the first rule, the next one if scores are equal, and finally the smallest id.

    Raises SettingsError for an unknown rule.
    """
    unknown = [rule for rule in rules if rule not in RULES]
    if unknown:
        raise SettingsError(f"There is no survivor rule {unknown[0]!r}. The rules are: {', '.join(RULES)}.")
    ordered = sorted(clients, key=lambda client: client.id)
    return max(ordered, key=lambda client: tuple(RULES[rule](client) for rule in rules))


def why(survivor: Client, others: Sequence[Client], rules: Sequence[str] = DEFAULT) -> str:
    """Return the name of the rule that decided."""
    left = [client for client in others if client.id != survivor.id]
    for rule in rules:
        score = RULES[rule]
        left = [client for client in left if score(client) == score(survivor)]
        if not left:
            return rule
    return "equal in all, the smallest id"


def in_words(rule: str) -> str:
    """Return what a rule, or another answer of `why`, says of the client kept.

    >>> in_words("has_balance")
    'has a balance'
    """
    return WORDS.get(rule, rule)
