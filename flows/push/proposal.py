"""A form to propose changes of one client: the fields that can be written, their present values, and the changes made.

Only fields that differ from the values that the form showed are changes. So a form that was open for long does not undo
the work of others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from flows.ask.ask import reading
from flows.ask.one_client import OneClient
from flows.configuration.values import Settings
from schemas.entity import Kind
from schemas.server_form import CLASSIFICATIONS, WRITABLE
from warehouse.engine.sql import statement

ONE_LINE, LINES, CHOICE = "line", "lines", "choice"
_LABELS: Final = {
    "group_settings_id": "group", "vat_number": "VAT number", "id_number": "ID number", "is_tax_exempt": "tax exempt",
    "routing_id": "routing id", "payment_terms": "payment terms (days)", "valid_until": "quotes are valid for (days)",
    "assigned_user_id": "assigned user (id)", "default_task_rate": "price of an hour of a task",
    **{f"{kind}address{n}": f"{kind[:-1]} address, line {n}".strip() for kind in ("", "shipping_") for n in (1, 2)},
}  # fmt: skip
SECTIONS: Final = ("Client", "Billing address", "Shipping address", "Custom fields", "Notes", "Settings")
_YES_OR_NO: Final = (("true", "yes"), ("false", "no"))
_INHERITED: Final = (
    "currency_id",
    "language_id",
    "payment_terms",
    "valid_until",
    "default_task_rate",
    "send_reminders",
)
"""Settings: without a value, the client has its group's or the company's."""


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of the form: its label, its present value as text, and the values to choose from, if it has such."""

    name: str
    section: str
    label: str
    value: str = field(repr=False)
    kind: str
    hint: str
    choices: Sequence[tuple[str, str]] = ()


def form_of(settings: Settings, client: OneClient) -> list[FormField]:
    """Return the fields of a client that can be written, with the company's labels; empty if it is not mirrored."""
    with reading(settings, newest=True) as warehouse:
        params = {"source": client.found.source, "id": client.found.id}
        columns, rows = warehouse.answer(statement("client/writable"), params)
        names: dict[str, list[tuple[str, str]]] = {}
        for column, key, name in warehouse.rows(statement("read/form_names"), params):
            names.setdefault(str(column), []).append((str(key), str(name or key)))
    values = dict(zip(columns, rows[0], strict=True)) if rows else {}
    fields = [
        _field(name, values[name], client.labels, names)
        for name, column in WRITABLE.items()
        if name in values and column.kind is not Kind.JSON
    ]
    return sorted(fields, key=lambda one: SECTIONS.index(one.section))


def changes_of(fields: Sequence[FormField], form: Callable[[str], str]) -> dict[str, object]:
    """Return the new value of each field that a person changed. `form` has the new texts, and the old as `was-NAME`."""
    return {
        one.name: _lines(form(one.name))
        for one in fields
        if _compared(one, form(one.name)) != _compared(one, form(f"was-{one.name}"))
    }


def _compared(one: FormField, text: str) -> str:
    """Return a text as browsers send it: a field of one line has no breaks."""
    return _lines(text) if one.kind == LINES else "".join(text.splitlines())


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _section(name: str) -> str:
    if name in _INHERITED:
        return "Settings"
    if name.startswith("custom_value"):
        return "Custom fields"
    if name.endswith("_notes"):
        return "Notes"
    if name.startswith("shipping_"):
        return "Shipping address"
    return "Billing address" if f"shipping_{name}" in WRITABLE else "Client"


def _field(
    name: str, value: object, labels: Mapping[str, str], names: Mapping[str, Sequence[tuple[str, str]]]
) -> FormField:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    own = labels.get(name, name)
    words = name.removesuffix("_id").replace("_", " ").replace("custom value", "custom field ")
    label = own if own != name else _LABELS.get(name, words)
    column, hint = WRITABLE[name], "Blank: the group's or the company's." if name in _INHERITED else ""
    choices: Sequence[tuple[str, str]] = ()
    if column.kind is Kind.FLAG or name == "send_reminders":
        choices = _YES_OR_NO
    elif name == "classification":
        choices = [(word, word) for word in CLASSIFICATIONS]
    elif listed := names.get(name.removeprefix("shipping_")):
        choices = sorted(listed, key=lambda pair: pair[1].casefold())
    if choices and text and text not in dict(choices):
        choices = [*choices, (text, text)]  # a value that no list has, such as an archived group
    if choices and column.kind is not Kind.FLAG:
        choices = [("", ""), *choices]
    kind = CHOICE if choices else LINES if name.endswith("_notes") else ONE_LINE
    return FormField(name, _section(name), label[:1].upper() + label[1:], text, kind, hint, choices)
