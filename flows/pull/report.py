"""Report a pull to people and to machines."""

from __future__ import annotations

from msgspec.structs import asdict

from flows.pull.job import Pulled
from flows.show.counted import counted, noun_of
from flows.show.show import say, show_table
from schemas.diff import Change, differences
from schemas.entity import Entity
from schemas.errors import LOADED_WITH_FINDINGS
from warehouse.schema.archive import label_of

MOST_LINES = 40


def tell_pulled(pulled: Pulled) -> None:
    """Print the report of one pull for people: counts, changed fields, and findings that need a look.

    Entities that have not changed are not named.
    """
    eventful = [part for part in pulled.parts if _is_eventful(part)]
    for part in eventful:
        _tell_part(part, f"{part.run.source}: {noun_of(part.entity, 2)}" if pulled.others else part.run.source)
    if not eventful:
        received, requests = (sum(getattr(part.run, n) for part in pulled.parts) for n in ("received", "requests"))
        again = f", {counted(received, 'recent record')} read again" if received else ""
        say(f"{pulled.run.source}: nothing has changed ({counted(requests, 'request')}{again}).")


def _is_eventful(part: Pulled) -> bool:
    return bool(part.changes or part.run.changed or part.has_findings or part.notes)


def _tell_part(pulled: Pulled, name: str) -> None:
    """Print the report of one entity."""
    run, noun, plural = pulled.run, noun_of(pulled.entity), noun_of(pulled.entity, 2)
    counts = f"{run.inserted:,} new, {run.updated:,} changed, {run.touched:,} touched, {run.unchanged:,} unchanged"
    if run.vanished:
        counts += f", {run.vanished:,} gone"
    received = f"{counted(run.received, 'record')} in {counted(run.requests, 'request')}"
    say(f"{name}: {counts}; {received}, {run.seconds:.1f} s.")
    if pulled.left and not pulled.held:
        stay = f"{counted(pulled.left, noun)} {'stays' if pulled.left == 1 else 'stay'}"
        them = "it" if pulled.left == 1 else "them"
        say(f"  note: {stay} in the warehouse although the server does not list {them}: `ninja-sync sweep` checks.")
    for note in pulled.notes:
        say(f"  note: {note}")
    lines = [line for change in pulled.changes for line in _change_lines(pulled.entity, change)]
    if lines:
        more = len(lines) - MOST_LINES
        show_table(
            "What changed", (noun, "field", "before", "after"), lines[:MOST_LINES],
            note=f"and {more:,} more; --json shows the first 200 {plural} in full" if more > 0 else "",
        )  # fmt: skip
    if pulled.departed:
        gone = [(left.name, left.kind, left.into_name or "", left.evidence) for left in pulled.departed]
        show_table("No longer on the server", (noun, "outcome", "now", "evidence"), gone, most=MOST_LINES)
    _show_findings(pulled)


def _show_findings(pulled: Pulled) -> None:
    run = pulled.run
    still = run.quarantine_open - len(pulled.quarantined)
    if still > 0:
        records = "1 record is" if still == 1 else f"{still:,} records are"
        say(f"  note: {records} still in quarantine: `ninja-sync status` names {'it' if still == 1 else 'them'}.")
    if pulled.quarantined:
        rows = [(q.entity, q.id, q.field, q.reason) for q in pulled.quarantined]
        show_table("In quarantine, not loaded; all other records are", ("entity", "id", "field", "reason"), rows)
    if pulled.drift:
        fields = [(d.entity, d.field, d.kind) for d in pulled.drift]
        show_table("Fields that are unknown to this version, or missing", ("entity", "field", "kind"), fields)
    if pulled.held:
        kept = [(c.display_name, c.currency_code or "", c.balance, c.id) for c in pulled.unlisted]
        heads = (noun_of(pulled.entity), "currency", "balance", "id")
        show_table("Not listed by the server, and kept", heads, kept, most=MOST_LINES)
        say(f"ninja-sync: {run.source}: {pulled.held}")


def exit_code_of(pulled: Pulled) -> int:
    """Return the exit code of a finished pull."""
    for held in (part.held for part in pulled.parts if part.held):
        return held.exit_code
    return LOADED_WITH_FINDINGS if pulled.needs_a_look else 0


def pulled_as_json(pulled: Pulled) -> dict[str, object]:
    """Return the report of one pull for machines: for clients, with the same for each other entity in `others`."""
    published = str(pulled.published) if pulled.published else None
    others = {part.run.entity: _part_as_json(part) for part in pulled.others}
    return _part_as_json(pulled) | {"published": published, "others": others}


def _part_as_json(pulled: Pulled) -> dict[str, object]:
    return {
        "run": {name: value for name, value in asdict(pulled.run).items() if name != "notes"},
        "changes": [
            {
                "id": change.id,
                "new": change.before is None,
                "fields": [asdict(d) for d in differences(change.before, change.after)],
            }
            for change in pulled.changes
        ],
        "quarantined": [
            {"entity": q.entity, "id": q.id, "field": q.field, "reason": q.reason} for q in pulled.quarantined
        ],
        "drift": [asdict(d) for d in pulled.drift],
        "departed": [asdict(client) for client in pulled.departed],
        "left": pulled.left,
        "unlisted": [asdict(client) for client in pulled.unlisted],
        "held": str(pulled.held) if pulled.held else None,
        "notes": list(pulled.notes),
    }


def _change_lines(entity: Entity, change: Change) -> list[tuple[str, ...]]:
    label = label_of(entity)
    name = next((d.after for d in differences(None, change.after) if d.field == label), change.id)
    if change.before is None:
        return [(name, f"(new {noun_of(entity)})", "", change.id)]
    return [(name, d.field, _short(d.before), _short(d.after)) for d in differences(change.before, change.after)]


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004 - a column's width
