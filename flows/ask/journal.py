"""What the journal shows people: the newest calls, or those of which the outcome is unknown."""

from __future__ import annotations

from flows.ask.ask import asked, reading
from flows.configuration.values import Settings
from warehouse.control.journal import open_calls
from warehouse.engine.sql import statement

Record = dict[str, object]


def newest_calls(settings: Settings, source: str | None, *, top: int, only_open: bool) -> list[Record]:
    """The newest calls, of a source or of all, newest first; with `only_open` those of which the outcome is unknown."""
    if not only_open:
        return asked(settings, "read/journal", {"source": source, "top": top}, newest=True).records()
    with reading(settings, newest=True) as warehouse:
        names = [source] if source else [str(name) for (name,) in warehouse.rows(statement("journal/sources"))]
        found: list[Record] = [
            {
                "source": name, "call_id": one.call_id, "noted_at": one.at, "operator": one.operator,
                "verb": one.call.verb, "clients": len(one.call.edits), "outcome": "unknown", "message": "",
                "plan_id": one.call.plan_id,
            }
            for name in names
            for one in open_calls(warehouse, name)
        ]  # fmt: skip
    return sorted(found, key=lambda one: str(one["noted_at"]), reverse=True)[:top]
