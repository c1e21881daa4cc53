"""What a pull did, in counts: the report for a scheduler's database, which many people and programs can read.

It holds names of sources and fields, ids of runs and numbers; no record, no value of one, no person.
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
"""The field names that are told. The server could send any key; one that no entity knows counts as `other`."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One pull in counts. `fields` says in how many changed records a field differs, the most frequent first.

    `held` says why clients that have vanished were left on purpose, and the command that takes them out.
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
        """Whether records are in quarantine, fields unknown, clients here that are not listed, or none is visible."""
        return bool(self.quarantined or self.drift or self.left or self.blind)

    def __str__(self) -> str:
        """One line: what changed, and what needs a look."""
        run = self.run
        if run.kind == "idle" and not self.needs_a_look:
            return f"{run.source}: nothing has changed"
        told = f"{run.source}: {run.inserted:,} new, {run.updated:,} changed, {run.touched:,} touched"
        if run.vanished:
            told += f", {run.vanished:,} gone"
        if self.quarantined:
            told += f", {self.quarantined:,} in quarantine"
        if self.left:
            told += f", {self.left:,} not listed by the server"
        if self.blind:
            told += ", no client is visible to this token"
        return told + (f", {self.drift:,} unknown or missing fields" if self.drift else "")


def summary_of(pulled: Pulled) -> Summary:
    """The counts of a pull; what it pulled stays behind."""
    told: Counter[str] = Counter()
    for change in pulled.changes:
        if change.before is not None:
            places = (one.field.partition(".")[0] for one in differences(change.before, change.after))
            told.update({place if place in FIELDS else OTHER for place in places})
    return Summary(
        pulled.run,
        dict(told.most_common()),
        (*pulled.notes, *([str(pulled.held)] if pulled.held else [])),
        pulled.run.quarantine_open,
        len(pulled.drift),
        pulled.left,
        sum(one.kind == MERGED for one in pulled.departed),
        str(pulled.held or ""),
        pulled.blind,
    )


def as_markdown(found: Mapping[str, Summary | str]) -> str:
    """The report of several pulls as Markdown; a text in place of a summary says why that source failed."""
    counted = [one.run for one in found.values() if isinstance(one, Summary)]
    heads = ("source", "new", "changed", "touched", "gone", "unchanged", "received", "requests", "seconds")
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for run in counted:
        counts = (run.inserted, run.updated, run.touched, run.vanished, run.unchanged, run.received, run.requests)
        lines.append(f"| {run.source} | " + " | ".join(f"{n:,}" for n in counts) + f" | {run.seconds:.1f} |")
    table = [*lines, ""] if counted else []
    return "\n".join([*table, *(f"- {line}" for name, one in found.items() for line in _told(name, one))]) + "\n"


def _told(name: str, one: Summary | str) -> list[str]:
    if isinstance(one, str):
        return [f"**{name} failed**: {_plain(one)}"]
    lines = [f"{name}: run `{one.run.run_id}` ({one.run.kind})"]
    if one.fields:
        several = one.run.updated > sum(one.fields.values())
        told = ", ".join(f"{field} {count:,}" for field, count in one.fields.items())
        lines.append(f"{name}: fields that changed{' (of the records looked at)' if several else ''}: {told}")
    if one.needs_a_look:
        lines.append(
            f"**{name} needs a look**: records in quarantine: {one.quarantined:,}, fields unknown or missing: "
            f"{one.drift:,}, clients that the server does not list: {one.left:,}; `ninja-sync status` has more"
        )
    return lines + [f"{name}: note: {_plain(note)}" for note in one.notes]


def _plain(text: str) -> str:
    """A text that Markdown shows as it is, on one line."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|!#" else c for c in " ".join(text.split()))
