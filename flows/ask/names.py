"""The names of ids, for people: the country 276 is Germany. And the names of companies, for headings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from flows.ask.ask import reading
from flows.configuration.values import Settings
from flows.show.show import harmless
from schemas.errors import SettingsError, WarehouseError
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

if TYPE_CHECKING:
    from schemas.client import Client

Names = Mapping[str, Mapping[str, str]]
"""The names of ids, by field: `country_id` → id → name."""


def known_names(settings: Settings, source: str) -> Names:
    """Return the names of ids from the mirror; none if there is no mirror yet."""
    return _named(settings, source, "read/form_names")


def known_currencies(settings: Settings, source: str) -> Names:
    """Return the codes of currencies by `currency`, `group` and `company`, for `currency_of`; none without a mirror."""
    return _named(settings, source, "read/currency_codes")


def currency_of(client: Client, codes: Names) -> str | None:
    """Return the code of a client's currency: its own, else its group's, else the company's. None if it is unknown."""
    if client.currency_id:
        return codes.get("currency", {}).get(client.currency_id)
    return codes.get("group", {}).get(client.group_settings_id or "") or codes.get("company", {}).get("")


def _named(settings: Settings, source: str, query: str) -> Names:
    try:
        with reading(settings) as warehouse:
            return _names_in(warehouse, source, query)
    except (SettingsError, WarehouseError):
        return {}


def names_in(warehouse: Warehouse, source: str) -> Names:
    """Return the names of ids from an open warehouse."""
    return _names_in(warehouse, source, "read/form_names")


def _names_in(warehouse: Warehouse, source: str, query: str) -> Names:
    rows = warehouse.rows(statement(query), {"source": source})
    names: dict[str, dict[str, str]] = {}
    for field, key, name in rows:
        names.setdefault(str(field), {})[str(key)] = str(name)
    return names


def with_name(field: str, value: object, names: Names) -> object:
    """Return an id with its name, such as `Germany (276)`; any other value unchanged."""
    name = names.get(field.removeprefix("shipping_"), {}).get(str(value))
    return value if name is None else f"{name} ({value})"


def companies(warehouse: Warehouse, source: str | None) -> tuple[str, datetime | None]:
    """Return the names of the companies of one source or of all, for a heading, and the moment of their last load."""
    rows = warehouse.rows(statement("read/companies"), {"source": source})
    last = max((moment for _, _, moment in rows if isinstance(moment, datetime)), default=None)
    return harmless(" and ".join(str(name or own) for own, name, _ in rows)), last
