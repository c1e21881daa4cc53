"""The steps to undo a merge by hand, made from the backup of both clients, as one value for all who show it.

Invoice Ninja cannot undo a merge. So people create the client again, and move its documents back one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from flows.ask.ask import reading
from flows.ask.field_names import field_labels
from flows.ask.names import Names, known_names
from flows.configuration.values import Settings
from flows.merge.effect import fields_of, in_words
from flows.merge.sheet_papers import Mirrored, mirrored_papers, papers_in_words
from flows.merge.stored import StoredMerge, merge_of_backup
from flows.show.links import link_in_app
from flows.show.show import amount
from schemas.errors import SettingsError, WarehouseError
from schemas.merge_preview import ON_THE_FORM

FIELDS: Final = (
    "name", "number", "id_number", "vat_number", "website", "phone", "classification", "routing_id",
    "group_settings_id", "size_id", "industry_id", "address1", "address2", "city", "state", "postal_code", "country_id",
    "shipping_address1", "shipping_address2", "shipping_city", "shipping_state", "shipping_postal_code",
    "shipping_country_id", "custom_value1", "custom_value2", "custom_value3", "custom_value4", "private_notes",
    "public_notes",
)  # fmt: skip
"""The fields in the form of a client, in its order."""
SETTINGS: Final = ("currency_id", *ON_THE_FORM)
PERSON: Final = ("phone", "custom_value1", "custom_value2", "custom_value3", "custom_value4")
FIGURES: Final = ("balance", "paid_to_date", "credit_balance", "payment_balance")


UNKNOWN_NAME: Final = "set, but its name is not known here. It is known after the next update from the server."


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do, with a link to its record in the app."""

    text: str = field(repr=False)
    url: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the sheet: its heading, what to do, and the things to tick."""

    title: str
    text: str
    items: Sequence[Item] = ()


@dataclass(frozen=True, slots=True)
class UndoSheet:
    """All steps. `figures` are rows of a name, and the figure of the client kept and of the other one before."""

    gone: str = field(repr=False)
    kept: Item = field(repr=False)
    parts: Sequence[Part] = ()
    figures: Sequence[tuple[str, str, str]] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Known:
    """What the warehouse adds to a backup: names of ids, numbers and dates of papers, and the merge itself.

    `labels` are the company's names of custom fields.
    """

    names: Names = field(default_factory=dict, repr=False)
    papers: Mirrored = field(default_factory=dict, repr=False)
    merge: StoredMerge | None = None
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)


def undo_sheet(settings: Settings, backup: Path, source: str | None = None) -> UndoSheet:
    """Return the steps to undo a merge, with all that the warehouse knows of it. Raises the error of `sheet_of`.

    Without a source, it is the one that the backup's file name begins with.
    """
    kept, gone = _clients_in(backup)
    name = source or source_of(settings, backup)
    if name is None:
        return sheet_of(kept, gone)
    papers: Mirrored = {}
    labels: Mapping[str, str] = {}
    try:
        with reading(settings) as warehouse:
            papers = mirrored_papers(warehouse, name, gone)
            labels = field_labels(warehouse).get(name, {})
        merge = merge_of_backup(settings, backup)
    except (SettingsError, WarehouseError):  # the backup is enough
        merge = None
    return sheet_of(kept, gone, settings.sources[name].url, Known(known_names(settings, name), papers, merge, labels))


def sheet_of(kept: Mapping[str, Any], gone: Mapping[str, Any], url: str = "", known: Known | None = None) -> UndoSheet:
    """Return the steps to undo a merge of two clients of a backup. `url` is the server's address, for links."""
    known = known or Known()
    codes = _codes(kept, gone, known)
    people, files = gone.get("contacts") or [], gone.get("documents") or []
    fields = [
        *_filled(gone, FIELDS, known, codes[1]),
        *_filled(gone.get("settings") or {}, SETTINGS, known, codes[1]),
        *_other_settings(gone.get("settings") or {}),
    ]
    papers = [Item(*paper) for paper in papers_in_words(gone, url, known.papers, codes[1])]
    written = list(_written(known.merge, known)) if known.merge else []
    return UndoSheet(
        _called(gone),
        Item(_called(kept), link_in_app(url, "clients", str(kept["id"]))),
        [
            Part("Create the client again", "Enter these values in a new client.", fields),
            Part(
                f"Contacts ({len(people)})",
                _MOVE if people else "None.",
                [Item(f"{_person(person)}: {way}") for person, way in _ways_back(kept, people)],
            ),
            Part(
                f"Move its papers back ({len(papers)})",
                "Open each, and choose the new client in it." if papers
                else "The backup lists none. Look at the activities of the client kept.",
                papers,
            ),
            Part(
                f"Files ({len(files)})",
                "Download each from the client kept, and upload it to the new client." if files else "None.",
                [Item(str(file.get("name") or "a file without a name")) for file in files],
            ),
            Part("Look through the client kept", _LOOK if written or known.merge is None else _NOTHING, written),
        ],
        [(in_words(name), _money(kept, name, codes[0]), _money(gone, name, codes[1])) for name in FIGURES],
    )  # fmt: skip


