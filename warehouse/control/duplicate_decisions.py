"""Decisions of people about a few clients, each with its author, and how to take one back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from warehouse.control.dedupe import Pair
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's newest decision about two clients."""

    pair: Pair
    decision: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """A client that a person chose to keep."""

    client_id: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """All decisions and choices about some clients, the newest first."""

    decisions: Sequence[Decision] = ()
    choices: Sequence[Choice] = ()

    @property
    def mark(self) -> str:
        """A short text that differs as soon as anybody decides, chooses, or takes back."""
        lines = [*map(repr, self.decisions), *map(repr, self.choices)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]

    @property
    def by_pair(self) -> Mapping[Pair, str]:
        """The decision about each pair."""
        return {decision.pair: decision.decision for decision in self.decisions}

    @property
    def chosen(self) -> Sequence[str]:
        """The clients chosen to be kept, the newest choice first."""
        return [choice.client_id for choice in self.choices]


def standing_of(warehouse: Warehouse, source: str, ids: Sequence[str]) -> Standing:
    """Return what people have decided about pairs of the given clients, and which of them they chose to keep."""
    values = {"source": source, "ids": list(ids)}
    decisions = warehouse.rows(statement("duplicate_groups/decisions"), values)
    choices = warehouse.rows(statement("duplicate_groups/survivors"), values)
    return Standing(
        [
            Decision((str(a), str(b)), str(decision), str(author), at)
            for a, b, decision, author, at in decisions
            if isinstance(at, datetime)
        ],
        [Choice(str(key), str(author), at) for key, author, at in choices if isinstance(at, datetime)],
    )


def carried_over(warehouse: Warehouse, source: str) -> dict[Pair, str]:
    """Return the newest decisions about two clients, if at least one of the two is not in the mirror."""
    rows = warehouse.rows(statement("duplicate_groups/carried"), {"source": source})
    return {(str(a), str(b)): str(decision) for a, b, decision in rows}


def take_back(
    warehouse: Warehouse, source: str, ids: Sequence[str], *, author: str, at: datetime, kept: str = ""
) -> None:
    """Remove the decisions that one person made about these clients at one moment, and the choice made with them.

    Earlier decisions then count again, and later ones still do. Publications compare the number of decisions, which
    only grows otherwise, so the copies for readers are marked as out of date.
    """
    values = {"source": source, "ids": list(ids), "author": author, "decided_at": at}
    warehouse.execute(statement("duplicate_groups/take_back_decision"), values)
    if kept:
        choice = {"source": source, "id": kept, "author": author, "chosen_at": at}
        warehouse.execute(statement("duplicate_groups/take_back_choice"), choice)
    warehouse.execute("update control.published set changed_runs = -1")
