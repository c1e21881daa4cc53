"""How plans of merges look, in money and in people; and the sheet by which a merge is taken back by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from flows.merge_apply import AppliedMerges
from flows.merge_plan import PlannedMerges
from flows.show import amount, say, show_json, show_table
from schemas.client import Client, Contact
from schemas.errors import LOADED_WITH_FINDINGS, SettingsError
from schemas.merge_plan import MergePlan
from schemas.merge_preview import Preview, Rescue
from warehouse.merge_plans import DONE, StoredMerges

MOST: Final = 20
"""Merges that are shown one by one; --json gives all."""


def tell_planned_merges(planned: PlannedMerges, *, as_json: bool) -> int:
    """Tell what came of pairs; the exit code."""
    if as_json:
        show_json(
            {
                "plan": None if planned.plan is None else merges_as_json(planned.plan),
                "previews": [_preview_as_json(one) for one in planned.previews],
                "refused": [asdict(one) for one in planned.refused],
                "notes": planned.notes,
            }
        )
        return LOADED_WITH_FINDINGS if planned.refused else 0
    for number, one in enumerate(planned.previews[:MOST], start=1):
        _show_preview(number, one)
    if len(planned.previews) > MOST:
        say(f"and {len(planned.previews) - MOST:,} merges more; --json gives all")
    for note in planned.notes:
        say(note)
    if planned.refused:
        rows = [(one.survivor_id, one.mergeable_id, one.reason) for one in planned.refused]
        show_table("Refused", ("survivor", "to be merged in", "why"), rows)
    if planned.plan is None:
        say("There is nothing to merge, so there is no plan.")
    else:
        told = f"ninja-sync merge apply {planned.plan.plan_id} --digest {planned.plan.digest}"
        say(f"Nothing was sent yet. Until {planned.plan.expires_at:%Y-%m-%d %H:%M} UTC: {told}")
    return LOADED_WITH_FINDINGS if planned.refused else 0


def show_merges(stored: StoredMerges, names: Mapping[str, str]) -> None:
    """A stored plan, and how far each of its merges has come."""

    def called(client_id: str) -> str:
        return f"{names[client_id]} ({client_id})" if client_id in names else client_id

    rows = [
        (
            called(s.survivor_id),
            called(s.mergeable_id),
            _balance(s.survivor),
            _balance(s.mergeable),
            state,
            backup or "",
        )
        for s, state, backup in zip(stored.plan.steps, stored.states, stored.backups, strict=True)
    ]
    columns = ("survivor", "merged in", "balance", "its balance", "state", "backup")
    show_table(f"Plan {stored.plan.plan_id}", columns, rows)
    say(f"{stored.state}; its digest is {stored.digest}.")


def _balance(expected: Mapping[str, object]) -> str:
    return amount(Decimal(str(expected["balance"])))


def tell_applied_merges(applied: AppliedMerges, *, as_json: bool) -> None:
    """Tell how far the merges have come. Raises the error at which they stopped."""
    done = sum(state == DONE for state in applied.states)
    if as_json:
        stopped = str(applied.stopped) if applied.stopped else None
        show_json({"plan_id": applied.plan.plan_id, "merges": _states(applied), "done": done, "stopped": stopped})
    else:
        say(f"{applied.plan.plan_id}: {done:,} of {len(applied.states):,} merges done.")
        rows = [tuple(one.values()) for one in _states(applied)]
        show_table("", ("survivor", "merged in", "state", "backup"), rows)
    if applied.stopped:
        raise applied.stopped


def merges_as_json(plan: MergePlan) -> dict[str, object]:
    """A plan for machines."""
    return {
        "plan_id": plan.plan_id, "source": plan.source, "digest": plan.digest, "author": plan.author,
        "reason": plan.reason, "made_at": plan.made_at, "expires_at": plan.expires_at, "version": plan.version,
        "merges": [step.told for step in plan.steps],
    }  # fmt: skip


def rollback_sheet(backup: Path) -> str:
    """What to do by hand to take a merge back, as Markdown, from the backup of both clients.

    Invoice Ninja cannot do it: the client is made anew, with a new id. Raises SettingsError where the file is none.
    """
    try:
        survivor, mergeable = json.loads(backup.read_text(encoding="utf-8"))["clients"]
    except (OSError, ValueError, KeyError):
        raise SettingsError(f"{backup} is no backup of a merge.") from None
    name = mergeable.get("display_name") or mergeable["id"]
    people = mergeable.get("contacts", [])
    lines = [
        f"# Taking back the merge of {name} ({mergeable.get('number') or mergeable['id']})",
        f"\nIt was merged into {survivor.get('display_name')} ({survivor.get('number') or survivor['id']}).",
        "\n## 1. Make the client anew\n",
        *_filled(mergeable, ("settings", "contacts", "documents", "ledger", "activities", "id", "client_hash")),
        "\nIts settings:\n",
        *_filled(mergeable.get("settings") or {}, ("entity",)),
        f"\n## 2. Its {len(people)} contacts: move them back, or make them anew where the merge has dropped them\n",
        *(f"- {_person(one)} (id {one['id']})" for one in people),
        "\n## 3. Move back its invoices, payments, credits, quotes, projects, tasks and expenses\n",
        *_moves(mergeable),
        f"\n## 4. Its {len(mergeable.get('documents', []))} documents\n",
        *(f"- {one.get('name')} (id {one['id']})" for one in mergeable.get("documents", [])),
        "\n## 5. Compare the figures\n",
        *(f"- {field}: {survivor.get(field)} and {mergeable.get(field)}" for field in _FIGURES),
    ]
    return "\n".join(lines) + "\n"


_FIGURES: Final = ("balance", "paid_to_date", "credit_balance", "payment_balance")


def _moves(mergeable: Mapping[str, Any]) -> list[str]:
    rows = mergeable.get("ledger") or []
    told = [
        f"- {key.removesuffix('_id')} {row[key]}: {row.get('adjustment')}"
        for row in rows
        for key in row
        if key.endswith("_id") and key not in {"_id", "activity_id"} and row[key]
    ]
    return told or ["The ledger in the backup names none; look at the activities of the survivor."]


def _filled(record: Mapping[str, Any], without: Sequence[str]) -> list[str]:
    return [f"- {name}: {value}" for name, value in record.items() if name not in without and value not in _EMPTY]


_EMPTY: Final[tuple[object, ...]] = (None, "", 0, False, {}, [])


def _person(one: Mapping[str, Any]) -> str:
    return (
        " ".join(str(one[n]) for n in ("first_name", "last_name", "email", "phone") if one.get(n)) or "without a name"
    )


def _states(applied: AppliedMerges) -> list[dict[str, object]]:
    return [
        {"survivor_id": step.survivor_id, "mergeable_id": step.mergeable_id, "state": state, "backup": backup}
        for step, state, backup in zip(applied.plan.steps, applied.states, applied.backups, strict=True)
    ]


def _show_preview(number: int, one: Preview) -> None:
    title = f"{number}. {_called(one.mergeable)} into {_called(one.survivor)}"
    figures = [
        (f.name.replace("_", " "), amount(f.survivor), amount(f.mergeable), amount(f.after), f.note)
        for f in one.figures
    ]
    show_table(title, ("figure", "survivor", "merged in", "afterwards", "note"), figures)
    people = [(_named(c), "moves") for c in one.moved if c not in one.second_primaries]
    people += [(_named(c), "moves, and would be a second primary") for c in one.second_primaries]
    people += [(_named(c), "is dropped by the server") for c in one.dropped]
    if people:
        show_table("", ("contact", "what becomes of it"), people)
    kept = {*one.before.columns, *one.then.columns}
    rows = [(name, value, "rescued" if name in kept else "lost") for name, value in one.lost.items()]
    rows += [(_person(new), "", "rescued: added to the survivor") for new in one.before.new_contacts]
    rows += [(f"contact {key}", ", ".join(map(str, fill)), "rescued") for key, fill in one.before.contacts.items()]
    if rows:
        show_table("", ("of the one merged in", "value", "what becomes of it"), rows)


def _called(client: Client) -> str:
    return f"{client.display_name or client.id} ({client.number or 'no number'}, {client.id})"


def _named(contact: Contact) -> str:
    return " ".join(filter(None, (contact.first_name, contact.last_name, contact.email, contact.phone))) or contact.id


def _preview_as_json(one: Preview) -> dict[str, object]:
    return {
        "survivor_id": one.survivor.id, "mergeable_id": one.mergeable.id,
        "figures": [asdict(figure) for figure in one.figures],
        "contacts_moved": [c.id for c in one.moved], "contacts_dropped": [c.id for c in one.dropped],
        "second_primaries": [c.id for c in one.second_primaries], "lost": dict(one.lost),
        "rescued_before": _rescue_as_json(one.before), "rescued_after": _rescue_as_json(one.then),
    }  # fmt: skip


def _rescue_as_json(rescue: Rescue) -> dict[str, object]:
    return {"columns": rescue.columns, "contacts": rescue.contacts, "new_contacts": rescue.new_contacts}
