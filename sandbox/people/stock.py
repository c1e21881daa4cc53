"""Fills the database with the records of a real company, as the API shows them: the stock of a rehearsal.

Row numbers come from the hashed ids, so the ids are the same as in the books. Values that the API shows and nobody
stores (contact keys, hashes) are invented; there are no gateway tokens. One invoice, payment and credit stand behind
the figures of each client.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any

from sandbox.books.accounts import COMPANY_A, OWNER
from sandbox.books.lookups import statics
from sandbox.papers.set_figures import give_papers
from sandbox.people.business import secret
from sandbox.php.hashids import decode
from sandbox.store.database import Row, insert, insert_all, transaction, update
from sandbox.store.world import MICROS, World

Record = Mapping[str, Any]
BATCH = 1000
NEW_FROM = 1_000_000_000
"""Row numbers from here on are for ids made with a salt: no real table is that long."""
TEXTS = (
    "name", "website", "private_notes", "public_notes", "address1", "address2", "phone", "city", "state", "postal_code",
    "custom_value1", "custom_value2", "custom_value3", "custom_value4", "shipping_address1", "shipping_address2",
    "shipping_city", "shipping_state", "shipping_postal_code", "vat_number", "routing_id", "classification",
)  # fmt: skip
FIGURES = ("balance", "paid_to_date", "payment_balance", "credit_balance")
CONTACT_TEXTS = (
    "first_name", "last_name", "email", "phone", "custom_value1", "custom_value2", "custom_value3", "custom_value4",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stock:
    """The records of one company: itself, its groups, its clients with their contacts and documents."""

    company: Record
    groups: Iterable[Record]
    clients: Iterable[Record]


@dataclass(slots=True)
class Filled:
    """The result: how many clients came in, and how many ids of all kinds had to be replaced."""

    clients: int = 0
    new_ids: int = 0
    groups: dict[str, int] = field(default_factory=dict)

    def number(self, hashed: object) -> int:
        """The row number of a hashed id; a new one where it does not decode under the empty salt."""
        number = decode(hashed)
        if number is not None:
            return number
        self.new_ids += 1
        return NEW_FROM + self.new_ids


def fill(world: World, stock: Stock) -> Filled:
    """Put the records into company A of a database without clients, in batches and in one transaction."""
    filled, clients = Filled(), iter(stock.clients)
    with transaction(world.db):
        update(world.db, "companies", _company(stock.company), [COMPANY_A])
        for group in stock.groups:
            filled.groups[str(group["id"])] = filled.number(group["id"])
            insert(world.db, "group_settings", _group(group, filled.groups[str(group["id"])]))
        while batch := list(islice(clients, BATCH)):
            _insert_batch(world, filled, batch)
    return filled


def _insert_batch(world: World, filled: Filled, batch: list[Record]) -> None:
    clients: list[Row] = []
    contacts: list[Row] = []
    documents: list[Row] = []
    for record in batch:
        number = filled.number(record["id"])
        filled.clients += 1
        clients.append(_client(world, filled, record, number))
        belongs = {"company_id": COMPANY_A, "client_id": number}
        people, papers = record.get("contacts") or (), record.get("documents") or ()
        contacts += [_contact(world, child) | belongs | {"id": filled.number(child["id"])} for child in people]
        documents += [_document(world, child) | belongs | {"id": filled.number(child["id"])} for child in papers]
    insert_all(world.db, "clients", clients)
    insert_all(world.db, "contacts", contacts)
    insert_all(world.db, "documents", documents)
    for client in clients:
        give_papers(world, client)


def _company(record: Record) -> Row:
    settings = record.get("settings") or {}
    row: Row = {
        "name": str(settings.get("name") or "A company"),
        "currency_id": str(settings.get("currency_id") or "1"),
        "country_id": _lookup(settings.get("country_id")) or 840,
        "custom_fields": json.dumps(record.get("custom_fields") or {}),
    }
    counter = settings.get("client_number_counter")
    return row | ({"client_number_counter": counter} if isinstance(counter, int) and counter > 0 else {})


def _group(record: Record, number: int) -> Row:
    own = {"id": number, "company_id": COMPANY_A, "user_id": OWNER, "name": _text(record.get("name"))}
    state = {"settings": _object(record.get("settings")), "is_deleted": int(bool(record.get("is_deleted")))}
    return own | state | _stamps(record)


def _client(world: World, filled: Filled, record: Record, number: int) -> Row:
    group = str(record.get("group_settings_id") or "")
    row: Row = {"id": number, "company_id": COMPANY_A, **_users(record)}
    row |= {name: _text(record.get(name)) for name in TEXTS} | {name: _amount(record.get(name)) for name in FIGURES}
    row |= {
        "number": _text(record.get("number")) or None,
        "id_number": _text(record.get("id_number")) or None,
        "group_settings_id": filled.groups.get(group, decode(group)),
        "last_login": _moment(record.get("last_login")),
        "size_id": _known("sizes", record.get("size_id")),
        "industry_id": _known("industries", record.get("industry_id")),
        "country_id": _lookup(record.get("country_id")),
        "shipping_country_id": _lookup(record.get("shipping_country_id")),
        "client_hash": secret(world.random, 40),
    }
    row |= {name: _object(record.get(name)) for name in ("settings", "tax_info", "e_invoice")}
    flags = ("is_deleted", "has_valid_vat_number", "is_tax_exempt")
    return row | {name: int(bool(record.get(name))) for name in flags} | _stamps(record)


def _contact(world: World, record: Record) -> Row:
    row: Row = {"user_id": OWNER, **{name: _text(record.get(name)) for name in CONTACT_TEXTS}}
    row |= {name: int(bool(record.get(name))) for name in ("is_primary", "is_locked", "send_email")}
    row |= {"contact_key": secret(world.random, 32), "last_login": _moment(record.get("last_login"))}
    return row | _stamps(record)


def _document(world: World, record: Record) -> Row:
    row: Row = {name: int(record.get(name) or 0) for name in ("size", "width", "height", "is_public")}
    row |= {"name": _text(record.get("name")), "type": _text(record.get("type")), "hash": secret(world.random, 32)}
    return row | {"user_id": _users(record)["user_id"]} | _stamps(record)


def _users(record: Record) -> Row:
    """The users' numbers; the owner's where they are unknown."""
    return {
        "user_id": decode(record.get("user_id")) or OWNER,
        "assigned_user_id": decode(record.get("assigned_user_id")),
    }


def _stamps(record: Record) -> Row:
    return {
        "created_at": _moment(record.get("created_at")),
        "updated_at": _moment(record.get("updated_at")),
        "deleted_at": _moment(record.get("archived_at")),
    }


def _moment(seconds: Any) -> int | None:
    return int(seconds) * MICROS if seconds else None


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _amount(value: Any) -> str:
    """Exact decimal text, without an exponent."""
    return f"{Decimal(str(value or 0)):f}"


def _lookup(value: Any) -> int | None:
    return int(value) if str(value or "").isdecimal() else None


def _known(table: str, value: Any) -> int | None:
    """The id, or None where the server has no such size or industry: its foreign keys would refuse the row."""
    return _lookup(value) if any(row["id"] == str(value) for row in statics()[table]) else None


def _object(value: Any) -> str | None:
    return json.dumps(value, default=float) if value else None
