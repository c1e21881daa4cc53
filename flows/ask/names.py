"""The names of ids, for people: the country 276 is Germany. And the names of companies, for headings."""

from __future__ import annotations

from collections.abc import Mapping

from flows.ask.ask import reading
from flows.configuration.values import Settings
from flows.show.show import harmless
from schemas.errors import SettingsError, WarehouseError
from warehouse.engine.seam import Warehouse
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


def company_names(warehouse: Warehouse, source: str | None) -> str:
    """Return the names of the companies of one source or of all, for a heading."""
    rows = warehouse.rows(statement("read/companies"), {"source": source})
    return harmless(" and ".join(str(name or own) for own, name, _ in rows))
