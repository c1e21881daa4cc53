"""The journal for people: the newest calls, the open calls, and whether its chains are intact."""

from __future__ import annotations

from collections.abc import Sequence

from flows.ask.ask import asked, reading
from flows.configuration.values import Settings
from warehouse.control.journal import first_broken, open_calls
from warehouse.engine.sql import statement

Record = dict[str, object]


def newest_calls(settings: Settings, source: str | None, *, top: int, only_open: bool) -> list[Record]:
    """Return the newest calls, of a source or of all, newest first; with `only_open` those with an unknown outcome."""
    if not only_open:
        return asked(settings, "read/journal", {"source": source, "top": top}, newest=True).records()
    with reading(settings, newest=True) as warehouse:
        names = [source] if source else [str(name) for (name,) in warehouse.rows(statement("journal/sources"))]
        records: list[Record] = [
            {
                "source": name, "call_id": one.call_id, "noted_at": one.at, "operator": one.operator,
                "verb": one.call.verb, "clients": len(one.call.edits), "outcome": "unknown", "message": "",
                "plan_id": one.call.plan_id,
            }
            for name in names
            for one in open_calls(warehouse, name)
        ]  # fmt: skip
    return sorted(records, key=lambda one: str(one["noted_at"]), reverse=True)[:top]


def chains(settings: Settings, sources: Sequence[str]) -> list[Record]:
    """Return for each source's journal the number of lines, the first altered line, and the last digest."""
    records: list[Record] = []
    with reading(settings, newest=True) as warehouse:
        for name in sources:
            last = warehouse.rows(statement("journal/last"), {"source": name})
            lines, digest = last[0] if last else (0, "")
            records.append(
                {
                    "source": name,
                    "lines": lines,
                    "first_broken": first_broken(warehouse, name),
                    "last_digest": digest,
                }
            )
    return records
