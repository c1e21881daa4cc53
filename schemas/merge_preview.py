"""What a merge comes to, in money and people: figures afterwards, contacts that go, what is lost, what can be rescued.

It follows the server's code (Merge.php:32-100 up to 5.12; read in 5.13.32 from then on). Nothing here asks anybody.
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
"""What fills a blank of the survivor one by one; an address comes as a whole."""
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
"""What the server drops with the client that is merged in, however filled (Merge.php has none of it)."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of both clients, and what the survivor has afterwards; `note` says what is special about it."""

    name: str
    survivor: Decimal
    mergeable: Decimal
    after: Decimal
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rescue:
    """Changes of the survivor that keep what would be lost: columns, its contacts by id, and contacts that are new."""

    columns: Mapping[str, object] = field(default_factory=dict, repr=False)
    contacts: Mapping[str, Mapping[str, object]] = field(default_factory=dict, repr=False)
    new_contacts: Sequence[Mapping[str, object]] = field(default=(), repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.columns or self.contacts or self.new_contacts)


@dataclass(frozen=True, slots=True)
class Preview:
    """One merge, before it is done. `before` are rescue steps ahead of it, `then` those behind it.

    `currencies` are the codes that count for the client kept and for the other one; `` where that is not known.
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
        """The survivor as it is to be expected afterwards: for the next merge into it."""
        figures = {one.name: one.after for one in self.figures}
        columns = {**self.before.columns, **self.then.columns}
        kept = [replace(one, **self.before.contacts.get(one.id, {})) for one in self.survivor.contacts]  # type: ignore[arg-type]  # columns of a contact
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
    """What merging `mergeable` into `survivor` comes to on a server of this version; `day` stands in rescued notes.

    `public_notes` appends the public notes too, which customers can read.
    """
    dropped = lost_contacts(survivor, mergeable)
    moved = [one for one in mergeable.contacts if one not in dropped]
    seconds = [one for one in moved if one.is_primary and any(other.is_primary for other in survivor.contacts)]
    figures = figures_after(survivor, mergeable, version)
    lost = {
        name: value
        for name in LOST
        if (value := getattr(mergeable, name)) is not None and value != getattr(survivor, name)
    } | _lost_settings(survivor, mergeable)
    found = Preview(survivor, mergeable, figures, dropped, moved, seconds, lost, currencies=currencies)
    if not rescue:
        return found
    then = {"id_number": mergeable.id_number} if mergeable.id_number and not survivor.id_number else {}
    primary = next((one.id for one in survivor.contacts if one.is_primary), "")
    ahead = Rescue(_columns(survivor, mergeable, day, public_notes=public_notes), *_contacts(survivor, dropped))
    behind = Rescue(then, {primary: {"is_primary": True}} if seconds else {})
    return replace(found, before=ahead, then=behind)


def lost_contacts(survivor: Client, mergeable: Client) -> list[Contact]:
    """Contacts that the server drops: those with an address that the survivor has, in the same spelling, or with none.

    Nobody is dropped where the survivor has no contact at all.
    """
    addresses = {one.email for one in survivor.contacts}
    return [one for one in mergeable.contacts if addresses and (not one.email or one.email in addresses)]


def figures_after(survivor: Client, mergeable: Client, version: Sequence[int]) -> list[Figure]:
    """The four figures, as the survivor will have them; each in the clients' own currency."""
    anew = tuple(version) >= COMPUTED_ANEW
    computed = "computed anew from the papers: another sum where the counters had drifted" if anew else ""
    return [
        _sum("balance", survivor, mergeable, computed),
        _sum("paid_to_date", survivor, mergeable, computed),
        _sum(
            "credit_balance", survivor, mergeable, "computed from the credits, which all move: 0 where there are none"
        ),
        _sum("payment_balance", survivor, mergeable, computed) if anew else _payments(survivor, mergeable),
    ]


def _sum(name: str, survivor: Client, mergeable: Client, note: str) -> Figure:
    one, other = getattr(survivor, name), getattr(mergeable, name)
    return Figure(name, one, other, one + other, note)


def _payments(survivor: Client, mergeable: Client) -> Figure:
    one, other = survivor.payment_balance, mergeable.payment_balance
    note = "not added by the server: lost from the figure, while the payments themselves move" if other else ""
    return Figure("payment_balance", one, other, one, note)


def _lost_settings(survivor: Client, mergeable: Client) -> dict[str, object]:
    """Settings of its own that the survivor does not have, or has otherwise; the currency stands with the figures."""
    return {
        f"settings.{name}": value
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
    if mergeable.public_notes and public_notes:  # customers read it: no word of ours
        filled["public_notes"] = _appended(survivor.public_notes, mergeable.public_notes)
    return {name: value for name, value in filled.items() if value is not None}


def _appended(here: str | None, more: str, label: str = "") -> str:
    if here and more in here:
        return here
    return "\n\n".join(filter(None, (here, f"{label}{more}")))


def _contacts(
    survivor: Client, dropped: Sequence[Contact]
) -> tuple[dict[str, dict[str, object]], list[dict[str, object]]]:
    """What dropped contacts leave: blanks of the one with the same address filled, a place for those without one."""
    by_mail = {one.email: one for one in survivor.contacts if one.email}
    filled: dict[str, dict[str, object]] = {}
    added: list[dict[str, object]] = []
    for one in dropped:
        told = {name: value for name in OF_A_PERSON if (value := getattr(one, name)) is not None}
        twin = by_mail.get(one.email) if one.email else None
        if twin is not None:
            fill = {name: value for name, value in told.items() if getattr(twin, name) is None}
            filled |= {twin.id: fill} if fill else {}
        elif told and not _is_there(survivor, told):
            added.append({**told, "is_primary": False, "send_email": False})
    return filled, added


def _is_there(survivor: Client, told: Mapping[str, object]) -> bool:
    """Whether the survivor has a contact with all of this."""
    return any(all(getattr(one, name) == value for name, value in told.items()) for one in survivor.contacts)
