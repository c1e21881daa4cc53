"""The names of ids, for people: the country 276 is Germany."""

from __future__ import annotations

from collections.abc import Mapping

from flows.ask.ask import reading
from flows.configuration.values import Settings
from schemas.errors import SettingsError, WarehouseError
from warehouse.engine.sql import statement

Names = Mapping[str, Mapping[str, str]]
"""The names of ids, by field: `country_id` → id → name."""


def known_names(settings: Settings, source: str) -> Names:
    """Return the names of ids from the mirror; none if there is no mirror yet."""
    try:
        with reading(settings) as warehouse:
            rows = warehouse.rows(statement("read/form_names"), {"source": source})
    except (SettingsError, WarehouseError):
        return {}
    names: dict[str, dict[str, str]] = {}
    for field, key, name in rows:
        names.setdefault(str(field), {})[str(key)] = str(name)
    return names


def with_name(field: str, value: object, names: Names) -> object:
    """Return an id with its name, such as `Germany (276)`; any other value unchanged."""
    name = names.get(field.removeprefix("shipping_"), {}).get(str(value))
    return value if name is None else f"{name} ({value})"
