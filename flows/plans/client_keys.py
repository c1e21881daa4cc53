"""Find the client that a person means by a key: its number or id_number, or a text that may be its number or id.

A number matches exactly, or without the leading zeros that spreadsheets drop.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from connector.clients.create import all_by
from connector.clients.present import read_present
from connector.door.door import Door
from schemas.client import Client, client_of
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

NUMBER: Final = "number"
ID_NUMBER: Final = "id_number"
NAME: Final = "name"
EMAIL: Final = "email"
_STATEMENTS: Final = {NAME: "read/keys_by_name", EMAIL: "read/keys_by_email"}
"""The statements for keys that are not unique: clients that are deleted do not have them."""
_ID: Final = re.compile(r"(?=.*[A-Za-z])[0-9A-Za-z]{10,64}", re.ASCII)
"""The form of the server's ids: at least ten letters and digits."""
Known = tuple[str, str | None, str | None, str]
"""A client's id, number, id_number, and its label for people."""


@dataclass(frozen=True, slots=True)
class Meant:
    """The client that is meant, its number, and a note on how it was found; or why this is unclear."""

    client_id: str = ""
    number: str = field(default="", repr=False)
    note: str = ""
    unclear: str = ""


class ClientKeys:
    """Clients by `number`, `id_number` and id, and by the name or e-mail address of a contact if they are added."""

    def __init__(self, clients: Iterable[Known]) -> None:
        self._called: dict[str, str] = {}
        self._exact: dict[tuple[str, str], list[tuple[str, str]]] = {}
        self._shortened: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for client_id, number, id_number, name in clients:
            self._called[client_id] = name
            for key, value in ((NUMBER, number), (ID_NUMBER, id_number)):
                if value is not None:
                    client = (client_id, value)
                    self._exact.setdefault((key, value.strip().casefold()), []).append(client)
                    self._shortened.setdefault((key, shortened(value)), []).append(client)

    def add(self, key: str, values: Iterable[tuple[str, str]]) -> None:
        """Let clients be found by another key too; each value comes with its client's id."""
        for client_id, value in values:
            having = self._exact.setdefault((key, value.strip().casefold()), [])
            if all(client_id != other for other, _ in having):
                having.append((client_id, value))

    def find(self, key: str, text: str) -> Meant:
        """Return the client with this key; else the client whose number differs only in leading zeros."""
        exact = self._exact.get((key, text.strip().casefold()), [])
        if len(exact) == 1:
            return Meant(*exact[0])
        if exact:
            return Meant(unclear=f"{len(exact)} clients have this {key}: name the client by id ({_ids(exact)})")
        near = self._shortened.get((key, shortened(text)), []) if text.strip() else []
        if len(near) == 1:
            return Meant(*near[0], note=f"The {key} {text} is read as {near[0][1]}.")
        if near:
            why = f"several clients have this {key} with other leading zeros: write it in full, or an id ({_ids(near)})"
            return Meant(unclear=why)
        return Meant(unclear=f"no client has this {key}. Check it; if the client is new, fetch the changes first")

    def find_by_number_or_id(self, text: str) -> Meant:
        """Return the client with exactly this number or id; no client if none has it."""
        readings = {client_id: "number" for client_id, _ in self._exact.get((NUMBER, text.strip().casefold()), [])}
        if text in self._called:
            readings[text] = "id"
        if len(readings) > 1:
            named = " and ".join(f"the {what} of {self._called[key]}" for key, what in readings.items())
            return Meant(unclear=f"it is {named}")
        return Meant(next(iter(readings), ""))


def keys_of_mirror(warehouse: Warehouse, source: str, keys: Iterable[str] = ()) -> ClientKeys:
    """Return all clients of a source, as the mirror has them; with NAME or EMAIL among `keys`, by these too."""
    rows = warehouse.rows(statement("read/keys"), {"source": source})
    made = ClientKeys((str(key), _text(number), _text(id_number), str(key)) for key, number, id_number in rows)
    for key in _STATEMENTS.keys() & set(keys):
        values = warehouse.rows(statement(_STATEMENTS[key]), {"source": source})
        made.add(key, ((str(client_id), str(value)) for client_id, value in values))
    return made


def keys_on_server(door: Door, texts: Iterable[str]) -> ClientKeys:
    """Return the clients that now have one of these texts as their number or id on the server."""
    asked = list(dict.fromkeys(texts))
    records = dict(read_present(door, [text for text in asked if _ID.fullmatch(text)]).records)
    records |= {str(record["id"]): record for text in asked for record in all_by(door, NUMBER, text)}
    clients = map(client_of, records.values())
    return ClientKeys((client.id, client.number, client.id_number, called(client)) for client in clients)


def called(client: Client) -> str:
    """Return a client's label for people: its number, its name, and its id."""
    known = [text for text in (client.number, client.display_name) if text]
    return f"{' '.join(known)} ({client.id})" if known else client.id


def shortened(text: str) -> str:
    """Return a number without leading zeros, as a spreadsheet shows it; other texts in lower case."""
    bare = text.strip().casefold()
    return bare.lstrip("0") or "0" if re.fullmatch("[0-9]+", bare) else bare


def lost_zeros(before: object, after: object) -> bool:
    """Whether a value is the present one without its leading zeros: a spreadsheet may have dropped them."""
    if not isinstance(before, str) or not isinstance(after, str):
        return False
    return before != after and before.startswith("0") and shortened(before) == after


def _ids(clients: Sequence[tuple[str, str]]) -> str:
    return ", ".join(sorted(client_id for client_id, _ in clients))


def _text(value: object) -> str | None:
    return None if value is None else str(value)
