"""Read the journal for people: the newest calls, or the calls with an unknown outcome."""

from __future__ import annotations

from flows.ask.ask import asked, reading
from flows.configuration.values import Settings
from warehouse.control.journal import OpenCall, open_calls
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

Record = dict[str, object]


def newest_calls(settings: Settings, source: str | None, *, top: int, only_open: bool) -> list[Record]:
    """Return the newest calls of a source, or of all, newest first; with `only_open`, calls with an unknown outcome."""
    if not only_open:
        return asked(settings, "read/journal", {"source": source, "top": top, "skip": 0}, newest=True).records()
    with reading(settings, newest=True) as warehouse:
        unknown = unknown_in(warehouse, source)
    calls: list[Record] = [
        {
            "source": name, "call_id": open_call.call_id, "noted_at": open_call.at, "operator": open_call.operator,
            "verb": open_call.call.verb, "clients": len(open_call.call.edits), "outcome": "unknown", "message": "",
            "plan_id": open_call.call.plan_id,
        }
        for name, open_call in unknown
    ]  # fmt: skip
    return sorted(calls, key=lambda call: str(call["noted_at"]), reverse=True)[:top]


def unknown_in(warehouse: Warehouse, source: str | None) -> list[tuple[str, OpenCall]]:
    """Return the calls with an unknown outcome, oldest first, each with its source and its clients' values."""
    names = [source] if source else [str(name) for (name,) in warehouse.rows(statement("journal/sources"))]
    return [(name, open_call) for name in names for open_call in open_calls(warehouse, name)]
