"""Apply a plan, push or merge: checked, alone at its source, and with no call left open.

Plans run one at a time per source, under the lock of its pulls. A plan that was cut off must be resumed or closed
before another one is applied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime

from connector.api.api import Api
from connector.door.door import Door
from connector.door.halt import rest
from connector.door.password import Password, no_password
from connector.door.secret import Secret
from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.plans.brake import check_brake
from flows.pull.job import Job, Pulled
from flows.pull.pull import pull
from flows.session.api import check_company
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.operator import operator
from flows.session.progress import Progress, silent
from flows.session.ready import open_ready
from flows.session.writing import one_writer_at_a_time, settle_open
from schemas.errors import (
    ConnectionLost,
    SettingsError,
    StalePlan,
    SyncError,
    UnsafePlan,
    WarehouseError,
    WrongDigest,
)
from schemas.plan import MERGE, PUSH, Plan
from warehouse.control.journal import WarehouseJournal, open_calls
from warehouse.control.plans import (
    APPLIED,
    APPLYING,
    ENDED,
    PLANNED,
    REJECTED,
    Stored,
    read_plan,
    see_why,
    set_state,
    under_way,
)
from warehouse.engine.seam import Warehouse
from warehouse.locks.lock import one_run_at_a_time


@dataclass(slots=True)
class Run:
    """One run of a plan. `stored` is the plan at the start of the run, and after the run its new state.

    `barred` says why no more of the plan may be sent; then the run only settles calls already sent. `stopped` is the
    error that ended the plan early, and `pulled` the pull that brought its changes into the mirror.
    """

    settings: Settings
    warehouse: Warehouse
    api: Api
    stored: Stored
    barred: str
    progress: Progress
    clock: Clock
    sleep: Callable[[float], None]
    stopped: SyncError | None = None
    pulled: Pulled | None = None

    @property
    def plan(self) -> Plan:
        """The plan to apply."""
        return self.stored.plan

    @property
    def begins(self) -> bool:
        """Whether nothing of the plan was sent before this run."""
        return self.stored.state == PLANNED

    def note(self, state: str) -> None:
        """Note the plan's new state."""
        set_state(self.warehouse, self.plan, state, self.clock.now())


@contextmanager
def applying(
    settings: Settings,
    door: Door,
    kind: str,
    plan_id: str,
    digest: str | None = None,
    *,
    resumes: bool = False,
    force: bool = False,
    pulls: bool = True,
    password: Callable[[], Secret] = no_password,
    progress: Progress = silent,
    clock: Clock = SYSTEM_CLOCK,
    sleep: Callable[[float], None] = rest,
) -> Iterator[Run]:
    """Run a plan. The body sends the rest of it, and sets `stopped` if it ends early.

    These checks run in order: digest, state, whether the plan is unchanged and has not expired, the company and version
    of the server, the brake, the lock, other plans under way, calls with an unknown outcome. Afterwards the plan is
    noted as applied, unless it stopped, and a pull brings its changes into the mirror.

    Raises WrongDigest, StalePlan, SettingsError for another company's token, TooMuchChange, Busy, and UnsafePlan if the
    outcome of an earlier call is unknown: then nothing was sent. Raises WarehouseError, with how to continue, if the
    connection to the warehouse or one of the locks is lost: then nothing more is sent.
    """
    stored = _find_configured(settings, kind, plan_id, clock)
    plan, now = stored.plan, clock.now
    check_plan(stored, APPLYING if resumes else PLANNED, digest, now())
    version = _check_company(settings, door, plan, clock, resumes=resumes)
    if not resumes and (why := another_version(plan, version)):
        raise StalePlan(f"{why}: plan again. Nothing was sent.")
    if not (resumes or force):
        check_brake(settings, plan, clock)
    held = Password(password)
    alone = _alone(settings, plan.source, clock)
    with _named_when_cut_off(settings, stored, clock), alone as (warehouse, still_held):
        try:
            stored = _check_turn(warehouse, stored)
            journal = WarehouseJournal(
                plan.source, lambda: nullcontext(warehouse), operator=operator(), now=now, still_held=still_held
            )
            run = Run(
                settings, warehouse, Api(door, journal, held, plan_id), stored, barred(stored, now(), version),
                progress, clock, sleep,
            )  # fmt: skip
            if run.begins and run.barred:
                raise StalePlan(f"{run.barred}: plan again. Nothing was sent.")
            clients = None if kind == MERGE else plan.client_ids  # an open merge may concern any client
            settle_open(warehouse, plan.source, run.api, client_ids=clients, now=now, sleep=sleep)
            yield run
            if run.stopped is None:
                run.note(APPLIED)
            run.stored = read_plan(warehouse, plan_id, kind)
        finally:
            held.drop()
    if pulls:
        try:
            run.pulled = pull(Job(settings, plan.source, door, progress=progress, clock=clock))
        except SyncError as problem:  # the next pull makes up for it
            run.stopped = run.stopped or problem


