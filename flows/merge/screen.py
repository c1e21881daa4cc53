"""Show one merge before it is done: its figures with currencies, its contacts, and every value it writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from flows.ask.names import Names
from flows.merge.effect import NO_LABELS, Effect, effect_of, in_words
from flows.plans.client_keys import called
from flows.show.show import show_table
from schemas.client import Contact
from schemas.merge_preview import Preview, Rescue


def show_preview(
    number: int, preview: Preview, names: Names, remarks: Sequence[str] = (), labels: Mapping[str, str] = NO_LABELS
) -> None:
    """Show one merge to people."""
    effect = effect_of(preview, names, remarks, labels)
    title = f"{number}. {called(preview.mergeable)} into {called(preview.survivor)}"
    title += "".join(f"\n   {warning}" for warning in effect.warnings)
    kept, other = preview.currencies
    columns = ("figure", _in("client kept", kept), _in("merged in", other), _in("afterwards", kept))
    notes = [f"{in_words(f.name)}: {f.note}" for f in preview.figures if f.note and (f.survivor or f.mergeable)]
    rows = [(in_words(f.name), f.survivor, f.mergeable, f.after) for f in preview.figures]
    show_table(title, columns, rows, note="; ".join(notes))
    people = [
        (_named(row.contact), row.what + f"; lost: {row.lost}" * bool(row.lost))
        for row in effect.contacts if not row.of_kept
    ]  # fmt: skip
    if people:
        show_table("", ("contact", "what happens to it"), people)
    _show_written(preview, effect)
    _show_lost(effect)


def preview_as_json(preview: Preview) -> dict[str, object]:
    """Return one merge for machines."""
    return {
        "survivor_id": preview.survivor.id, "mergeable_id": preview.mergeable.id,
        "currencies": list(preview.currencies), "figures": [asdict(figure) for figure in preview.figures],
        "contacts_moved": [c.id for c in preview.moved], "contacts_dropped": [c.id for c in preview.dropped],
        "second_primaries": [c.id for c in preview.second_primaries], "lost": dict(preview.lost),
        "rescued_before": _rescue_as_json(preview.before), "rescued_after": _rescue_as_json(preview.then),
    }  # fmt: skip


def _show_written(preview: Preview, effect: Effect) -> None:
    """Show the fields written to the client kept, with their full values now and afterwards."""
    rows = [(row.label, row.kept, row.after) for row in effect.fields if row.is_written]
    people = {contact.id: contact for contact in preview.survivor.contacts}
    for rescue in (preview.before, preview.then):
        for key, values in rescue.contacts.items():
            who = _named(people[key]) if key in people else key
            for name, value in values.items():
                if name == "is_primary":
                    rows.append(("primary contact", who, who))  # the merge alone would leave two
                else:
                    now = getattr(people.get(key), name, None)
                    rows.append((f"{who}: {in_words(name)}", str(now or ""), str(value)))
        rows += [("new contact", "", _filled(contact)) for contact in rescue.new_contacts]
    if rows:
        show_table("Written to the client kept", ("field", "now", "afterwards"), rows)


def _show_lost(effect: Effect) -> None:
    """Show the values lost with the client merged in, which only the backup keeps."""
    rows = [(row.label, row.merged) for row in effect.lost]
    if rows:
        public = any(row.is_public for row in effect.lost)
        note = "customers can read public notes, so they are appended only with --public-notes" if public else ""
        show_table("Lost with the client merged in (its backup has it)", ("field", "value"), rows, note=note)


def _in(heading: str, currency: str) -> str:
    return f"{heading} ({currency})" if currency else f"{heading} (currency unknown)"


def _named(contact: Contact) -> str:
    return " ".join(filter(None, (contact.first_name, contact.last_name, contact.email, contact.phone))) or contact.id


def _filled(values: object) -> str:
    """Return the texts of a new contact."""
    columns = values if isinstance(values, dict) else {}
    return ", ".join(str(value) for value in columns.values() if isinstance(value, str))


def _rescue_as_json(rescue: Rescue) -> dict[str, object]:
    return {"columns": rescue.columns, "contacts": rescue.contacts, "new_contacts": rescue.new_contacts}
