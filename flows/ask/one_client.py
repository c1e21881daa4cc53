"""All that the warehouse knows of one client: its figures, records, history, duplicates, plans and calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, Final

import msgspec

from flows.ask.ask import Result, reading
from flows.ask.balances import check_source
from flows.ask.find_client import Found, find_clients, near_clients
from flows.configuration.values import Settings
from schemas.errors import SettingsError
from schemas.money import in_own_decimals
from warehouse.control.outbox import OPEN, queued_of_client
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement
from warehouse.schema.labels import named_columns

Record = dict[str, Any]

EVERYTHING: Final = 10**12
"""More rows than any client has."""
FIGURES: Final = ("paid_to_date", "credit_balance", "payment_balance")
DOCUMENTS: Final = ("invoices", "payments", "credits")
CUSTOM: Final = ("custom_value1", "custom_value2", "custom_value3", "custom_value4")
SECTIONS: Final = (
    "contacts", "open_items", *DOCUMENTS, "changes", "history", "duplicates", "decisions", "plans", "journal",
    "quarantine", "unlisted",
)  # fmt: skip
"""Statements with rows of one client. `history` are its versions."""
DECIDED: Final = ("decisions", "plans", "journal")
"""The sections that people write, here or at the desk."""
PULLED: Final = (
    "known", "fields", "last_record", "aging", "redirects", *(name for name in SECTIONS if name not in DECIDED),
)  # fmt: skip
"""The statements of all that a pull or a search for duplicates stores."""
JSON_TEXTS: Final = {"duplicates": ("reasons",), "plans": ("after",), "journal": ("before", "after")}
IN_RECORD: Final = (
    "name", "vat_number", "id_number", "website", "phone", "address1", "address2", "city", "state", "postal_code",
    "shipping_address1", "shipping_address2", "shipping_city", "shipping_state", "shipping_postal_code", *CUSTOM,
    "private_notes", "public_notes",
)  # fmt: skip
"""Fields of a client that vanished, in its last record."""
OF_CONTACT: Final = ("id", "first_name", "last_name", "email", "phone", "is_primary", "send_email", *CUSTOM)


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of a client, the first of them, and how many there are."""

    rows: Sequence[Record] = field(default=(), repr=False)
    of_all: int = 0