@contextmanager
def closing(
    settings: Settings, kind: str, plan_id: str, clock: Clock = SYSTEM_CLOCK
) -> Iterator[tuple[Warehouse, Plan]]:
    """End a plan for good, so that it blocks no other; the body notes its outcomes. The server is not asked.

    Raises StalePlan for a plan that has ended already, UnsafePlan while the outcome of one of its calls is unknown (in
    a plan of merges: of a merge).
    """
    source = _find_configured(settings, kind, plan_id, clock).plan.source
    with _alone(settings, source, clock) as (warehouse, _):
        stored = read_plan(warehouse, plan_id, kind)
        if stored.state not in {PLANNED, APPLYING}:
            raise StalePlan(f"The plan {plan_id} is {stored.state}: there is nothing to close.")
        for open_call in open_calls(warehouse, source):
            if open_call.call.plan_id == plan_id and (kind == PUSH or open_call.call.verb == "merge"):
                raise UnsafePlan(
                    f"The outcome of a {open_call.call.verb} of the plan {plan_id} is unknown. Settle it first: "
                    f"`ninja-sync journal settle {open_call.call_id}`."
                )
        yield warehouse, stored.plan
        set_state(warehouse, stored.plan, ENDED, clock.now())


def find_plan(settings: Settings, kind: str, plan_id: str, clock: Clock = SYSTEM_CLOCK) -> Stored:
    """Return a stored plan. Raises SettingsError if there is none."""
    with open_ready(settings, clock) as warehouse:
        return read_plan(warehouse, plan_id, kind)


def check_plan(stored: Stored, state: str, digest: str | None, now: datetime) -> None:
    """Raises WrongDigest or StalePlan if a plan cannot be applied (PLANNED) or resumed (APPLYING)."""
    plan = stored.plan
    if digest not in (None, stored.digest):
        raise WrongDigest(
            f"The digest of {plan.plan_id} does not match: look at the plan again with `ninja-sync {plan.kind} show`."
        )
    if stored.state == REJECTED:
        by = stored.rejection.rejected_by if stored.rejection else "somebody"
        raise StalePlan(f"The plan {plan.plan_id} was rejected by {by}: nothing of it is sent. {see_why(plan)}")
    if stored.state != state and state == APPLYING:
        raise StalePlan(f"The plan {plan.plan_id} is {stored.state}: there is nothing to resume.")
    if stored.state != state:
        hint = "resume it" if stored.state == APPLYING else "plan again"
        raise StalePlan(f"The plan {plan.plan_id} is {stored.state}; a plan is applied once: {hint}.")
    if state == PLANNED and (why := barred(stored, now)):
        raise StalePlan(f"{why}: plan again. Nothing was sent.")


