"""One merge of a plan as a page shows it: its clients, state, figures, contacts and fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from flows.merge.effect import Effect, balance_in_words, effect_of, in_words, side_of
from flows.merge.stored import StoredMerge, StoredMerges
from schemas.journal import Outcome
from schemas.merge_preview import Figure
from warehouse.control.plans import UNMERGED

STATES: Final[Mapping[str, tuple[str, str]]] = {
    "planned": ("not merged", ""), "checked": ("begun, not merged", "look"), "rescued": ("begun, not merged", "look"),
    "merged": ("merged, values missing", "look"), "done": ("merged", "good"),
    "done without rescue": ("merged, without last values", "good"),
}  # fmt: skip
CHECKS: Final[Mapping[Outcome, str]] = {
    Outcome.APPLIED: "Checked right after the merge: the other client is gone, and the figures are as they should be.",
    Outcome.CONFLICT: "The other client is gone, but the figures are not the sum. Compare them with the open invoices.",
    Outcome.NOT_APPLIED: "The server has not merged them: both are unchanged.",
    Outcome.UNKNOWN: "What the server has done is not known. Look at both clients in Invoice Ninja.",
}


@dataclass(frozen=True, slots=True)
class FigureShown:
    """One figure of both clients, afterwards, and in the mirror since the merge."""

    figure: Figure = field(repr=False)
    now: Decimal | None = field(repr=False)

    @property
    def label(self) -> str:
        """Its name for people."""
        return in_words(self.figure.name)

    @property
    def note(self) -> str:
        """A note on it, if there is an amount."""
        return self.figure.note if self.figure.survivor or self.figure.mergeable else ""

    @property
    def sides(self) -> Sequence[str]:
        """Of a balance: whether it is owed or overpaid, at the client kept, at the other one, and afterwards."""
        of = self.figure
        return [side_of(value) for value in (of.survivor, of.mergeable, of.after)] if of.name == "balance" else []


@dataclass(frozen=True, slots=True)
class Shown:
    """One merge on the page: its number in the plan, its clients, figures and effect."""

    number: int
    merge: StoredMerge
    effect: Effect = field(repr=False)

    @property
    def kept(self) -> str:
        """Number and name of the client kept."""
        return self.merge.step.label_of(self.merge.step.survivor_id) or "a client without a name"

    @property
    def gone(self) -> str:
        """Number and name of the client merged in."""
        return self.merge.step.label_of(self.merge.step.mergeable_id) or "a client without a name"

    @property
    def state(self) -> tuple[str, str]:
        """The state in words, and the kind of its badge."""
        return STATES.get(self.merge.state, (self.merge.state, ""))

    @property
    def balance(self) -> Sequence[str]:
        """The balances of both, and the sum at the client kept, in words."""
        (figure,) = (one for one in self.merge.preview.figures if one.name == "balance")
        ours, theirs = self.merge.preview.currencies
        pairs = ((figure.survivor, ours), (figure.mergeable, theirs), (figure.after, ours))
        return [balance_in_words(value, code) for value, code in pairs]

    @property
    def figures(self) -> Sequence[FigureShown]:
        """Each figure, with its value in the mirror if that was read after the merge."""
        now = self.merge.now.figures if self.merge.now else {}
        return [FigureShown(one, now.get(one.name)) for one in self.merge.preview.figures]

    @property
    def agrees(self) -> bool | None:
        """Whether the figures in the mirror are those of the plan; None if they cannot be compared."""
        if self.merge.now is None or self.merge.again:
            return None
        return all(self.merge.now.figures[one.name] == one.after for one in self.merge.preview.figures)

    @property
    def check(self) -> str:
        """The result of the check right after the merge, in words."""
        return CHECKS.get(self.merge.checked, "") if self.merge.checked else ""

    @property
    def is_merged(self) -> bool:
        """Whether the merge is done, with or without its last values."""
        return self.merge.state not in UNMERGED


def shown(found: StoredMerges) -> list[Shown]:
    """Return the merges of a plan for its page."""
    return [
        Shown(number, merge, effect_of(merge.preview, found.names, merge.step.remarks, found.labels))
        for number, merge in enumerate(found.merges, start=1)
    ]
