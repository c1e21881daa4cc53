"""The rules that refuse clients: for POST (StoreClientRequest:40-88) and PUT (UpdateClientRequest:41-145)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sandbox.books.lookups import CLASSIFICATIONS, country_ids
from sandbox.clients.settings import problem
from sandbox.php.input import Input
from sandbox.php.text import whole_number
from sandbox.wire.answers import invalid, server_error
from sandbox.wire.calls import Call

_ATOM = r"[^\s@\"(),:;<>\[\]\\.]+"
_EMAIL = re.compile(
    rf'(?:{_ATOM}(?:\.{_ATOM})*|"[^"\\]+")@(?:[^\W_]([\w-]*[^\W_])?(?:\.[^\W_]([\w-]*[^\W_])?)*|\[[0-9a-fA-F.:]+\])'
)
_STRONG = ("[a-z]", "[A-Z]", "[0-9]")
SHORTEST_PASSWORD = 7
Errors = dict[str, list[str]]


def check(call: Call, data: Input, own_id: int | None = None) -> None:
    """Refuse data of a new client, or of the one with this number, with 422 and all its errors."""
    new = own_id is None
    errors: Errors = {}
    for name in ("documents", "contacts"):
        if name in data and not isinstance(data[name], list | dict):
            errors[name] = [f"The {name} must be an array."]
    for name in ("country_id", "shipping_country_id"):
        errors |= _lookup(data, name, existing=country_ids())
    if not new:
        for name in ("size_id", "industry_id"):
            errors |= _lookup(data, name, existing=None)
    for name in ("number", "id_number"):
        errors |= _unique(call, data, name, own_id or 0)
    errors |= _lists_as_values(call, data)
    if data.get("classification") is not None and data["classification"] not in CLASSIFICATIONS:
        errors["classification"] = ["The selected classification is invalid."]
    if message := problem(data.get("settings") or {}):
        errors["settings"] = [message]
    errors |= _contacts(data.get("contacts"), new=new)
    if errors:
        raise invalid(errors)


def _lists_as_values(call: Call, data: Input) -> Errors:
    if not call.world.generation.refuses_list_values:
        return {}
    names = ("custom_value1", "custom_value2", "custom_value3", "custom_value4")
    return {name: [f"The {name} must not be an array."] for name in names if isinstance(data.get(name), list | dict)}


def _lookup(data: Input, name: str, existing: frozenset[int] | None) -> Errors:
    """Accept an integer that exists in its table."""
    value = data.get(name)
    if value is None:
        return {}
    number, label = whole_number(value), name.replace("_", " ")
    if number is None:
        return {name: [f"The {label} must be an integer."]}
    if existing is not None and number not in existing:
        return {name: [f"The selected {label} is invalid."]}
    return {}


def _unique(call: Call, data: Input, name: str, own_id: int) -> Errors:
    """Refuse a value that another client of the company has, in any state.

    A JSON number is compared as a number, so 0 is taken as soon as any other client's number starts with no digit.
    """
    value = data.get(name)
    if value is None:
        return {}
    if isinstance(value, list | dict):
        raise server_error()
    as_number = isinstance(value, int | float) and not isinstance(value, bool)
    same = f"leading_number({name})" if as_number else name
    taken = call.world.db.execute(
        f"SELECT 1 FROM clients WHERE company_id = ? AND id <> ? AND {name} IS NOT NULL AND {same} = ? LIMIT 1",
        (call.token.company_id, own_id, float(value) if as_number else str(value)),
    ).fetchone()
    return {name: [f"The {name.replace('_', ' ')} has already been taken."]} if taken else {}


def _contacts(contacts: Any, *, new: bool) -> Errors:
    """E-mail addresses and passwords. POST and PUT word their errors differently."""
    errors: Errors = {}
    items = list(_items(contacts))
    addresses = [c.get("email") for _, c in items]
    for key, contact in items:
        address = contact.get("email")
        field = f"contacts.{key}.email"
        if address is not None and addresses.count(address) > 1:
            errors[field] = [f"The {field} field has a duplicate value."]
        elif address is not None and not (isinstance(address, str) and _EMAIL.fullmatch(address)):
            errors[field] = [f"The {field if new else 'email'} must be a valid email address."]
        if message := _weakness(f"contacts.{key}.password", contact.get("password")):
            errors[f"contacts.{key}.password"] = [message if new else "Password Strength"]
    return errors


def _items(contacts: Any) -> Iterator[tuple[str, Input]]:
    pairs = (
        contacts.items() if isinstance(contacts, dict) else enumerate(contacts) if isinstance(contacts, list) else ()
    )
    return ((str(key), contact) for key, contact in pairs if isinstance(contact, dict))


def _weakness(field: str, password: Any) -> str | None:
    if password is None:
        return None
    if not isinstance(password, str):
        return f"The {field} must be a string."
    if len(password) < SHORTEST_PASSWORD:
        return f"The {field} must be at least {SHORTEST_PASSWORD} characters."
    return None if all(re.search(form, password) for form in _STRONG) else f"The {field} format is invalid."
