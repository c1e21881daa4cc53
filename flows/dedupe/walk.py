"""A person's way through the groups to decide on: the order never changes on the way, and decisions can be undone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from flows.configuration.values import Settings
from flows.dedupe.decide import Noted, take_back_group
from flows.dedupe.groups import UNCERTAIN, open_groups
from flows.dedupe.side_by_side import DECIDED
from warehouse.control.dedupe import LATER, SAME_AS
from warehouse.engine.seam import Warehouse


@dataclass(frozen=True, slots=True)
class Stop:
    """A group on the way: its clients, and whether it is a single pair that no group holds."""

    ids: Sequence[str]
    single: bool = False


@dataclass(slots=True)
class Walk:
    """Groups of one source in the order to ask, and the decisions made on the way, each with its place."""

    source: str
    stops: Sequence[Stop]
    made: list[tuple[int, Noted]] = field(default_factory=list)

    def note(self, place: int, noted: Noted) -> None:
        """Remember a decision, so that it can be taken back. A second click on it is remembered once."""
        if (place, noted) not in self.made:
            self.made.append((place, noted))

    def take_back_last(self, settings: Settings) -> int | None:
        """Take back the last decision that still stands; return its place. None if there is none."""
        if not self.made:
            return None
        place, noted = self.made[-1]
        take_back_group(settings, self.source, noted)
        self.made.remove((place, noted))
        return place

    @property
    def decided(self) -> dict[int, str]:
        """The newest decision at each place that has one."""
        return {place: noted.decision for place, noted in self.made}

    @property
    def left(self) -> list[int]:
        """The places without a decision."""
        decided = self.decided
        return [place for place in range(len(self.stops)) if place not in decided]

    @property
    def joined(self) -> bool:
        """Whether clients were decided to be the same that no group holds: only the next search puts them together."""
        return any(self.stops[place].single and decision == SAME_AS for place, decision in self.decided.items())

    @property
    def following(self) -> str:
        """The next step: `find` again, `plan` the merges, or `review` what is left."""
        if self.joined:
            return "find"
        return "plan" if {*self.decided.values()} - {LATER} else "review"

    def counts(self) -> dict[str, int]:
        """Return the number of groups by their newest decision on this way; only decisions that were made."""
        counts = Counter(self.decided.values())
        return {decision: counts[decision] for decision in DECIDED if counts[decision]}

    def in_words(self) -> str:
        """Return how many groups were decided, and how many were not looked at, in words."""
        words = [f"{number:,} {DECIDED[decision]}" for decision, number in self.counts().items()]
        words += [f"{len(self.left):,} not looked at"] if self.left else []
        return ", ".join(words)


def walk_of(warehouse: Warehouse, name: str, *, by: str = UNCERTAIN) -> Walk:
    """Return the way through all groups and single pairs to decide on, in one of the orders of `open_groups`."""
    return Walk(name, [Stop(group.ids, group.single) for group in open_groups(warehouse, name, by=by)])
