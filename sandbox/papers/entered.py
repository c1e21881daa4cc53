"""The data of a POST or PUT of a paper made ready, and turned into columns (`$fillable`, prepareForValidation).

The server's database is not strict: a number in a text counts as far as it goes, an odd day becomes 0000-00-00.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.clients.input import LONG, SHORT, plain
from sandbox.papers import lines
from sandbox.papers.amounts import kept
from sandbox.papers.shown import NO_DAY
from sandbox.papers.totals import TAXES
from sandbox.php import hashids
from sandbox.php.input import Input
from sandbox.php.text import is_numeric, leading_number, to_int, truth
from sandbox.store.database import Row
from sandbox.wire.answers import server_error

TEXTS = (
    "number", "po_number", "terms", "footer", "public_notes", "private_notes", "tax_name1", "tax_name2", "tax_name3",
    "custom_value1", "custom_value2", "custom_value3", "custom_value4", "transaction_reference",
)  # fmt: skip
SHORT_TEXTS = ("number", "po_number", "tax_name1", "tax_name2", "tax_name3", "transaction_reference")
MONEY = (
    "discount", "partial", "tax_rate1", "tax_rate2", "tax_rate3", "custom_surcharge1", "custom_surcharge2",
    "custom_surcharge3", "custom_surcharge4", "exchange_rate",
)  # fmt: skip
MAY_BE_NULL = ("partial", "custom_surcharge1", "custom_surcharge2", "custom_surcharge3", "custom_surcharge4")
DAYS = ("date", "due_date", "partial_due_date")
FLAGS = ("is_amount_discount", "uses_inclusive_taxes", "auto_bill_enabled")
IDS = (
    "project_id",
    "vendor_id",
    "design_id",
    "assigned_user_id",
    "subscription_id",
    "location_id",
    "client_id",
    "invoice_id",
)
_DAY = re.compile(r"\s*(\d{4})\D(\d{1,2})\D(\d{1,2})(?:[T ].*)?|(\d{4})(\d{2})(\d{2})")


def ready(sent: Input, today: str, *, new: bool) -> Input:
    """The data as validation sees it: ids decoded, lines whole, defaults of a new paper filled in."""
    data = dict(sent)
    for name in IDS:
        if isinstance(data.get(name), str):
            data[name] = row_number(data[name])
    if isinstance(data.get("line_items"), list | dict):
        data["line_items"] = lines.cleaned(data["line_items"], new=new)
    if data.get("partial") is not None and not leading_number(data["partial"]):
        data["partial_due_date"] = None
    if data.get("exchange_rate", 1) is None:
        data["exchange_rate"] = 1
    if new:
        data["date"] = data.get("date") or today
        data |= {f"tax_rate{n}": 0 for n in TAXES if data.get(f"tax_rate{n}") is None}
    return data


def row_number(text: str) -> int:
    """The number behind a hashed id; 0, which no row has, for a text that is none."""
    return hashids.decode(text) or 0


def columns_of(data: Input, fillable: Collection[str]) -> Row:
    """The columns that this data sets; everything else in it is ignored."""
    sent = {name: data[name] for name in data if name in fillable}
    out: Row = {name: _text(name, sent[name]) for name in TEXTS if name in sent}
    out |= {name: decimal_of(sent[name], null=name in MAY_BE_NULL) for name in MONEY if name in sent}
    out |= {name: day_of(sent[name]) for name in DAYS if name in sent}
    out |= {name: int(truth(sent[name])) for name in FLAGS if name in sent}
    out |= {name: sent[name] or None for name in IDS if name in sent and _is_row(sent[name])}
    if "line_items" in sent:
        out["line_items"] = lines.stored(sent["line_items"])
    return out


def _is_row(value: Any) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def _text(name: str, value: Any) -> str | None:
    if isinstance(value, list | dict):
        raise server_error()
    if value is None:
        return None
    if name in SHORT_TEXTS:
        return plain(value)[:SHORT]
    return plain(value).replace("</sc", "<-").encode()[:LONG].decode("utf-8", "ignore")


def decimal_of(value: Any, *, null: bool = False) -> str | None:
    """The amount that a decimal column keeps: six decimals, 0 for anything that is not a number."""
    if isinstance(value, list | dict):
        raise server_error()
    if value is None:
        return None if null else "0"
    return kept(leading_number(value))


def day_of(value: Any) -> str | None:
    """The day that a DATE column keeps: years first, any sign between; 0000-00-00 for another text (recorded)."""
    if value is None:
        return None
    match = _DAY.fullmatch(plain(value)) if not isinstance(value, list | dict) else None
    try:
        year, month, day = (int(x) for x in match.groups() if x is not None) if match else (0, 0, 0)
        return date(year, month, day).isoformat()
    except ValueError:
        return NO_DAY


def day_after(day: str, terms: Any) -> str:
    """The day so many days later; 0000-00-00 beyond the calendar."""
    try:
        return (date.fromisoformat(day) + timedelta(days=to_int(terms))).isoformat()
    except OverflowError:
        return NO_DAY


def is_number(value: Any) -> bool:
    """Laravel's `numeric`."""
    if isinstance(value, str):
        return is_numeric(value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def amount_of(row: Mapping[str, Any], name: str = "amount") -> Decimal:
    """A stored amount, exactly; null is 0."""
    return Decimal(row[name] or 0)
