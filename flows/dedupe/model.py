"""The model: how probable it is that two clients are the same.

Each level that a pair reaches (levels.py) adds its weight to the logarithm of the odds. `model.json` holds the weights
that ship with Ninja Sync, fitted to labelled records (tests/bench/dedupe_fit.py), once for books of companies and
people, and once for lists in which each address belongs to one client (book.sql decides which it is).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from flows.dedupe.comparable import Comparable
from flows.dedupe.levels import COMPARISONS
from flows.dedupe.pairs import code_of_pairs, has_own_addresses, levels_of, prepared
from warehouse.control.duplicate_models import StoredModel, models_of
from warehouse.engine.seam import Warehouse

SHIPPED: Final = Path(__file__).with_name("model.json")
LEAST: Final = 0.01
"""Pairs less probable than this are dropped, and count as unlike."""
HIGHEST_IN_CONFLICT: Final = 0.5
"""The highest probability of a pair with a hard conflict: a person may decide, a program may not."""
BOOK: Final = "book"
LIST: Final = "list"


@dataclass(frozen=True, slots=True)
class Model:
    """Weights by comparison and level, and the bias: natural logarithms of odds.

    `kind` is BOOK or LIST, for which it was made; empty for any.
    """

    bias: float = 0.0
    weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    kind: str = ""

    @property
    def is_current(self) -> bool:
        """Whether it has a weight for each level that there is, and for no other."""
        levels = {comparison.name: {level.name for level in comparison.levels} for comparison in COMPARISONS}
        return {name: set(weights) for name, weights in self.weights.items()} == levels


def shipped(kind: str = BOOK) -> Model:
    """Return the model that ships with Ninja Sync, for a BOOK, or for a LIST of clients with addresses of their own."""
    stored = json.loads(SHIPPED.read_text(encoding="utf-8"))[kind]
    return Model(stored["bias"], stored["weights"], kind)


def as_model(stored: StoredModel) -> Model | None:
    """Return a learned model; None if another version made it, whose levels were others."""
    weights = stored.weights
    model = Model(float(weights["bias"]), weights["weights"], stored.kind)
    return model if model.is_current else None


def model_in_use(warehouse: Warehouse, source: str) -> Model | None:
    """Return the learned model that a source uses; None if it is the shipped one."""
    stored = next((model for model in models_of(warehouse, source) if model.in_use), None)
    return None if stored is None else as_model(stored)


def digest_of(model: Model) -> str:
    """Return a digest of all that a score follows from: the model, and the code that compares two clients."""
    decisive = [code_of_pairs(), model.bias, sorted((name, sorted(own.items())) for name, own in model.weights.items())]
    return hashlib.sha256(repr(decisive).encode()).hexdigest()[:32]


def model_by_digest(warehouse: Warehouse, source: str, digest: str) -> Model | None:
    """Return the model whose digest was stored with the scores of a source; None if another version made them."""
    learned = [as_model(stored) for stored in models_of(warehouse, source)]
    known = [shipped(BOOK), shipped(LIST), *(model for model in learned if model is not None)]
    return next((model for model in known if digest_of(model) == digest), None)


def kind_of(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the kind of the prepared clients: BOOK or LIST."""
    return LIST if has_own_addresses(connection) else BOOK


def model_for(connection: duckdb.DuckDBPyConnection, model: Model | None) -> Model:
    """Return the model for the prepared clients: the given one if it is for their kind, else the shipped one."""
    kind = kind_of(connection)
    return model if model is not None and model.kind in {"", kind} else shipped(kind)


def predicted(clients: Sequence[Comparable], model: Model | None = None, *, folder: Path | None = None) -> pa.Table:
    """Return the pairs that may be the same: id_l, id_r, match_probability, in_conflict, and each comparison's rank.

    id_l is the smaller id. DuckDB may spill data into `folder` if memory runs short.
    """
    with prepared(clients, folder) as connection:
        return pa.concat_tables(scored(connection, model))


def scored(connection: duckdb.DuckDBPyConnection, model: Model | None = None) -> Iterator[pa.Table]:
    """Yield the pairs of prepared clients in parts; without a model of their kind, the shipped one decides."""
    decisive = model_for(connection, model)
    kept = f"select * from (select *, {probability(decisive)} from pairs) where match_probability >= {LEAST}"
    return levels_of(connection, kept)


def probability(model: Model) -> str:
    """Return the SQL expressions of in_conflict and match_probability, which read the ranks of the comparisons."""
    terms, hard = [repr(model.bias)], []
    for comparison in COMPARISONS:
        weights = model.weights.get(comparison.name, {})
        ranked = enumerate(comparison.levels, 1)
        cases = " ".join(f"when {rank} then {weights.get(level.name, 0.0)!r}" for rank, level in ranked)
        terms.append(f'case "{comparison.name}" {cases} else 0 end')
        hard += [f'"{comparison.name}" = {rank}' for rank in comparison.hard]
    conflict = " or ".join(hard)
    odds = f"1 / (1 + exp(-({' + '.join(terms)})))"
    highest = f"case when {conflict} then {HIGHEST_IN_CONFLICT} else 1 end"
    return f"{conflict} as in_conflict, least({odds}, {highest}) as match_probability"
