"""What a review asks: the cases that nobody has decided on, those that teach most first.

A pair at a probability near 0.5 teaches most: the model does not know, and a person does. Pairs that no cluster holds
are asked about too, as cases of two, or nobody would ever correct the model where it says too little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from typing import Final

from flows.configuration.values import Settings
from flows.dedupe.decisions import decided_now
from flows.dedupe.groups import open_groups
from flows.dedupe.review import Case, cases_of
from flows.merge.survivor import DEFAULT
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from warehouse.control.dedupe import Pair, known_pairs

LEAST_ASKED: Final = 0.2
"""Below this probability, a pair that no cluster holds is not asked about."""
MOST_ASKED: Final = 1_000
"""The most pairs of clients in no cluster that are stored to be asked about."""
EVEN: Final = 0.5


def to_ask(probable: Mapping[Pair, float], conflicts: Set[Pair], inside: Set[Pair], threshold: float) -> set[Pair]:
    """Return the pairs to ask about that no cluster holds: the most uncertain below the threshold, conflicts last.

    Probable pairs with a client of a cluster are never too many: they make that cluster uncertain (`plan.torn`).
    """
    unsure = [pair for pair, p in probable.items() if LEAST_ASKED <= p < threshold and pair not in inside]
    unsure.sort(key=lambda pair: (pair in conflicts, abs(probable[pair] - EVEN), pair))
    clustered = {client_id for pair in inside for client_id in pair}
    beside = {pair for pair in unsure if probable[pair] >= EVEN and pair not in conflicts and clustered & set(pair)}
    return beside.union(unsure[:MOST_ASKED])


def questions(
    settings: Settings, name: str, *, rules: Sequence[str] = DEFAULT, clock: Clock = SYSTEM_CLOCK
) -> list[Case]:
    """Return the open cases in the order to ask, which is that of `open_groups`. `rules` are those of `cases`."""
    with open_ready(settings, clock) as warehouse:
        asked = {tuple(group.ids): group.single for group in open_groups(warehouse, name)}
        pairs, decided = known_pairs(warehouse, name), decided_now(warehouse, name)
        made = cases_of(warehouse, name, list(asked), pairs, rules, decided)
    return [replace(case, less_likely=asked[tuple(case.ids)]) for case in made]
