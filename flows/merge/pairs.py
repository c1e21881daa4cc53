"""The pairs of clients to merge as people write them: numbers or ids, on the command line or in a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connector.door.door import Door
from flows.plans.client_keys import keys_on_server
from flows.sheets.spreadsheets import read_sheet
from schemas.errors import SettingsError
from schemas.merge_plan import Pair


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
    texts = [text for pair in pairs for text in pair]
    keys = keys_on_server(door, texts)
    meant = {text: keys.find_by_number_or_id(text) for text in texts}
    for text, client in meant.items():
        if client.unclear:
            raise SettingsError(
                f"{text!r} means several clients, so nothing is planned: {client.unclear}. Use their ids."
            )
    return [(meant[kept].client_id or kept, meant[merged].client_id or merged) for kept, merged in pairs]
