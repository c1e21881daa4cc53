"""Reading clients: one by its id, many by a filter."""

from __future__ import annotations

from connector.api import Api
from connector.door import Door
from schemas.client import Client, client_of
from schemas.errors import UnexpectedShape


def show(api: Api, client_id: str) -> Client:
    """One client, archived and deleted ones too. Raises NotFound (400), NotAuthorised (401: another's client)."""
    return client_of(record_of(api.door, client_id))


def record_of(door: Door, client_id: str) -> dict[str, object]:
    """One client as the server sends it, secrets and all: for use inside this package, and never kept or shown."""
    return data_of(door.get(f"/clients/{client_id}").json())


def data_of(answer: object) -> dict[str, object]:
    """The record inside an answer. Raises UnexpectedShape where there is none."""
    found = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        raise UnexpectedShape("The server answered JSON without the record that was asked for.")
    return found
