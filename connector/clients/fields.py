"""The columns of a client: checked before sending, and read from a record for comparison."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from connector.api.verbs import all_groups, statics
from connector.door.door import Door
from schemas.entities import CLIENTS, GROUPS
from schemas.entity import Field, Kind
from schemas.errors import SettingsError, UnexpectedShape
from schemas.normalise import normalise
from schemas.server_form import WRITABLE, Lists, Refused, as_stored, check_emptied, list_of, writable

INSIDE_SETTINGS: Final = frozenset(f.name for f in CLIENTS.fields if f.inside == "settings")
"""Columns that stand inside a record's `settings`."""
_CODES: Final = {"countries": ("iso_3166_2", "iso_3166_3"), "currencies": ("code",), "languages": ("locale",)}
"""Keys of /statics with a code by which people know an entry."""
_LISTS: Final = ("countries", "industries", "sizes", "currencies", "languages")


def checked(
    changes: Mapping[str, object], lists: Lists, column: Callable[[str], Field] = writable, *, by_bulk: bool = False
) -> dict[str, object]:
    """The values as the server will show them. Raises SettingsError with every refused column, and why.

    `column` returns the field of a name, or raises Refused; by default it knows the client's fields.
    """
    kept, refused = judged(changes, lists, column, by_bulk=by_bulk)
    if refused:
        raise SettingsError(f"Nothing was sent: {'; '.join(f'{name} {why}' for name, why in refused.items())}.")
    return kept


def judged(
    changes: Mapping[str, object], lists: Lists, column: Callable[[str], Field] = writable, *, by_bulk: bool = False
) -> tuple[dict[str, object], dict[str, str]]:
    """The values as the server will show them, and the refused columns, each with the reason."""
    kept: dict[str, object] = {}
    refused: dict[str, str] = {}
    for name, value in changes.items():
        try:
            stored = as_stored(column(name), value, lists)
            if stored is None:
                check_emptied(name, by_bulk=by_bulk)
            kept[name] = stored
        except Refused as reason:
            refused[name] = str(reason)
    return kept, refused


def lists_for(door: Door, names: Iterable[str]) -> Lists:
    """The server's lists for checking these columns; requests nothing where no column needs one."""
    wanted = {of for name in names if (of := list_of(name))}
    rows_of = statics(door, [name for name in _LISTS if name in wanted]) if wanted - {"group_settings"} else {}
    by_list = {name: _named(rows) for name, rows in rows_of.items()}
    if "group_settings" in wanted:
        by_list["group_settings"] = _named(row for row in all_groups(door, GROUPS) if not _is_deleted(row))
    return Lists(by_list, {name: _codes(rows, _CODES.get(name, ())) for name, rows in rows_of.items()})


def view(record: object) -> dict[str, object]:
    """The columns of a record by name, in the form for comparing: '' is None, money is exact.

    Contacts are a list under `contacts`, each with its id and its columns. Raises UnexpectedShape.
    """
    batch = normalise(CLIENTS, [record])
    if batch.quarantined:
        raise UnexpectedShape(f"The server sent a record of an unknown shape: {batch.quarantined[0]}.")
    (row,) = batch.rows
    own = {f.name: value for f, value in zip(CLIENTS.fields, row.values, strict=True)}
    for child, rows in zip(CLIENTS.children, row.children, strict=True):
        own[child.name] = [dict(zip((f.name for f in child.fields), values, strict=True)) for values in rows]
    return own


def changed_besides(before: object, after: object, names: Collection[str]) -> list[str]:
    """The columns and settings that differ between two records of a client, without those named.

    A setting that is '', null or absent is not set: a PUT turns one into the other (recorded).
    """
    was, now = view(before), view(after)
    columns = [name for name in WRITABLE if WRITABLE[name].kind is not Kind.JSON and name not in INSIDE_SETTINGS]
    differing = [name for name in columns if was[name] != now[name]]
    set_before, set_after = settings_of(before), settings_of(after)
    differing += [key for key in {**set_before, **set_after} if set_before.get(key) != set_after.get(key)]
    return [name for name in differing if name not in names]


def settings_of(record: object) -> dict[str, str]:
    """The settings of a record that are set, as texts: the server turns numbers into texts."""
    sent = record.get("settings") if isinstance(record, dict) else None
    settings = sent if isinstance(sent, dict) else {}
    return {str(key): str(value) for key, value in settings.items() if value not in (None, "")}


def blank_settings(record: object) -> list[str]:
    """The settings of a record that are empty texts; any PUT turns them into null (recorded)."""
    settings = record.get("settings") if isinstance(record, dict) else None
    return [str(key) for key, value in settings.items() if value == ""] if isinstance(settings, dict) else []


def _named(rows: Iterable[object]) -> dict[str, str]:
    return {str(row["id"]): str(row.get("name") or "") for row in rows if isinstance(row, dict) and "id" in row}


def _is_deleted(row: object) -> bool:
    return isinstance(row, dict) and bool(row.get("is_deleted"))


def _codes(rows: Iterable[object], keys: Iterable[str]) -> dict[str, str]:
    return {
        str(row[key]).upper(): str(row["id"])
        for row in rows
        if isinstance(row, dict)
        for key in keys
        if row.get(key) and "id" in row
    }
