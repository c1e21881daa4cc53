"""A client's `settings`: which values are refused, and how the others are stored.

Types are those of the company's own settings (ClientGroupSettingsSaver: a key that ends in `_id` or `number_counter`,
and payment_terms, must be digits; designs are hashed ids, and any text passes). Unknown keys are kept unchanged.
"""

from __future__ import annotations

from typing import Any

from sandbox.books.company import template
from sandbox.php.php_json import number
from sandbox.php.text import filter_boolean, is_numeric, truth
from sandbox.wire.answers import server_error

Settings = dict[str, Any]
FLOATS = ("default_task_rate", "tax_rate", "late_fee", "minimum")
OF_A_NEW_CLIENT: Settings = {"entity": "App\\Models\\Client", "industry_id": "", "size_id": ""}


def as_object(value: Any) -> Settings:
    """The settings in the request; a text or null breaks the server."""
    if isinstance(value, list):
        return {str(i): v for i, v in enumerate(value)}
    if not isinstance(value, dict):
        raise server_error()
    return dict(value)


def problem(settings: Settings) -> str | None:
    """The fault of the first bad value, in the server's words."""
    for key, value in settings.items():
        kind = _kind(key, value)
        if kind and not _fits(kind, value):
            return f"{key} is not a valid {kind}"
    return None


def stored(settings: Settings) -> Settings:
    """With each value in its setting's type; null and `""` stay."""
    return {key: _cast(key, value) for key, value in settings.items()}


def _kind(key: str, value: Any) -> str | None:
    """The type a value is checked for; None where nothing is checked."""
    known = template()["settings"]
    if key not in known or key.endswith("design_id") or value in (None, ""):
        return None
    if key.endswith(("_id", "number_counter")) or key in {"payment_terms", "valid_until"}:
        return "integer"
    if isinstance(known[key], bool):
        return "bool"
    if isinstance(known[key], dict):
        return "object"
    if isinstance(known[key], int | float):
        return "float" if any(part in key for part in FLOATS) else "int"
    return "string"


def _fits(kind: str, value: Any) -> bool:
    if kind in {"integer", "int"}:
        return not isinstance(value, list | dict) and str(value).removeprefix("-").isdigit()
    if kind == "float":
        return not isinstance(value, str | bool) and isinstance(value, int | float)
    if kind == "bool":
        return isinstance(value, bool) or filter_boolean(value)
    if kind == "object":
        return isinstance(value, dict)
    return not isinstance(value, list | dict | int)


def _cast(key: str, value: Any) -> Any:
    kind = _kind(key, value)
    if kind is None or value is None:
        return value
    if kind == "bool":
        return truth(value)
    if kind == "int" or key.endswith("number_counter"):
        return int(value)
    if kind in {"integer", "string"}:
        return number(value) if isinstance(value, float) else str(value)
    return float(value) if kind == "float" and is_numeric(str(value)) else value
