"""Making a client, safe against lost answers: no retry makes a second client.

Invoice Ninja has no idempotency key, makes an empty client from an empty or broken body, and answers 200. So a `number`
or `id_number` of one's own is the key: both are unique in a company, archived and deleted clients included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from connector.api.api import Api, Outcomes, perform
from connector.clients.contacts import edited_new
from connector.clients.fields import INSIDE_SETTINGS, checked, lists_for, view
from connector.clients.read import data_of, record_of
from connector.clients.update import same
from connector.door.answer import Answer
from connector.door.door import Door
from connector.scan.pages import read_page
from schemas.client import Client, client_of
from schemas.errors import NotVerified, SettingsError
from schemas.journal import Call, Edit, Outcome
from schemas.server_form import Lists, as_sent

KEYS: Final = ("number", "id_number")
"""Unique in a company (StoreClientRequest.php:40-88), so they identify a client that was made."""


def create(
    api: Api,
    fields: Mapping[str, object],
    contacts: Sequence[Mapping[str, object]] = (),
    *,
    lists: Lists | None = None,
) -> Client:
    """Make a client, and return it as the server has it.

    With a `number` or `id_number` of its own the call may be repeated. It returns a client that is there already with
    all these values, and after a lost answer it looks the client up. Without one, a repeat makes a second client, and a
    lost answer raises OutcomeUnknown. Raises SettingsError for values that cannot be written, for a client without any
    name (its own or a contact's), and where the number is taken; NotVerified where the server has changed a value.
    """
    wanted, there = check_create(api, fields, contacts, lists=lists)
    if there is not None:
        return there
    key = next((name for name in KEYS if wanted.get(name)), None)
    call = Call("create", [Edit("", {}, wanted)], api.plan_id)
    made: list[dict[str, object]] = []

    def send() -> Answer:
        return api.door.post("/clients", body_of_new(wanted), repeatable=False)

    def read_back(answer: Answer | None) -> Outcomes:
        record = _made(api.door, answer, key, wanted)
        if record is None:
            return [("", Outcome.NOT_APPLIED if key else Outcome.UNKNOWN)]
        made.append(record)
        return [(str(record["id"]), Outcome.CONFLICT if _differing(record, wanted) else Outcome.APPLIED)]

    ((client_id, outcome),) = perform(api, call, send, read_back)
    if outcome is Outcome.CONFLICT:
        names = ", ".join(_differing(made[-1], wanted))
        raise NotVerified(f"The client {client_id} was made, but the server has other values for: {names}.")
    return client_of(made[-1])


def check_create(
    api: Api,
    fields: Mapping[str, object],
    contacts: Sequence[Mapping[str, object]] = (),
    *,
    lists: Lists | None = None,
) -> tuple[dict[str, object], Client | None]:
    """The columns of a new client, as the server will show them; and the client, if it is there already.

    It is there if the client with one of its keys has all these values: then it was made before. Sends nothing.
    Raises SettingsError, also where a client with other values has a key.
    """
    given = {name: value for name, value in fields.items() if value not in (None, "")}
    wanted = checked(given, lists or lists_for(api.door, given))
    people = edited_new(contacts)
    if not wanted.get("name") and not any(
        person.get(n) for person in people for n in ("first_name", "last_name", "email")
    ):
        raise SettingsError("Nothing was sent: a client needs a name, or a contact with a name or an e-mail address.")
    wanted |= {"contacts": people} if people else {}
    for name in KEYS:
        if wanted.get(name) and (taken := find_by(api.door, name, str(wanted[name]))):
            if not _differing(taken, wanted):
                return wanted, client_of(taken)
            raise SettingsError(f"Nothing was sent: this {name} is taken by the client {taken['id']}.")
    return wanted, None


def body_of_new(wanted: Mapping[str, object]) -> dict[str, object]:
    """The body to send: columns that belong inside `settings` go there; empty values are left out."""
    body = {name: value for name, value in wanted.items() if value is not None}
    inside = {name: as_sent(name, body.pop(name)) for name in list(body) if name in INSIDE_SETTINGS}
    return {**body, "settings": inside} if inside else body


def find_by(door: Door, name: str, value: str) -> dict[str, object] | None:
    """The client with this `number` or `id_number`, archived and deleted ones too; None where there is none."""
    return next(iter(all_by(door, name, value)), None)


def all_by(door: Door, name: str, value: str) -> list[dict[str, object]]:
    """The clients with this `number` or `id_number`, at most five: one, unless rows bypassed the server's rules.

    The filters are exact but for case and blanks, as uniqueness is. The records are compared all the same, because a
    filter that the server ignores returns everything.
    """
    answer = door.get("/clients", {name: value, "sort": "id|asc", "per_page": 5})
    return [
        record
        for record in read_page(answer.body, answer.date, answer.version).records
        if isinstance(record, dict) and str(record.get(name, "")).strip().casefold() == value.strip().casefold()
    ]


def _made(door: Door, answer: Answer | None, key: str | None, wanted: Mapping[str, object]) -> dict[str, object] | None:
    """The client that was made, read again: the answer to a POST shows texts longer than the server keeps them."""
    if answer is not None:
        return record_of(door, str(data_of(answer.json()).get("id")))
    return find_by(door, key, str(wanted[key])) if key else None


def _differing(record: dict[str, object], wanted: Mapping[str, object]) -> list[str]:
    present = view(record)
    return [name for name, value in wanted.items() if not same(name, present[name], value)]
