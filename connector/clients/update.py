"""Changing one client: read, change, write, read again. Never more than was asked for.

A PUT is partial for plain columns only. Settings left out are reset to the company's currency, contacts left out are
deleted, and documents in it make the server ignore everything else (UpdateClientRequest.php:108-113,
ClientRepository.php:55-112). So every PUT has the complete settings of a fresh read; it has contacts only where they
change, and then all of them; it never has documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from connector.api.api import Api, Outcomes, compared, perform
from connector.clients.contacts import WRITABLE, ContactEdit, edited
from connector.clients.fields import INSIDE_SETTINGS, checked, lists_for, view
from connector.clients.read import record_of
from connector.door.answer import Answer
from schemas.client import Client, client_of
from schemas.errors import NotVerified, Retryable, SettingsError, StalePlan
from schemas.journal import Call, Edit, Outcome
from schemas.server_form import GIVEN_BY_PUT, Lists, as_sent

_TRIES: Final = 3
"""Attempts at a PUT with a lost answer where the server turns out to have done nothing."""


@dataclass(frozen=True, slots=True)
class Update:
    """A change of one client, compared with the server and not sent yet.

    `before` and `after` hold only the columns that differ; `contacts` is a column too.
    """

    client_id: str
    before: Mapping[str, object] = field(repr=False)
    after: Mapping[str, object] = field(repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether the server already has all wanted values."""
        return not self.after


@dataclass(frozen=True, slots=True)
class Carried:
    """A client right before its PUT, and as it was read back; `sent` is false where no PUT was needed."""

    before: Mapping[str, object] = field(repr=False)
    after: Mapping[str, object] = field(repr=False)
    sent: bool


def prepare_update(
    api: Api,
    client_id: str,
    changes: Mapping[str, object],
    *,
    contacts: Sequence[ContactEdit] = (),
    lists: Lists | None = None,
    record: Mapping[str, object] | None = None,
) -> Update:
    """Compare an update with the server: columns by name, None to empty one. Reads, and sends nothing.

    `lists` are the server's lists, and `record` is the client, where the caller has just read them. Raises
    SettingsError for what cannot be written (all of it at once, with the reasons), for a deleted client, and where the
    PUT would give the client a currency or country that nobody named.
    """
    wanted = checked(changes, lists or lists_for(api.door, changes))
    present = view(record or record_of(api.door, client_id))
    if present["is_deleted"]:
        raise SettingsError(f"Nothing was sent: the client {client_id} is deleted. Restore it, then change it.")
    if contacts:
        wanted["contacts"] = edited(_contacts(present), contacts)
    after = {name: value for name, value in wanted.items() if not same(name, present[name], value)}
    given = [name for name in GIVEN_BY_PUT if present[name] is None and name not in wanted]
    if after and given:
        raise SettingsError(
            f"Nothing was sent: the client {client_id} has no {given[0]}, and with any change the server would give it "
            "the company's. Name it with the change."
        )
    return Update(client_id, {name: _kept(name, present[name]) for name in after}, after)


def apply_update(api: Api, update: Update) -> Client:
    """Send a prepared update, and return the client as the server has it afterwards.

    It may be repeated: its values are absolute, and a client that is already as wanted is not written again. After a
    lost answer, it reads the client before it sends again, so that nobody is overwritten. Raises StalePlan where
    somebody else has changed one of its columns since it was prepared, NotVerified where the server has not kept the
    values.
    """
    return client_of(carry_through(api, update).after)


def carry_through(api: Api, update: Update, record: Mapping[str, object] | None = None) -> Carried:
    """Do what `apply_update` does.

    `record` is the client, where the caller has just read it: then it is not read again before the first try.
    """
    sent: list[bool] = []
    for _ in range(_TRIES - 1):
        with suppress(Retryable):
            return _apply_once(api, update, record or record_of(api.door, update.client_id), sent)
        record = None
    return _apply_once(api, update, record_of(api.door, update.client_id), sent)


