"""Clients that the server no longer lists: find them, look for the clients they were merged into, remove them.

All functions work on one source. Questions about a scan read its staging first, as it is newer than the mirror.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from schemas.entities import CLIENTS, CONTACTS
from schemas.entity import Entity
from schemas.vanished import MERGED, PURGED, Vanished
from warehouse.control.state import Run
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement
from warehouse.load.staging import Staging

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Lost:
    """A mirrored client that the server no longer lists, in its last known version.

    `contacts` are the contact ids in its record. `observed_at` is when a run first saw this version, by the server's
    clock: the client had not vanished then.
    """

    id: str
    name: str
    display_name: str
    balance: Decimal
    observed_at: datetime
    contacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A mirrored client that the server does not list and that we keep; `why` is HELD or HIDDEN."""

    id: str
    display_name: str
    currency_code: str | None
    balance: Decimal
    why: str


@dataclass(frozen=True, slots=True)
class KnownMerge:
    """A client that was merged into another one: the other's id, its own name and its last balance."""

    into: str
    display_name: str
    balance: Decimal


SEVERAL = 3
"""If so many clients are missing, all newer than the newest listed one, the server looks restored from a backup.

Fewer look like purges.
"""
NARROW = {
    "clients": ["id", "balance", "is_deleted", "row_hash", "updated_at", "arrival"],
    "contacts": ["id", CLIENTS.parent_column, "updated_at", "arrival"],
}
"""The staged columns that the search for missing clients needs."""


class _Contact(msgspec.Struct):
    id: str


class _Record(msgspec.Struct):
    contacts: list[_Contact] = []


def missing(
    warehouse: Warehouse, staging: Staging, entity: Entity, source: str, aside: Collection[str] = ()
) -> list[str]:
    """Return the mirrored ids that this scan neither staged nor set `aside`, in order.

    It reads only the ids of the staged pages: a million ids take some ten megabytes.
    """
    _stage_ids(warehouse, "met", aside, staging.batches(entity.name))
    rows = warehouse.rows(statement("vanished/missing").format(entity=entity.name), {"source": source})
    warehouse.execute("drop table met")
    return [str(key) for (key,) in rows]


def lost(warehouse: Warehouse, source: str, ids: Collection[str]) -> list[Lost]:
    """Return mirrored clients by id, in the order of their ids; skip ids that are not mirrored."""
    _stage_ids(warehouse, "asked", ids)
    rows = warehouse.rows(statement("vanished/lost"), {"source": source})
    warehouse.execute("drop table asked")
    return [
        Lost(str(key), str(name or ""), str(shown or ""), Decimal(str(balance)), seen, _contacts(str(record)))  # type: ignore[arg-type]  # a timestamp column
        for key, name, shown, balance, seen, record in rows
    ]


def owners(warehouse: Warehouse, staging: Staging | None, source: str, contact_ids: Collection[str]) -> dict[str, str]:
    """Map each contact to its client, by the staged pages, else by the mirror; skip contacts that are in neither."""
    seen = _seen(warehouse, staging)
    _stage_ids(warehouse, "asked", contact_ids)
    rows = warehouse.rows(statement("vanished/owners").format(**seen), {"source": source})
    warehouse.execute("drop table asked")
    return {str(contact): str(client) for contact, client in rows}


def heirs(warehouse: Warehouse, staging: Staging | None, source: str, of: Lost, most: int) -> list[str]:
    """Return up to `most` clients that a lost client may have been merged into, the likeliest first.

    First come clients whose balance has just grown by exactly the lost balance, then clients that are not deleted,
    the last updated first. These are places to look, not evidence.
    """
    values = {"source": source, "lost": of.id, "balance": of.balance, "most": most}
    growth = _growth(warehouse, staging, source)
    rows = warehouse.rows(statement("vanished/heirs").format(growth=growth), values)
    return [str(key) for (key,) in rows]


def donors(warehouse: Warehouse, staging: Staging, source: str) -> list[str]:
    """Return clients that the scan did not meet although it met one of their contacts under another client.

    They may have been merged into that client.
    """
    rows = warehouse.rows(statement("vanished/donors").format(**_seen(warehouse, staging)), {"source": source})
    return [str(key) for (key,) in rows]


