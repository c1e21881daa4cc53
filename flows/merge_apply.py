"""Applying a plan of merges: each backed up, rescued, sent once, checked; it stops at the first surprise.

How far each merge has come is noted, and what was sent is in the journal: a run that was killed is gone on with by
`resume`, which merges nobody twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from connector.api import Api
from connector.clients.contacts import ContactEdit
from connector.clients.merge import apply_merge, check_password, prepare_merge
from connector.clients.read import record_of
from connector.clients.update import apply_update, prepare_update
from connector.door import Door
from connector.halt import rest
from connector.password import Password
from connector.scan import first_look
from connector.secret import Secret
from connector.verbs import lister
from flows.api import check_company, operator
from flows.backups import backup_file
from flows.cut_off import named_when_cut_off
from flows.job import SYSTEM_CLOCK, Clock, Job, Pulled, Tell, open_ready, silent
from flows.journal import one_writer_at_a_time, settle_open
from flows.pull import pull
from flows.settings import Settings, place_of
from schemas.client import client_of
from schemas.entities import CLIENTS
from schemas.errors import SettingsError, StalePlan, SyncError, WrongDigest
from schemas.merge_plan import MergePlan, MergeStep, expected_of
from schemas.merge_preview import LOST, Rescue
from warehouse.engine import Warehouse
from warehouse.journal import WarehouseJournal
from warehouse.lock import one_run_at_a_time
from warehouse.merge_plans import (
    CHECKED,
    DONE,
    ENDED,
    MERGED,
    PLANNED,
    RESCUED,
    StoredMerges,
    merged_by,
    merges_under_way,
    read_merges,
    set_merges_state,
    set_step,
)
from warehouse.plans import APPLIED, APPLYING, under_way

UNMERGED: Final = (PLANNED, CHECKED, RESCUED)
"""States of a merge that was not sent, as far as is noted."""


@dataclass(frozen=True, slots=True)
class AppliedMerges:
    """How far the merges of a plan have come, where the backups are, and the error at which they stopped."""

    plan: MergePlan
    states: Sequence[str]
    backups: Sequence[str | None]
    pulled: Pulled | None = None
    stopped: SyncError | None = None


@dataclass(frozen=True, slots=True)
class _Merging:
    """What the steps of one run have in common; `touched` are clients that this plan has written already."""

    settings: Settings
    warehouse: Warehouse
    api: Api
    plan: MergePlan
    clock: Clock
    sleep: Callable[[float], None]
    touched: set[str] = field(default_factory=set)


def apply_merges(
    settings: Settings,
    door: Door,
    plan_id: str,
    digest: str,
    password: Callable[[], Secret],
    *,
    pulls: bool = True,
    tell: Tell = silent,
    clock: Clock = SYSTEM_CLOCK,
    sleep: Callable[[float], None] = rest,
) -> AppliedMerges:
    """Apply a plan of merges whose digest a person has seen; once. It stops at the first surprise.

    Raises WrongDigest, StalePlan (expired, begun already, another company, another version of the server), Busy, and
    UnsafePlan where the outcome of an earlier call is unknown: then nothing was sent.
    """
    stored = _stored(settings, plan_id, clock)
    if digest != stored.digest:
        raise WrongDigest(f"The digest of {plan_id} is another one: look at it with `ninja-sync merge show` again.")
    if stored.plan.digest != stored.digest:
        raise StalePlan(f"The plan {plan_id} is not as it was made (a client in it was erased?): plan anew.")
    if stored.state != PLANNED:
        hint = "resume it" if stored.state == APPLYING else "plan anew"
        raise StalePlan(f"The plan {plan_id} is {stored.state}; a plan is applied once: {hint}.")
    if why := _barred(stored.plan, door, clock):
        raise StalePlan(why)
    return _run(settings, door, stored, password, pulls=pulls, tell=tell, clock=clock, sleep=sleep)


def resume_merges(
    settings: Settings,
    door: Door,
    plan_id: str,
    password: Callable[[], Secret],
    *,
    pulls: bool = True,
    tell: Tell = silent,
    clock: Clock = SYSTEM_CLOCK,
    sleep: Callable[[float], None] = rest,
) -> AppliedMerges:
    """Go on with a plan that was cut off, or that stopped. Raises StalePlan where there is nothing to resume."""
    stored = _stored(settings, plan_id, clock)
    if stored.state != APPLYING:
        raise StalePlan(f"The plan {plan_id} is {stored.state}: there is nothing to resume.")
    return _run(settings, door, stored, password, pulls=pulls, tell=tell, clock=clock, sleep=sleep)


def _barred(plan: MergePlan, door: Door, clock: Clock) -> str:
    """Why no merge of the plan may be sent any more, if so."""
    if clock.now() > plan.expires_at:
        return f"The plan {plan.plan_id} has expired, and what was not sent is not sent: plan anew."
    version = first_look(lister(door, CLIENTS)).version or ""
    if version != plan.version:
        return (
            f"The server is of version {version or 'unknown'} now, and the plan {plan.plan_id} was made for "
            f"{plan.version or 'unknown'}: figures may come out otherwise. Plan anew."
        )
    return ""


def _stored(settings: Settings, plan_id: str, clock: Clock) -> StoredMerges:
    with open_ready(settings, clock) as warehouse:
        stored = read_merges(warehouse, plan_id)
    if stored.plan.source not in settings.sources:
        raise SettingsError(f"The plan {plan_id} is of the source {stored.plan.source!r}, which is not configured.")
    return stored


def _run(
    settings: Settings,
    door: Door,
    stored: StoredMerges,
    password: Callable[[], Secret],
    *,
    pulls: bool,
    tell: Tell,
    clock: Clock,
    sleep: Callable[[float], None],
) -> AppliedMerges:
    plan, held = stored.plan, Password(password)
    if check_company(settings, plan.source, door, clock) != plan.company:
        raise StalePlan(f"The plan {plan.plan_id} was made for another company: plan anew. Nothing was sent.")
    alone = one_run_at_a_time(place_of(settings), plan.source, wait=settings.wait)
    cut_off = named_when_cut_off(plan.plan_id, "merge", lambda: _stored(settings, plan.plan_id, clock).state)
    with cut_off, one_writer_at_a_time(settings, plan.source), alone, open_ready(settings, clock) as warehouse:
        journal = WarehouseJournal(plan.source, lambda: nullcontext(warehouse), operator=operator(), now=clock.now)
        api = Api(door, journal, held, plan.plan_id)
        try:
            check_password(api)  # whoever has none, or a wrong one, is told before anything is written
            stopped = _applied(_Merging(settings, warehouse, api, plan, clock, sleep), stored.state, tell)
        finally:
            held.drop()
        ended = read_merges(warehouse, plan.plan_id)
    pulled = None
    if pulls:
        try:
            pulled = pull(Job(settings, plan.source, door, tell=tell, clock=clock))
        except SyncError as problem:  # made up for by the next pull
            stopped = stopped or problem
    return AppliedMerges(plan, ended.states, ended.backups, pulled, stopped)


def _applied(merging: _Merging, wanted: str, tell: Tell) -> SyncError | None:
    """Do what is left of the plan; the error at which it stopped."""
    warehouse, plan = merging.warehouse, merging.plan
    begun = (*merges_under_way(warehouse, plan.source), *under_way(warehouse, plan.source))
    others = [one for one in begun if one != plan.plan_id]
    if others:
        raise StalePlan(f"The plan {others[0]} was cut off: resume it first.")
    stored = read_merges(warehouse, plan.plan_id)
    if stored.state != wanted:
        raise StalePlan(f"Somebody else is applying, or has applied, the plan {plan.plan_id}.")
    settle_open(warehouse, plan.source, merging.api, now=merging.clock.now, sleep=merging.sleep)
    gone = merged_by(warehouse, plan)
    barred = _barred(plan, merging.api.door, merging.clock)
    for place, step, noted in zip(stored.places, stored.plan.steps, stored.states, strict=True):
        tell("merging", place, len(plan.steps))
        # A run that was killed may have merged, and not noted it here.
        state = MERGED if noted in UNMERGED and step.mergeable_id in gone else noted
        try:
            _step(merging, place, step, state, barred)
        except StalePlan as problem:
            if state not in UNMERGED:
                return problem  # what follows the merge is written when the plan is resumed
            # It would not get on with the next run either, and keeps nobody waiting.
            set_merges_state(warehouse, plan, ENDED if _has_begun(merging) else PLANNED, applied_at=merging.clock.now())
            return problem
        except SyncError as problem:
            return problem
    set_merges_state(warehouse, plan, APPLIED, applied_at=merging.clock.now())
    return None


def _has_begun(merging: _Merging) -> bool:
    """Whether anything of the plan was sent."""
    return any(state != PLANNED for state in read_merges(merging.warehouse, merging.plan.plan_id).states)


def _step(merging: _Merging, place: int, step: MergeStep, state: str, barred: str) -> None:
    """One merge, from where it stands to its end; `barred` says why one that was not sent may not be sent any more."""
    if state in UNMERGED:
        if barred:
            raise StalePlan(barred)
        _check(merging, place, step, own=state != PLANNED)
    if state == PLANNED:
        set_merges_state(merging.warehouse, merging.plan, APPLYING)
        _note(merging, place, CHECKED)
    if state in {PLANNED, CHECKED}:
        _rescue(merging.api, step.survivor_id, step.before)
        _note(merging, place, RESCUED)
        state = RESCUED
    if state == RESCUED:
        _merge(merging, place, step)
        state = MERGED
    if state == MERGED:
        _rescue(merging.api, step.survivor_id, step.then)
        _note(merging, place, DONE)
    merging.touched.add(step.survivor_id)


def _check(merging: _Merging, place: int, step: MergeStep, *, own: bool) -> None:
    """Raises StalePlan where one of both is not as it was when the plan was made, but for what the plan itself did.

    `own` says that its rescue may have written the survivor already.
    """
    for client_id, expected in ((step.survivor_id, step.survivor), (step.mergeable_id, step.mergeable)):
        merged_before = client_id in merging.touched or _written_by(merging, place, client_id)
        written = step.before.columns if own and client_id == step.survivor_id else {}
        now = expected_of(client_of(record_of(merging.api.door, client_id)))
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


def _text(value: object) -> str:
    """A value as it is compared: blank and none are the same to the server."""
    return "" if value is None else str(value)


def _written_by(merging: _Merging, place: int, client_id: str) -> bool:
    """Whether an earlier merge of this plan had this survivor: then it is what that merge has left."""
    done = read_merges(merging.warehouse, merging.plan.plan_id)
    return any(
        one.survivor_id == client_id and at < place and state != PLANNED
        for at, one, state in zip(done.places, done.plan.steps, done.states, strict=True)
    )


def _merge(merging: _Merging, place: int, step: MergeStep) -> None:
    plan, api = merging.plan, merging.api
    prepared = prepare_merge(
        api, step.survivor_id, step.mergeable_id, allow_other_currency="currency" in step.allowed,
        allow_inactive_survivor="inactive" in step.allowed,
    )  # fmt: skip
    ids = (step.survivor_id, step.mergeable_id)
    file = backup_file(merging.settings, plan.source, "merge", ids, merging.clock.now())
    _note(merging, place, RESCUED, backup=str(file))  # before it is sent: a run that is killed leaves it behind
    apply_merge(api, prepared, backup=file, sleep=merging.sleep)
    _note(merging, place, MERGED)


def _rescue(api: Api, survivor_id: str, rescue: Rescue) -> None:
    """Keep what would be lost, as an ordinary change of the survivor; what is there already is not written again."""
    if rescue.is_empty:
        return
    here = {str(one["id"]): one for one in _contacts(record_of(api.door, survivor_id))}
    edits = [ContactEdit(key, changes) for key, changes in rescue.contacts.items() if key in here]
    edits += [ContactEdit(changes=one) for one in rescue.new_contacts if not _has(here, one)]
    apply_update(api, prepare_update(api, survivor_id, rescue.columns, contacts=edits))


def _has(contacts: Mapping[str, Mapping[str, object]], wanted: Mapping[str, object]) -> bool:
    """Whether a contact with all this is there: a rescue that was killed behind its answer adds nobody twice."""
    told = {name: value for name, value in wanted.items() if name not in {"is_primary", "send_email"}}
    return any(all(one.get(name) == value for name, value in told.items()) for one in contacts.values())


def _contacts(record: Mapping[str, object]) -> list[Mapping[str, object]]:
    found = record.get("contacts")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _note(merging: _Merging, place: int, state: str, *, backup: str | None = None) -> None:
    now: datetime = merging.clock.now()
    set_step(merging.warehouse, merging.plan, place, state, now=now, backup=backup)
