"""What a search for duplicates keeps for the next one: each client's comparable forms, and the pairs with their scores.

All of it is made from the mirror, so it may be lost: the next search then compares all clients again. It holds personal
data, which an erasure removes with the client.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

if TYPE_CHECKING:
    import pyarrow as pa

TABLES = ("duplicate_forms", "duplicate_scores", "duplicate_basis")
BATCH = 20_000
"""Clients in a batch: enough for speed, few enough for memory."""


class Basis(msgspec.Struct, frozen=True):
    """What stored forms and scores were made by: digests, the lowest probability stored, the number of searches."""

    forms: str
    scores: str
    least: float
    searches: int


@dataclass(frozen=True, slots=True)
class Before:
    """The state of the last search: its basis, its pairs, and the clients that are not compared any more."""

    basis: Basis | None = None
    scores: pa.Table | None = None
    gone: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class After:
    """The state to store: the forms of clients that are new or differ, all pairs, and their basis.

    With `kept_forms`, the other stored forms hold. `changed` is whether anything differs from the state before.
    """

    basis: Basis
    forms: Iterable[pa.RecordBatch]
    ids: pa.Table
    scores: pa.Table
    kept_forms: bool
    changed: bool


def read_before(warehouse: Warehouse, source: str, *, deleted: bool) -> Before:
    """Return what the last search stored."""
    values = {"source": source, "deleted": deleted}
    basis = read_basis(warehouse, source)
    gone = [str(key) for (key,) in warehouse.rows(statement("compared/gone"), values)]
    return Before(basis, warehouse.table(statement("compared/scores"), values), gone)


def read_basis(warehouse: Warehouse, source: str) -> Basis | None:
    """Return what the stored forms and scores of a source were made by; None if there are none."""
    rows = warehouse.rows(statement("compared/basis"), {"source": source})
    found = [
        Basis(str(forms), str(scores), float(str(least)), int(str(searches))) for forms, scores, least, searches in rows
    ]
    return found[0] if found else None


def read_inputs(warehouse: Warehouse, source: str, *, deleted: bool, usable: bool) -> Iterator[pa.RecordBatch]:
    """Yield all clients: id, inputs, and the stored print and forms, or the values to make forms of (`texts`).

    Stored forms are used only if they are `usable`, as their basis shows. Call it in a transaction.
    """
    values = {"source": source, "deleted": deleted, "usable": usable}
    return warehouse.streamed(statement("compared/inputs"), values, rows=BATCH)


def read_names(warehouse: Warehouse, source: str, ids: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return the given clients that are in the mirror: id, number, name; '' is none."""
    rows = warehouse.rows(statement("compared/names"), {"source": source, "ids": sorted(ids)})
    return [(str(key), str(number or ""), str(name or "")) for key, number, name in rows]


def store_after(warehouse: Warehouse, source: str, before: Before, after: After) -> None:
    """Store the state for the next search, in one transaction.

    If another search has stored its own meanwhile, everything is forgotten: the next search compares all clients.
    """
    with warehouse.transaction():
        warehouse.hold(f"loads of {source}")
        _store_if_next(warehouse, source, before, after)


def _store_if_next(warehouse: Warehouse, source: str, before: Before, after: After) -> None:
    values = {"source": source}
    found = [int(str(searches)) for _, _, _, searches in warehouse.rows(statement("compared/basis"), values)]
    if found != ([before.basis.searches] if before.basis else []):
        for table in TABLES:
            warehouse.execute(f"delete from control.{table} where source = $source", values)
        return
    if after.changed:
        _store(warehouse, source, after)
    warehouse.execute("delete from control.duplicate_basis where source = $source", values)
    warehouse.execute(statement("compared/note_basis"), {"source": source, **msgspec.structs.asdict(after.basis)})


def _store(warehouse: Warehouse, source: str, after: After) -> None:
    values = {"source": source}
    if after.kept_forms:
        warehouse.stage("written_again", after.ids.schema, after.ids.to_batches())
        warehouse.execute(statement("compared/drop_forms"), values)
    else:
        warehouse.execute("delete from control.duplicate_forms where source = $source", values)
    _append(warehouse, "duplicate_forms", source, after.forms)
    warehouse.execute("delete from control.duplicate_scores where source = $source", values)
    _append(warehouse, "duplicate_scores", source, after.scores.to_batches(max_chunksize=BATCH))
    for name in ("compared/drop_absent_forms", "compared/drop_absent_scores"):
        warehouse.execute(statement(name), values)


def _append(warehouse: Warehouse, table: str, source: str, batches: Iterable[pa.RecordBatch]) -> None:
    import pyarrow as pa  # noqa: PLC0415 - not needed by `dedupe list`

    def owned() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield batch.add_column(0, "source", pa.array([source] * batch.num_rows, pa.string()))

    stream = owned()
    first = next(stream, None)
    if first is not None:
        warehouse.append(f"control.{table}", first.schema, _chained(first, stream))


def _chained(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest
