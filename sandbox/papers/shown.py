"""Papers as the API writes them, field by field after InvoiceTransformer, CreditTransformer and PaymentTransformer.

Nothing is ever null: PHP's `?: ''` turns both null and the text "0" into `""`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sandbox.papers.kinds import Json
from sandbox.php.hashids import encode
from sandbox.store.database import Row, marks, select
from sandbox.store.world import MICROS, World
from sandbox.wire.calls import Call

NO_DAY, NO_DAY_SHOWN = "0000-00-00", "-0001-11-30"
"""A text that is no day, as the database keeps it and as PHP shows it (recorded)."""
HASHED = (
    "user_id",
    "project_id",
    "assigned_user_id",
    "client_id",
    "vendor_id",
    "design_id",
    "subscription_id",
    "location_id",
)
TEXTS = (
    "number", "po_number", "terms", "public_notes", "private_notes", "tax_name1", "tax_name2", "tax_name3", "footer",
    "custom_value1", "custom_value2", "custom_value3", "custom_value4", "last_sent_date", "next_send_date",
    "reminder1_sent", "reminder2_sent", "reminder3_sent", "reminder_last_sent",
)  # fmt: skip
DAYS = ("date", "due_date")
MONEY = (
    "amount", "balance", "paid_to_date", "partial", "discount", "tax_rate1", "tax_rate2", "tax_rate3", "total_taxes",
    "custom_surcharge1", "custom_surcharge2", "custom_surcharge3", "custom_surcharge4",
)  # fmt: skip
FLAGS = (
    "is_deleted", "uses_inclusive_taxes", "is_amount_discount", "custom_surcharge_tax1", "custom_surcharge_tax2",
    "custom_surcharge_tax3", "custom_surcharge_tax4",
)  # fmt: skip
OF_PAYMENTS = (
    "user_id", "assigned_user_id", "client_id", "client_contact_id", "company_gateway_id", "project_id", "vendor_id",
    "transaction_id",
)  # fmt: skip
PLAIN_NUMBERS = ("type_id", "invitation_id", "gateway_type_id", "currency_id", "exchange_currency_id")


def text(value: Any) -> Any:
    """A text column; null and "0" are empty."""
    return "" if value is None or value == "0" else value


@lru_cache(maxsize=8192)
def figure(stored: str | None) -> Decimal:
    """A decimal column; null is 0."""
    return Decimal(stored or 0)


def seconds(stamp: int | None) -> int:
    """A stamp in seconds; 0 for none."""
    return 0 if stamp is None else stamp // MICROS


def hashed(number: int | None) -> str:
    """A row number as the API shows it; empty for none."""
    return "" if number is None else encode(number)


def day(stored: str | None) -> str:
    """A day; empty for none."""
    return NO_DAY_SHOWN if stored == NO_DAY else stored or ""


def times(row: Row) -> Json:
    """The three stamps that every record shows."""
    return {
        "created_at": seconds(row["created_at"]),
        "updated_at": seconds(row["updated_at"]),
        "archived_at": seconds(row["deleted_at"]),
    }


def paper_json(row: Row, entity: str) -> Json:
    """What invoices, credits and quotes have in common; without invitations."""
    return {
        "id": hashed(row["id"]),
        **{name: hashed(row[name]) for name in HASHED},
        **times(row),
        **{name: text(row[name]) for name in TEXTS},
        **{name: day(row[name]) for name in DAYS},
        **{name: figure(row[name]) for name in MONEY},
        **{name: bool(row[name]) for name in FLAGS},
        "status_id": str(row["status_id"] or 1),
        "exchange_rate": figure(row["exchange_rate"]) or 1,
        "partial_due_date": "" if row["partial_due_date"] == NO_DAY else row["partial_due_date"] or "",
        "has_tasks": False,
        "has_expenses": False,
        "line_items": json.loads(row["line_items"]),
        "entity_type": entity,
        "tax_info": _object(row["tax_info"]),
        "e_invoice": _object(row["e_invoice"]),
        "documents": [],
    }


def _object(stored: str | None) -> Any:
    return (json.loads(stored) if stored else None) or {}


def with_invitations(call: Call, rows: Sequence[Row], records: Sequence[Json], kind: str) -> list[Json]:
    """The records with who was invited to see each of them."""
    invited = defaultdict(list)
    ids = [row["id"] for row in rows if row["id"] is not None]
    where = f"kind = ? AND paper_id IN ({marks(ids)}) AND deleted_at IS NULL ORDER BY id"
    for invitation in select(call.world.db, "invitations", where, (kind, *ids)) if ids else ():
        invited[invitation["paper_id"]].append(_invitation_json(invitation, kind, call.host))
    return [record | {"invitations": invited[row["id"]]} for row, record in zip(rows, records, strict=True)]


def _invitation_json(row: Row, kind: str, host: str) -> Json:
    return {
        "id": encode(row["id"]),
        "client_contact_id": encode(row["client_contact_id"]),
        "key": row["key"],
        "link": f"{host}/client/{kind}/{row['key']}",
        "sent_date": row["sent_date"] or "",
        "viewed_date": row["viewed_date"] or "",
        "opened_date": row["opened_date"] or "",
        **times(row),
        "email_status": "",
        "email_error": "",
        "message_id": "",
    }


def invoices_json(call: Call, rows: Sequence[Row]) -> list[Json]:
    """Invoices, with their invitations."""
    records = [
        paper_json(row, "invoice")
        | {
            "recurring_id": hashed(row["recurring_id"]),
            "auto_bill_enabled": bool(row["auto_bill_enabled"]),
            "backup": {},
        }
        for row in rows
    ]
    return with_invitations(call, rows, records, "invoice")


def credits_json(call: Call, rows: Sequence[Row]) -> list[Json]:
    """Credits, with their invitations. One without a partial due date shows today (recorded)."""
    today = today_of(call)
    records = [
        paper_json(row, "credit")
        | {"invoice_id": hashed(row["invoice_id"]), "partial_due_date": row["partial_due_date"] or today}
        for row in rows
    ]
    return with_invitations(call, rows, records, "credit")


def today_of(call: Call) -> str:
    """Today, for this request."""
    return day_at(call.world)


def day_at(world: World) -> str:
    """Today, in UTC: the companies of the sandbox have no time zone of their own."""
    return datetime.fromtimestamp(world.clock.now(), UTC).date().isoformat()


def payments_json(call: Call, rows: Sequence[Row]) -> list[Json]:
    """Payments, with the invoices and credits that each one is on."""
    placed = defaultdict(list)
    ids = [row["id"] for row in rows if row["id"] is not None]
    where = f"payment_id IN ({marks(ids)}) AND deleted_at IS NULL ORDER BY id"
    for part in select(call.world.db, "paymentables", where, ids) if ids else ():
        placed[part["payment_id"]].append(_paymentable_json(part))
    return [_payment_json(row) | {"paymentables": placed[row["id"]], "documents": []} for row in rows]


def _payment_json(row: Row) -> Json:
    return {
        "id": hashed(row["id"]),
        **{name: hashed(row[name]) for name in OF_PAYMENTS},
        **times(row),
        **{name: figure(row[name]) for name in ("amount", "refunded", "applied")},
        **{name: text(row[name]) for name in _PAYMENT_TEXTS},
        **{name: str(row[name] or "") for name in PLAIN_NUMBERS},
        "date": day(row["date"]),
        "is_manual": bool(row["is_manual"]),
        "is_deleted": bool(row["is_deleted"]),
        "status_id": str(row["status_id"]),
        "exchange_rate": figure(row["exchange_rate"]) or 1,
    }


_PAYMENT_TEXTS = (
    "transaction_reference", "private_notes", "number", "custom_value1", "custom_value2", "custom_value3",
    "custom_value4",
)  # fmt: skip


def _paymentable_json(row: Row) -> Json:
    return {
        "id": encode(row["id"]),
        f"{row['kind']}_id": encode(row["paper_id"]),
        "amount": figure(row["amount"]),
        "refunded": figure(row["refunded"]),
        **times(row),
    }