_MOVE: Final = (
    "To move a contact, enter it in the new client, then remove it from the client kept. The client kept keeps all "
    "contacts that were its own."
)
_LOOK: Final = (
    "Before the merge, values of the other client may have been written into the blanks and private notes of the "
    "client kept, and contacts added. Set these back:"
)
_NOTHING: Final = "The merge has written none of its fields."


def source_of(settings: Settings, backup: Path) -> str | None:
    """Return the source that a backup's file name begins with, else the only source; None if there are several."""
    fitting = [name for name in settings.sources if backup.name.startswith(f"{name}-merge-")]
    only = next(iter(settings.sources)) if len(settings.sources) == 1 else None
    return max(fitting, key=len, default=only)


def _clients_in(backup: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the client kept and the one merged in. Raises SettingsError if the file is not a backup of a merge."""
    try:
        kept, gone = json.loads(backup.read_text(encoding="utf-8"), parse_float=Decimal)["clients"]
    except FileNotFoundError:
        raise SettingsError(
            f"The backup {backup} is not on this machine: it is on the one that merged. `ninja-sync merge show PLAN` "
            "names the backups."
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise SettingsError(
            f"{backup} is not a backup of a merge: `ninja-sync merge show PLAN` names the backups."
        ) from None
    return kept, gone


def _called(client: Mapping[str, Any]) -> str:
    return " ".join(str(client[name]) for name in ("number", "display_name") if client.get(name)) or "a nameless client"


def _filled(record: Mapping[str, Any], fields: Sequence[str], known: Known, code: str) -> Iterator[Item]:
    """Yield the fields that have a value, with names in place of ids."""
    for name in fields:
        value = record.get(name)
        if value in (None, "", " ", "0", False):
            continue
        if name == "currency_id":
            value = code or UNKNOWN_NAME
        elif name.endswith("_id") and name != "routing_id":
            value = known.names.get(name.removeprefix("shipping_"), {}).get(str(value), UNKNOWN_NAME)
        elif name in {"payment_terms", "valid_until"}:
            value = f"{value} days"
        elif name == "default_task_rate":
            value = f"{amount(Decimal(str(value)), code)} {code}"
        elif value is True:
            value = "yes"
        yield Item(f"{in_words(name, known.labels)}: {value}")


def _other_settings(settings: Mapping[str, Any]) -> Iterator[Item]:
    """Yield the client's own settings that the form has on other pages."""
    shown = {*SETTINGS, "entity", "size_id", "industry_id"}
    left = sorted(name for name, value in settings.items() if name not in shown and value)
    if left:
        yield Item(f"settings of its own on other pages: {', '.join(map(in_words, left))}")


def _person(contact: Mapping[str, Any]) -> str:
    name = " ".join(str(contact[n]) for n in ("first_name", "last_name") if contact.get(n))
    rest = [f"{in_words(n)} {contact[n]}" for n in PERSON if contact.get(n)]
    parts = ", ".join(filter(None, (name or "without a name", _mail(contact), *rest)))
    return parts + (" (primary contact)" if contact.get("is_primary") else "")


def _ways_back(kept: Mapping[str, Any], people: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield each contact with what to do for it: the merge has moved it, or dropped it. See `lost_contacts`."""
    own = {_mail(contact) for contact in kept.get("contacts") or []}
    for person in people:
        if not own or (_mail(person) and _mail(person) not in own):
            yield person, "move it"
        elif _mail(person):
            yield person, "enter it again. The client kept had a contact of its own with this address: leave it there"
        else:
            yield person, "enter it again. The merge has dropped it, because it has no e-mail address"


def _mail(contact: Mapping[str, Any]) -> str:
    return str(contact.get("email") or "").strip()


def _written(merge: StoredMerge, known: Known) -> Iterator[Item]:
    """Yield the values of the client kept to set back, and the contacts to remove."""
    preview = merge.preview
    people = {contact.id: contact for contact in preview.survivor.contacts}
    for row in fields_of(preview, known.names, known.labels):
        if row.is_written and row.name != "currency_id":  # it was the client's currency before, too
            yield Item(f"{row.label}: " + (f"set it back to: {row.kept}" if row.kept else "it was blank"))
    for rescue in (preview.before, preview.then):
        for key, values in rescue.contacts.items():
            who = people.get(key)
            label = " ".join(filter(None, (who.first_name, who.last_name, who.email))) if who else "a contact"
            filled = [in_words(name) for name in values if name != "is_primary"]
            if filled:
                yield Item(f"{label}: these were blank: {', '.join(filled)}")
        for values in rescue.new_contacts:
            yield Item(
                f"remove the contact {', '.join(str(text) for text in values.values() if isinstance(text, str))}"
            )


def _codes(kept: Mapping[str, Any], gone: Mapping[str, Any], known: Known) -> tuple[str, str]:
    """Return the codes of the currencies of both clients: as of the plan, else by the backup."""
    if known.merge is not None and any(known.merge.preview.currencies):
        return known.merge.preview.currencies
    found = [str((client.get("settings") or {}).get("currency_id") or "") for client in (kept, gone)]
    ours, theirs = (
        known.names.get("currency_id", {}).get(key, "") if key else "in the company's currency" for key in found
    )
    return ours, theirs


def _money(client: Mapping[str, Any], name: str, code: str) -> str:
    return f"{amount(Decimal(str(client.get(name) or 0)), code)} {code}".strip()