@dataclass(frozen=True, slots=True)
class OneClient:
    """A client and its rows. `labels` are the company's names of custom fields; `mirrored` the kinds of records."""

    found: Found
    fields: Record = field(repr=False)
    aging: Record | None = field(repr=False)
    sections: Mapping[str, Section] = field(repr=False)
    labels: Mapping[str, str]
    labels_of_contacts: Mapping[str, str]
    mirrored: Sequence[str]
    last_load_at: object

    @property
    def currency(self) -> str | None:
        """The code of the currency of its amounts."""
        return self.fields.get("currency_code")

    @property
    def state(self) -> str:
        """Present clients are active, archived or deleted; others merged, purged, gone, or never stored."""
        return self.found.state

    @property
    def redirect(self) -> Record | None:
        """Where the client went, if it vanished."""
        return next((row for row in self.sections["redirects"].rows if row["id"] == self.found.id), None)

    def merged(self) -> list[Record]:
        """Return the clients that were merged into this one, directly or through others."""
        return [row for row in self.sections["redirects"].rows if row["id"] != self.found.id]

    def figures(self) -> Record:
        """Return the balance with its two sides, and the other figures; none of a client without a known version."""
        balance = self.fields.get("balance")
        sides = {"balance": balance, "owed": None, "overpaid": None}
        if isinstance(balance, Decimal):
            nothing = in_own_decimals(Decimal(0), self.currency)
            sides |= {"owed": max(balance, nothing), "overpaid": max(-balance, nothing)}
        return {"currency_code": self.currency, **sides, **{name: self.fields.get(name) for name in FIGURES}}

    def custom_fields(self) -> Record:
        """Return the custom fields that have a value, by the company's labels."""
        return _labelled(self.fields, self.labels)

    def as_document(self) -> Record:
        """Return everything for JSON, with the same keys for each client."""
        rows = {name: list(section.rows) for name, section in self.sections.items()}
        rows["versions"] = rows.pop("history")
        rows["merged_into_this"] = self.merged()
        del rows["redirects"]
        contacts = [row | {"custom_fields": _labelled(row, self.labels_of_contacts)} for row in rows.pop("contacts")]
        return {
            "source": self.found.source, "id": self.found.id, "number": self.found.number,
            "display_name": self.found.name, "state": self.state, "figures": self.figures(),
            "redirect": self.redirect, "fields": self.fields, "custom_fields": self.custom_fields(),
            "aging": self.aging, "contacts": contacts, **rows, "mirrored": self.mirrored,
            "last_load_at": self.last_load_at,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """The clients that a text means; the one client, if it is one; else, if it is none, some that are like it.

    `near_of_all` counts all clients that are like it.
    """

    matches: Sequence[Found]
    client: OneClient | None = None
    near: Sequence[Found] = ()
    near_of_all: int = 0

    def as_document(self) -> Record:
        """Return the client for JSON, else the clients to choose from."""
        if self.client is not None:
            return self.client.as_document()
        return {"matches": [asdict(match) for match in self.matches], "near": [asdict(match) for match in self.near]}


def read_client(settings: Settings, text: str, source: str | None = None, *, top: int = EVERYTHING) -> Answer:
    """Return the client that a text means, with at most `top` rows of each kind. Raises SettingsError for no source."""
    if not text.strip():
        raise SettingsError("Name a client: its number, id, name or e-mail address.")
    with reading(settings, newest=True) as warehouse:  # plans and queued changes wait for no publication
        check_source(warehouse, settings, source)
        matches = find_clients(warehouse, text, source)
        if len(matches) == 1:
            return Answer(matches, _read(warehouse, matches[0], top))
        near, of_all = ([], 0) if matches else near_clients(warehouse, text, source)
        return Answer(matches, near=near, near_of_all=of_all)


def read_by_id(settings: Settings, source: str, client_id: str, *, top: int = EVERYTHING) -> OneClient | None:
    """Return a client by its id, with at most `top` rows of each kind; None if nothing is known of it.

    Decisions, plans and changes are as new as the warehouse, all else as new as its published copy.
    """
    with reading(settings) as copy:
        check_source(copy, settings, source)
        rows: list[tuple[Any, ...]] = copy.rows(statement("client/by_id"), {"source": source, "id": client_id})
        if not rows:
            return None
        found = Found(source, client_id, *rows[0])
        results = _results(copy, found, top, PULLED)
    with reading(settings, newest=True) as warehouse:
        return _client_of(found, results | _results(warehouse, found, top, DECIDED), _queued(warehouse, found), top)


def _results(warehouse: Warehouse, found: Found, top: int, names: Sequence[str]) -> dict[str, Result]:
    params = {"source": found.source, "id": found.id, "top": top}
    return {name: Result(*warehouse.answer(statement(f"client/{name}"), params)) for name in names}


def _read(warehouse: Warehouse, found: Found, top: int) -> OneClient:
    results = _results(warehouse, found, top, (*PULLED, *DECIDED))
    return _client_of(found, results, _queued(warehouse, found), top)


def _client_of(found: Found, results: Mapping[str, Result], queued_changes: Section, top: int) -> OneClient:
    known: Record = next(iter(results["known"].records()), {})
    labels = msgspec.json.decode(known.get("labels") or "{}")
    fields: Record = next(iter(results["fields"].records()), {}) or _last_fields(results)
    own = partial(_in_own_decimals, currency=fields["currency_code"])
    sections = {name: _section(name, list(map(own, results[name].records()))) for name in ("redirects", *SECTIONS)}
    sections["queued"] = queued_changes
    if found.kind is not None:
        sections["contacts"] = _last_contacts(results, top)
    aging = next(map(own, results["aging"].records()), None)
    return OneClient(
        found=found, fields=own(fields), aging=aging, sections=sections, labels=_names(labels, "client"),
        labels_of_contacts=_names(labels, "contact"), mirrored=str(known.get("mirrored") or "").split(","),
        last_load_at=known.get("last_load_at"),
    )  # fmt: skip


def _in_own_decimals(row: Record, currency: str | None) -> Record:
    code = row.get("currency_code") or currency
    return {name: in_own_decimals(value, code) if isinstance(value, Decimal) else value for name, value in row.items()}


def _section(name: str, rows: list[Record]) -> Section:
    """Return the rows without the column that counts them, and with JSON texts as values."""
    of_all = next((int(row["of_all"]) for row in rows if "of_all" in row), len(rows))
    for row in rows:
        row.pop("of_all", None)
        for column in JSON_TEXTS.get(name, ()):
            row[column] = _decoded(row[column])
    return Section(rows, of_all)


def _queued(warehouse: Warehouse, found: Found) -> Section:
    """Return the changes in the outbox that wait, or were refused."""
    rows = [asdict(change) for change in queued_of_client(warehouse, found.source, found.id) if change.state in OPEN]
    return Section(rows, len(rows))


def _decoded(text: object) -> object:
    """Return the value of a JSON text. The other client of a planned merge is an id, and no JSON."""
    try:
        return msgspec.json.decode(str(text)) if text is not None else None
    except msgspec.DecodeError:
        return text


def _last_record(results: Mapping[str, Result]) -> Record:
    return next((msgspec.json.decode(str(text)) for (text,) in results["last_record"].rows), {})


def _value(value: object) -> object:
    """Return a value of the server's record; an empty text is no value."""
    return None if value == "" else value


def _last_fields(results: Mapping[str, Result]) -> Record:
    """Return the fields of a client that vanished: its last version's, and texts of its last record."""
    record = _last_record(results)
    version = next(iter(results["history"].records()), {})
    texts = {name: _value(record.get(name)) for name in IN_RECORD}
    return {name: version.get(name, texts.get(name)) for name in results["fields"].columns}


def _last_contacts(results: Mapping[str, Result], top: int) -> Section:
    contacts = _last_record(results).get("contacts") or []
    columns = [name for name in results["contacts"].columns if name != "of_all"]
    rows = [
        {name: _value(contact.get(name)) if name in OF_CONTACT else None for name in columns} for contact in contacts
    ]
    return Section(rows[:top], len(rows))


def _names(labels: object, word: str) -> dict[str, str]:
    """Return the name of each custom field: the company's label, else the column."""
    return dict(named_columns(list(CUSTOM), labels if isinstance(labels, dict) else {}, word))


def _labelled(row: Record, labels: Mapping[str, str]) -> Record:
    return {label: row[column] for column, label in labels.items() if row.get(column) is not None}