def barred(stored: Stored, now: datetime, version: str | None = None) -> str:
    """Return why no more of a plan may be sent, with or without `--force`; '' if it may."""
    plan = stored.plan
    if plan.digest != stored.digest:
        return f"The plan {plan.plan_id} has changed since it was made (was a client in it erased?)"
    if now > plan.expires_at:
        return f"The plan {plan.plan_id} has expired"
    return "" if version is None else another_version(plan, version)


def another_version(plan: Plan, version: str) -> str:
    """Return why merges may not be sent to a server of another version than planned; '' if they may."""
    if plan.kind != MERGE or version == plan.version:
        return ""
    return (
        f"The server's version is {version or 'unknown'} now, but the plan {plan.plan_id} was made for "
        f"{plan.version or 'unknown'}, so the resulting figures may differ"
    )


def _find_configured(settings: Settings, kind: str, plan_id: str, clock: Clock) -> Stored:
    stored = find_plan(settings, kind, plan_id, clock)
    if stored.plan.source not in settings.sources:
        raise SettingsError(f"The plan {plan_id} is for the source {stored.plan.source!r}, which is not configured.")
    return stored


def _check_company(settings: Settings, door: Door, plan: Plan, clock: Clock, *, resumes: bool) -> str:
    """Return the server's version. Raises SettingsError or StalePlan if the token leads to another company."""
    company = check_company(settings, plan.source, door, clock)
    if company.fingerprint != plan.company:
        more = "more " * resumes
        raise StalePlan(f"The plan {plan.plan_id} was made for another company: plan again. Nothing {more}was sent.")
    return company.version


def _check_turn(warehouse: Warehouse, stored: Stored) -> Stored:
    """Return the plan's present state. Raises StalePlan if another plan was begun, or this one moved on meanwhile."""
    plan = stored.plan
    for kind, other in under_way(warehouse, plan.source):
        if other != plan.plan_id:
            raise StalePlan(
                f"The plan {other} was cut off: resume or close it first. `ninja-sync {kind} resume {other}` "
                f"continues it; `ninja-sync {kind} close {other}` ends it and sends nothing."
            )
    now = read_plan(warehouse, plan.plan_id, plan.kind)
    if now.state == REJECTED:
        raise StalePlan(f"Somebody has rejected the plan {plan.plan_id} meanwhile. {see_why(plan)}")
    if now.state != stored.state:
        raise StalePlan(f"Somebody else is applying, or has applied, the plan {plan.plan_id}.")
    if now.digest != stored.digest:
        raise WrongDigest(
            f"The plan {plan.plan_id} was changed meanwhile: look at it with `ninja-sync {plan.kind} show`."
        )
    return now


@contextmanager
def _alone(settings: Settings, source: str, clock: Clock) -> Iterator[tuple[Warehouse, Callable[[], bool]]]:
    """Hold both locks of a source; yields the warehouse, and a function that asks whether both are still held."""
    alone = one_run_at_a_time(place_of(settings), source, wait=settings.wait)
    with one_writer_at_a_time(settings, source) as writes, alone as runs, open_ready(settings, clock) as warehouse:
        yield warehouse, lambda: writes() and runs()


@contextmanager
def _named_when_cut_off(settings: Settings, stored: Stored, clock: Clock) -> Iterator[None]:
    """Raises WarehouseError in place of ConnectionLost, with whether anything was sent and how to continue."""
    plan = stored.plan
    try:
        yield
    except ConnectionLost:
        state = ""
        with suppress(SyncError):
            state = find_plan(settings, plan.kind, plan.plan_id, clock).state
        if state == PLANNED:
            raise WarehouseError(
                f"The connection to the warehouse was lost before anything of the plan {plan.plan_id} was sent. "
                f"Apply it again: `ninja-sync {plan.kind} apply {plan.plan_id}`."
            ) from None
        raise WarehouseError(
            f"The connection to the warehouse was lost while the plan {plan.plan_id} was applied. Changes that were "
            f"sent stay on the server, and nothing is sent twice: `ninja-sync {plan.kind} resume {plan.plan_id}` finds "
            "out which, and sends the rest."
        ) from None