def seems_restored(
    warehouse: Warehouse, staging: Staging, source: str, absent: Collection[str], newest: datetime | None
) -> bool:
    """Whether the server seems to be restored from a backup.

    It does if a client came with an older stamp than before, or if several clients are absent and all of them are newer
    than the server's newest client.
    """
    ((back,),) = warehouse.rows(statement("vanished/went_back").format(**_seen(warehouse, staging)), {"source": source})
    if back or newest is None or len(absent) < SEVERAL:
        return bool(back)
    _stage_ids(warehouse, "asked", absent)
    ((older,),) = warehouse.rows(statement("vanished/not_newer"), {"source": source, "moment": newest})
    warehouse.execute("drop table asked")
    return not older


def witnesses(warehouse: Warehouse, source: str, absent: Collection[str], most: int) -> list[str]:
    """Return up to `most` of the newest mirrored clients that are not absent."""
    _stage_ids(warehouse, "asked", absent)
    rows = warehouse.rows(statement("vanished/witnesses"), {"source": source, "most": most})
    warehouse.execute("drop table asked")
    return [str(key) for (key,) in rows]


def known_merges(warehouse: Warehouse, source: str) -> list[KnownMerge]:
    """Return the merges that earlier runs found, of clients that have not come back."""
    rows = warehouse.rows(statement("vanished/known_merges"), {"source": source})
    return [KnownMerge(str(into), str(shown or ""), Decimal(str(balance))) for into, shown, balance in rows]


def remember_unexplained(warehouse: Warehouse, source: str, entity: Entity, n: int) -> None:
    """Note the difference between the totals of server and warehouse that no search could explain."""
    values = {"source": source, "entity": entity.name, "n": n}
    warehouse.execute(statement("vanished/remember_unexplained"), values)


