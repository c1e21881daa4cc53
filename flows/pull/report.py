"""Report a pull to people and to machines."""

from __future__ import annotations

from msgspec.structs import asdict

from flows.pull.job import Pulled
from flows.show.counted import counted
from flows.show.show import say, show_table
from schemas.diff import differences
from schemas.errors import LOADED_WITH_FINDINGS

MOST_LINES = 40


def tell_pulled(pulled: Pulled) -> None:
    """Print the report of one pull for people: counts, changed fields, and findings that need a look."""
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
        clients = "1 client stays" if pulled.left == 1 else f"{pulled.left:,} clients stay"
        them = "it" if pulled.left == 1 else "them"
        say(f"  note: {clients} in the warehouse although the server does not list {them}: `ninja-sync sweep` checks.")
    for note in pulled.notes:
        say(f"  note: {note}")
    lines = [line for change in pulled.changes for line in _change_lines(change.id, change.before, change.after)]
    if lines:
        more = len(lines) - MOST_LINES
        show_table(
            "What changed", ("client", "field", "before", "after"), lines[:MOST_LINES],
            note=f"and {more:,} more; --json shows the first 200 clients in full" if more > 0 else "",
        )  # fmt: skip
    if pulled.departed:
        gone = [(client.name, client.kind, client.into_name or "", client.evidence) for client in pulled.departed]
        show_table("No longer on the server", ("client", "outcome", "now", "evidence"), gone, most=MOST_LINES)
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
        show_table("Not listed by the server, and kept", ("client", "currency", "balance", "id"), kept, most=MOST_LINES)
        say(f"ninja-sync: {run.source}: {pulled.held}")


def exit_code_of(pulled: Pulled) -> int:
    """Return the exit code of a finished pull."""
    if pulled.held:
        return pulled.held.exit_code
    return LOADED_WITH_FINDINGS if pulled.needs_a_look else 0


def pulled_as_json(pulled: Pulled) -> dict[str, object]:
    """Return the report of one pull for machines."""
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
        "published": str(pulled.published) if pulled.published else None,
    }


def _change_lines(key: str, before: str | None, after: str) -> list[tuple[str, ...]]:
    name = next((d.after for d in differences(None, after) if d.field == "display_name"), key)
    if before is None:
        return [(name, "(new client)", "", key)]
    return [(name, d.field, _short(d.before), _short(d.after)) for d in differences(before, after)]


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004 - a column's width
