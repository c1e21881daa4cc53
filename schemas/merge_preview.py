"""The effect of a merge: figures afterwards, contacts dropped, values lost, and values that can be rescued.

It follows the server's code (Merge.php:32-100 up to 5.12; 5.13.32 for later versions). Nothing here sends anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from schemas.client import Client, Contact
from schemas.generation import COMPUTED_ANEW

ADDRESS: Final = ("address1", "address2", "city", "state", "postal_code")
SHIPPING: Final = tuple(f"shipping_{name}" for name in (*ADDRESS, "country_id"))
SINGLE: Final = (
    "vat_number", "website", "phone", "classification", "size_id", "industry_id", "routing_id", "custom_value1",
    "custom_value2", "custom_value3", "custom_value4",
)  # fmt: skip
"""Columns that fill a blank of the survivor one by one; an address is taken over as a whole."""
NOTES: Final = ("private_notes", "public_notes")
"""Texts of any length. Customers can read the public notes, on invoices and in the portal."""
OF_A_PERSON: Final = (
    "first_name",
    "last_name",
    "phone",
    "custom_value1",
    "custom_value2",
    "custom_value3",
    "custom_value4",
)
LOST: Final = (
    "name", "number", "id_number", "group_settings_id", "assigned_user_id", *SINGLE, *ADDRESS, "country_id", *SHIPPING,
    *NOTES,
)  # fmt: skip
"""Columns of the client merged in that the server drops, filled or not (Merge.php has none of them)."""
OF_SETTINGS: Final = "settings."
ON_THE_FORM: Final = ("language_id", "payment_terms", "valid_until", "default_task_rate", "send_reminders")
"""Settings that a client's form has beside its fields. The values of others may be long, or secret."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of both clients, and the survivor's afterwards; `note` names anything special about it."""

    name: str
    survivor: Decimal
    mergeable: Decimal
    after: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rescue:
    """Changes of the survivor that keep values from being lost: columns, its contacts by id, and new contacts."""

    columns: Mapping[str, object] = field(default_factory=dict, repr=False)
    contacts: Mapping[str, Mapping[str, object]] = field(default_factory=dict, repr=False)
    new_contacts: Sequence[Mapping[str, object]] = field(default=(), repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.columns or self.contacts or self.new_contacts)


@dataclass(frozen=True, slots=True)
class Preview:
    """One merge, before it is done. `before` are rescue changes to make first, `then` those to make after the merge.

    `currencies` are the effective codes of the client kept and of the other one; `` where unknown.
    """

    survivor: Client
    mergeable: Client
    figures: Sequence[Figure]
    dropped: Sequence[Contact]
    moved: Sequence[Contact]
    second_primaries: Sequence[Contact]
    lost: Mapping[str, object] = field(repr=False)
    before: Rescue = Rescue()
    then: Rescue = Rescue()
    currencies: tuple[str, str] = ("", "")

    @property
    def survivor_after(self) -> Client:
        """The survivor's expected state after the merge: the start of the next merge into it."""
        figures = {item.name: item.after for item in self.figures}
        columns = {**self.before.columns, **self.then.columns}
        kept = [replace(item, **self.before.contacts.get(item.id, {})) for item in self.survivor.contacts]  # type: ignore[arg-type]  # columns of a contact
        people = [*kept, *self.moved]
        return replace(self.survivor, **figures, **columns, contacts=people)  # type: ignore[arg-type]  # columns of a client


def preview(
    survivor: Client,
    mergeable: Client,
    version: Sequence[int],
    *,
    rescue: bool = True,
    public_notes: bool = False,
    day: str = "",
    currencies: tuple[str, str] = ("", ""),
) -> Preview:
    """The effect of merging `mergeable` into `survivor` on a server of this version; `day` goes into rescued notes.

    `public_notes` appends the public notes too, which customers can read.
    """
    dropped = lost_contacts(survivor, mergeable)
    moved = [contact for contact in mergeable.contacts if contact not in dropped]
    has_primary = any(contact.is_primary for contact in survivor.contacts)
    seconds = [contact for contact in moved if contact.is_primary and has_primary]
    figures = figures_after(survivor, mergeable, version)
    lost = {
        name: value
        for name in LOST
        if (value := getattr(mergeable, name)) is not None and value != getattr(survivor, name)
    } | _lost_settings(survivor, mergeable)
    made = Preview(survivor, mergeable, figures, dropped, moved, seconds, lost, currencies=currencies)
    if not rescue:
        return made
    then = {"id_number": mergeable.id_number} if mergeable.id_number and not survivor.id_number else {}
    primary = next((contact.id for contact in survivor.contacts if contact.is_primary), "")
    ahead = Rescue(_columns(survivor, mergeable, day, public_notes=public_notes), *_contacts(survivor, dropped))
    behind = Rescue(then, {primary: {"is_primary": True}} if seconds else {})
    return replace(made, before=ahead, then=behind)


