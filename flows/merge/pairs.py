"""Who is to be merged into whom, as people write it: client numbers or ids, on the command line or in a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from connector.clients.create import all_by
from connector.clients.present import read_present
from connector.door.door import Door
from flows.merge.rescue import called
from flows.sheets.spreadsheets import read_sheet
from schemas.client import client_of
from schemas.errors import SettingsError
from schemas.merge_plan import Pair

_ID: Final = re.compile(r"(?=.*[A-Za-z])[0-9A-Za-z]{10,64}", re.ASCII)
"""What an id of the server looks like: ten letters and digits at the least."""


def pair_of(text: str) -> Pair:
    """A pair as it stands on the command line, KEPT:MERGED. Raises SettingsError."""
    kept, colon, merged = text.partition(":")
    if not (colon and kept.strip() and merged.strip()) or ":" in merged:
        more = " Where a number holds a colon, write the pair into a file: --file." if ":" in merged else ""
        raise SettingsError(f"A merge is KEPT:MERGED, two client numbers or ids, not {text!r}.{more}")
    return kept.strip(), merged.strip()


def pairs_of(file: Path) -> list[Pair]:
    """The pairs of a spreadsheet with the columns survivor_id and mergeable_id. Raises SettingsError."""
    sheet = read_sheet(file, ("survivor_id", "mergeable_id"))
    pairs = [(kept, merged) for kept, merged in sheet.texts("survivor_id", "mergeable_id")]
    for row, pair in zip(sheet.rows, pairs, strict=True):
        if not all(pair):
            raise SettingsError(f"{file}, line {row.line}: a merge needs both clients.")
    return pairs


def with_ids(door: Door, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs by the ids of their clients; a key that no client has as its number stays as it is.

    The server is asked for both readings of a key. Raises SettingsError for one that means two clients.
    """
    keys = dict.fromkeys(key for pair in pairs for key in pair)
    by_id = read_present(door, [key for key in keys if _ID.fullmatch(key)]).records
    ids = {key: _id_of(door, key, by_id) for key in keys}
    return [(ids[kept], ids[merged]) for kept, merged in pairs]


def _id_of(door: Door, key: str, by_id: Mapping[str, Mapping[str, object]]) -> str:
    numbered = all_by(door, "number", key)
    meant: dict[str, tuple[str, Mapping[str, object]]] = {str(one["id"]): ("number", one) for one in numbered}
    if key in by_id:
        meant[key] = ("id", by_id[key])
    if len(meant) > 1:
        readings = " and ".join(f"the {what} of {called(client_of(one))}" for what, one in meant.values())
        raise SettingsError(f"{key!r} means several clients, so nothing is planned: it is {readings}. Use their ids.")
    return next(iter(meant), key)
