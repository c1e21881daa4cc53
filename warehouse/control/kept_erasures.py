"""Keep the erasures of a warehouse in a file of their own, for the day when somebody restores an older backup.

    <warehouse>.erasures        beside a DuckDB file; of Postgres, in this machine's state folder

Like control.erasures, the file names nobody. Without it, clients that were erased after the backup would come back.
Every erasure writes the file; only a restoration reads it.
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
    """Erase from a restored warehouse the clients that the file lists; return how many of them were in it.

    Erasures of other clients are noted too. Clean the files afterwards.
    """
    file, erased_again = _file(place), 0
    check_ours(file)
    if not file.is_file():
        return 0
    kept = msgspec.json.decode(file.read_bytes(), type=_Kept)
    ((salt,),) = warehouse.rows("select salt from control.salt")
    known = {str(mark) for (mark,) in warehouse.rows("select mark from control.erasures")}
    missing = [erasure for erasure in kept.erasures if erasure.mark not in known]
    if str(salt) != kept.salt:  # an earlier warehouse at this place wrote the file
        return 0
    for erasure in missing:
        values = {name: getattr(erasure, name) for name in _Erasure.__struct_fields__}
        warehouse.execute(statement("erase/remember"), values)
    for source in sorted({erasure.source for erasure in missing}):
        marks = {erasure.mark: erasure for erasure in missing if erasure.source == source}
        erased = Erased(source, kept.salt, frozenset(marks))
        ids = ids_of(warehouse, source)
        for client_id in filter(erased.has, ids):
            noted = marks[erased.mark(client_id)]
            erase(warehouse, source, client_id, reason=noted.reason, keep_balances=noted.kept_balances, now=now)
            erased_again += 1
    return erased_again


def _file(place: Place) -> Path:
    staging = staging_of(place)
    return staging.with_name(staging.name.removesuffix(".staging") + ".erasures")
