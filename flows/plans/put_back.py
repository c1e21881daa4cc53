"""The values of a plan that nobody can put back, and clients by their numbers and names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flows.ask.ask import reading
from flows.ask.field_names import names_of_fields
from flows.configuration.values import Settings
from schemas.server_form import NEVER_EMPTIED
from warehouse.engine.sql import statement


def never_put_back(settings: Settings, source: str, plan_id: str) -> dict[str, int]:
    """Count the values of a plan that fill what Invoice Ninja cannot empty again, by the name of the field."""
    key = {"source": source, "plan_id": plan_id, "fields": list(NEVER_EMPTIED)}
    with reading(settings, newest=True) as warehouse:
        rows = warehouse.rows(statement("shown_plans/filled"), key)
        names = names_of_fields(warehouse, source) if rows else {}
    return {names.get(str(column), str(column)): int(str(number)) for column, number in rows}


def clients_called(settings: Settings, source: str, client_ids: Iterable[str]) -> Mapping[str, str]:
    """Return the numbers and names of clients by id, as far as the warehouse has them."""
    with reading(settings, newest=True) as warehouse:
        values = {"source": source, "ids": sorted(set(client_ids))}
        rows = warehouse.rows(statement("shown_plans/called"), values)
    return {str(key): " ".join(str(text) for text in called if text) or str(key) for key, *called in rows}
