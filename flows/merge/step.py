"""Do one merge of a plan from its present state to its end: check, rescue, send once, rescue the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from connector.api.api import Api
from connector.api.presence import Presence, presence
from connector.clients.contacts import ContactEdit
from connector.clients.merge import Both, merge_both, read_both
from connector.clients.present import Record
from connector.clients.read import record_of
from connector.clients.update import carry_through, prepare_update
from flows.ask.field_names import field_name
from flows.plans.applying import Run, another_version
from flows.session.backups import backup_file
from schemas.client import client_of
from schemas.errors import (
    Invalid,
    NotFound,
    NotVerified,
    RescueMissing,
    SettingsError,
    StalePlan,
    SyncError,
    UnsafePlan,
    WarehouseError,
    sentence,
)
from schemas.merge_plan import MergeStep, expected_of
from schemas.merge_preview import LOST, Rescue
from schemas.plan import Plan
from schemas.server_form import NO_LISTS
from warehouse.control.plans import (
    APPLYING,
    CHECKED,
    DONE,
    FINISHED,
    MERGED,
    PLANNED,
    RESCUED,
    UNMERGED,
    UNRESCUED,
    merged_by,
    set_step,
)
from warehouse.engine.seam import Warehouse

REFUSED = (SettingsError, UnsafePlan, Invalid, NotFound)
"""Errors that the next run would raise again, unless somebody plans the merge again."""


@dataclass(frozen=True, slots=True)
class Merging:
    """The state that the merges of one run share; `touched` are the survivors of the earlier merges.

    With `gives_up`, a merge that was done before this run is finished without its last rescue.
    """

    run: Run
    gives_up: bool = False
    touched: set[str] = field(default_factory=set)


def take_step(merging: Merging, place: int, step: MergeStep, state: str) -> None:
    """Do the rest of one merge.

    Raises StalePlan if the merge was not sent and may not be sent any more, and RescueMissing if it is done but the
    rescue after it cannot be written.
    """
    run = merging.run
    if state in UNMERGED:
        if run.barred:
            with _naming_the_rescue(step, state):
                raise StalePlan(f"{run.barred}: plan again. This merge was not sent.")
        survivor = _merge(merging, place, step, state)
        note(run, place, MERGED)
        _finish(run, place, step, survivor)
    elif state == MERGED:
        _check_gone(run, step)
        if merging.gives_up:
            note(run, place, DONE if step.then.is_empty else UNRESCUED)
        else:
            _finish(run, place, step)
    merging.touched.add(step.survivor_id)


def note(run: Run, place: int, state: str, *, backup: str | None = None) -> None:
    """Record the progress of a merge."""
    set_step(run.warehouse, run.plan, place, state, run.clock.now(), backup=backup)


def is_merged(warehouse: Warehouse, plan: Plan, step: MergeStep, state: str) -> bool:
    """Whether the server has merged it, by the step's state or by the journal: a killed run noted no state."""
    return state in {MERGED, *FINISHED} or step.mergeable_id in merged_by(warehouse, plan)


def _merge(merging: Merging, place: int, step: MergeStep, state: str) -> Record:
    """Rescue the values that would be lost, then merge, once; return the survivor as read afterwards."""
    run, rescued = merging.run, None
    if state in {PLANNED, CHECKED} and not step.before.is_empty:
        with _naming_the_rescue(step, state):
            both = _read(run.api, step)
            _check(merging, step, both, own=state != PLANNED)
        _begin(run, place, state, CHECKED)
        state, rescued = CHECKED, _rescue_before(run.api, step, both.survivor)
    with _naming_the_rescue(step, RESCUED):
        both = _read(run.api, step, for_backup=True)
        _check(merging, step, both, own=state != PLANNED, rescued=rescued)
        ids = (step.survivor_id, step.mergeable_id)
        file = backup_file(run.settings, run.plan.source, "merge", ids, run.clock.now())
        _begin(run, place, state, RESCUED, backup=str(file))  # before the merge is sent, so that a kill loses no file
        return merge_both(run.api, both, backup=file, allowed=step.allowed, codes=step.currencies, sleep=run.sleep)


