"""One of Invoice Ninja's bulk actions, carried out: read, send only the clients that have to change, read back, report.

One id that the server does not know makes it refuse the whole call (422). It silently leaves out clients that the token
may not edit, or checks the right for the first one only, and its answer is a page of 20 (BulkClientRequest.php:32-48,
ClientController.php:223-280). So no answer counts as proof.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from httpx import codes

from connector.api.api import Api, Outcomes, perform
from connector.clients.present import NEWEST, UNREAD, Present, Record, read_present, status_of
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
"""Clients in one call."""
STATUS: Final = "status"
"""The column that archive, restore and delete change in an edit: active, archived or deleted."""
_TRIES: Final = 3
"""Attempts at a call with a lost answer where the server turns out to have done nothing, or only a part."""


_REASONS: Final[Mapping[Outcome, str]] = {
    Outcome.NOT_APPLIED: "the server answered, and left it unchanged: perhaps the token may not edit it",
    Outcome.CONFLICT: "it has neither the old value nor the wanted one: somebody else has written it, or it is gone",
}


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome for one client, and why, where it is not as wanted. The reason names nobody."""

    client_id: str
    outcome: Outcome
    reason: str = ""
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Action:
    """An action: the column it changes, the value, how to send it, and the states of clients it refuses."""

    verb: str
    column: str
    wanted: str | None
    send: Callable[[Door, Sequence[str]], Answer]
    not_for: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Delivered:
    """The outcomes so far, with a reason where a client is not as wanted, and the clients of the current call.

    `answered` are the clients as the answers show them, `present` as they were read afterwards. A difference between
    the two was written by somebody else.
    """

    became: dict[str, tuple[Outcome, str]] = field(default_factory=dict)
    answered: dict[str, Record] = field(default_factory=dict, repr=False)
    present: dict[str, Record] = field(default_factory=dict, repr=False)
    under_way: frozenset[str] = frozenset()


def carry_out(api: Api, action: Action, ids: Sequence[str]) -> list[Result]:
    """The outcome for each client, in the order of the ids, each once.

    Raises the error where nothing was done before it. Later errors are reported by client, and the rest is not sent.
    """
    wanted = list(dict.fromkeys(ids))
    before = read_present(api.door, wanted)
    settled = {client_id: result for client_id in wanted if (result := _without_sending(action, client_id, before))}
    edits = [
        Edit(
            client_id,
            {action.column: value_of(before.records[client_id], action.column)},
            {action.column: action.wanted},
        )
        for client_id in wanted
        if client_id not in settled
    ]
    run = Delivered()
    try:
        for start in range(0, len(edits), CHUNK):
            _deliver(api, action, edits[start : start + CHUNK], run)
    except SyncError as problem:
        if not run.became:
            raise
        _stop(problem, edits, run)
    return [
        settled.get(client_id) or Result(client_id, *run.became[client_id], _name(before.records[client_id]))
        for client_id in wanted
    ]


def deliver(api: Api, action: Action, edits: Sequence[Edit]) -> Delivered:
    """Send one call of a plan; the outcome for each of its clients.

    May be repeated. Raises the error where the server has done nothing, or where nobody knows.
    """
    run = Delivered()
    _deliver(api, action, edits, run)
    return run


def read_back(door: Door, edits: Sequence[Edit]) -> Outcomes:
    """The outcomes of a bulk call, as the server has its clients now. Raises ApiError where it cannot be asked.

    The edits are those of this module: `status`, `group_settings_id`, or a column that bulk_update writes.
    """
    return _compared_all(_present_now(door, edits), edits)


def _present_now(door: Door, edits: Sequence[Edit]) -> Present:
    return read_present(door, [edit.client_id for edit in edits], sort=NEWEST)


def _compared_all(now: Present, edits: Sequence[Edit]) -> Outcomes:
    return [(edit.client_id, _compared(now, edit)) for edit in edits]


def value_of(record: Record, column: str) -> str | None:
    """A column of a record, or its `status`; None where it is empty."""
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
    """The outcome for a client that need not be sent; None where it has to be sent."""
    record = before.records.get(client_id)
    if record is None and client_id in before.unread:
        return Result(client_id, Outcome.NOT_SENT, UNREAD)
    if record is None:
        return Result(client_id, Outcome.MISSING, "there is no such client, or this token may not see it")
    present, name = value_of(record, action.column), _name(record)
    if present == action.wanted:
        return Result(client_id, Outcome.UNCHANGED, "", name)
    if reason := action.not_for.get(status_of(record)):
        return Result(client_id, Outcome.REFUSED, reason, name)
    return None


