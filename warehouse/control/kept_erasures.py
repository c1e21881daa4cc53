"""The erasures of a warehouse in a file of their own, for the day on which an older backup is restored.

    <warehouse>.erasures        beside a DuckDB file; of Postgres, in this machine's state folder

It names nobody, as control.erasures does not. Without it, a client that was erased after the backup was made would be
back. Every erasure writes the file; nothing but a restoration reads it.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from schemas.erased import Erased
from warehouse.control.erase import erase, ids_of
from warehouse.engine.place import Place, staging_of
from warehouse.engine.private import check_ours, make_private_folder, write_private
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement


class _Erasure(msgspec.Struct):
    """A row of control.erasures."""

    source: str
    mark: str
    reason: str
    erased_at: datetime
    listed: bool
    kept_balances: bool
    removed: int


class _Kept(msgspec.Struct):
    """All erasures of the warehouse that has this salt."""

    salt: str
    erasures: list[_Erasure]


def keep_erasures(warehouse: Warehouse, place: Place) -> None:
    """Write the erasures of an open warehouse into their file (0600)."""
    ((salt,),) = warehouse.rows("select salt from control.salt")
    names = ", ".join(_Erasure.__struct_fields__)
    rows = warehouse.rows(f"select {names} from control.erasures order by erased_at, mark")
    file = _file(place)
    make_private_folder(file.parent)
    write_private(file, msgspec.json.encode(_Kept(str(salt), [_Erasure(*row) for row in rows])))  # type: ignore[arg-type]  # the columns, in their order


def erase_again(warehouse: Warehouse, place: Place, *, now: datetime) -> int:
    """Erase from a restored warehouse whom the file says was erased since; returns how many of them were in it.

    Those who were not in it are remembered as erased too. Files are still to be cleaned afterwards.
    """
    file, found = _file(place), 0
    check_ours(file)
    if not file.is_file():
        return 0
    kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
    ((salt,),) = warehouse.rows("select salt from control.salt")
    known = {str(mark) for (mark,) in warehouse.rows("select mark from control.erasures")}
    missing = [one for one in kept.erasures if one.mark not in known]
    if str(salt) != kept.salt:  # the file of another warehouse that stood here
        return 0
    for one in missing:
        values = {name: getattr(one, name) for name in _Erasure.__struct_fields__}
        warehouse.execute(statement("erase/remember"), values)
    for source in sorted({one.source for one in missing}):
        marks = {one.mark: one for one in missing if one.source == source}
        erased = Erased(source, kept.salt, frozenset(marks))
        ids = ids_of(warehouse, source)
        for client_id in filter(erased.has, ids):
            one = marks[erased.mark(client_id)]
            erase(warehouse, source, client_id, reason=one.reason, keep_balances=one.kept_balances, now=now)
            found += 1
    return found


def _file(place: Place) -> Path:
    staging = staging_of(place)
    return staging.with_name(staging.name.removesuffix(".staging") + ".erasures")
