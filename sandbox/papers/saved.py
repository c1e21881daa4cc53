"""Saving a paper with lines: defaults of a new one, totals, balance, number, invitations (BaseRepository.php)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from sandbox.books.client_settings import precision_of, setting
from sandbox.books.ledger import money
from sandbox.papers import lines
from sandbox.papers.entered import amount_of, columns_of
from sandbox.papers.invitations import settle
from sandbox.papers.kinds import Kind
from sandbox.papers.lists import reread
from sandbox.papers.numbers import next_number
from sandbox.papers.states import write
from sandbox.papers.statuses import CANCELLED, DRAFT
from sandbox.papers.totals import TAXES, reckon
from sandbox.php import hashids
from sandbox.php.input import Input
from sandbox.store.database import Row, columns, insert, select
from sandbox.store.world import World
from sandbox.wire.calls import Call

NEW: Row = {
    "status_id": DRAFT, "discount": "0", "is_amount_discount": 1, "uses_inclusive_taxes": 0, "po_number": "",
    "footer": "", "terms": "", "public_notes": "", "private_notes": "", "is_deleted": 0, "line_items": "[]",
    "tax_name1": "", "tax_rate1": "0", "tax_name2": "", "tax_rate2": "0", "tax_name3": "", "tax_rate3": "0",
    "custom_value1": "", "custom_value2": "", "custom_value3": "", "custom_value4": "", "amount": "0", "balance": "0",
    "paid_to_date": "0", "exchange_rate": "1", "partial": "0",
}  # fmt: skip
"""A paper before anything is entered (InvoiceFactory, CreditFactory)."""


def blank(call: Call, kind: Kind, today: str) -> Row:
    """A paper that does not exist yet, as GET /KIND/create shows it."""
    return dict.fromkeys(columns(call.world.db, kind.table)) | NEW | {"user_id": call.token.user_id, "date": today}


def create(call: Call, kind: Kind, data: Input, fillable: Collection[str]) -> Row:
    """A new draft. The rate that was sent does not count: the server asks its own table, where every rate is 1."""
    world, client = call.world, select(call.world.db, "clients", "id = ?", (data["client_id"],))[0]
    stamp = world.clock.stamp()
    row = NEW | {
        "company_id": call.token.company_id,
        "user_id": call.token.user_id,
        "uses_inclusive_taxes": int(bool(setting(world.db, client, "inclusive_taxes"))),
        "created_at": stamp,
        "updated_at": stamp,
    }
    row |= columns_of(data, fillable) | _defaults(world, client, kind, data) | {"exchange_rate": "1"}
    row["design_id"] = row.get("design_id") or hashids.decode(setting(world.db, client, f"{kind.entity}_design_id"))
    number = insert(world.db, kind.table, row)
    settle(world, kind, number, client, data)
    stored = reread(call, kind, number)
    own = {} if stored["number"] else {"number": next_number(world, call.token.company_id, kind.table)}
    write(world, kind.table, number, summed(world, client, stored) | own)
    return reread(call, kind, number)


def _defaults(world: World, client: Row, kind: Kind, data: Input) -> Row:
    """Terms and footer of the settings where none came, and the client's public notes, which always win."""
    out = {
        name: setting(world.db, client, f"{kind.entity}_{name}") or ""
        for name in ("terms", "footer")
        if not data.get(name)
    }
    return out | ({"public_notes": client["public_notes"]} if client["public_notes"] else {})


def change(call: Call, kind: Kind, row: Row, data: Input, fillable: Collection[str]) -> Row:
    """Save what was sent over the paper. Its stamp moves even if nothing changes (recorded)."""
    world = call.world
    client = select(world.db, "clients", "id = ?", (row["client_id"],))[0]
    changed = row | columns_of(data, fillable)
    changed["number"] = changed["number"] or next_number(world, row["company_id"], kind.table)
    changed |= summed(world, client, changed)
    settle(world, kind, row["id"], client, data)
    write(world, kind.table, row["id"], {name: value for name, value in changed.items() if value != row[name]})
    return reread(call, kind, row["id"])


def summed(world: World, client: Row, row: Mapping[str, Any]) -> Row:
    """The columns of a paper that its lines decide: amount, taxes, lines, and the balance unless it is a draft.

    The balance is the new amount less what was paid. Only where amount and balance were the same before, it is the new
    amount, whatever was paid.
    """
    totals = reckon(
        row,
        lines.loaded(row),
        precision=precision_of(world.db, client),
        tax_exempt=bool(client["is_tax_exempt"]),
    )
    out: Row = {
        "amount": totals.amount,
        "total_taxes": totals.total_taxes,
        "line_items": lines.stored(totals.lines),
    }
    if client["is_tax_exempt"]:
        out |= {f"tax_name{n}": "" for n in TAXES} | {f"tax_rate{n}": "0" for n in TAXES}
    if row["status_id"] == CANCELLED:
        out["balance"] = "0"
    elif row["status_id"] != DRAFT:
        paid = amount_of(row, "paid_to_date") if amount_of(row) != amount_of(row, "balance") else Decimal(0)
        out["balance"] = money(Decimal(totals.amount) - paid)
    return out
