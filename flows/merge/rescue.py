"""Find the rescues that the server will accept when merges are planned, so that none is refused after the merge.

Values that cannot be written are left out of the plan, with a note that names the field and the reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from connector.clients.contacts import ContactEdit, edited
from connector.clients.fields import checked
from flows.plans.client_keys import called
from schemas.client import Client, Contact, as_dict
from schemas.errors import SettingsError, sentence
from schemas.merge_preview import Preview, Rescue
from schemas.server_form import Lists

_MAIL: Final = re.compile(r"[^\s@]+@[^\s@]+")
"""A PUT with contacts contains all of them, and the server refuses it if one mail address is invalid."""


def possible(made: Preview, currency_id: str, lists: Lists) -> tuple[Preview, list[str]]:
    """Return a preview with only those rescues that the server accepts, and notes on the others.

    A PUT would give a client without a currency the company's, so the rescue names its present currency too. There is
    no rescue into a client without a country, nor into a deleted one, which takes no PUT.
    """
    survivor = made.survivor
    if made.before.is_empty and made.then.is_empty:
        return made, []
    why = "it is deleted" if survivor.status == "deleted" else ""
    if survivor.country_id is None and "country_id" not in made.before.columns:
        why = "it has no country, and would be given the company's"
    if why:
        note = f"Nothing is rescued into {called(survivor)}: {why}."
        return replace(made, before=Rescue(), then=Rescue()), [note]
    before, notes = _writable(made.before, survivor, survivor.contacts, lists)
    made = replace(made, before=before)
    people = [*made.survivor_after.contacts, *(_new(n, values) for n, values in enumerate(before.new_contacts))]
    then, more = _writable(made.then, survivor, people, lists)
    if survivor.currency_id is None and currency_id and not (before.is_empty and then.is_empty):
        before = replace(before, columns={**before.columns, "currency_id": currency_id})
    return replace(made, before=before, then=then), [*notes, *more]


def _writable(rescue: Rescue, survivor: Client, people: Sequence[Contact], lists: Lists) -> tuple[Rescue, list[str]]:
    """Return a rescue without the values that the server refuses, and notes on the columns and contacts left out."""
    columns, notes = dict(rescue.columns), []
    for name, value in rescue.columns.items():
        if why := _column_refused(name, value, lists):
            del columns[name]
            notes.append(f"Not rescued into {called(survivor)}: {why}")
    contacts: Mapping[str, Mapping[str, object]] = rescue.contacts
    added = rescue.new_contacts
    if (contacts or added) and (why := _contacts_refused(people, rescue)):
        only_primary = not added and all("is_primary" in values for values in contacts.values())
        what = "primary contact" if only_primary else "contacts"
        notes.append(f"The {what} of {called(survivor)} stay as the merge leaves them: {why}")
        contacts, added = {}, ()
    return Rescue(columns, contacts, added), notes


def _column_refused(name: str, value: object, lists: Lists) -> str:
    try:
        checked({name: value}, lists)
    except SettingsError as refusal:
        return _reason(refusal)
    return ""


def _contacts_refused(people: Sequence[Contact], rescue: Rescue) -> str:
    """Return why a PUT with these contacts, changed by the rescue, would be refused; empty if it would not."""
    edits = [ContactEdit(key, changes) for key, changes in rescue.contacts.items()]
    edits += [ContactEdit(changes=changes) for changes in rescue.new_contacts]
    try:
        after = edited([as_dict(contact) for contact in people], edits)
    except SettingsError as refusal:
        return _reason(refusal)
    odd = any(contact.get("email") and not _MAIL.fullmatch(str(contact["email"])) for contact in after)
    return "a contact has an e-mail address that the server does not accept." if odd else ""


def _new(number: int, values: Mapping[str, object]) -> Contact:
    """Return a contact that the rescue before the merge adds."""
    return Contact(id=f"new {number}", **values)  # type: ignore[arg-type]  # columns of a contact


def _reason(refusal: SettingsError) -> str:
    return sentence(str(refusal).removeprefix("Nothing was sent: "))