def _apply_once(api: Api, update: Update, record: Mapping[str, object], sent: list[bool]) -> Carried:
    present = view(record)
    if not _differing(update.after, present):
        return Carried(record, record, bool(sent))
    given = [name for name in GIVEN_BY_PUT if present[name] is None and name not in update.after]
    moved = _differing(update.before, present) or given or ["is_deleted"] * bool(present["is_deleted"])
    if moved:
        what = ", ".join(moved)
        raise StalePlan(f"The client {update.client_id} was changed since it was read ({what}): look again. Not sent.")
    seen: list[dict[str, object]] = []

    def send() -> Answer:
        sent.append(True)
        return api.door.put(f"/clients/{update.client_id}", body_of(record, update), repeatable=False)

    def read_back(_answer: Answer | None) -> Outcomes:
        seen.append(record_of(api.door, update.client_id))
        return compared([(update.client_id, as_wanted(seen[-1], edit))])

    edit = Edit(update.client_id, update.before, update.after)
    ((_, outcome),) = perform(api, Call("update", [edit], api.plan_id), send, read_back)
    if outcome is not Outcome.APPLIED:
        what = "kept nothing of it" if outcome is Outcome.NOT_APPLIED else "has stored other values"
        names = ", ".join(_differing(update.after, view(seen[-1])))
        raise NotVerified(f"The server answered, and {what}: client {update.client_id}, {names}.")
    return Carried(record, seen[-1], sent=True)


def update(api: Api, client_id: str, changes: Mapping[str, object], *, contacts: Sequence[ContactEdit] = ()) -> Client:
    """Change columns of a client, and its contacts where given; returns it as the server has it afterwards.

    It may be repeated, and writes nothing where all is as wanted. Raises what `prepare_update` and `apply_update` do.
    """
    return apply_update(api, prepare_update(api, client_id, changes, contacts=contacts))


def body_of(record: Mapping[str, object], update: Update) -> dict[str, object]:
    """The body to send: the columns that change, the complete settings as just read, all contacts where one changes.

    An emptied setting is left out: then it is absent, as in a client that never had it.
    """
    sent = record.get("settings")
    settings = dict(sent) if isinstance(sent, dict) else {}
    body: dict[str, object] = {}
    for name, value in update.after.items():
        if name in INSIDE_SETTINGS and value is None:
            settings.pop(name, None)
        elif name in INSIDE_SETTINGS:
            settings[name] = as_sent(name, value)
        else:
            body[name] = value
    return {**body, "settings": settings}


def as_wanted(record: object, edit: Edit) -> bool | None:
    """Whether a record has an edit's new values (True), its old ones (False), or something else (None)."""
    present = view(record)
    if not _differing(edit.after, present):
        return True
    return None if _differing(edit.before, present) else False


def _differing(wanted: Mapping[str, object], present: Mapping[str, object]) -> list[str]:
    return [name for name, value in wanted.items() if not same(name, present[name], value)]


def same(name: str, present: object, wanted: object) -> bool:
    """Whether a column has the wanted value; contacts are compared by their writable columns, in any order."""
    if name != "contacts":
        return present == wanted
    return _by_content(present) == _by_content(wanted)


def _by_content(contacts: object) -> list[list[tuple[str, str]]]:
    """Contacts in a fixed order. A new one has no id before it is made, so ids are left out."""
    rows = contacts if isinstance(contacts, list) else []
    return sorted([(name, repr(row.get(name))) for name in WRITABLE] for row in rows)


def _contacts(present: Mapping[str, object]) -> list[Mapping[str, object]]:
    contacts = present["contacts"]
    return contacts if isinstance(contacts, list) else []


def _kept(name: str, value: object) -> object:
    """The recorded form of a column: of contacts, only the columns that can be written."""
    if name != "contacts" or not isinstance(value, list):
        return value
    return [{key: row.get(key) for key in ("id", *WRITABLE)} for row in value]
