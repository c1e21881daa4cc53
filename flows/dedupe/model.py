"""The model: how probable it is that two clients are the same.

Each level that a pair reaches (levels.py) adds its weight to the logarithm of the odds. `model.json` holds the weights
that ship with Ninja Sync, fitted to labelled books (tests/bench/dedupe_fit.py); a company's own decisions refit them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa

from flows.dedupe.comparable import Comparable
from flows.dedupe.levels import COMPARISONS
from flows.dedupe.pairs import levels_of, prepared

SHIPPED: Final = Path(__file__).with_name("model.json")
LEAST: Final = 0.01
"""Pairs less probable than this are dropped, and count as unlike."""
HIGHEST_IN_CONFLICT: Final = 0.5
"""The highest probability of a pair with a hard conflict: a person may decide, a program may not."""


@dataclass(frozen=True, slots=True)
class Model:
    """Weights by comparison and level, and the bias: natural logarithms of odds."""

    bias: float = 0.0
    weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def shipped() -> Model:
    """Return the model that ships with Ninja Sync."""
    told = json.loads(SHIPPED.read_text(encoding="utf-8"))
    return Model(told["bias"], told["weights"])


def predicted(clients: Sequence[Comparable], model: Model | None = None, *, folder: Path | None = None) -> pa.Table:
    """Return the pairs that may be the same: id_l, id_r, match_probability, in_conflict, and their levels by comparison."""
    with prepared(clients, folder) as connection:
        kept = f"match_probability >= {LEAST}"
        parts = [
            connection.sql(f"select * from (select *, {probability(model or shipped())} from part) where {kept}").to_arrow_table()
            for part in levels_of(connection)
        ]
    return pa.concat_tables(parts)


def probability(model: Model) -> str:
    """Return the SQL expressions of match_probability and in_conflict, from the levels."""
    terms, hard = [repr(model.bias)], ["false"]
    for comparison in COMPARISONS:
        weights = model.weights.get(comparison.name, {})
        cases = " ".join(
            f"when {rank} then {weights.get(level.name, 0.0)!r}" for rank, level in enumerate(comparison.levels, 1)
        )
        terms.append(f'case "{comparison.name}" {cases} else 0 end')
        hard += [f'"{comparison.name}" = {rank}' for rank, level in enumerate(comparison.levels, 1) if level.hard]
    conflict = " or ".join(hard)
    odds = f"1 / (1 + exp(-({' + '.join(terms)})))"
    return f"{conflict} as in_conflict, case when {conflict} then least({odds}, {HIGHEST_IN_CONFLICT}) else {odds} end as match_probability"
