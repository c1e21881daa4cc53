"""Print one client for people: its figures and fields, then a table for each kind of rows that it has."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Final

from flows.ask.aging import BUCKETS, DUE, SHORT
from flows.ask.field_names import field_name
from flows.ask.find_client import Found
from flows.ask.one_client import DOCUMENTS, FIGURES, Answer, OneClient, Record, Section
from flows.show.counted import counted
from flows.show.show import amount, cell, say, show_records, show_table

PLAIN: Final = (
    "group_name", "classification", "industry", "size", "vat_number", "id_number", "website", "phone", "payment_terms",
)  # fmt: skip
"""Fields that are shown under their own names, if they have a value."""
ADDRESS: Final = ("address1", "address2", "postal_code", "city", "state", "country")
AFTERWARDS: Final = ("private_notes", "public_notes", "created_at", "updated_at", "archived_at")
AMOUNTS: Final = {"balance", *FIGURES}
AGES: Final = (*BUCKETS[DUE], "owed", "overpaid", "unapplied_payments", "open_credits")
SPARE: Final = (
    "reason", "why", "by", "part", "id", "evidence", "open credits", "unapplied payments", "overpaid", "refunded",
    "applied", "date",
)  # fmt: skip
"""Columns to leave out of a table that is too wide, in this order."""

NAMING: Final = ("first_name", "last_name", "email", "name")
"""The fields that name a contact or a document."""
OUR_CALL: Final = re.compile("our own ([a-z]+), call ")
"""The beginning of the evidence for a merge or purge by this program."""
LONGEST: Final = 100
"""The most characters of a changed value that are shown."""

Column = str | Callable[[Record], object]
Columns = Mapping[str, Column]
"""The headings of a table, each with its column, or with a function of a row."""


def _state(row: Record) -> str:
    """Return the status of a document; an archived or deleted one says so."""
    state = str(row["document_status"])
    return state if row["status"] == "active" else f"{state}, {row['status']}"


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)


def _part(row: Record) -> str:
    """Return the part of an invoice that is open; nothing for the whole invoice."""
    return "" if row["part"] == "whole" else str(row["part"])


def _short(text: object) -> object:
    """Return a changed value for people: of a whole contact or document its name, of a long text its beginning."""
    if not isinstance(text, str):
        return text
    with suppress(ValueError):
        if isinstance(record := json.loads(text), dict):
            text = ", ".join(str(record[name]) for name in NAMING if record.get(name)) or text
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _person(row: Record) -> str:
    return " ".join(filter(None, (row["first_name"], row["last_name"])))


def _other(row: Record) -> str:
    return " ".join(filter(None, (row["other_number"], row["other_name"]))) or f"id {row['other_id']}"


def _evidence(row: Record) -> str:
    """Return the evidence for the fate of a client, without the ids of calls."""
    own = OUR_CALL.match(str(row["evidence"]))
    return f"{own[1]} by Ninja Sync" if own else str(row["evidence"])


TABLES: Final[Mapping[str, tuple[str, Columns]]] = {
    "merged": ("Clients merged into it", {
        "number": "number", "client": "display_name", "id": lambda row: None if row["number"] else row["id"],
        "merged at": "vanished_at", "evidence": _evidence,
    }),
    "contacts": ("Contacts", {"name": _person, "email": "email", "phone": "phone", "primary": "is_primary"}),
    "open_items": ("Open items", {
        "number": "number", "part": _part, "date": "date", "due": "due_date", "days overdue": "days_overdue",
        "open": "open_amount",
    }),
    "invoices": ("Invoices", {
        "number": "number", "date": "date", "due": "due_date", "status": _state, "amount": "amount",
        "balance": "balance",
    }),
    "payments": ("Payments", {
        "number": "number", "date": "date", "status": _state, "amount": "amount", "applied": "applied",
        "refunded": "refunded", "unapplied": "unapplied",
    }),
    "credits": ("Credits", {
        "number": "number", "date": "date", "status": _state, "amount": "amount", "balance": "balance",
    }),
    "duplicates": ("Group of duplicates", {
        "number": "number", "client": "display_name", "status": "status", "balance": "balance",
        "currency": "currency_code", "probability": lambda row: f"{row['probability'] or 0:.1%}",
        "reason": lambda row: "; ".join(map(_as_text, row["reasons"] or [])),
    }),
    "decisions": ("Decisions on duplicates", {
        "at": "decided_at", "decision": lambda row: str(row["decision"]).replace("_", " "), "other client": _other,
        "by": "author", "reason": "reason",
    }),
    "queued": ("Queued changes", {
        "at": "queued_at", "field": "column", "value": "value", "state": "state", "by": "author", "why": "why",
    }),
    "plans": ("Plans that would change it", {
        "plan": "plan_id", "state": "state", "change": "what", "to": lambda row: _as_text(row["after"]), "by": "author",
    }),
    "changes": ("Changes", {
        "at": "changed_at", "field": "field", "before": lambda row: _short(row["before"]),
        "after": lambda row: _short(row["after"]),
    }),
    "journal": ("Calls that wrote to it", {
        "at": "noted_at", "call": "verb", "outcome": "outcome", "by": "operator", "plan": "plan_id",
    }),
    "quarantine": ("In quarantine", {"field": "field", "reason": "reason", "since": "since"}),
    "unlisted": ("No longer listed by the server", {
        "record": "record_kind", "number": "number", "why": "why", "since": "since",
    }),
}  # fmt: skip
NEWEST: Final = {*DOCUMENTS, "changes", "journal", "merged"}
MATCH: Final = ("number", "name", "state", "source", "id")


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one kind that a client has. `records` are the same rows with all columns; `of_all` counts them."""

    name: str
    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[object]] = field(repr=False)
    records: Sequence[Record] = field(repr=False)
    of_all: int

    @property
    def heading(self) -> str:
        """The title, with the number of rows if there are more than these."""
        newest = ", the newest" if self.name in NEWEST else ","
        return self.title + f"{newest} {len(self.rows):,} of {self.of_all:,}" * (self.of_all > len(self.rows))

    def is_amount(self, place: int) -> bool:
        """Whether a column has amounts or numbers, which stand at the right."""
        return any(isinstance(row[place], Decimal | int) and not isinstance(row[place], bool) for row in self.rows)


