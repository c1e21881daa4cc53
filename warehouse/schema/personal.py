"""The columns with personal data, which readers without the right do not get."""

from __future__ import annotations

from functools import cache

from schemas.entities import ACTIVITIES, PULLED

DERIVED = frozenset({
    "record", "before", "after", "detail", "email_key", "phone_digits", "evidence",
})  # fmt: skip
"""Our own columns that repeat personal data: whole records, changes, findings, normalised mails and phones."""
RENAMED = ("contact_", "client_", "current_", "into_")
"""Prefixes of columns that a view takes from another table."""
LISTS = ("countries", "currencies", "industries", "sizes", "languages", "timezones", "companies", "group_settings")
"""Tables whose names belong to no person."""


@cache
def rule() -> str:
    """Return the whole rule as a text: after a change of it, the views without personal data are created again."""
    return " ".join([*sorted(_names() | DERIVED), "|", *RENAMED, "|", *LISTS])


@cache
def _names() -> frozenset[str]:
    tables = [table for entity in (*PULLED.values(), ACTIVITIES) for table in (entity, *entity.children)]
    return frozenset(field.name for table in tables for field in table.fields if field.personal)


def is_personal(table: str, column: str) -> bool:
    """Whether a column of a table or view may hold personal data, by its field or its name."""
    if table in LISTS:
        return False
    names = {column, *(column.removeprefix(prefix) for prefix in RENAMED if column.startswith(prefix))}
    return bool(names & (_names() | DERIVED))


def readable(view: str, columns: list[str], below: list[str] | None = None) -> list[str]:
    """Return the columns of a view without personal data.

    The trap: a view with labelled custom fields may call a personal column by any name. So for such a view, only
    columns with the same name in the view `below` count.
    """
    whole = columns if below is None else below
    return [name for name in columns if name in whole and not is_personal(view, name)]
