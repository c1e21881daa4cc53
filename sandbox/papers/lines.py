"""The lines of a paper as a request sends them, made whole (CleanLineItems, InvoiceItem)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.clients.input import plain
from sandbox.papers.totals import Line
from sandbox.php.text import leading_number, truth

USUAL: Line = {
    "quantity": 0.0, "net_cost": 0.0, "cost": 0.0, "product_key": "", "product_cost": 0.0, "notes": "", "discount": 0.0,
    "is_amount_discount": False, "tax_name1": "", "tax_rate1": 0.0, "tax_name2": "", "tax_rate2": 0.0, "tax_name3": "",
    "tax_rate3": 0.0, "sort_id": "0", "line_total": 0.0, "gross_line_total": 0.0, "tax_amount": 0.0, "date": "",
    "custom_value1": "", "custom_value2": "", "custom_value3": "", "custom_value4": "", "type_id": "1", "tax_id": "",
    "task_id": "", "expense_id": "", "unit_code": "C62",
}  # fmt: skip
"""A line without any value of its own."""
FEES = ("3", "4")
"""Types of lines that a gateway added; a new paper never starts with them."""
SERVICE = "2"
_NOT_SHOWN = ("</sc", "onerror", "prompt(", "alert(")
_CLEANED = ("notes", "product_key", "custom_value1", "custom_value2", "custom_value3", "custom_value4")


def cleaned(sent: Any, *, new: bool = False) -> list[Line]:
    """The lines of a request, each with every field in its own type; unknown fields stay."""
    items = sent.values() if isinstance(sent, Mapping) else sent
    lines = [_cleaned(item) for item in items if isinstance(item, Mapping)]
    return [line for line in lines if not (new and line["type_id"] in FEES)]


def _cleaned(item: Mapping[str, Any]) -> Line:
    line = {key: value for key, value in item.items() if key not in {"id", "_id"}}
    line |= {
        key: _CASTS[usual.__class__](line[key]) if line.get(key) is not None else usual for key, usual in USUAL.items()
    }
    if line["type_id"] == "0":
        line["type_id"] = "1"
    line["tax_id"] = line["tax_id"] or (SERVICE if line["type_id"] == SERVICE else "1")
    for key in _CLEANED:
        for word in _NOT_SHOWN:
            line[key] = line[key].replace(word, "<-")
    return line


def _text(value: Any) -> str:
    return "Array" if isinstance(value, list | dict) else plain(value)


def _number(value: Any) -> float:
    return float(bool(value)) if isinstance(value, list | dict) else leading_number(value)


_CASTS: dict[type, Callable[[Any], Any]] = {str: _text, float: _number, bool: truth}


def stored(lines: list[Line]) -> str:
    """The lines as a paper's column keeps them."""
    return json.dumps(lines, ensure_ascii=False)


def loaded(row: Mapping[str, Any]) -> list[Line]:
    """The lines of a stored paper; numbers come back as the floats that they were."""
    lines: list[Line] = json.loads(row["line_items"] or "[]", parse_int=float)
    return lines
