"""One merge of a plan, from where it stands to its end: checked, rescued, sent once, and what follows it written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from connector.api.api import Api
from connector.api.presence import Presence, presence
from connector.clients.contacts import ContactEdit
from connector.clients.merge import apply_merge, prepare_merge
from connector.clients.read import record_of
from connector.clients.update import apply_update, prepare_update
from flows.configuration.values import Settings
from flows.session.backups import backup_file
from flows.session.clock import Clock
from schemas.client import client_of
from schemas.errors import (
    Invalid,
    NotFound,
    RescueMissing,
    SettingsError,
    StalePlan,
    SyncError,
    UnsafePlan,
    WarehouseError,
    sentence,
)
from schemas.merge_plan import MergePlan, MergeStep, expected_of
from schemas.merge_preview import LOST
from warehouse.control.merge_plans import (
    CHECKED,
    DONE,
    FINISHED,
    MERGED,
    PLANNED,
    RESCUED,
    UNMERGED,
    UNRESCUED,
    merged_by,
    read_merges,
    set_merges_state,
    set_step,
)
from warehouse.control.plans import APPLYING
from warehouse.engine.seam import Warehouse

REFUSED = (SettingsError, UnsafePlan, Invalid, NotFound)
"""Errors that come again with the next run, as long as nobody plans the merge again."""


@dataclass(frozen=True, slots=True)
class Merging:
    """What the steps of one run have in common; `touched` are clients that this plan has written already.

    `gives_up` says that a merge which was done before this run is finished without its last rescue.
    """

    settings: Settings
    warehouse: Warehouse
    api: Api
    plan: MergePlan
    clock: Clock
    sleep: Callable[[float], None]
    gives_up: bool = False
    touched: set[str] = field(default_factory=set)


def take_step(merging: Merging, place: int, step: MergeStep, state: str, barred: str) -> None:
    """Do what is left of one merge; `barred` says why one that was not sent may not be sent any more.

    Raises RescueMissing where the merge is done and what follows it cannot be written.
    """
    if state in UNMERGED:
        if barred:
            raise StalePlan(barred)
        _check(merging, place, step, own=state != PLANNED)
        _merge(merging, place, step, state)
        _finish(merging, place, step)
    elif state == MERGED:
        _check_gone(merging, step)
        if merging.gives_up:
            note(merging, place, DONE if step.then.is_empty else UNRESCUED)
        else:
            _finish(merging, place, step)
    merging.touched.add(step.survivor_id)


def note(merging: Merging, place: int, state: str, *, backup: str | None = None) -> None:
    """Record how far a merge has come."""
    set_step(merging.warehouse, merging.plan, place, state, now=merging.clock.now(), backup=backup)


def is_merged(warehouse: Warehouse, plan: MergePlan, step: MergeStep, state: str) -> bool:
    """Whether the server has merged it, by the step's state or by the journal: a run that was killed notes no state."""
    return state in {MERGED, *FINISHED} or step.mergeable_id in merged_by(warehouse, plan)


def _merge(merging: Merging, place: int, step: MergeStep, state: str) -> None:
    """Rescue what would be lost, then merge, once."""
    if state == PLANNED:
        set_merges_state(merging.warehouse, merging.plan, APPLYING)
        note(merging, place, CHECKED)
    if state in {PLANNED, CHECKED}:
        _rescue_before(merging.api, step)
        note(merging, place, RESCUED)
    plan, api = merging.plan, merging.api
    prepared = prepare_merge(
        api, step.survivor_id, step.mergeable_id, allow_other_currency="currency" in step.allowed,
        allow_inactive_survivor="inactive" in step.allowed,
    )  # fmt: skip
    ids = (step.survivor_id, step.mergeable_id)
    file = backup_file(merging.settings, plan.source, "merge", ids, merging.clock.now())
    note(merging, place, RESCUED, backup=str(file))  # before it is sent: a run that is killed leaves it behind
    apply_merge(api, replace(prepared, currency_codes=step.currencies), backup=file, sleep=merging.sleep)
    note(merging, place, MERGED)


def _finish(merging: Merging, place: int, step: MergeStep) -> None:
    """Write what can be written only after the merge. Raises RescueMissing, which says that the merge is done."""
    try:
        _rescue_after(merging.api, step)
    except WarehouseError:
        raise
    except SyncError as problem:
        plan_id = merging.plan.plan_id
        raise RescueMissing(
            f"The client {step.mergeable_id} is merged into {step.survivor_id}: that is done. Not written afterwards: "
            f"{', '.join(_written_after(step))}. The reason: {_reason(problem)} Mend it and say `ninja-sync merge "
            f"resume {plan_id}`, or finish without it: `ninja-sync merge resume {plan_id} --without-rescue`."
        ) from None
    note(merging, place, DONE)


