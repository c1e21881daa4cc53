"""The contacts of a client as an update sends them: all of them, with the ids of a fresh read, exactly one primary.

A PUT with contacts replaces the whole list. It deletes contacts that are not in it. A wrong id takes a contact away
from another client, even another company's. The order decides who is primary (ClientContactRepository.php:41-68). So
this module always makes the list from the server's present contacts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from connector.clients.fields import checked
from schemas.entities import CONTACTS
from schemas.entity import Field, Written
from schemas.errors import SettingsError
from schemas.server_form import NO_LISTS, Refused

WRITABLE: Final = {f.name: f for f in CONTACTS.fields if f.written is not Written.NEVER}
Contact = dict[str, object]


@dataclass(frozen=True, slots=True)
class ContactEdit:
    """A change of one contact: columns to set, or the contact to remove; without an id, a new contact."""

    id: str = ""
    changes: Mapping[str, object] = field(default_factory=dict, repr=False)
    remove: bool = False


def edited(present: Sequence[Mapping[str, object]], edits: Sequence[ContactEdit]) -> list[Contact]:
    """The whole list of a client's contacts after the edits, the primary first; new ones have no id.

    Raises SettingsError for an id that is not one of this client's, for a column that cannot be written, and for an
    e-mail address that two contacts have. Also for a list that is empty, or in which nobody gets mails: the server
    would add an empty contact, or choose one.
    """
    contacts = {str(contact["id"]): {name: contact.get(name) for name in ("id", *WRITABLE)} for contact in present}
    primary = [key for key, contact in contacts.items() if contact["is_primary"]]
    added: list[Contact] = []
    for edit in edits:
        values = checked(edit.changes, NO_LISTS, _column)
        if not edit.id:
            added.append({"is_primary": False, "send_email": True, **values})
            continue
        if edit.id not in contacts:
            raise SettingsError(f"Nothing was sent: {edit.id!r} is not a contact of this client.")
        if edit.remove:
            del contacts[edit.id]
        else:
            contacts[edit.id] |= values
    everyone = [*contacts.values(), *added]
    _choose_primary(everyone, primary, edits)
    _check(everyone)
    return sorted(everyone, key=lambda contact: not contact["is_primary"])


def edited_new(contacts: Sequence[Mapping[str, object]]) -> list[Contact]:
    """The contacts of a new client, checked like those of an update; none where none are given."""
    return edited([], [ContactEdit(changes=columns) for columns in contacts]) if contacts else []


def _choose_primary(everyone: list[Contact], before: list[str], edits: Sequence[ContactEdit]) -> None:
    """Choose exactly one: the contact that an edit names, else the primary so far, else the first."""
    named = [
        contact
        for contact in everyone
        if contact["is_primary"] and (not contact.get("id") or _names(edits, str(contact["id"])))
    ]
    if len(named) > 1:
        raise SettingsError("Nothing was sent: a client has one primary contact, and several are named.")
    kept = [contact for key in before for contact in everyone if contact.get("id") == key and contact["is_primary"]]
    chosen = next(iter([*named, *kept, *everyone]), None)
    for contact in everyone:
        contact["is_primary"] = contact is chosen


def _names(edits: Sequence[ContactEdit], contact_id: str) -> bool:
    return any(edit.id == contact_id and edit.changes.get("is_primary") for edit in edits)


def _check(everyone: list[Contact]) -> None:
    if not everyone:
        raise SettingsError("Nothing was sent: a client keeps one contact, or the server would add an empty one.")
    if not any(contact["send_email"] for contact in everyone):
        raise SettingsError("Nothing was sent: one contact must get mails, or the server would choose the first.")
    mails = [contact["email"] for contact in everyone if contact.get("email")]
    if len(mails) != len(set(mails)):
        raise SettingsError("Nothing was sent: two contacts of a client cannot have the same e-mail address.")


def _column(name: str) -> Field:
    if name not in WRITABLE:
        raise Refused("is not a column of a contact that can be written")
    return WRITABLE[name]
