"""Sending the calls of a plan, one by one: each noted, read back, and told client by client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connector.api import Api
from connector.clients.action import BulkOutcome, deliver
from connector.clients.bulk import action_of
from connector.clients.fields import view
from connector.clients.read import record_of
from connector.clients.update import Update, apply_update
from schemas.errors import NotVerified, OutcomeUnknown, Rejected, StalePlan
from schemas.journal import Outcome
from schemas.plan import UPDATE, PlannedCall

Told = tuple[str, str, Outcome, str]
"""A client, a column of it, what became of that, and why."""


def send_planned(api: Api, call: PlannedCall) -> list[Told]:
    """What became of each client of one call. May be repeated: its values are absolute.

    A client of a bulk call that is gone does not sink the others. A call whose answer was lost is sent again only where
    the server is found to have done nothing of it. Raises Retryable where the server cannot be reached, OutcomeUnknown
    where it cannot be asked what it has done; then the plan stops there.
    """
    return _send_update(api, call) if call.verb == UPDATE else _send_bulk(api, call)


def _send_update(api: Api, call: PlannedCall) -> list[Told]:
    (edit,) = call.edits
    try:
        apply_update(api, Update(edit.client_id, edit.before, edit.after))
    except StalePlan as stale:
        return _each(call, Outcome.CONFLICT, str(stale))
    except OutcomeUnknown:
        raise
    except NotVerified as unkept:
        return _by_column(api, call, str(unkept))
    except Rejected as refusal:
        return _each(call, Outcome.REFUSED, str(refusal))
    return _each(call, Outcome.APPLIED)


def _by_column(api: Api, call: PlannedCall, why: str) -> list[Told]:
    """What became of each column of a client of which the server has not kept all."""
    present = view(record_of(api.door, call.cells[0].client_id))
    told: list[Told] = []
    for cell in call.cells:
        outcome = Outcome.NOT_APPLIED if present[cell.column] == cell.before else Outcome.CONFLICT
        kept = present[cell.column] == cell.after
        told.append((cell.client_id, cell.column, Outcome.APPLIED if kept else outcome, "" if kept else why))
    return told


def _each(call: PlannedCall, outcome: Outcome, why: str = "") -> list[Told]:
    return [(cell.client_id, cell.column, outcome, why) for cell in call.cells]


def _send_bulk(api: Api, call: PlannedCall) -> list[Told]:
    first = call.cells[0]
    wanted = None if first.after is None else str(first.after)
    try:
        became = deliver(api, action_of(call.verb, first.column, wanted), call.edits)
    except Rejected as refusal:
        return _each(call, Outcome.REFUSED, str(refusal))
    return [(client_id, first.column, _OUTCOME[found], reason) for client_id, (found, reason) in became.items()]


_OUTCOME: Final[Mapping[BulkOutcome, Outcome]] = {
    BulkOutcome.APPLIED: Outcome.APPLIED,
    BulkOutcome.NOT_APPLIED: Outcome.NOT_APPLIED,
    BulkOutcome.CONFLICT: Outcome.CONFLICT,
    BulkOutcome.MISSING: Outcome.CONFLICT,
    BulkOutcome.REFUSED: Outcome.REFUSED,
}
