"""Sending the calls of a plan, one by one: each noted, read back, and told client by client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from connector.answer import Answer
from connector.api import Api, Outcomes, compared, perform
from connector.clients.present import NEWEST, read_present
from connector.clients.update import Update, apply_update, as_wanted
from connector.door import Door
from connector.scan import key
from schemas.errors import Invalid, NotVerified, OutcomeUnknown, Rejected, Retryable, StalePlan
from schemas.journal import Call, Edit, Outcome
from schemas.plan import ASSIGN_GROUP, UPDATE, PlannedCall

Told = tuple[str, Outcome, str]
"""A client, what became of it, and why."""
_TRIES: Final = 3
GONE: Final = "it is no longer on the server"


def send_planned(api: Api, call: PlannedCall) -> list[Told]:
    """What became of each client of one call. May be repeated: its values are absolute.

    A bulk call in which one client is unknown to the server is refused whole: then it is sent again without those that
    are gone. A call whose answer was lost is sent again only where the server is found to have done nothing of it.
    Raises Retryable where the server cannot be reached, OutcomeUnknown where it cannot be asked what it has done; then
    the plan stops there.
    """
    for _ in range(_TRIES - 1):
        try:
            return _send_once(api, call)
        except Retryable:
            continue
    return _send_once(api, call)


def _send_once(api: Api, call: PlannedCall) -> list[Told]:
    return _send_update(api, call) if call.verb == UPDATE else _send_bulk(api, call)


def _send_update(api: Api, call: PlannedCall) -> list[Told]:
    (edit,) = call.edits
    try:
        apply_update(api, Update(edit.client_id, edit.before, edit.after))
    except StalePlan as stale:
        return [(edit.client_id, Outcome.CONFLICT, str(stale))]
    except OutcomeUnknown:
        raise
    except NotVerified as unkept:
        return [(edit.client_id, Outcome.NOT_APPLIED, str(unkept))]
    except Rejected as refusal:
        return [(edit.client_id, Outcome.REFUSED, str(refusal))]
    return [(edit.client_id, Outcome.APPLIED, "")]


def _send_bulk(api: Api, call: PlannedCall) -> list[Told]:
    try:
        return _told(_bulk(api, call))
    except Invalid as refusal:
        here = read_present(api.door, call.client_ids).records
        gone = [client_id for client_id in call.client_ids if client_id not in here]
        rest = PlannedCall(call.verb, [cell for cell in call.cells if cell.client_id in here])
        missing: list[Told] = [(client_id, Outcome.CONFLICT, GONE) for client_id in gone]
        if not gone:
            return [(client_id, Outcome.REFUSED, str(refusal)) for client_id in call.client_ids]
        return missing + (_send_bulk(api, rest) if rest.cells else [])
    except Rejected as refusal:
        return [(client_id, Outcome.REFUSED, str(refusal)) for client_id in call.client_ids]


def _bulk(api: Api, call: PlannedCall) -> Outcomes:
    edits, first = call.edits, call.cells[0]
    told = {"group_settings_id": first.after} if call.verb == ASSIGN_GROUP else {
        "column": first.column, "new_value": first.after,
    }  # fmt: skip
    body = {"action": call.verb, "ids": call.client_ids, **told, "per_page": len(edits)}

    def send() -> Answer:
        return api.door.post("/clients/bulk", body, repeatable=False)

    def read_back(answer: Answer | None) -> Outcomes:
        found = _shown(api.door, answer, edits)
        return [(edit.client_id, _outcome(found.get(edit.client_id), edit)) for edit in edits]

    return perform(api, Call(call.verb, edits, api.plan_id), send, read_back)


def _shown(door: Door, answer: Answer | None, edits: Sequence[Edit]) -> Mapping[str, object]:
    """The clients as they are now.

    The answer is a page of them, read after the write. Whoever in it is not as wanted is asked for again, and so is
    whoever is not in it: it may be short, and holds only what the user may see.
    """
    told = answer.json().get("data") if answer is not None and not answer.empty else None
    found = {key(record): record for record in told} if isinstance(told, list) else {}
    unsure = [e.client_id for e in edits if e.client_id not in found or not as_wanted(found[e.client_id], e)]
    return {**found, **read_present(door, unsure, sort=NEWEST).records} if unsure else found


def _outcome(record: object, edit: Edit) -> Outcome:
    if record is None:
        return Outcome.CONFLICT
    ((_, outcome),) = compared([(edit.client_id, as_wanted(record, edit))])
    return outcome


def _told(outcomes: Outcomes) -> list[Told]:
    words = {
        Outcome.NOT_APPLIED: "the server answered, and changed nothing: may this user edit it?",
        Outcome.CONFLICT: "it is neither as it was nor as wanted",
    }
    return [(client_id, outcome, words.get(outcome, "")) for client_id, outcome in outcomes]
