"""Which client a person means by a number: exactly, or without the leading zeros that spreadsheets drop."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

NUMBER: Final = "number"
ID_NUMBER: Final = "id_number"


@dataclass(frozen=True, slots=True)
class Meant:
    """The client that is meant, its number in the mirror, and a note on how it was found; or why it is unclear."""

    client_id: str = ""
    number: str = field(default="", repr=False)
    note: str = ""
    unclear: str = ""


class ClientKeys:
    """The clients of a source by `number` and `id_number`, as the mirror has them."""

    def __init__(self, warehouse: Warehouse, source: str) -> None:
        self._exact: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self._shortened: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for client_id, *numbers in warehouse.rows(statement("read/keys"), {"source": source}):
            for key, value in zip((NUMBER, ID_NUMBER), numbers, strict=True):
                if value is not None:
                    one = (str(client_id), str(value))
                    self._exact.setdefault((key, one[1].strip().casefold()), []).append(one)
                    self._shortened.setdefault((key, shortened(one[1])), []).append(one)

    def find(self, key: str, text: str) -> Meant:
        """The client with this number; else the one whose number differs in leading zeros alone."""
        found = self._exact.get((key, text.strip().casefold()), [])
        if len(found) == 1:
            return Meant(*found[0])
        if found:
            return Meant(unclear=f"{len(found)} clients have this {key}: name the client by id ({_ids(found)})")
        near = self._shortened.get((key, shortened(text)), []) if text.strip() else []
        if len(near) == 1:
            return Meant(*near[0], note=f"The {key} {text} is read as {near[0][1]}.")
        if near:
            why = f"several clients have this {key} with other leading zeros: write it in full, or an id ({_ids(near)})"
            return Meant(unclear=why)
        return Meant(unclear=f"the mirror has no client with this {key}: pull first, or name it by id")


def shortened(text: str) -> str:
    """A number without its leading zeros, as a spreadsheet shows it; other texts without their case."""
    bare = text.strip().casefold()
    return bare.lstrip("0") or "0" if re.fullmatch("[0-9]+", bare) else bare


def lost_zeros(before: object, after: object) -> bool:
    """Whether a value is the present one without its leading zeros: a spreadsheet may have dropped them."""
    if not isinstance(before, str) or not isinstance(after, str):
        return False
    return before != after and before.startswith("0") and shortened(before) == after


def _ids(found: Sequence[tuple[str, str]]) -> str:
    return ", ".join(sorted(client_id for client_id, _ in found))
