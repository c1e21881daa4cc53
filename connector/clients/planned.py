"""Sends the calls of a plan, one by one: each recorded, read back, and reported client by client."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from connector.api.api import Api
from connector.clients.action import Delivered, deliver, value_of
from connector.clients.bulk import action_of
from connector.clients.fields import changed_besides, view
from connector.clients.present import Record
from connector.clients.read import record_of
from connector.clients.update import Update, carry_through
from schemas.errors import ApiError, NotVerified, OutcomeUnknown, Rejected, StalePlan
from schemas.journal import Outcome
from schemas.plan import UPDATE, Cell, CellOutcome, PlannedCall

SHOWN: Final = 60
"""Characters shown of a value in a reason."""


def send_planned(api: Api, call: PlannedCall, looked: Mapping[str, Record]) -> list[CellOutcome]:
    """The outcomes of one call, for each client and column. May be repeated: its values are absolute.

    `looked` are the clients right before the call, where they are known. A bulk call goes on without a client that is
    gone. A call with a lost answer is sent again only where the server has done nothing of it. Raises Retryable where
    the server cannot be reached, OutcomeUnknown where it cannot report what it has done; then the plan stops there.
    """
    return _send_update(api, call, looked) if call.verb == UPDATE else _send_bulk(api, call, looked)


def quoted(value: object) -> str:
    """A value for a reason: in quotes, and cut where it is long."""
    if value is None:
        return "empty"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f'"{text[:SHOWN]} ..."' if len(text) > SHOWN else f'"{text}"'


def _send_update(api: Api, call: PlannedCall, looked: Mapping[str, Record]) -> list[CellOutcome]:
    (edit,) = call.edits
    update = Update(edit.client_id, edit.before, edit.after)
    try:
        carried = carry_through(api, update, looked.get(edit.client_id))
    except StalePlan as stale:
        return _stale(api, call, str(stale))
    except OutcomeUnknown:
        raise
    except NotVerified as unkept:
        return _by_column(api, call, str(unkept))
    except Rejected as refusal:
        return _each(call, Outcome.REFUSED, str(refusal))
    if not carried.sent:
        return _each(call, Outcome.THERE_ALREADY)
    if others := _written_by_others(carried.before, carried.after, call):
        return _each(call, Outcome.OVERWRITTEN, _at_the_same_moment(others))
    return _each(call, Outcome.APPLIED)


def _stale(api: Api, call: PlannedCall, why: str) -> list[CellOutcome]:
    """The values of a client that changed before its PUT: nothing of it was sent; each reason has the present value."""
    reasons = dict.fromkeys((cell.column for cell in call.cells), why)
    with suppress(ApiError):
        present = view(record_of(api.door, call.cells[0].client_id))
        reasons |= {cell.column: moved(cell, present[cell.column]) for cell in call.cells if _is_moved(cell, present)}
    return [CellOutcome(cell.client_id, cell.column, Outcome.CONFLICT, reasons[cell.column]) for cell in call.cells]


def _is_moved(cell: Cell, present: Mapping[str, object]) -> bool:
    return present[cell.column] != cell.before


def moved(cell: Cell, present: object) -> str:
    """The reason of a conflict: the value when the plan was made, the present one, the wanted one."""
    return (
        f"somebody has changed it: {quoted(cell.before)} is {quoted(present)} now, the plan wants {quoted(cell.after)}"
    )


def _by_column(api: Api, call: PlannedCall, why: str) -> list[CellOutcome]:
    """The outcome for each column of a client where the server did not keep all of them."""
    present = view(record_of(api.door, call.cells[0].client_id))
    outcomes: list[CellOutcome] = []
    for cell in call.cells:
        outcome = Outcome.NOT_APPLIED if present[cell.column] == cell.before else Outcome.CONFLICT
        kept = present[cell.column] == cell.after
        reason = f"{why} It is {quoted(present[cell.column])} now, and {quoted(cell.after)} was sent."
        known = (Outcome.APPLIED, "") if kept else (outcome, reason)
        outcomes.append(CellOutcome(cell.client_id, cell.column, *known))
    return outcomes


def _each(call: PlannedCall, outcome: Outcome, why: str = "") -> list[CellOutcome]:
    return [CellOutcome(cell.client_id, cell.column, outcome, why) for cell in call.cells]


def _send_bulk(api: Api, call: PlannedCall, looked: Mapping[str, Record]) -> list[CellOutcome]:
    first = call.cells[0]
    wanted = None if first.after is None else str(first.after)
    try:
        delivered = deliver(api, action_of(call.verb, first.column, wanted), call.edits)
    except Rejected as refusal:
        return _each(call, Outcome.REFUSED, str(refusal))
    return [
        CellOutcome(cell.client_id, cell.column, *_judged(cell, call, delivered, looked.get(cell.client_id)))
        for cell in call.cells
    ]


def _judged(cell: Cell, call: PlannedCall, delivered: Delivered, before: Record | None) -> tuple[Outcome, str]:
    """The outcome for a value, from the client before the call, in the answer, and as it was read back."""
    key = cell.client_id
    outcome, reason = delivered.became[key]
    if outcome is Outcome.MISSING:  # it was there when the plan was made
        return Outcome.CONFLICT, reason
    answered, present = delivered.answered.get(key), delivered.present.get(key)
    if outcome is Outcome.APPLIED and before is not None and (after := answered or present) is not None:
        others = _written_by_others(before, after, call)
        return (Outcome.OVERWRITTEN, _at_the_same_moment(others)) if others else (outcome, reason)
    if outcome in {Outcome.CONFLICT, Outcome.NOT_APPLIED} and present is not None:
        now = value_of(present, cell.column)
        if answered is not None and value_of(answered, cell.column) == cell.after:
            return (
                Outcome.OVERWRITTEN,
                f"{quoted(cell.after)} was written, and somebody has written {quoted(now)} over it",
            )
        if outcome is Outcome.CONFLICT:
            return outcome, moved(cell, now)
    return outcome, reason


def _written_by_others(before: Record, after: Record, call: PlannedCall) -> list[str]:
    """The fields that somebody else wrote between the look and the call."""
    return changed_besides(before, after, {cell.column for cell in call.cells} | _BY_THE_SERVER)


def _at_the_same_moment(others: list[str]) -> str:
    return (
        f"somebody has written this client at the same moment ({', '.join(others)}): if this field too, their value is "
        "lost. Look at the client in Invoice Ninja."
    )


_BY_THE_SERVER: Final = frozenset({"number"})
"""Columns that the server may set with any write: a client without a number gets one."""