def keep_unlisted(warehouse: Warehouse, run: Run, unlisted: Mapping[str, str]) -> bool:
    """Remember the clients that a full check missed and kept, each with the reason; return whether that is new."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    schema = pa.schema([("id", pa.string()), ("why", pa.string())])
    columns = [pa.array(unlisted.keys(), pa.string()), pa.array(unlisted.values(), pa.string())]
    values = {"source": run.source, "run_id": run.run_id}
    warehouse.stage("stage_unlisted", schema, iter([pa.RecordBatch.from_arrays(columns, schema=schema)]))
    warehouse.execute(statement("load/keep_unlisted"), values)
    ((before,),) = warehouse.rows("select count(*) from control.unlisted where source = $source", values)
    ((now, new),) = warehouse.rows("select count(*), count(*) filter (where is_new) from unlisted_now")
    for step in ("replace_unlisted", "insert_unlisted"):
        warehouse.execute(statement(f"load/{step}"), values)
    for table in ("unlisted_now", "stage_unlisted"):
        warehouse.execute(f"drop table {table}")
    return bool(new) or before != now


def unlisted(warehouse: Warehouse, source: str, most: int) -> list[Unlisted]:
    """Return up to `most` kept clients that the server does not list, those who owe most first."""
    rows = warehouse.rows(statement("vanished/unlisted"), {"source": source, "most": most})
    return [Unlisted(*row) for row in rows]  # type: ignore[arg-type]  # the statement names the fields, a test compares


def take_out(warehouse: Warehouse, entity: Entity, run: Run, vanished: Iterable[Vanished]) -> tuple[int, int]:
    """Close the versions of vanished clients, remove them with their children, and write their redirects.

    This step of the load comes after the rows, so contacts that moved are already with their new client and stay.
    Clients that arrived in this run (the table `accepted`) stay too. Returns how many clients have vanished, and how
    many of them the mirror had.
    """
    named = {client.id: client for client in vanished}
    if not named:
        return 0, 0
    values = {"source": run.source, "run_id": run.run_id, "began": run.began_at}
    _stage_vanished(warehouse, named.values())
    for step in ("vanished_versions", "close_versions"):
        warehouse.execute(statement(f"load/{step}").format(entity=entity.name), values)
    for child in entity.children:
        removed = statement("load/remove_vanished_children").format(child=child.name, parent=entity.parent_column)
        warehouse.execute(removed, values)
    for step in ("remove_vanished", "release_vanished", "correct_redirects", "insert_redirects"):
        warehouse.execute(statement(f"load/{step}").format(entity=entity.name), values)
    ((ended, mirrored),) = warehouse.rows("select count(*), count(*) filter (where mirrored) from ended")
    for table in ("ended", "stage_vanished"):
        warehouse.execute(f"drop table {table}")
    return int(str(ended)), int(str(mirrored))


def _seen(warehouse: Warehouse, staging: Staging | None) -> dict[str, str]:
    """Return the names of temporary tables with the columns NARROW of the staged pages; read each staging once."""
    identity = repr((str(staging.folder), staging.began, len(staging.pages)) if staging else None)
    mark = hashlib.sha256(identity.encode()).hexdigest()[:16]
    names = {name: f"seen_{name}_{mark}" for name in NARROW}
    if not _is_there(warehouse, names["contacts"]):
        for name, kept in NARROW.items():
            entity = CLIENTS if name == CLIENTS.name else CONTACTS
            _stage_columns(warehouse, f"narrow_{name}", entity, kept, staging)
        for step in ("newest_clients", "newest_contacts"):
            warehouse.execute(statement(f"vanished/{step}").format(**names))
        for name in NARROW:
            warehouse.execute(f"drop table narrow_{name}")
    return names


def _growth(warehouse: Warehouse, staging: Staging | None, source: str) -> str:
    """Return the name of the table of all clients with their growth; create it once for each staging and source."""
    seen = _seen(warehouse, staging)
    name = f"growth_{hashlib.sha256(repr((seen, source)).encode()).hexdigest()[:16]}"
    if not _is_there(warehouse, name):
        warehouse.execute(statement("vanished/growth").format(growth=name, **seen), {"source": source})
    return name


def _is_there(warehouse: Warehouse, table: str) -> bool:
    return bool(warehouse.rows("select 1 from information_schema.tables where table_name = $table", {"table": table}))


def _stage_columns(
    warehouse: Warehouse, name: str, entity: Entity, kept: Sequence[str], staging: Staging | None
) -> None:
    import pyarrow as pa  # noqa: PLC0415 - an idle pull saves 0.3 s

    from schemas.arrow_types import staged_schema  # noqa: PLC0415 - as above

    whole = staged_schema(entity, None if entity is CLIENTS else CLIENTS)
    batches = staging.batches(entity.name) if staging else iter(())
    warehouse.stage(
        name, pa.schema([whole.field(column) for column in kept]), (batch.select(kept) for batch in batches)
    )


def _stage_ids(warehouse: Warehouse, name: str, ids: Collection[str], batches: Iterable[pa.RecordBatch] = ()) -> None:
    """Create a temporary table of the ids and of the ids in the batches."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    schema = pa.schema([("id", pa.string())])

    def arriving() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_arrays([pa.array(sorted(ids), pa.string())], schema=schema)
        for batch in batches:
            yield pa.RecordBatch.from_arrays([batch.column("id")], schema=schema)

    warehouse.stage(name, schema, arriving())


def _stage_vanished(warehouse: Warehouse, vanished: Iterable[Vanished]) -> None:
    import pyarrow as pa  # noqa: PLC0415 - as above

    schema = pa.schema([(name, pa.string()) for name in ("id", "kind", "into_id", "evidence")])
    rows = [{"id": v.id, "kind": v.kind, "into_id": v.into, "evidence": v.evidence} for v in vanished]
    warehouse.stage("stage_vanished", schema, iter([pa.RecordBatch.from_pylist(rows, schema)]))


def _contacts(record: str) -> tuple[str, ...]:
    return tuple(contact.id for contact in msgspec.json.decode(record, type=_Record).contacts)


def ours(warehouse: Warehouse, source: str) -> dict[str, Vanished]:
    """Return the mirrored clients that Ninja Sync itself merged or purged, by the journal, with their fates."""
    fates = {}
    for client_id, verb, call_id, into in warehouse.rows(statement("vanished/ours"), {"source": source}):
        merged = verb == "merge"
        kind, evidence = (MERGED if merged else PURGED), f"our own {verb}, call {call_id}"
        fates[str(client_id)] = Vanished(str(client_id), kind, str(into) if merged else None, evidence)
    return fates
