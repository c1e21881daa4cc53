"""Queued changes as people look at them, a page at a time: the client, the field in words, the state in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from flows.ask.ask import reading
from flows.ask.field_names import field_labels, field_name
from flows.configuration.values import Settings
from flows.push.outbox import of_no_source
from warehouse.control.outbox import OF_REJECTED, OPEN, REFUSED_STATE, WAITING
from warehouse.engine.sql import statement

AT_ONCE: Final = 100
"""Changes of one page."""
WORDS: Final[Mapping[str, str]] = {
    WAITING: "waits for a plan",
    REFUSED_STATE: "refused",
    OF_REJECTED: "its plan was rejected",
    "planned": "in a plan",
    "applying": "in a plan that is not finished",
    "applied": "written",
    "there already": "was there already",
}
"""States of a change in words; any other state is its outcome, which is a word already."""
TAKEN: Final = "taken"
"""The group of the changes that are in a plan, or done. The other groups are the states in OPEN."""
_NEXT: Final[Mapping[str, str]] = {
    REFUSED_STATE: "Withdraw it and queue a value that can be written. Or queue it again, once the reason is gone.",
    OF_REJECTED: "Queue it again if it is right. Else withdraw it.",
}


@dataclass(frozen=True, slots=True)
class QueuedChange:
    """One queued change and its client. `why` is the reason of a refusal or rejection, or says more of its outcome."""

    change_id: str
    source: str
    client_id: str
    column: str
    value: str | None = field(repr=False)
    reason: str | None = field(repr=False)
    author: str
    queued_at: datetime
    state: str
    why: str = field(repr=False)
    plan_id: str | None
    number: str | None
    client: str | None = field(repr=False)
    field_name: str = ""

    @property
    def words(self) -> str:
        """The state in words."""
        return WORDS.get(self.state, self.state)

    @property
    def next_step(self) -> str:
        """The next thing to do, in words; '' if there is none."""
        return _NEXT.get(self.state, "")

    @property
    def can_be_withdrawn(self) -> bool:
        """Whether no plan will send it."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of queued changes, how many there are in the chosen group, and how many in each group."""

    changes: Sequence[QueuedChange]
    total: int
    by_group: Mapping[str, int]


def queue_page(
    settings: Settings, source: str | None = None, page: int = 1, *, group: str | None = None, most: int = AT_ONCE
) -> QueuePage:
    """Return a page of the queued changes of a source, or of all, the newest first.

    `group` is TAKEN or a state in OPEN; without it, the changes are those that no plan will send.
    """
    groups = sorted(OPEN) if group is None else [group]
    grouped = statement("shown_plans/queue_grouped")
    of_groups = statement("shown_plans/queue_of_groups").format(grouped=grouped)
    queued = statement("read/changes").format(outbox=f"({of_groups})")
    with reading(settings, newest=True) as warehouse:
        columns, counts = warehouse.answer(
            statement("shown_plans/queue_counted").format(grouped=grouped), {"source": source}
        )
        rows: list[tuple[Any, ...]] = warehouse.rows(
            statement("shown_plans/queue").format(queued=queued),
            {"source": source, "groups": groups, "first": (page - 1) * most, "most": most},
        )
        labels = field_labels(warehouse)
        known = {*settings.sources, *(str(name) for (name,) in warehouse.rows("select source from control.sources"))}
    by_group = {name: int(str(number or 0)) for name, number in zip(columns, counts[0], strict=True)}
    shown = [_named(QueuedChange(*row), labels, known) for row in rows]
    return QueuePage(shown, sum(by_group.get(name, 0) for name in groups), by_group)


def _named(change: QueuedChange, labels: Mapping[str, Mapping[str, str]], known: Set[str]) -> QueuedChange:
    """Return a change with its field in words, and with the reason why its source is unknown."""
    why = change.why or of_no_source(change.state, change.source, known)
    return replace(change, field_name=field_name(change.column, labels.get(change.source)), why=why)
