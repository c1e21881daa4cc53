"""Clients that the server no longer lists: which they are, what they had, who may have taken them in, and their end.

Everything here is of one source. Questions about a scan look into its staging first: it is newer than the mirror.
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
    """A mirrored client that the server no longer lists, as it was last seen; `contacts` are the ids in its record.

    `observed_at` is when this version was first seen, by the server's clock: it had not vanished then.
    """

    id: str
    name: str
    display_name: str
    balance: Decimal
    observed_at: datetime
    contacts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A mirrored client that the server does not list and that stays; `why` is HELD or HIDDEN."""

    id: str
    display_name: str
    currency_code: str | None
    balance: Decimal
    why: str


@dataclass(frozen=True, slots=True)
class KnownMerge:
    """A client that was merged away: into which one, its name and its balance then."""

    into: str
    display_name: str
    balance: Decimal


SEVERAL = 3
"""Missing clients, all newer than the newest one listed, that look like a restored backup; fewer look like purges."""
NARROW = {
    "clients": ["id", "balance", "is_deleted", "row_hash", "updated_at", "arrival"],
    "contacts": ["id", CLIENTS.parent_column, "updated_at", "arrival"],
}
"""The staged columns that are asked for while clients are missing."""


class _Contact(msgspec.Struct):
    id: str


class _Record(msgspec.Struct):
    contacts: list[_Contact] = []


def missing(
    warehouse: Warehouse, staging: Staging, entity: Entity, source: str, aside: Collection[str] = ()
) -> list[str]:
    """The ids that are mirrored, and neither staged by this scan nor set `aside` by it, in order.

    Of what is staged only the ids are taken: a million of them are some ten megabytes.
    """
    _stage_ids(warehouse, "met", aside, staging.batches(entity.name))
    found = warehouse.rows(statement("vanished/missing").format(entity=entity.name), {"source": source})
    warehouse.execute("drop table met")
    return [str(key) for (key,) in found]


def lost(warehouse: Warehouse, source: str, ids: Collection[str]) -> list[Lost]:
    """What is known of mirrored clients, in the order of their ids; an id that is not mirrored is left out."""
    _stage_ids(warehouse, "asked", ids)
    found = warehouse.rows(statement("vanished/lost"), {"source": source})
    warehouse.execute("drop table asked")
    return [
        Lost(str(key), str(name or ""), str(shown or ""), Decimal(str(balance)), seen, _contacts(str(record)))  # type: ignore[arg-type]  # a timestamp column
        for key, name, shown, balance, seen, record in found
    ]


def owners(warehouse: Warehouse, staging: Staging | None, source: str, contact_ids: Collection[str]) -> dict[str, str]:
    """To which client each contact belongs, by what is staged, else by the mirror; one that is nowhere is left out."""
    seen = _seen(warehouse, staging)
    _stage_ids(warehouse, "asked", contact_ids)
    found = warehouse.rows(statement("vanished/owners").format(**seen), {"source": source})
    warehouse.execute("drop table asked")
    return {str(contact): str(client) for contact, client in found}


def heirs(warehouse: Warehouse, staging: Staging | None, source: str, of: Lost, most: int) -> list[str]:
    """The clients that may have taken a lost one in, the likeliest first, at most `most`: never that one itself.

    First those whose balance has grown by exactly its balance, from their version before to the one of now; then those
    that are not deleted, the one that was updated last first. This is where to look, no evidence.
    """
    values = {"source": source, "lost": of.id, "balance": of.balance, "most": most}
    growth = _growth(warehouse, staging, source)
    found = warehouse.rows(statement("vanished/heirs").format(growth=growth), values)
    return [str(key) for (key,) in found]


def donors(warehouse: Warehouse, staging: Staging, source: str) -> list[str]:
    """The clients that a scan has not met, and from which a contact has come under one that it met: merged, perhaps."""
    found = warehouse.rows(statement("vanished/donors").format(**_seen(warehouse, staging)), {"source": source})
    return [str(key) for (key,) in found]


