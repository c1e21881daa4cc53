"""Queued changes as people look at them, a page at a time: the client, the field in words, the state in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from flows.ask.ask import reading
from flows.ask.field_names import field_labels, field_name
from flows.configuration.values import Settings
from flows.push.outbox import of_no_source
from warehouse.control.outbox import HELD, OF_REJECTED, OPEN, REFUSED_STATE, WAITING
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

    @property
    def can_be_requeued(self) -> bool:
        """Whether the next plan leaves it out until somebody queues it again."""
        return self.state in HELD


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of queued changes in some states, how many there are of those, and how many in each state."""

    changes: Sequence[QueuedChange]
    total: int
    by_state: Mapping[str, int]


def queue_page(
    settings: Settings,
    source: str | None = None,
    page: int = 1,
    *,
    states: Collection[str] | None = None,
    most: int = AT_ONCE,
) -> QueuePage:
    """Return a page of the queued changes of a source, or of all, the newest first; without `states`, the open ones."""
    chosen = sorted(OPEN if states is None else states)
    queued = statement("read/changes").strip()
    with reading(settings, newest=True) as warehouse:
        counts: list[tuple[Any, ...]] = warehouse.rows(
            statement("shown_plans/queue_counted").format(queued=queued), {"source": source}
        )
        rows: list[tuple[Any, ...]] = warehouse.rows(
            statement("shown_plans/queue").format(queued=queued),
            {"source": source, "states": chosen, "first": (page - 1) * most, "most": most},
        )
        labels = field_labels(warehouse)
        known = {*settings.sources, *(str(name) for (name,) in warehouse.rows("select source from control.sources"))}
    by_state = {str(state): int(number) for state, number in counts}
    shown = [_named(QueuedChange(*row), labels, known) for row in rows]
    return QueuePage(shown, sum(by_state.get(state, 0) for state in chosen), by_state)


def _named(change: QueuedChange, labels: Mapping[str, Mapping[str, str]], known: Set[str]) -> QueuedChange:
    """Return a change with its field in words, and with the reason why its source is unknown."""
    why = change.why or of_no_source(change.state, change.source, known)
    return replace(change, field_name=field_name(change.column, labels.get(change.source)), why=why)
