"""Read the pairs of clients to merge, by number or id, from the command line or a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connector.door.door import Door
from flows.plans.client_keys import keys_on_server
from flows.sheets.spreadsheets import read_sheet
from schemas.errors import SettingsError
from schemas.merge_plan import Pair


def pair_of(text: str) -> Pair:
    """Parse a pair from the command line, KEPT:MERGED. Raises SettingsError."""
    kept, colon, merged = text.partition(":")
    if not (colon and kept.strip() and merged.strip()) or ":" in merged:
        more = " If a number contains a colon, write the pair into a file: --file." if ":" in merged else ""
        raise SettingsError(f"Write a merge as KEPT:MERGED, two client numbers or ids, not {text!r}.{more}")
    return kept.strip(), merged.strip()


def pairs_of(file: Path) -> list[Pair]:
    """Return the pairs in a spreadsheet with the columns survivor_id and mergeable_id. Raises SettingsError."""
    sheet = read_sheet(file, ("survivor_id", "mergeable_id"))
    pairs = [(kept, merged) for kept, merged in sheet.texts("survivor_id", "mergeable_id")]
    for row, pair in zip(sheet.rows, pairs, strict=True):
        if not all(pair):
            raise SettingsError(f"{file}, line {row.line}: a merge needs both clients.")
    return pairs


def with_ids(door: Door, pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs with the ids of their clients. A key without a client stays unchanged.

    Each key is looked up on the server, both as a number and as an id. Raises SettingsError if it means two clients.
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
