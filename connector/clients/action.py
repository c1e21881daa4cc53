"""One of Invoice Ninja's bulk actions, carried out: read first, sent for those that are to change, read back, told.

One id that the server does not know refuses a whole call (422), what the token may not do is left out silently or
looked at for the first client only, and the answer is a page of 20 (BulkClientRequest.php:32-48,
ClientController.php:223-280). So no answer is taken for a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from httpx import codes

from connector.api.api import Api, Outcomes, perform
from connector.clients.present import NEWEST, Present, Record, read_present, status_of
from connector.door.answer import Answer
from connector.door.door import Door
from schemas.errors import (
    DataError,
    Invalid,
    OutcomeUnknown,
    Rejected,
    Retryable,
    SettingsError,
    SyncError,
    UnsafePlan,
    WarehouseError,
)
from schemas.journal import Call, Edit, Outcome

CHUNK: Final = 500
"""Clients a call."""
STATUS: Final = "status"
"""What archive, restore and delete change, as an edit has it: active, archived or deleted."""
_TRIES: Final = 3
"""Of a call whose answer is lost and of which the server is found to have done nothing, or not all."""


_REASONS: Final[Mapping[Outcome, str]] = {
    Outcome.NOT_APPLIED: "the server answered, and left it as it was: perhaps the token may not edit it",
    Outcome.CONFLICT: "it is neither as it was nor as wanted: somebody else has written it, or it is gone",
}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one client, and why, where it is not as wanted. The reason names nobody."""

    client_id: str
    outcome: Outcome
    reason: str = ""
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Action:
    """An action: the field that it changes, its value, how it is sent, and for clients of which states it is none."""

    verb: str
    column: str
    wanted: str | None
    send: Callable[[Door, Sequence[str]], Answer]
    not_for: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Delivered:
    """What became of clients so far, with the reason where it is not as wanted; and the clients of the present call.

    `answered` are the clients as the answers to the calls show them, `present` as they were read afterwards: what
    differs between the two was written by somebody else.
    """

    became: dict[str, tuple[Outcome, str]] = field(default_factory=dict)
    answered: dict[str, Record] = field(default_factory=dict, repr=False)
    present: dict[str, Record] = field(default_factory=dict, repr=False)
    under_way: frozenset[str] = frozenset()


def carry_out(api: Api, action: Action, ids: Sequence[str]) -> list[Result]:
    """What became of each client, in their order, each once.

    Raises what went wrong where nothing was done before; afterwards it is told by client, and the rest is not sent.
    """
    wanted = list(dict.fromkeys(ids))
    before = read_present(api.door, wanted)
    told = {one: result for one in wanted if (result := _without_sending(action, one, before))}
    edits = [
        Edit(one, {action.column: value_of(before.records[one], action.column)}, {action.column: action.wanted})
        for one in wanted
        if one not in told
    ]
    run = Delivered()
    try:
        for start in range(0, len(edits), CHUNK):
            _deliver(api, action, edits[start : start + CHUNK], run)
    except SyncError as problem:
        if not run.became:
            raise
        _stop(problem, edits, run)
    return [told.get(one) or Result(one, *run.became[one], _name(before.records[one])) for one in wanted]


def deliver(api: Api, action: Action, edits: Sequence[Edit]) -> Delivered:
    """Send one call of a plan, and what became of each of its clients.

    May be repeated. Raises what went wrong where the server has done nothing, or where nobody knows.
    """
    run = Delivered()
    _deliver(api, action, edits, run)
    return run


def read_back(door: Door, edits: Sequence[Edit]) -> Outcomes:
    """What became of the clients of a bulk call, as the server has them now. Raises ApiError where it cannot be asked.

    The edits are those of this module: `status`, `group_settings_id`, or a column that bulk_update writes.
    """
    return _compared_all(_present_now(door, edits), edits)


def _present_now(door: Door, edits: Sequence[Edit]) -> Present:
    return read_present(door, [edit.client_id for edit in edits], sort=NEWEST)


def _compared_all(now: Present, edits: Sequence[Edit]) -> Outcomes:
    return [(edit.client_id, _compared(now, edit)) for edit in edits]


def value_of(record: Record, column: str) -> str | None:
    """A column of a record, or its `status`; nothing is None."""
    return status_of(record) if column == STATUS else str(record.get(column) or "") or None


def _compared(now: Present, edit: Edit) -> Outcome:
    record = now.records.get(edit.client_id)
    if record is None:
        return Outcome.UNKNOWN if edit.client_id in now.unread else Outcome.CONFLICT
    present = {name: value_of(record, name) for name in edit.after}
    if present == edit.after:
        return Outcome.APPLIED
    return Outcome.NOT_APPLIED if present == edit.before else Outcome.CONFLICT