def tables_of(client: OneClient, *, top: int) -> Iterator[Table]:
    """Yield a table for each kind of rows that the client has, with at most `top` rows and without empty columns."""
    if client.aging:
        headings = [SHORT.get(name, name.replace("_", " ")) for name in AGES]
        yield _table(
            "aging", "Owed by days overdue", headings, [[client.aging[name] for name in AGES]], [client.aging], 1
        )
    merged = client.merged()
    sections = {"merged": Section(merged, len(merged)), **client.sections}
    for name, (title, columns) in TABLES.items():
        section = sections[name]
        records = [_in_words(name, row, client) for row in section.rows[:top]]
        if records:
            values = [[row[c] if isinstance(c, str) else c(row) for c in columns.values()] for row in records]
            yield _table(name, title, list(columns), values, records, section.of_all)


def lines_of(client: OneClient) -> list[tuple[str, object]]:
    """Return the figures and fields of a client that have a value, with their names for people."""
    return [(name, value) for name, value in _lines(client) if value not in (None, "")]


def not_mirrored(client: OneClient) -> str:
    """Return a sentence that names the documents that are not in the warehouse; '' if all are."""
    missing = [name for name in DOCUMENTS if name not in client.mirrored]
    return (
        f"Not in the warehouse: {', '.join(missing)}. The configuration says which records are pulled."
        if missing
        else ""
    )


def tell_client(client: OneClient, *, top: int = 5) -> None:
    """Print the client, with at most `top` rows of each kind; sections without rows are left out."""
    code, lines = client.currency or "", lines_of(client)
    show_records(_title(client.found), [name for name, _ in lines], [[value for _, value in lines]], currency=code)
    for table in tables_of(client, top=top):
        spare = [name for name in SPARE if name in table.headings]
        show_table(table.heading, table.headings, table.rows, spare=spare, currency=code)
    if missing := not_mirrored(client):
        say(missing)


