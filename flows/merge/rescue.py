"""Which rescues the server will take: found when merges are planned, so that none is refused after the merge.

What cannot be written is left out of the plan, with a note that names the field and says why.
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
"""A PUT with contacts holds all of them; the server refuses it for one mail that is no address."""


def possible(made: Preview, currency_id: str, lists: Lists) -> tuple[Preview, list[str]]:
    """A preview whose rescues the server does as they say, and notes of what is not rescued.

    A PUT gives a client without a currency the company's, so its own is named with it. Without a country there is no
    rescue, nor into a deleted client, which takes no PUT.
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
    people = [*made.survivor_after.contacts, *(_new(n, one) for n, one in enumerate(before.new_contacts))]
    then, more = _writable(made.then, survivor, people, lists)
    if survivor.currency_id is None and currency_id and not (before.is_empty and then.is_empty):
        before = replace(before, columns={**before.columns, "currency_id": currency_id})
    return replace(made, before=before, then=then), [*notes, *more]


def _writable(rescue: Rescue, survivor: Client, people: Sequence[Contact], lists: Lists) -> tuple[Rescue, list[str]]:
    """A rescue without what the server refuses, and a note for each column and for the contacts that are left out."""
    columns, notes = dict(rescue.columns), []
    for name, value in rescue.columns.items():
        if why := _column_refused(name, value, lists):
            del columns[name]
            notes.append(f"Not rescued into {called(survivor)}: {why}")
    contacts: Mapping[str, Mapping[str, object]] = rescue.contacts
    added = rescue.new_contacts
    if (contacts or added) and (why := _contacts_refused(people, rescue)):
        what = "contacts" if added or any("is_primary" not in one for one in contacts.values()) else "primary contact"
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
    """Why a PUT with these contacts, changed by the rescue, would be refused; empty where it is not."""
    edits = [ContactEdit(key, changes) for key, changes in rescue.contacts.items()]
    edits += [ContactEdit(changes=changes) for changes in rescue.new_contacts]
    try:
        after = edited([as_dict(one) for one in people], edits)
    except SettingsError as refusal:
        return _reason(refusal)
    odd = any(one.get("email") and not _MAIL.fullmatch(str(one["email"])) for one in after)
    return "a contact has an e-mail address that the server does not take." if odd else ""


def _new(number: int, values: Mapping[str, object]) -> Contact:
    """A contact that the rescue before the merge adds."""
    return Contact(id=f"new {number}", **values)  # type: ignore[arg-type]  # columns of a contact


def _reason(refusal: SettingsError) -> str:
    return sentence(str(refusal).removeprefix("Nothing was sent: "))