def _without_sending(action: Action, client_id: str, before: Present) -> Result | None:
    """What is known of a client before anything is sent; None where it is to be sent."""
    record = before.records.get(client_id)
    if record is None and client_id in before.unread:
        return Result(client_id, Outcome.NOT_SENT, "it is there, but the server cannot send its record")
    if record is None:
        return Result(client_id, Outcome.MISSING, "there is no such client, or this token may not see it")
    present, name = value_of(record, action.column), _name(record)
    if present == action.wanted:
        return Result(client_id, Outcome.UNCHANGED, "", name)
    if reason := action.not_for.get(status_of(record)):
        return Result(client_id, Outcome.REFUSED, reason, name)
    return None


def _deliver(api: Api, action: Action, edits: Sequence[Edit], run: Delivered) -> None:
    """Send one call, and note what became of each client of it; where the server refuses an id, each half by itself.

    Only what is read back as undone after a lost answer is sent again: whatever others did meanwhile stays.
    """
    left = list(edits)
    for tries_left in reversed(range(_TRIES)):
        try:
            outcomes, lost = _once(api, action, left, run)
        except Invalid as refusal:
            _bisect(api, action, left, run, refusal)
            return
        except Retryable as problem:  # and it has done nothing
            if tries_left:
                continue
            if problem.status == codes.INTERNAL_SERVER_ERROR:  # so it may answer where the first may not be edited
                run.became.update((edit.client_id, (Outcome.NOT_APPLIED, str(problem))) for edit in left)
                return
            raise
        run.became.update((one, (outcome, _REASONS.get(outcome, ""))) for one, outcome in outcomes)
        undone = {one for one, outcome in outcomes if outcome is Outcome.NOT_APPLIED}
        left = [edit for edit in left if lost and edit.client_id in undone]
        if not left:
            return


def _once(api: Api, action: Action, edits: Sequence[Edit], run: Delivered) -> tuple[Outcomes, bool]:
    """One call by the one road of writes: what became of its clients, and whether its answer was lost."""
    ids = [edit.client_id for edit in edits]
    run.under_way = frozenset(ids)
    lost = []

    def found(answer: Answer | None) -> Outcomes:
        lost.append(answer is None)
        run.answered.update(_answered(answer))
        now = _present_now(api.door, edits)
        run.present.update(now.records)
        return _compared_all(now, edits)

    outcomes = perform(api, Call(action.verb, edits, api.plan_id), lambda: action.send(api.door, ids), found)
    return outcomes, any(lost)


def _answered(answer: Answer | None) -> dict[str, Record]:
    """The clients in the answer to a bulk call, as the server had them then; none where it holds no such list."""
    try:
        found = None if answer is None else answer.json()
    except DataError:
        return {}
    records = found.get("data") if isinstance(found, dict) else None
    listed = records if isinstance(records, list) else []
    return {str(one["id"]): one for one in listed if isinstance(one, dict) and "id" in one}


def _bisect(api: Api, action: Action, edits: Sequence[Edit], run: Delivered, refusal: Invalid) -> None:
    """A refused call: half by half where it is refused for an id, which has vanished since; else all are refused."""
    if not _for_an_id(refusal):
        run.became.update((edit.client_id, (Outcome.REFUSED, str(refusal))) for edit in edits)
    elif len(edits) == 1:
        run.became[edits[0].client_id] = (Outcome.MISSING, "it has vanished since it was read")
    else:
        middle = len(edits) // 2
        for half in (edits[:middle], edits[middle:]):
            _deliver(api, action, half, run)


def _for_an_id(refusal: Invalid) -> bool:
    """Whether a 422 is about the ids; the door tells the names of the fields that are wrong, in its own words."""
    return refusal.status == codes.UNPROCESSABLE_ENTITY and "Fields: ids." in str(refusal)


def _stop(problem: SyncError, edits: Sequence[Edit], run: Delivered) -> None:
    """After a call that went wrong: what is known of its clients; those of later calls were not sent."""
    known = Outcome.NOT_APPLIED  # the server was asked, and has done nothing
    if isinstance(problem, (OutcomeUnknown, WarehouseError)):
        known = Outcome.UNKNOWN
    elif isinstance(problem, (UnsafePlan, SettingsError)):
        known = Outcome.NOT_SENT
    elif isinstance(problem, Rejected):
        known = Outcome.REFUSED
    for edit in edits:
        of_it = edit.client_id in run.under_way
        told = (known, str(problem)) if of_it else (Outcome.NOT_SENT, "stopped before, as another call went wrong")
        run.became.setdefault(edit.client_id, told)


def _name(record: Record) -> str:
    return str(record.get("display_name") or record.get("name") or "").strip()
