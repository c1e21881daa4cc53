"""Making a client, so that a lost answer makes no second one.

Invoice Ninja has no idempotency key, takes an empty or broken body for an empty client, and answers 200. A `number` or
`id_number` of one's own is the key: both are unique in a company, archived and deleted clients counted in.
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
"""Unique in a company (StoreClientRequest.php:40-88): by them a client that was made is found again."""


def create(
    api: Api,
    fields: Mapping[str, object],
    contacts: Sequence[Mapping[str, object]] = (),
    *,
    lists: Lists | None = None,
) -> Client:
    """Make a client, and return it as the server has it.

    With a `number` or `id_number` of its own it may be repeated: a client that is there already with all these values
    is returned, and after a lost answer the client is looked up. Without one, a repeat makes a second client; after a
    lost answer OutcomeUnknown says so. Raises SettingsError for what cannot be written, for a client without a name and
    without a contact that has one, and where the number is taken; NotVerified where the server has made something else
    of it.
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
        found = _made(api.door, answer, key, wanted)
        if found is None:
            return [("", Outcome.NOT_APPLIED if key else Outcome.UNKNOWN)]
        made.append(found)
        return [(str(found["id"]), Outcome.CONFLICT if _differing(found, wanted) else Outcome.APPLIED)]

    ((client_id, outcome),) = perform(api, call, send, read_back)
    if outcome is Outcome.CONFLICT:
        names = ", ".join(_differing(made[-1], wanted))
        raise NotVerified(f"The client {client_id} was made, but the server has made something else of: {names}.")
    return client_of(made[-1])


def check_create(
    api: Api,
    fields: Mapping[str, object],
    contacts: Sequence[Mapping[str, object]] = (),
    *,
    lists: Lists | None = None,
) -> tuple[dict[str, object], Client | None]:
    """The columns of a client that is to be made, as the server will show them; and the client, if it is there already.

    It is there where one of its keys is another client's who has all these values: then it was made before. Sends
    nothing. Raises SettingsError, also where a key is taken by a client that differs.
    """
    told = {name: value for name, value in fields.items() if value not in (None, "")}
    wanted = checked(told, lists or lists_for(api.door, told))
    people = edited_new(contacts)
    if not wanted.get("name") and not any(one.get(n) for one in people for n in ("first_name", "last_name", "email")):
        raise SettingsError("Nothing was sent: a client needs a name, or a contact with a name or an e-mail address.")
    wanted |= {"contacts": people} if people else {}
    for name in KEYS:
        if wanted.get(name) and (found := find_by(api.door, name, str(wanted[name]))):
            if not _differing(found, wanted):
                return wanted, client_of(found)
            raise SettingsError(f"Nothing was sent: this {name} is taken by the client {found['id']}.")
    return wanted, None


def body_of_new(wanted: Mapping[str, object]) -> dict[str, object]:
    """What is sent: columns that stand inside `settings` go there; what is empty is left out."""
    body = {name: value for name, value in wanted.items() if value is not None}
    inside = {name: as_sent(name, body.pop(name)) for name in list(body) if name in INSIDE_SETTINGS}
    return {**body, "settings": inside} if inside else body


def find_by(door: Door, name: str, value: str) -> dict[str, object] | None:
    """The client with this `number` or `id_number`, archived and deleted ones too; None where there is none."""
    return next(iter(all_by(door, name, value)), None)


def all_by(door: Door, name: str, value: str) -> list[dict[str, object]]:
    """The clients with this `number` or `id_number`, five at most: one, unless rows came past the server's own rules.

    The filters are exact but for case and blanks, as uniqueness is; what comes back is compared all the same, as a
    filter that is ignored brings everything.
    """
    answer = door.get("/clients", {name: value, "sort": "id|asc", "per_page": 5})
    return [
        record
        for record in read_page(answer.body, answer.date, answer.version).records
        if isinstance(record, dict) and str(record.get(name, "")).strip().casefold() == value.strip().casefold()
    ]


def _made(door: Door, answer: Answer | None, key: str | None, wanted: Mapping[str, object]) -> dict[str, object] | None:
    """The client that was made, read again: the answer of a POST shows texts longer than they are kept."""
    if answer is not None:
        return record_of(door, str(data_of(answer.json()).get("id")))
    return find_by(door, key, str(wanted[key])) if key else None


def _differing(record: dict[str, object], wanted: Mapping[str, object]) -> list[str]:
    present = view(record)
    return [name for name, value in wanted.items() if not same(name, present[name], value)]