def _deliver(api: Api, action: Action, edits: Sequence[Edit], run: Delivered) -> None:
    """Send one call, and record the outcome for each client. Where the server refuses an id, send each half separately.

    After a lost answer, only the clients still undone are sent again: changes by others meanwhile stay.
    """
    left = list(edits)
    for tries_left in reversed(range(_TRIES)):
        try:
            outcomes, lost = _once(api, action, left, run)
        except Invalid as refusal:
            _bisect(api, action, left, run, refusal)
            return
        except Retryable as problem:  # the server has done nothing
            if tries_left:
                continue
            if problem.status == codes.INTERNAL_SERVER_ERROR:  # its answer where the token may not edit the first one
                run.became.update((edit.client_id, (Outcome.NOT_APPLIED, str(problem))) for edit in left)
                return
            raise
        run.became.update((its_id, (outcome, _REASONS.get(outcome, ""))) for its_id, outcome in outcomes)
        undone = {its_id for its_id, outcome in outcomes if outcome is Outcome.NOT_APPLIED}
        left = [edit for edit in left if lost and edit.client_id in undone]
        if not left:
            return


def _once(api: Api, action: Action, edits: Sequence[Edit], run: Delivered) -> tuple[Outcomes, bool]:
    """One recorded call: its outcomes, and whether its answer was lost."""
    ids = [edit.client_id for edit in edits]
    run.under_way = frozenset(ids)
    lost = []

    def read_outcomes(answer: Answer | None) -> Outcomes:
        lost.append(answer is None)
        run.answered.update(_answered(answer))
        now = _present_now(api.door, edits)
        run.present.update(now.records)
        return _compared_all(now, edits)

    outcomes = perform(api, Call(action.verb, edits, api.plan_id), lambda: action.send(api.door, ids), read_outcomes)
    return outcomes, any(lost)


def _answered(answer: Answer | None) -> dict[str, Record]:
    """The clients in the answer to a bulk call, as the server had them then; none where it holds no such list."""
    try:
        body = None if answer is None else answer.json()
    except DataError:
        return {}
    records = body.get("data") if isinstance(body, dict) else None
    listed = records if isinstance(records, list) else []
    return {str(record["id"]): record for record in listed if isinstance(record, dict) and "id" in record}


def _bisect(api: Api, action: Action, edits: Sequence[Edit], run: Delivered, refusal: Invalid) -> None:
    """A refused call: divide it where it was refused for an id that has vanished since; else all are refused."""
    if not _for_an_id(refusal):
        run.became.update((edit.client_id, (Outcome.REFUSED, str(refusal))) for edit in edits)
    elif len(edits) == 1:
        run.became[edits[0].client_id] = (Outcome.MISSING, "it has vanished since it was read")
    else:
        middle = len(edits) // 2
        for half in (edits[:middle], edits[middle:]):
            _deliver(api, action, half, run)


def _for_an_id(refusal: Invalid) -> bool:
    """Whether a 422 is about the ids; the door lists the names of the wrong fields."""
    return refusal.status == codes.UNPROCESSABLE_ENTITY and "Fields: ids." in str(refusal)


def _stop(problem: SyncError, edits: Sequence[Edit], run: Delivered) -> None:
    """After a failed call: the outcomes of its clients; the clients of later calls were not sent."""
    known = Outcome.NOT_APPLIED  # the server was asked, and has done nothing
    if isinstance(problem, (OutcomeUnknown, WarehouseError)):
        known = Outcome.UNKNOWN
    elif isinstance(problem, (UnsafePlan, SettingsError)):
        known = Outcome.NOT_SENT
    elif isinstance(problem, Rejected):
        known = Outcome.REFUSED
    for edit in edits:
        of_it = edit.client_id in run.under_way
        outcome = (known, str(problem)) if of_it else (Outcome.NOT_SENT, "stopped before, because another call failed")
        run.became.setdefault(edit.client_id, outcome)


def _name(record: Record) -> str:
    return str(record.get("display_name") or record.get("name") or "").strip()
