"""Purging a client: it and everything that belongs to it are gone for good; only a backup remains.

The server empties one table after the other, the client last, without a transaction (ClientRepository.php:146-167). So
a purge that broke off leaves a client with fewer records, and another purge finishes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from connector.api.api import Api, Outcomes, perform
from connector.api.presence import Presence, presence
from connector.clients.backup import Backup, save
from connector.clients.fields import view
from connector.clients.read import record_of
from connector.clients.watch import Sent, watched
from connector.door.door import Door
from connector.door.halt import rest
from schemas.client import Client, client_of
from schemas.errors import NotVerified, SettingsError
from schemas.journal import Call, Edit, Outcome

GONE: Final = {"gone": True}
"""The wanted state in the edit of a purge, and of the client that a merge takes in."""


def purge(api: Api, client_id: str, *, backup: Backup, sleep: Callable[[float], None] = rest) -> Client:
    """Purge a client, and return its last state. Its backup is safe before anything is sent.

    May be repeated: NotFound means that it is gone already, and a purge that broke off half way is finished by another.
    Sends once; after a lost answer, asks the server for up to a minute what happened. Raises SettingsError where there
    is no password or the backup cannot be written, PasswordRequired (412), NotAuthorised (401: admins only),
    NotVerified where the client is still there, OutcomeUnknown where the server cannot be asked.
    """
    record = record_of(api.door, client_id)
    check_id(record, client_id)
    client, password = client_of(record), api.password.lend()
    save(backup, api.door, record)
    edit = Edit(client_id, before_of(record), GONE)
    path = f"/clients/{client_id}/purge"
    send = Sent(api.door, client_id, lambda: api.door.post(path, repeatable=False, password=password))

    def read_back(_answer: object) -> Outcomes:
        return became(api.door, edit, patience=send.patience, sleep=sleep)

    ((_, outcome),) = perform(api, Call("purge", [edit], api.plan_id), send, read_back)
    if outcome is not Outcome.APPLIED:
        what = "is unchanged" if outcome is Outcome.NOT_APPLIED else "is there, with less in it: purge it again"
        raise NotVerified(f"The purge was sent, but the client {client_id} {what}.")
    return client


def check_id(record: Mapping[str, object], client_id: str) -> None:
    """Raise SettingsError where the server answered with another record: the id `create` gives a blank client."""
    if record.get("id") != client_id:
        raise SettingsError(f"Nothing was sent: {client_id!r} is not the id of a client.")


def before_of(record: object) -> dict[str, list[str]]:
    """The ids that reveal a purge that broke off: contacts and documents go before the client itself."""
    seen = view(record)
    return {name: ids_of(seen[name]) for name in ("contacts", "documents")}


def ids_of(rows: object) -> list[str]:
    """The ids of contacts or documents, sorted."""
    return sorted(str(row["id"]) for row in rows) if isinstance(rows, list) else []


def became(door: Door, edit: Edit, *, patience: float = 0.0, sleep: Callable[[float], None] = rest) -> Outcomes:
    """The outcome of a purge; asks again for so many seconds while the client is there. Raises ApiError."""
    standing = watched(lambda: presence(door, edit.client_id), lambda it: it is Presence.GONE, patience, sleep)
    if standing is Presence.GONE:
        return [(edit.client_id, Outcome.APPLIED)]
    if standing is Presence.HIDDEN:
        return [(edit.client_id, Outcome.UNKNOWN)]
    now = before_of(record_of(door, edit.client_id))
    return [(edit.client_id, Outcome.NOT_APPLIED if now == edit.before else Outcome.CONFLICT)]