def tell_matches(answer: Answer) -> None:
    """Print the clients to choose from, or those whose number or name is like the text."""
    listed, of_all = answer.matches or answer.near, answer.near_of_all
    title = f"{counted(len(listed), 'client')} match" if answer.matches else "Did you mean one of these?"
    if of_all > len(listed):
        title += f" (the {len(listed)} most alike of {of_all:,})"
    if listed:
        show_table(title, MATCH, [(c.number, c.name, c.state, c.source, c.id) for c in listed])


def _title(found: Found) -> str:
    return " ".join(filter(None, ("Client", found.number, found.name)))


def _lines(client: OneClient) -> list[tuple[str, object]]:
    """Return the figures and fields of a client, with their names for people. A label may repeat a name."""
    fields, figures = client.fields, client.figures()
    last, others = "last " if client.found.kind else "", ("paid_to_date", "credit_balance")
    return [
        ("state", client.state), *_fate(client), (f"{last}balance", _balance(client)),
        *((last + name.replace("_", " "), _money(figures[name], client)) for name in others),
        *((field_name(name.removesuffix("_name")), fields.get(name)) for name in PLAIN),
        ("address", _joined(fields, ADDRESS)), ("shipping", _joined(fields, [f"shipping_{name}" for name in ADDRESS])),
        *client.custom_fields().items(), *((name.replace("_", " "), fields.get(name)) for name in AFTERWARDS),
        ("versions", _versions(client)), ("source", client.found.source), ("id", client.found.id),
        ("last load", client.last_load_at),
    ]  # fmt: skip


def _fate(client: OneClient) -> list[tuple[str, object]]:
    """Return where a client went that vanished, and the evidence."""
    redirect = client.redirect
    if redirect is None:
        return []
    now = None
    if redirect["current_id"]:
        now = f"{redirect['current_name'] or ''} ({redirect['current_number'] or redirect['current_id']})".strip()
    return [
        ("is now part of", now), ("was merged into", None if now else redirect["into_id"]),
        ("vanished at", redirect["vanished_at"]), ("evidence", _evidence(redirect)),
    ]  # fmt: skip


def _balance(client: OneClient) -> str | None:
    figures = client.figures()
    side = next((name for name in ("owed", "overpaid") if figures[name]), None)
    shown = _money(figures[side or "balance"], client)
    return f"{shown} {side}" if shown and side else shown


def _money(value: object, client: OneClient) -> str | None:
    if not isinstance(value, Decimal):
        return None
    return f"{amount(value, client.currency)} {client.currency or '(currency unknown)'}"


def _joined(fields: Record, names: Sequence[str]) -> str:
    return ", ".join(str(fields[name]) for name in names if fields.get(name))


def _versions(client: OneClient) -> str | None:
    history = client.sections["history"]
    return f"{history.of_all:,}, the newest since {cell(history.rows[0]['valid_from'])}" if history.rows else None


def _in_words(name: str, row: Record, client: OneClient) -> Record:
    """Return a row with a changed or queued field by the company's label or in words, and its amounts as money."""
    column = {"changes": "field", "queued": "column"}.get(name)
    if column is None:
        return row
    both = {key: _figure(row[key], client) for key in ("before", "after") if row[column] in AMOUNTS and key in row}
    return row | both | {column: field_name(str(row[column]), client.labels)}


def _figure(text: object, client: OneClient) -> object:
    """Return an amount of the history as money; anything else unchanged."""
    try:
        return _money(Decimal(str(text)), client)
    except InvalidOperation:
        return text


def _table(
    name: str, title: str, headings: Sequence[str], rows: Sequence[Sequence[object]], records: Sequence[Record],
    of_all: int,
) -> Table:  # fmt: skip
    """Return a table without its empty columns."""
    kept = [n for n, _ in enumerate(headings) if any(row[n] not in (None, "") for row in rows)]
    names, values = [headings[n] for n in kept], [[row[n] for n in kept] for row in rows]
    return Table(name, title, names, values, records, of_all)
