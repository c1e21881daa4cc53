"""One group of duplicates with everything that a person needs to decide on it, read without reading other groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from flows.dedupe.decisions import inherited
from flows.dedupe.groups import Member, warnings_of
from flows.dedupe.review import Case, cases_of, pairs_in
from flows.dedupe.strengths import Weighed, weighed_pairs
from flows.merge.survivor import DEFAULT
from warehouse.control.dedupe import Pair, pairs_among
from warehouse.control.duplicate_decisions import Standing, standing_of
from warehouse.engine.seam import Warehouse


@dataclass(frozen=True, slots=True)
class Said:
    """One decision on pairs of a group. It has no author and no time if it is carried over from merged clients."""

    decision: str
    pairs: Sequence[Pair]
    author: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OneGroup:
    """A case, with its decisions and their authors, and how much each reason weighs, as far as that is known."""

    case: Case
    standing: Standing
    weighed: Mapping[Pair, Weighed] = field(repr=False)

    @property
    def members(self) -> list[Member]:
        """Its clients as a list of groups shows them."""
        lines = {line.name: line.values for line in self.case.lines}

        def text(name: str, place: int) -> str:
            return str(lines[name][place] or "") if name in lines else ""

        def balance(place: int) -> Decimal:
            value = lines["balance"][place] if "balance" in lines else None
            return value if isinstance(value, Decimal) else Decimal(0)

        return [
            Member(
                client_id, text("number", place), text("display_name", place), text("status", place),
                text("currency_code", place) or None, balance(place), text("vat_number", place),
            )
            for place, client_id in enumerate(self.case.ids)
        ]  # fmt: skip

    @property
    def said(self) -> list[Said]:
        """The decisions so far; those that one person made at one moment are one."""
        made: dict[tuple[str, str, datetime | None], list[Pair]] = {}
        for decision in self.standing.decisions:
            if set(decision.pair) <= set(self.case.ids):
                made.setdefault((decision.decision, decision.author, decision.at), []).append(decision.pair)
        own = self.standing.by_pair
        for pair in pairs_in(self.case.ids):
            if pair in self.case.decided and pair not in own:
                made.setdefault((self.case.decided[pair], "", None), []).append(pair)
        return [Said(decision, pairs, author, at) for (decision, author, at), pairs in made.items()]

    @property
    def warnings(self) -> list[str]:
        """What a person should look at before a merge of its clients."""
        return warnings_of(self.members, in_conflict=bool(self.case.conflicts))

    @property
    def probability(self) -> float | None:
        """The probability of its best pair; None if the last search found none of its pairs."""
        return max((pair.probability for pair in self.case.pairs), default=None)


def read_group(
    warehouse: Warehouse, name: str, ids: Sequence[str], *, rules: Sequence[str] = DEFAULT
) -> OneGroup | None:
    """Return the group of these clients. None if fewer than two of them are left in the mirror.

    Clients that were merged or removed meanwhile are left out. `rules` choose the client to keep, unless a person has.
    """
    standing, pairs = standing_of(warehouse, name, ids), pairs_among(warehouse, name, ids)
    among = set(pairs_in(ids))
    decided = {pair: decision for pair, decision in inherited(warehouse, name).items() if pair in among}
    made = cases_of(warehouse, name, [ids], pairs, rules, {**decided, **standing.by_pair}, standing.chosen)
    return OneGroup(made[0], standing, weighed_pairs(warehouse, name, ids)) if made else None