@contextmanager
def _naming_the_rescue(step: MergeStep, state: str) -> Iterator[None]:
    """Have errors of a merge that was not done name what its rescue has written, by the state of the merge.

    And they do not say that nothing was sent: the rescue was, and earlier merges of the plan may be done.
    """
    try:
        yield
    except NotVerified:
        raise  # the merge was sent
    except SyncError as problem:
        text = str(problem).replace("Nothing was sent:", "This merge was not sent:")
        text = text.replace("so nothing was sent", "so this merge was not sent")
        begun = {CHECKED: "An earlier run may have written", RESCUED: "Already written"}.get(state)
        if begun and not step.before.is_empty:
            text = (
                f"{sentence(text)} {begun} to the client {step.survivor_id}, to keep it from {step.mergeable_id}: "
                f"{_fields(step.before, 'contacts')}."
            )
        problem.args = (text,)
        raise


def _begin(run: Run, place: int, state: str, to: str, *, backup: str | None = None) -> None:
    """Note that a merge has begun, before its first write."""
    if state == PLANNED:
        run.note(APPLYING)
    note(run, place, to, backup=backup)


def _finish(run: Run, place: int, step: MergeStep, survivor: Record | None = None) -> None:
    """Write the rescue that is possible only after the merge. Raises RescueMissing: the merge itself is done.

    `survivor` is the client as read right after its merge, if this run did it.
    """
    try:
        _rescue_after(run.api, step, survivor)
    except WarehouseError:
        raise
    except SyncError as problem:
        plan_id = run.plan.plan_id
        raise RescueMissing(
            f"The client {step.mergeable_id} is merged into {step.survivor_id}: that is done. Not written afterwards: "
            f"{_fields(step.then, 'the primary contact')}. The reason: {_reason(problem)} Correct it and run "
            f"`ninja-sync merge resume {plan_id}`, or finish without it: `ninja-sync merge resume {plan_id} "
            "--without-rescue`."
        ) from None
    note(run, place, DONE)


def _read(api: Api, step: MergeStep, *, for_backup: bool = False) -> Both:
    """Read both clients now. Raises StalePlan, naming the client that is not on the server any more."""
    try:
        return read_both(api.door, step.survivor_id, step.mergeable_id, for_backup=for_backup)
    except NotFound:
        for client_id in (step.survivor_id, step.mergeable_id):
            if presence(api.door, client_id) is Presence.GONE:
                raise StalePlan(
                    f"The client {client_id} is not on the server any more: somebody has merged or purged it. This "
                    "merge and those after it were not sent. Plan again."
                ) from None
        raise


def _check(merging: Merging, step: MergeStep, both: Both, *, own: bool, rescued: Record | None = None) -> None:
    """Raises StalePlan if one of the clients has changed since the plan was made, except by the plan itself.

    `own` means that the plan may have written the survivor already; `rescued` is the survivor after this run's rescue.
    """
    if why := another_version(merging.run.plan, both.version):
        raise StalePlan(f"{why}: plan again.")
    survivor = step.survivor if rescued is None else expected_of(client_of(rescued))
    ours = step.before if own and rescued is None else None
    merged = merging.touched if rescued is None else merging.touched - {step.survivor_id}
    changed = {
        step.survivor_id: _changed(both.survivor, survivor, ours, merged=step.survivor_id in merged),
        step.mergeable_id: _changed(both.mergeable, step.mergeable, None, merged=step.mergeable_id in merged),
    }
    for client_id, names in changed.items():
        if names:
            raise StalePlan(
                f"The client {client_id} has changed since the plan was made ({_named(names)}): this merge "
                "and those after it were not sent. Plan again."
            )


def _changed(record: Record, expected: Mapping[str, object], ours: Rescue | None, *, merged: bool) -> list[str]:
    """Return the fields that differ from the plan, except by its own rescue or an earlier merge into the client."""
    now, written = expected_of(client_of(record)), ours.columns if ours else {}
    free = {name for name in expected if merged and name not in LOST}
    if ours:
        free |= {"contacts"} | ({"number"} if not expected.get("number") else set())  # any PUT gives a client a number
    return [
        name for name, value in expected.items()
        if name not in free and _text(now[name]) not in {_text(value), _text(written.get(name, value))}
    ]  # fmt: skip


