"""What a pull did, told to people and to machines."""

from __future__ import annotations

from dataclasses import asdict

from flows.pull.job import Pulled
from flows.show.counted import counted
from flows.show.show import say, show_table
from schemas.diff import differences
from schemas.errors import LOADED_WITH_FINDINGS

MOST_LINES = 40


def tell_pulled(pulled: Pulled) -> None:
    """The report of one pull for people: counts, what changed field by field, what needs a look."""
    run = pulled.run
    if not (pulled.changes or run.changed or pulled.needs_a_look or pulled.notes):
        again = f", {counted(run.received, 'recent record')} read again" if run.received else ""
        say(f"{run.source}: nothing has changed ({counted(run.requests, 'request')}{again}).")
        return
    counts = f"{run.inserted:,} new, {run.updated:,} changed, {run.touched:,} touched, {run.unchanged:,} unchanged"
    if run.vanished:
        counts += f", {run.vanished:,} gone"
    received = f"{counted(run.received, 'record')} in {counted(run.requests, 'request')}"
    say(f"{run.source}: {counts}; {received}, {run.seconds:.1f} s.")
    if pulled.left and not pulled.held:
        clients = counted(pulled.left, "client")
        say(f"  note: {clients} of the warehouse not listed by the server; `ninja-sync sweep` finds out why.")
    for note in pulled.notes:
        say(f"  note: {note}")
    lines = [line for change in pulled.changes for line in _change_lines(change.id, change.before, change.after)]
    if lines:
        more = len(lines) - MOST_LINES
        show_table(
            "What changed", ("client", "field", "before", "after"), lines[:MOST_LINES],
            note=f"and {more:,} more; --json shows the first 200 clients whole" if more > 0 else "",
        )  # fmt: skip
    if pulled.departed:
        gone = [(one.name, one.kind, one.into_name or "", one.evidence) for one in pulled.departed]
        show_table("No longer on the server", ("client", "what became of it", "now", "known by"), gone, most=MOST_LINES)
    _tell_what_needs_a_look(pulled)


def _tell_what_needs_a_look(pulled: Pulled) -> None:
    run = pulled.run
    still = run.quarantine_open - len(pulled.quarantined)
    if still > 0:
        say(f"  note: {counted(still, 'record')} in quarantine from earlier runs: `ninja-sync status` lists them.")
    if pulled.quarantined:
        rows = [(q.entity, q.id, q.field, q.reason) for q in pulled.quarantined]
        show_table("In quarantine: not loaded, everything else was", ("entity", "id", "field", "reason"), rows)
    if pulled.drift:
        fields = [(d.entity, d.field, d.kind) for d in pulled.drift]
        show_table("Fields that this version does not know, or no longer gets", ("entity", "field", "what"), fields)
    if pulled.held:
        left = [(one.display_name, one.currency_code or "", one.balance, one.id) for one in pulled.unlisted]
        show_table("Not listed by the server, and left", ("client", "currency", "balance", "id"), left, most=MOST_LINES)
        say(f"ninja-sync: {run.source}: {pulled.held}")


def exit_code_of(pulled: Pulled) -> int:
    """The exit code of a pull that came to its end."""
    if pulled.held:
        return pulled.held.exit_code
    return LOADED_WITH_FINDINGS if pulled.needs_a_look else 0


def pulled_as_json(pulled: Pulled) -> dict[str, object]:
    """The report of one pull for machines."""
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
        "departed": [asdict(one) for one in pulled.departed],
        "left": pulled.left,
        "unlisted": [asdict(one) for one in pulled.unlisted],
        "held": str(pulled.held) if pulled.held else None,
        "notes": list(pulled.notes),
        "published": str(pulled.published) if pulled.published else None,
    }


def _change_lines(key: str, before: str | None, after: str) -> list[tuple[str, ...]]:
    found = differences(before, after)
    name = next((d.after for d in differences(None, after) if d.field == "display_name"), key)
    if before is None:
        return [(name, "(new client)", "", key)]
    return [(name, d.field, _short(d.before), _short(d.after)) for d in found]


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004 - a column's width
