"""Records that the server no longer lists: find them, look for the clients they were merged into, remove them.

All functions work on one source. Questions about a scan read its staging first, as it is newer than the mirror.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal

import msgspec

from schemas.entities import CLIENTS
from schemas.entity import Entity
from schemas.vanished import GONE, MERGED, PURGED, Vanished
from warehouse.control.state import Run
from warehouse.engine.seam import Warehouse, rows_of
from warehouse.engine.sql import statement
from warehouse.load.staging import Staging
from warehouse.load.vanished_tables import growth_table, seen_tables, stage_columns, stage_ids, stage_vanished
from warehouse.schema.archive import archive_of


class Lost(msgspec.Struct, frozen=True):
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


class Unlisted(msgspec.Struct, frozen=True):
    """A mirrored record that the server does not list and that we keep; `why` is HELD or HIDDEN.

    Only a client has a currency and a balance here. `display_name` of another record is its number.
    """

    id: str
    display_name: str
    currency_code: str | None
    balance: Decimal | None
    why: str


class KnownMerge(msgspec.Struct, frozen=True):
    """A client that was merged into another one: the other's id, its own name and its last balance."""

    into: str
    display_name: str
    balance: Decimal


SEVERAL = 3
"""If so many clients are missing, all newer than the newest listed one, the server looks restored from a backup.

Fewer look like purges.
"""


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
    stage_ids(warehouse, "met", aside, staging.batches(entity.name))
    rows = warehouse.rows(statement("vanished/missing").format(entity=entity.name), {"source": source})
    warehouse.execute("drop table met")
    return [str(key) for (key,) in rows]


def bereaved(warehouse: Warehouse, entity: Entity, source: str, absent: Collection[str]) -> dict[str, Vanished]:
    """Return the absent records whose client has vanished, each with the fate that this suggests.

    Invoice Ninja purges a client with all its records.
    """
    if entity is CLIENTS or not (entity.client_column and absent):
        return {}
    stage_ids(warehouse, "asked", absent)
    rows = warehouse.rows(statement("vanished/bereaved").format(**archive_of(entity)), {"source": source})
    warehouse.execute("drop table asked")
    fates = {}
    for key, client_id, kind in rows:
        purged = kind == PURGED
        evidence = f"purged with its client {client_id}" if purged else f"gone, as its client {client_id}"
        fates[str(key)] = Vanished(str(key), PURGED if purged else GONE, None, evidence)
    return fates


def newly_bereaved(warehouse: Warehouse, staging: Staging, entity: Entity, source: str) -> list[str]:
    """Return the mirrored records whose client has vanished since the entity was last loaded; skip staged records."""
    if not entity.client_column:
        return []
    stage_ids(warehouse, "met", (), staging.batches(entity.name))
    rows = warehouse.rows(statement("vanished/newly_bereaved").format(**archive_of(entity)), {"source": source})
    warehouse.execute("drop table met")
    return [str(key) for (key,) in rows]


def lost(warehouse: Warehouse, source: str, ids: Collection[str]) -> list[Lost]:
    """Return mirrored clients by id, in the order of their ids; skip ids that are not mirrored."""
    stage_ids(warehouse, "asked", ids)
    rows = warehouse.rows(statement("vanished/lost"), {"source": source})
    warehouse.execute("drop table asked")
    return [
        Lost(str(key), str(name or ""), str(shown or ""), Decimal(str(balance)), seen, _contacts(str(record)))  # type: ignore[arg-type]  # a timestamp column
        for key, name, shown, balance, seen, record in rows
    ]


def owners(warehouse: Warehouse, staging: Staging | None, source: str, contact_ids: Collection[str]) -> dict[str, str]:
    """Map each contact to its client, by the staged pages, else by the mirror; skip contacts that are in neither."""
    seen = seen_tables(warehouse, staging)
    stage_ids(warehouse, "asked", contact_ids)
    rows = warehouse.rows(statement("vanished/owners").format(**seen), {"source": source})
    warehouse.execute("drop table asked")
    return {str(contact): str(client) for contact, client in rows}


def heirs(warehouse: Warehouse, staging: Staging | None, source: str, of: Lost, most: int) -> list[str]:
    """Return up to `most` clients that a lost client may have been merged into, the likeliest first.

    First come clients whose balance has just grown by exactly the lost balance, then clients that are not deleted,
    the last updated first. These are places to look, not evidence.
    """
    values = {"source": source, "lost": of.id, "balance": of.balance, "most": most}
    growth = growth_table(warehouse, staging, source)
    rows = warehouse.rows(statement("vanished/heirs").format(growth=growth), values)
    return [str(key) for (key,) in rows]


