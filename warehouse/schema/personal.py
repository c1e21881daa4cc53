"""Which columns hold what may point to a person: what is left out for readers without a right to it."""

from __future__ import annotations

from functools import cache

from schemas.entities import CLIENTS

TOLD_OTHERWISE = frozenset({
    "record", "before", "after", "detail", "email_key", "phone_digits", "evidence",
})  # fmt: skip
"""Columns of ours that repeat personal ones: whole records, changes, findings, normalised mails and phones."""
RENAMED = ("contact_", "client_", "current_", "into_")
"""With these in front, a view tells the columns of another table."""
LISTS = ("countries", "currencies", "industries", "sizes", "languages", "timezones", "companies", "group_settings")
"""Tables whose names are nobody's."""


@cache
def _names() -> frozenset[str]:
    tables = (CLIENTS, *CLIENTS.children)
    return frozenset(field.name for table in tables for field in table.fields if field.personal)


def is_personal(table: str, column: str) -> bool:
    """Whether a column of a table or view may hold what points to a person: by the fields, and by its name."""
    if table in LISTS:
        return False
    if column == "notes":  # of an activity, which names clients that are gone
        return True
    names = {column, *(column.removeprefix(prefix) for prefix in RENAMED if column.startswith(prefix))}
    return bool(names & (_names() | TOLD_OTHERWISE))


def readable(view: str, columns: list[str], below: list[str] | None = None) -> list[str]:
    """The columns of a view that point to nobody.

    The trap: a view that names custom fields calls a personal column by any name; so of it, those are left that the
    view `below` it has too.
    """
    whole = columns if below is None else below
    return [name for name in columns if name in whole and not is_personal(view, name)]