def seems_restored(
    warehouse: Warehouse, staging: Staging, source: str, absent: Collection[str], newest: datetime | None
) -> bool:
    """Whether the server seems to be back in its past: a client came with an older stamp than it had.

    Or several clients are absent, and all of them are newer than the newest that the server has.
    """
    ((back,),) = warehouse.rows(statement("vanished/went_back").format(**_seen(warehouse, staging)), {"source": source})
    if back or newest is None or len(absent) < SEVERAL:
        return bool(back)
    _stage_ids(warehouse, "asked", absent)
    ((older,),) = warehouse.rows(statement("vanished/not_newer"), {"source": source, "moment": newest})
    warehouse.execute("drop table asked")
    return not older


def witnesses(warehouse: Warehouse, source: str, absent: Collection[str], most: int) -> list[str]:
    """The newest mirrored clients that are not absent, at most `most`."""
    _stage_ids(warehouse, "asked", absent)
    found = warehouse.rows(statement("vanished/witnesses"), {"source": source, "most": most})
    warehouse.execute("drop table asked")
    return [str(key) for (key,) in found]


def known_merges(warehouse: Warehouse, source: str) -> list[KnownMerge]:
    """The merges that were found earlier, of clients that have not come back."""
    found = warehouse.rows(statement("vanished/known_merges"), {"source": source})
    return [KnownMerge(str(into), str(shown or ""), Decimal(str(balance))) for into, shown, balance in found]


def remember_unexplained(warehouse: Warehouse, source: str, entity: Entity, n: int) -> None:
    """Note by how much the totals disagree when everything that can be explained has been."""
    values = {"source": source, "entity": entity.name, "n": n}
    warehouse.execute(statement("vanished/remember_unexplained"), values)


def keep_unlisted(warehouse: Warehouse, run: Run, unlisted: Mapping[str, str]) -> bool:
    """Remember the clients that a full pass missed and left, each with the reason; whether that is news."""
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
    """The clients that are here although the server does not list them, at most `most`, those who owe most first."""
    found = warehouse.rows(statement("vanished/unlisted"), {"source": source, "most": most})
    return [Unlisted(*row) for row in found]  # type: ignore[arg-type]  # the statement names the fields, a test compares


def take_out(warehouse: Warehouse, entity: Entity, run: Run, vanished: Iterable[Vanished]) -> tuple[int, int]:
    """Close the versions of vanished clients, take them out with their children, and write their redirects.

    A step of the load, behind the rows: contacts that moved are with their new client by then, and stay. What arrived
    in this run (the table `accepted`) stays too. Returns of how many the end is told, and how many of them
    were in the mirror.
    """
    named = {one.id: one for one in vanished}
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
    ((told, mirrored),) = warehouse.rows("select count(*), count(*) filter (where mirrored) from ended")
    for table in ("ended", "stage_vanished"):
        warehouse.execute(f"drop table {table}")
    return int(str(told)), int(str(mirrored))


def _seen(warehouse: Warehouse, staging: Staging | None) -> dict[str, str]:
    """The names of the tables of what is staged, less all that nobody asks here; each staging is read in once."""
    told = repr((str(staging.folder), staging.began, len(staging.pages)) if staging else None)
    mark = hashlib.sha256(told.encode()).hexdigest()[:16]
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
    """The name of the table of all clients with their growth, made once for each staging and source."""
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
    import pyarrow as pa  # noqa: PLC0415 - 0.3 s which an idle pull does not spend

    from schemas.arrow_types import staged_schema  # noqa: PLC0415 - as above

    whole = staged_schema(entity, None if entity is CLIENTS else CLIENTS)
    batches = staging.batches(entity.name) if staging else iter(())
    warehouse.stage(name, pa.schema([whole.field(one) for one in kept]), (batch.select(kept) for batch in batches))


def _stage_ids(warehouse: Warehouse, name: str, ids: Collection[str], batches: Iterable[pa.RecordBatch] = ()) -> None:
    """Make a temporary table of the ids, and of those in the batches."""
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
    """Clients of the mirror that we have merged away or purged ourselves: what became of them, by the journal."""
    found = {}
    for client_id, verb, call_id, into in warehouse.rows(statement("vanished/ours"), {"source": source}):
        merged = verb == "merge"
        kind, evidence = (MERGED if merged else PURGED), f"our own {verb}, call {call_id}"
        found[str(client_id)] = Vanished(str(client_id), kind, str(into) if merged else None, evidence)
    return found