def _check(merging: Merging, place: int, step: MergeStep, *, own: bool) -> None:
    """Raises StalePlan where one of both has changed since the plan was made, but for what the plan itself did.

    `own` says that its rescue may have written the survivor already.
    """
    for client_id, expected in ((step.survivor_id, step.survivor), (step.mergeable_id, step.mergeable)):
        merged_before = client_id in merging.touched or _written_by(merging, place, client_id)
        written = step.before.columns if own and client_id == step.survivor_id else {}
        now = expected_of(client_of(_present(merging.api, client_id)))
        moved = [
            name for name, value in expected.items()
            if _text(now[name]) not in {_text(value), _text(written.get(name, value))}
            and not (name == "contacts" and own and client_id == step.survivor_id)
            and not (merged_before and name not in LOST)
        ]  # fmt: skip
        if moved:
            raise StalePlan(
                f"The client {client_id} has changed since the plan was made ({', '.join(moved)}): it is not merged, "
                "nor is what comes after it. Plan anew."
            )


def _present(api: Api, client_id: str) -> dict[str, object]:
    try:
        return record_of(api.door, client_id)
    except NotFound:
        raise StalePlan(
            f"The client {client_id} is not on the server any more: somebody has merged or purged it. It is not "
            "merged, nor is what comes after it. Plan anew."
        ) from None


def _check_gone(merging: Merging, step: MergeStep) -> None:
    """Raises StalePlan where a merge that is noted as done is not: a person may have said so by mistake."""
    if presence(merging.api.door, step.mergeable_id) is Presence.HERE:
        raise StalePlan(
            f"The client {step.mergeable_id} is noted as merged into {step.survivor_id}, and is still on the server. "
            "Nothing more is written. Look at both in Invoice Ninja, then close the plan (`ninja-sync merge close "
            f"{merging.plan.plan_id}`) and plan anew."
        )


def _text(value: object) -> str:
    """A value as it is compared: blank and none are the same to the server."""
    return "" if value is None else str(value)


def _written_by(merging: Merging, place: int, client_id: str) -> bool:
    """Whether an earlier merge of this plan had this survivor: then it is what that merge has left."""
    done = read_merges(merging.warehouse, merging.plan.plan_id)
    return any(
        one.survivor_id == client_id and at < place and state != PLANNED
        for at, one, state in zip(done.places, done.plan.steps, done.states, strict=True)
    )


def _rescue_before(api: Api, step: MergeStep) -> None:
    """Keep what would be lost, as an ordinary change of the survivor; what is there already is not written again.

    Raises StalePlan where the change is refused: then the clients are not merged.
    """
    rescue = step.before
    if rescue.is_empty:
        return
    here = _contacts(api, step.survivor_id)
    edits = [ContactEdit(key, changes) for key, changes in rescue.contacts.items() if key in here]
    edits += [ContactEdit(changes=one) for one in rescue.new_contacts if not _has(here, one)]
    try:
        apply_update(api, prepare_update(api, step.survivor_id, rescue.columns, contacts=edits))
    except REFUSED as problem:
        raise StalePlan(
            f"The client {step.mergeable_id} is not merged into {step.survivor_id}, nor is what comes after it: what "
            f"was to be kept of it could not be written. The reason: {_reason(problem)} Mend it and plan anew, or plan "
            "with --no-rescue."
        ) from None


def _rescue_after(api: Api, step: MergeStep) -> None:
    """What could not be written before. What somebody has written meanwhile is kept, and is an error."""
    rescue, survivor_id = step.then, step.survivor_id
    if rescue.is_empty:
        return
    record = record_of(api.door, survivor_id)
    theirs = [name for name, value in rescue.columns.items() if record.get(name) not in (None, "", value)]
    if theirs:
        raise StalePlan(f"Somebody has written {', '.join(theirs)} of the client {survivor_id} meanwhile.")
    here = _contacts(api, survivor_id)
    primaries = sum(bool(one.get("is_primary")) for one in here.values())
    edits = [
        ContactEdit(key, changes) for key, changes in rescue.contacts.items()
        if key in here and not ("is_primary" in changes and primaries == 1)  # somebody has chosen one
    ]  # fmt: skip
    if rescue.columns or edits:
        apply_update(api, prepare_update(api, survivor_id, rescue.columns, contacts=edits))


def _written_after(step: MergeStep) -> list[str]:
    """What the rescue after a merge writes, by names of fields."""
    return [*step.then.columns, *(["which contact is the primary one"] if step.then.contacts else [])]


def _reason(problem: SyncError) -> str:
    """Why a change was refused, without the words that nothing was sent: the merge may have been."""
    text = str(problem).removeprefix("Nothing was sent: ").removesuffix(" Nothing was sent.").removesuffix(" Not sent.")
    return sentence(text[:1].upper() + text[1:])


def _has(contacts: Mapping[str, Mapping[str, object]], wanted: Mapping[str, object]) -> bool:
    """Whether a contact with all this is there: a rescue that was killed behind its answer adds nobody twice."""
    known = {name: value for name, value in wanted.items() if name not in {"is_primary", "send_email"}}
    return any(all(one.get(name) == value for name, value in known.items()) for one in contacts.values())


def _contacts(api: Api, client_id: str) -> dict[str, Mapping[str, object]]:
    found = record_of(api.door, client_id).get("contacts")
    return {str(one["id"]): one for one in found if isinstance(one, dict)} if isinstance(found, list) else {}