def donors(warehouse: Warehouse, staging: Staging, source: str) -> list[str]:
    """Return clients that the scan did not meet although it met one of their contacts under another client.

    They may have been merged into that client.
    """
    rows = warehouse.rows(statement("vanished/donors").format(**seen_tables(warehouse, staging)), {"source": source})
    return [str(key) for (key,) in rows]


def seems_restored(
    warehouse: Warehouse,
    staging: Staging,
    entity: Entity,
    source: str,
    absent: Collection[str],
    newest: datetime | None,
) -> bool:
    """Whether the server seems to be restored from a backup.

    It does if a record came with an older stamp than before, or if several records are absent and all of them are newer
    than the server's newest one.
    """
    stage_columns(warehouse, "narrow", entity, ["id", "updated_at"], staging)
    ((back,),) = warehouse.rows(statement("vanished/went_back").format(entity=entity.name), {"source": source})
    warehouse.execute("drop table narrow")
    if back or newest is None or len(absent) < SEVERAL:
        return bool(back)
    stage_ids(warehouse, "asked", absent)
    not_newer = statement("vanished/not_newer").format(entity=entity.name)
    ((older,),) = warehouse.rows(not_newer, {"source": source, "moment": newest})
    warehouse.execute("drop table asked")
    return not older


def witnesses(warehouse: Warehouse, entity: Entity, source: str, absent: Collection[str], most: int) -> list[str]:
    """Return up to `most` of the newest mirrored records that are not absent."""
    stage_ids(warehouse, "asked", absent)
    known = statement("vanished/witnesses").format(entity=entity.name)
    rows = warehouse.rows(known, {"source": source, "most": most})
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


def keep_unlisted(warehouse: Warehouse, entity: Entity, run: Run, unlisted: Mapping[str, str]) -> bool:
    """Remember the records that a full check missed and kept, each with the reason; return whether that is new."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    schema = pa.schema([("id", pa.string()), ("why", pa.string())])
    columns = [pa.array(unlisted.keys(), pa.string()), pa.array(unlisted.values(), pa.string())]
    values = {"source": run.source, "run_id": run.run_id}
    warehouse.stage("stage_unlisted", schema, iter([pa.RecordBatch.from_arrays(columns, schema=schema)]))
    warehouse.execute(statement("load/keep_unlisted").format(entity=entity.name), values)
    theirs = f"source = $source and entity = '{entity.name}'"
    ((before,),) = warehouse.rows(f"select count(*) from control.unlisted where {theirs}", values)
    ((now, new),) = warehouse.rows("select count(*), count(*) filter (where is_new) from unlisted_now")
    for step in ("replace_unlisted", "insert_unlisted"):
        warehouse.execute(statement(f"load/{step}").format(entity=entity.name), values)
    for table in ("unlisted_now", "stage_unlisted"):
        warehouse.execute(f"drop table {table}")
    return bool(new) or before != now


def unlisted(warehouse: Warehouse, entity: Entity, source: str, most: int) -> list[Unlisted]:
    """Return up to `most` kept records that the server does not list, clients who owe most first."""
    name = "unlisted" if entity is CLIENTS else "unlisted_records"
    rows = warehouse.rows(statement(f"vanished/{name}").format(**archive_of(entity)), {"source": source, "most": most})
    return [Unlisted(*row) for row in rows]  # type: ignore[arg-type]  # the statement names the fields, a test compares


def take_out(warehouse: Warehouse, entity: Entity, run: Run, vanished: Iterable[Vanished]) -> tuple[int, int]:
    """Close the versions of vanished records, remove them with their children, and note their fates.

    This step of the load comes after the rows, so contacts that moved are already with their new client and stay.
    Records that arrived in this run (the table `accepted`) stay too. Returns how many records have vanished, and how
    many of them the mirror had.
    """
    named = {record.id: record for record in vanished}
    if not named:
        return 0, 0
    values = {"source": run.source, "run_id": run.run_id, "began": run.began_at}
    stage_vanished(warehouse, named.values())
    names = archive_of(entity) | {"rows_of_ended": rows_of(warehouse.engine, f"ninja.{entity.name}", "ended")}
    for step in ("vanished_versions", "close_versions") if entity.historic else ("vanished_versions",):
        warehouse.execute(statement(f"load/{step}").format(**names), values)
    for child in entity.children:
        removed = statement("load/remove_vanished_children").format(child=child.name, parent=entity.parent_column)
        warehouse.execute(removed, values)
    for step in ("remove_vanished", "release_vanished", "correct_redirects", "insert_redirects"):
        warehouse.execute(statement(f"load/{step}").format(**names), values)
    ((ended, mirrored),) = warehouse.rows("select count(*), count(*) filter (where mirrored) from ended")
    for table in ("ended", "stage_vanished"):
        warehouse.execute(f"drop table {table}")
    return int(str(ended)), int(str(mirrored))


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