def _check_gone(run: Run, step: MergeStep) -> None:
    """Raises StalePlan if a merge noted as done is not: a person may have settled it by mistake."""
    if presence(run.api.door, step.mergeable_id) is Presence.HERE:
        raise StalePlan(
            f"The client {step.mergeable_id} is noted as merged into {step.survivor_id}, but is still on "
            "the server. Nothing more was written. Look at both in Invoice Ninja, then close the plan "
            f"(`ninja-sync merge close {run.plan.plan_id}`) and plan again."
        )


def _text(value: object) -> str:
    """Return a value for comparison: blank and None are the same to the server."""
    return "" if value is None else str(value)


def _rescue_before(api: Api, step: MergeStep, survivor: Record) -> Record:
    """Rescue values by an ordinary change of the survivor, without those that it has already; return the survivor.

    Raises StalePlan if the change is refused: then the clients are not merged.
    """
    here = _contacts(survivor)
    edits = [ContactEdit(key, changes) for key, changes in step.before.contacts.items() if key in here]
    edits += [ContactEdit(changes=values) for values in step.before.new_contacts if not _has(here, values)]
    try:
        return _written(api, step, step.before.columns, edits, survivor)
    except REFUSED as problem:
        raise StalePlan(
            f"The client {step.mergeable_id} was not merged into {step.survivor_id}, because the values to keep of it "
            f"could not be written. Later merges were not sent either. The reason: {_reason(problem)} Correct it and "
            "plan again, or plan with --no-rescue."
        ) from None


def _rescue_after(api: Api, step: MergeStep, survivor: Record | None) -> None:
    """Write the rescue after the merge. Values that somebody wrote meanwhile stay, and raise StalePlan."""
    rescue = step.then
    if rescue.is_empty:
        return
    record = survivor or record_of(api.door, step.survivor_id)
    theirs = [name for name, value in rescue.columns.items() if record.get(name) not in (None, "", value)]
    if theirs:
        raise StalePlan(f"Somebody has written {_named(theirs)} of the client {step.survivor_id} meanwhile.")
    here = _contacts(record)
    primaries = sum(bool(contact.get("is_primary")) for contact in here.values())
    edits = [
        ContactEdit(key, changes) for key, changes in rescue.contacts.items()
        if key in here and not ("is_primary" in changes and primaries == 1)  # somebody has chosen the primary contact
    ]  # fmt: skip
    if rescue.columns or edits:
        _written(api, step, rescue.columns, edits, record)


def _written(
    api: Api, step: MergeStep, columns: Mapping[str, object], edits: Sequence[ContactEdit], survivor: Record
) -> Record:
    """Change the survivor, which was just read. The plan has checked the values against the server's lists."""
    update = prepare_update(api, step.survivor_id, columns, contacts=edits, lists=NO_LISTS, record=survivor)
    return carry_through(api, update, survivor).after


def _fields(rescue: Rescue, contacts: str) -> str:
    """Return the names of the fields that a rescue writes."""
    return _named([*rescue.columns, *([contacts] if rescue.contacts or rescue.new_contacts else [])])


def _named(fields: Iterable[str]) -> str:
    return ", ".join(map(field_name, fields))


def _reason(problem: SyncError) -> str:
    """Return why a change was refused, without "nothing was sent": the merge itself may have been sent."""
    text = str(problem).removeprefix("Nothing was sent: ").removesuffix(" Nothing was sent.").removesuffix(" Not sent.")
    return sentence(text[:1].upper() + text[1:])


def _has(contacts: Mapping[str, Mapping[str, object]], wanted: Mapping[str, object]) -> bool:
    """Whether a contact has all these values: a rescue killed after its call must not add a contact twice."""
    known = {name: value for name, value in wanted.items() if name not in {"is_primary", "send_email"}}
    return any(all(contact.get(name) == value for name, value in known.items()) for contact in contacts.values())


def _contacts(record: Record) -> dict[str, Mapping[str, object]]:
    contacts = record.get("contacts")
    listed = contacts if isinstance(contacts, list) else []
    return {str(contact["id"]): contact for contact in listed if isinstance(contact, dict)}
