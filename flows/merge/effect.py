"""The effect of one merge, for people: each contact and field, the lost values, and warnings before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from flows.ask.field_names import field_name
from flows.ask.names import Names
from flows.show.show import amount
from schemas.client import Contact
from schemas.merge_plan import differences
from schemas.merge_preview import ADDRESS, LOST, NOTES, OF_A_PERSON, OF_SETTINGS, SHIPPING, Preview

NO_LABELS: Final[Mapping[str, str]] = {}
CLIENT_KEPT: Final = "client kept"
MERGED_IN: Final = "client merged in"
BOTH: Final = "both clients"
"""Where the final value of a field comes from."""
PUBLIC: Final = frozenset({"public_notes"})
"""Fields that customers can read, on invoices and in the portal."""
ELSEWHERE: Final = "set, on another page of the client"
UNNAMED: Final = "set; its name is not known here yet"
WARNINGS: Final[Mapping[str, str]] = {
    "tax": "The two have different tax or register numbers. Those of the client merged in are lost.",
    "country": "The two are in different countries. The client kept stays in its own.",
    "inactive": "The client kept is {status}. It stays {status}, and so do all invoices that move to it.",
}
"""What an allowed difference means; `currency` names the codes."""


@dataclass(frozen=True, slots=True)
class FieldAfter:
    """A field of both clients, its final value at the client kept, and where that comes from.

    `label` is its name for people. `is_lost` means that the value of the client merged in is nowhere afterwards, except
    in the backup. `is_written` means that the plan writes the client kept. `why` says why a value is lost although the
    client kept has none.
    """

    name: str
    label: str
    kept: str = field(repr=False)
    merged: str = field(repr=False)
    after: str = field(repr=False)
    origin: str = ""
    is_lost: bool = False
    is_written: bool = False
    why: str = ""

    @property
    def is_public(self) -> bool:
        """Whether customers can read it."""
        return self.name in PUBLIC

    @property
    def is_changed(self) -> bool:
        """Whether it is written or lost, or both clients have another value."""
        return self.is_written or self.is_lost or bool(self.merged and self.merged != self.kept)


@dataclass(frozen=True, slots=True)
class ContactAfter:
    """A contact of one of the clients, and what happens to it: the values that it gains, and those that are lost.

    `is_lost` means that all of it is lost.
    """

    contact: Contact = field(repr=False)
    of_kept: bool
    what: str
    gained: str = field(default="", repr=False)
    lost: str = field(default="", repr=False)
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """All of one merge."""

    fields: Sequence[FieldAfter] = field(repr=False)
    contacts: Sequence[ContactAfter] = field(repr=False)
    warnings: Sequence[str]

    @property
    def lost(self) -> Sequence[FieldAfter]:
        """The fields whose values of the client merged in are lost."""
        return [row for row in self.fields if row.is_lost]

    @property
    def losing_contacts(self) -> Sequence[ContactAfter]:
        """The contacts that are lost, whole or in part."""
        return [row for row in self.contacts if row.is_lost or row.lost]


def effect_of(
    preview: Preview, names: Names, remarks: Sequence[str] = (), labels: Mapping[str, str] = NO_LABELS
) -> Effect:
    """Return the effect of a merge. `names` has the names of ids; `remarks` were stored with the merge."""
    fields = fields_of(preview, names, labels)
    return Effect(fields, contacts_of(preview), [*_warnings(preview, fields), *remarks])


def in_words(name: str, labels: Mapping[str, str] = NO_LABELS) -> str:
    """Return the name of a figure or a field for people: `settings.payment_terms` is "payment terms".

    `labels` are the company's names of custom fields.
    """
    return field_name(name.removeprefix(OF_SETTINGS), labels).removesuffix(" id")


def side_of(balance: Decimal) -> str:
    """Return whether a client owes a balance, or has overpaid it."""
    return ("owed" if balance > 0 else "overpaid") if balance else "nothing owed"


def balance_in_words(balance: Decimal, code: str) -> str:
    """Return a balance with its side: what a client owes, or has overpaid."""
    of = f" {amount(abs(balance), code)} {code or '(currency unknown)'}" if balance else ""
    return f"{side_of(balance)}{of}"


def fields_of(preview: Preview, names: Names, labels: Mapping[str, str] = NO_LABELS) -> list[FieldAfter]:
    """Return the fields that one of the clients has, with their final values at the client kept."""
    written = {**preview.before.columns, **preview.then.columns}
    rows = []
    for name in (*LOST, *(column for column in written if column not in LOST)):
        kept, merged = getattr(preview.survivor, name), getattr(preview.mergeable, name)
        after = written.get(name, kept)
        if kept is None and merged is None and after is None:
            continue
        ours, theirs, final = (_shown(name, value, names) for value in (kept, merged, after))
        is_lost = name in LOST and _is_lost(name, merged, after)
        origin = _origin(kept, merged, after)
        why = _why_lost(preview, name) if is_lost and kept is None else ""
        label = in_words(name, labels)
        rows.append(FieldAfter(name, label, ours, theirs, final, origin, is_lost, name in written, why))
    for name, value in preview.lost.items():
        if name.startswith(OF_SETTINGS):
            text = ELSEWHERE if value is None else _shown(name.removeprefix(OF_SETTINGS), value, names)
            rows.append(FieldAfter(name, in_words(name), "", text, "", "", is_lost=True))
    return rows


def _origin(kept: object, merged: object, after: object) -> str:
    if after is None:
        return ""
    if after == kept:
        return CLIENT_KEPT
    return MERGED_IN if after == merged or kept is None else BOTH


def _is_lost(name: str, merged: object, after: object) -> bool:
    """Whether a value of the client merged in is nowhere in the final one; notes are appended to others."""
    kept_in_text = name in NOTES and str(merged) in str(after)
    return merged is not None and merged != after and not kept_in_text


def _why_lost(preview: Preview, name: str) -> str:
    """Return why a line of an address does not fill a blank: an address is taken over only as a whole."""
    lines = next((block for block in (ADDRESS, SHIPPING) if name in block), ())
    if any(getattr(preview.survivor, line) is not None for line in lines):
        return "an address is taken over only as a whole, and the client kept has one"
    if lines is ADDRESS and preview.survivor.country_id not in {None, preview.mergeable.country_id}:
        return "an address is taken over only as a whole, and the client kept is in another country"
    return ""


def _shown(name: str, value: object, names: Names) -> str:
    """Return a value for people, with its name in place of an id."""
    if value is None:
        return ""
    known = names.get(name.removeprefix("shipping_"))
    if name.endswith("_id") and name != "routing_id":
        return (known or {}).get(str(value), UNNAMED)
    return {"True": "yes", "False": "no"}.get(str(value), str(value)) if name == "send_reminders" else str(value)


def contacts_of(preview: Preview) -> list[ContactAfter]:
    """Return each contact of both clients, and what happens to it."""
    return [
        *(_of_kept(preview, contact) for contact in preview.survivor.contacts),
        *(
            _dropped(preview, contact) if contact in preview.dropped else _moved(preview, contact)
            for contact in preview.mergeable.contacts
        ),
    ]


def _of_kept(preview: Preview, contact: Contact) -> ContactAfter:
    filled = preview.before.contacts.get(contact.id, {})
    return ContactAfter(contact, of_kept=True, what="stays", gained=_listed(filled))


def _moved(preview: Preview, contact: Contact) -> ContactAfter:
    if contact not in preview.second_primaries:
        return ContactAfter(contact, of_kept=False, what="moves")
    what = (
        "moves, and is not the primary contact here" if preview.then.contacts else "moves, as a second primary contact"
    )
    return ContactAfter(contact, of_kept=False, what=what)


def _dropped(preview: Preview, contact: Contact) -> ContactAfter:
    """Return what happens to a contact that the server drops: the plan may keep it, or its values."""
    values = {name: value for name in OF_A_PERSON if (value := getattr(contact, name)) is not None}
    twin = next((one for one in preview.survivor.contacts if contact.email and one.email == contact.email), None)
    if twin is not None:
        gained = preview.before.contacts.get(twin.id, {})
        lost = {n: v for n, v in values.items() if v not in (getattr(twin, n), gained.get(n))}
        return ContactAfter(contact, False, "already there, with the same e-mail address", lost=_listed(lost))
    if any(_has(new, values) for new in preview.before.new_contacts):
        return ContactAfter(contact, of_kept=False, what="moves, as a new contact without an e-mail address")
    people = [{name: getattr(one, name) for name in OF_A_PERSON} for one in preview.survivor.contacts]
    if any(_has(one, values) for one in people):
        return ContactAfter(contact, of_kept=False, what="already there")
    return ContactAfter(contact, False, "is dropped by the server", is_lost=bool(values or contact.email))


def _has(known: Mapping[str, object], values: Mapping[str, object]) -> bool:
    return bool(values) and all(known.get(name) == value for name, value in values.items())


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{in_words(name)} {value}" for name, value in values.items())


def _warnings(preview: Preview, fields: Sequence[FieldAfter]) -> list[str]:
    """Return what to look at before a merge."""
    kept, other = preview.currencies
    found = differences(preview.survivor, preview.mergeable, preview.currencies)
    warnings = []
    if "currency" in found:
        warnings.append(
            f"DIFFERENT CURRENCIES: {kept or 'unknown'} and {other or 'unknown'}. The server adds the numbers as they "
            f"are and calls the sum {kept or 'by the currency of the client kept'}."
        )
    status = preview.survivor.status
    warnings += [text.format(status=status) for name, text in WARNINGS.items() if name in found]
    if any(row.is_public and row.is_written for row in fields):
        warnings.append("The public notes are written. Customers can read them, on invoices and in the portal.")
    warnings += [
        f"{in_words(figure.name).capitalize()}: {figure.note}."
        for figure in preview.figures if figure.note.startswith("not added")
    ]  # fmt: skip
    return warnings
