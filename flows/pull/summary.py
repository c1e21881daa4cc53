"""Summarise a pull in counts, for a scheduler's database, which many people and programs can read.

A summary holds names of sources and fields, ids of runs and numbers. It holds no record, no value and no person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from flows.pull.job import Pulled
from flows.show.counted import noun_of
from schemas.diff import differences
from schemas.entities import CLIENTS
from schemas.entity import Entity
from schemas.vanished import MERGED
from warehouse.control.state import Run

OTHER = "other"


@cache
def _fields(entity: Entity) -> frozenset[str]:
    """The field names that a summary may show. The server can send any key; an unknown one counts as `other`."""
    own = {field.inside or field.json_key for field in entity.fields}
    return frozenset(own | {child.json_key for child in entity.children} | entity.elsewhere)


@dataclass(frozen=True, slots=True)
class Summary:
    """One pull in counts. `fields` counts the changed records in which a field differs, the most frequent first.

    `run` is that of the clients, `others` are those of the other entities; all other counts are of all entities. `held`
    says why missing records were kept on purpose, and gives the command that removes them. `blind` names the entities
    whose list is empty for this token, which may not see everything.
    """

    run: Run
    fields: Mapping[str, int]
    notes: Sequence[str]
    quarantined: int
    drift: int
    left: int = 0
    merged: int = 0
    held: str = ""
    blind: str = ""
    others: Sequence[Run] = ()

    @property
    def needs_a_look(self) -> bool:
        """Whether records are in quarantine, fields are unknown, records are unlisted, or no record is visible."""
        return bool(self.quarantined or self.drift or self.left or self.blind)

    def __str__(self) -> str:
        """Return one line with the changes and the findings that need a look."""
        run, others = self.run, [other for other in self.others if other.kind != "idle"]
        if run.kind == "idle" and not (others or self.needs_a_look):
            return f"{run.source}: nothing has changed"
        line = f"{run.source}: {_counts(run)}"
        for other in others:
            line += f"; {other.entity.replace('_', ' ')}: {_counts(other)}"
        if self.quarantined:
            line += f", {self.quarantined:,} in quarantine"
        if self.left:
            line += f", {self.left:,} not listed by the server"
        if self.blind:
            line += f", no {self.blind} is visible to this token"
        return line + (f", {self.drift:,} unknown or missing fields" if self.drift else "")


def summary_of(pulled: Pulled) -> Summary:
    """Return the counts of a pull, without its data."""
    fields: Counter[str] = Counter()
    for part in pulled.parts:
        fields += _changed_fields(part)
    held = [str(part.held) for part in pulled.parts if part.held]
    return Summary(
        pulled.run,
        dict(fields.most_common()),
        [*(note for part in pulled.parts for note in part.notes), *held],
        sum(part.run.quarantine_open for part in pulled.parts),
        sum(len(part.drift) for part in pulled.parts),
        sum(part.left for part in pulled.parts),
        sum(client.kind == MERGED for client in pulled.departed),
        " ".join(held),
        " or ".join(noun_of(part.entity) for part in pulled.parts if part.blind),
        [part.run for part in pulled.others],
    )


def _changed_fields(part: Pulled) -> Counter[str]:
    """Count the changed records of an entity by field."""
    fields: Counter[str] = Counter()
    known, before = _fields(part.entity), "" if part.entity is CLIENTS else f"{part.run.entity}."
    for change in part.changes:
        if change.before is not None:
            places = (changed.field.partition(".")[0] for changed in differences(change.before, change.after))
            fields.update({before + place if place in known else OTHER for place in places})
    return fields


def _counts(run: Run) -> str:
    gone = f", {run.vanished:,} gone" if run.vanished else ""
    return f"{run.inserted:,} new, {run.updated:,} changed, {run.touched:,} touched{gone}"


def as_markdown(summaries: Mapping[str, Summary | str]) -> str:
    """Return the report of several pulls as Markdown. A text in place of a summary says why that source failed."""
    done = [summary for summary in summaries.values() if isinstance(summary, Summary)]
    counted = [run for summary in done for run in (summary.run, *summary.others) if run is summary.run or run.changed]
    heads = ("source", "new", "changed", "touched", "gone", "unchanged", "received", "requests", "seconds")
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for run in counted:
        counts = (run.inserted, run.updated, run.touched, run.vanished, run.unchanged, run.received, run.requests)
        name = run.source if run.entity == CLIENTS.name else f"{run.source}: {run.entity.replace('_', ' ')}"
        lines.append(f"| {name} | " + " | ".join(f"{n:,}" for n in counts) + f" | {run.seconds:.1f} |")
    table = [*lines, ""] if counted else []
    lines = [f"- {line}" for name, summary in summaries.items() for line in _lines(name, summary)]
    return "\n".join([*table, *lines]) + "\n"


def _lines(name: str, summary: Summary | str) -> list[str]:
    if isinstance(summary, str):
        return [f"**{name} failed**: {_plain(summary)}"]
    lines = [f"{name}: run `{summary.run.run_id}` ({summary.run.kind})"]
    if summary.fields:
        updated = sum(run.updated for run in (summary.run, *summary.others))
        several = updated > sum(summary.fields.values())
        counts = ", ".join(f"{field} {count:,}" for field, count in summary.fields.items())
        lines.append(f"{name}: fields that changed{' (of the records looked at)' if several else ''}: {counts}")
    if summary.needs_a_look:
        lines.append(
            f"**{name} needs a look**: records in quarantine: {summary.quarantined:,}, fields unknown or missing: "
            f"{summary.drift:,}, records that the server does not list: {summary.left:,}; `ninja-sync status` has more"
        )
    return lines + [f"{name}: note: {_plain(note)}" for note in summary.notes]


def _plain(text: str) -> str:
    """Return a text on one line, escaped so that Markdown shows it unchanged."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|!#" else c for c in " ".join(text.split()))
