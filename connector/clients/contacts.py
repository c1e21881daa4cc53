"""The contacts of a client as an update sends them: all of them, with the ids of a fresh read, exactly one primary.

A PUT with contacts replaces the whole list: whoever is not in it is deleted, a wrong id takes another client's contact
away, even another company's, and the order decides who is primary (ClientContactRepository.php:41-68). So the list is
always made here, from what the server has now.
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
    """What is to become of one contact: its columns changed, or the contact removed; without an id, a new one."""

    id: str = ""
    changes: Mapping[str, object] = field(default_factory=dict, repr=False)
    remove: bool = False


def edited(present: Sequence[Mapping[str, object]], edits: Sequence[ContactEdit]) -> list[Contact]:
    """The whole list of a client's contacts after the edits, the primary first; new ones have no id.

    Raises SettingsError: for an id that is not one of this client's, for a column that cannot be written, a mail that
    stands there twice, a list without a contact or without anybody who gets mails (the server would put an empty one,
    or choose one, by itself).
    """
    contacts = {str(one["id"]): {name: one.get(name) for name in ("id", *WRITABLE)} for one in present}
    primary = [key for key, one in contacts.items() if one["is_primary"]]
    added: list[Contact] = []
    for edit in edits:
        values = checked(edit.changes, NO_LISTS, _column)
        if not edit.id:
            added.append({"is_primary": False, "send_email": True, **values})
            continue
        if edit.id not in contacts:
            raise SettingsError(f"Nothing was sent: {edit.id!r} is no contact of this client.")
        if edit.remove:
            del contacts[edit.id]
        else:
            contacts[edit.id] |= values
    everyone = [*contacts.values(), *added]
    _choose_primary(everyone, primary, edits)
    _check(everyone)
    return sorted(everyone, key=lambda one: not one["is_primary"])


def edited_new(contacts: Sequence[Mapping[str, object]]) -> list[Contact]:
    """The contacts of a client that is to be made, checked like those of an update; none where none are given."""
    return edited([], [ContactEdit(changes=one) for one in contacts]) if contacts else []


def _choose_primary(everyone: list[Contact], before: list[str], edits: Sequence[ContactEdit]) -> None:
    """Exactly one: whom an edit names, else who was it before, else the first."""
    named = [one for one in everyone if one["is_primary"] and (not one.get("id") or _names(edits, str(one["id"])))]
    if len(named) > 1:
        raise SettingsError("Nothing was sent: a client has one primary contact, and several are named.")
    kept = [one for key in before for one in everyone if one.get("id") == key and one["is_primary"]]
    chosen = next(iter([*named, *kept, *everyone]), None)
    for one in everyone:
        one["is_primary"] = one is chosen


def _names(edits: Sequence[ContactEdit], contact_id: str) -> bool:
    return any(edit.id == contact_id and edit.changes.get("is_primary") for edit in edits)


def _check(everyone: list[Contact]) -> None:
    if not everyone:
        raise SettingsError("Nothing was sent: a client keeps one contact; the server would put an empty one there.")
    if not any(one["send_email"] for one in everyone):
        raise SettingsError("Nothing was sent: one contact has to get mails; the server would choose the first.")
    mails = [one["email"] for one in everyone if one.get("email")]
    if len(mails) != len(set(mails)):
        raise SettingsError("Nothing was sent: two contacts of a client cannot have the same e-mail address.")


def _column(name: str) -> Field:
    if name not in WRITABLE:
        raise Refused("is no column of a contact that can be written")
    return WRITABLE[name]
