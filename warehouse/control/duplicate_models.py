"""Models of duplicates in the warehouse: learned from the decisions of one source, kept, and one of them in use.

They hold numbers only, nothing of a client, so an erasure leaves them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model: when and by whom it was learned, for which kind of clients, and from how many decisions.

    `figures` say how good it and the model before were; `weights` has the bias, and the weight of each level.
    """

    model_id: str
    made_at: datetime
    author: str
    kind: str
    decisions: int
    figures: Mapping[str, Any]
    weights: Mapping[str, Any]
    in_use: bool = False


def store_model(warehouse: Warehouse, source: str, model: StoredModel) -> None:
    """Store a model. It is in use from now on if it says so."""
    values = {
        "source": source, "model_id": model.model_id, "made_at": model.made_at, "author": model.author,
        "kind": model.kind, "decisions": model.decisions, "figures": json.dumps(dict(model.figures)),
        "weights": json.dumps(dict(model.weights)),
    }  # fmt: skip
    with warehouse.transaction():
        warehouse.execute(statement("dedupe/insert_model"), values)
        if model.in_use:
            use_model(warehouse, source, model.model_id)


def use_model(warehouse: Warehouse, source: str, model_id: str) -> None:
    """Use one model of a source; with an empty id, none of them, which leaves the shipped one."""
    warehouse.execute(statement("dedupe/use_model"), {"source": source, "model_id": model_id})


def models_of(warehouse: Warehouse, source: str) -> list[StoredModel]:
    """Return the models learned for a source, the newest first."""
    return [
        StoredModel(
            str(model_id), made_at, str(author), str(kind), int(str(decisions)), json.loads(str(figures)),
            json.loads(str(weights)), bool(in_use),
        )
        for model_id, made_at, author, kind, decisions, figures, weights, in_use in warehouse.rows(
            statement("dedupe/models"), {"source": source}
        )
        if isinstance(made_at, datetime)
    ]  # fmt: skip


def since_learned(warehouse: Warehouse, source: str) -> int:
    """Return the number of pairs that people have decided on since a model was last learned."""
    ((count,),) = warehouse.rows(statement("dedupe/since_learned"), {"source": source})
    return int(str(count))
