"""Summarise a pull in counts, for a scheduler's database, which many people and programs can read.

A summary holds names of sources and fields, ids of runs and numbers. It holds no record, no value and no person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flows.pull.job import Pulled
from schemas.diff import differences
from schemas.entities import CLIENTS
from schemas.vanished import MERGED
from warehouse.control.state import Run

OTHER = "other"
FIELDS = frozenset(
    {field.inside or field.json_key for field in CLIENTS.fields}
    | {child.name for child in CLIENTS.children}
    | CLIENTS.elsewhere
)
"""The field names that a summary may show. The server can send any key; an unknown one counts as `other`."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One pull in counts. `fields` counts the changed records in which a field differs, the most frequent first.

    `held` says why missing clients were kept on purpose, and gives the command that removes them.
    """

    run: Run
    fields: Mapping[str, int]
    notes: Sequence[str]
    quarantined: int
    drift: int
    left: int = 0
    merged: int = 0
    held: str = ""
    blind: bool = False

    @property
    def needs_a_look(self) -> bool:
        """Whether records are in quarantine, fields are unknown, clients are unlisted, or no client is visible."""
        return bool(self.quarantined or self.drift or self.left or self.blind)

    def __str__(self) -> str:
        """Return one line with the changes and the findings that need a look."""
        run = self.run
        if run.kind == "idle" and not self.needs_a_look:
            return f"{run.source}: nothing has changed"
        line = f"{run.source}: {run.inserted:,} new, {run.updated:,} changed, {run.touched:,} touched"
        if run.vanished:
            line += f", {run.vanished:,} gone"
        if self.quarantined:
            line += f", {self.quarantined:,} in quarantine"
        if self.left:
            line += f", {self.left:,} not listed by the server"
        if self.blind:
            line += ", no client is visible to this token"
        return line + (f", {self.drift:,} unknown or missing fields" if self.drift else "")


def summary_of(pulled: Pulled) -> Summary:
    """Return the counts of a pull, without its data."""
    fields: Counter[str] = Counter()
    for change in pulled.changes:
        if change.before is not None:
            places = (changed.field.partition(".")[0] for changed in differences(change.before, change.after))
            fields.update({place if place in FIELDS else OTHER for place in places})
    return Summary(
        pulled.run,
        dict(fields.most_common()),
        (*pulled.notes, *([str(pulled.held)] if pulled.held else [])),
        pulled.run.quarantine_open,
        len(pulled.drift),
        pulled.left,
        sum(client.kind == MERGED for client in pulled.departed),
        str(pulled.held or ""),
        pulled.blind,
    )


def as_markdown(summaries: Mapping[str, Summary | str]) -> str:
    """Return the report of several pulls as Markdown. A text in place of a summary says why that source failed."""
    counted = [summary.run for summary in summaries.values() if isinstance(summary, Summary)]
    heads = ("source", "new", "changed", "touched", "gone", "unchanged", "received", "requests", "seconds")
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for run in counted:
        counts = (run.inserted, run.updated, run.touched, run.vanished, run.unchanged, run.received, run.requests)
        lines.append(f"| {run.source} | " + " | ".join(f"{n:,}" for n in counts) + f" | {run.seconds:.1f} |")
    table = [*lines, ""] if counted else []
    lines = [f"- {line}" for name, summary in summaries.items() for line in _lines(name, summary)]
    return "\n".join([*table, *lines]) + "\n"


def _lines(name: str, summary: Summary | str) -> list[str]:
    if isinstance(summary, str):
        return [f"**{name} failed**: {_plain(summary)}"]
    lines = [f"{name}: run `{summary.run.run_id}` ({summary.run.kind})"]
    if summary.fields:
        several = summary.run.updated > sum(summary.fields.values())
        counts = ", ".join(f"{field} {count:,}" for field, count in summary.fields.items())
        lines.append(f"{name}: fields that changed{' (of the records looked at)' if several else ''}: {counts}")
    if summary.needs_a_look:
        lines.append(
            f"**{name} needs a look**: records in quarantine: {summary.quarantined:,}, fields unknown or missing: "
            f"{summary.drift:,}, clients that the server does not list: {summary.left:,}; `ninja-sync status` has more"
        )
    return lines + [f"{name}: note: {_plain(note)}" for note in summary.notes]


def _plain(text: str) -> str:
    """Return a text on one line, escaped so that Markdown shows it unchanged."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|!#" else c for c in " ".join(text.split()))