def lost_contacts(survivor: Client, mergeable: Client) -> list[Contact]:
    """Contacts that the server drops: without an address, or with one that the survivor has in the same spelling.

    The server drops nobody where the survivor has no contact at all.
    """
    addresses = {contact.email for contact in survivor.contacts}
    if not addresses:
        return []
    return [contact for contact in mergeable.contacts if not contact.email or contact.email in addresses]


def figures_after(survivor: Client, mergeable: Client, version: Sequence[int]) -> list[Figure]:
    """The survivor's four figures after the merge, each in the clients' own currency."""
    anew = tuple(version) >= COMPUTED_ANEW
    computed = (
        "computed again from the invoices and payments: not the sum where the counters had drifted" if anew else ""
    )
    return [
        _sum("balance", survivor, mergeable, computed),
        _sum("paid_to_date", survivor, mergeable, computed),
        _sum(
            "credit_balance", survivor, mergeable, "computed from the credits, which all move: 0 where there are none"
        ),
        _sum("payment_balance", survivor, mergeable, computed) if anew else _payments(survivor, mergeable),
    ]


def _sum(name: str, survivor: Client, mergeable: Client, note: str) -> Figure:
    ours, theirs = getattr(survivor, name), getattr(mergeable, name)
    return Figure(name, ours, theirs, ours + theirs, note)


def _payments(survivor: Client, mergeable: Client) -> Figure:
    ours, theirs = survivor.payment_balance, mergeable.payment_balance
    note = "not added by the server: lost from the figure, while the payments themselves move" if theirs else ""
    return Figure("payment_balance", ours, theirs, ours, note)


def _lost_settings(survivor: Client, mergeable: Client) -> dict[str, object]:
    """The merged client's own settings that the survivor lacks or has with another value, without the currency."""
    return {
        f"{OF_SETTINGS}{name}": value
        for name, value in mergeable.settings.items()
        if value and name not in {"entity", "currency_id"} and survivor.settings.get(name) != value
    }


def _columns(survivor: Client, mergeable: Client, day: str, *, public_notes: bool) -> dict[str, object]:
    filled: dict[str, object] = {
        name: value
        for name in SINGLE
        if getattr(survivor, name) is None and (value := getattr(mergeable, name)) is not None
    }
    for block in ((*ADDRESS, "country_id"), SHIPPING):
        if all(getattr(survivor, name) is None for name in block if name != "country_id"):
            fits = block is SHIPPING or survivor.country_id in {None, mergeable.country_id}
            filled |= {n: getattr(mergeable, n) for n in block if fits and getattr(mergeable, n) is not None}
    filled = {name: value for name, value in filled.items() if getattr(survivor, name) != value}
    if mergeable.private_notes:
        label = " ".join(filter(None, ("Merged", day, "from", mergeable.display_name, f"({mergeable.number})")))
        filled["private_notes"] = _appended(survivor.private_notes, mergeable.private_notes, f"{label}:\n")
    if mergeable.public_notes and public_notes:  # customers read it, so add no words of ours
        filled["public_notes"] = _appended(survivor.public_notes, mergeable.public_notes)
    return {name: value for name, value in filled.items() if value is not None}


def _appended(here: str | None, more: str, label: str = "") -> str:
    if here and more in here:
        return here
    return "\n\n".join(filter(None, (here, f"{label}{more}")))


def _contacts(
    survivor: Client, dropped: Sequence[Contact]
) -> tuple[dict[str, dict[str, object]], list[dict[str, object]]]:
    """The rescue of dropped contacts: fill blanks of the contact with the same address, add those without one."""
    by_mail = {contact.email: contact for contact in survivor.contacts if contact.email}
    filled: dict[str, dict[str, object]] = {}
    added: list[dict[str, object]] = []
    for contact in dropped:
        values = {name: value for name in OF_A_PERSON if (value := getattr(contact, name)) is not None}
        twin = by_mail.get(contact.email) if contact.email else None
        if twin is not None:
            fill = {name: value for name, value in values.items() if getattr(twin, name) is None}
            filled |= {twin.id: fill} if fill else {}
        elif values and not _is_there(survivor, values):
            added.append({**values, "is_primary": False, "send_email": False})
    return filled, added


def _is_there(survivor: Client, values: Mapping[str, object]) -> bool:
    """Whether the survivor has a contact with all these values."""
    return any(all(getattr(contact, name) == value for name, value in values.items()) for contact in survivor.contacts)
