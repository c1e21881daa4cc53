"""Finds out what happened to a call that was recorded but never settled. It only reads.

The process was killed, or the answer was lost and the server could not be asked. Where the server's records do not show
the outcome, a person has to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from httpx import codes

from connector.api.api import Api, Outcomes, compared
from connector.api.presence import Presence
from connector.clients.action import read_back
from connector.clients.create import KEYS, find_by
from connector.clients.merged import become, look
from connector.clients.purge import became, before_of
from connector.clients.read import record_of
from connector.clients.update import as_wanted
from connector.clients.watch import watched
from connector.door.door import Door
from connector.door.halt import rest
from schemas.errors import NotAuthorised, NotFound, UnexpectedShape
from schemas.journal import Call, Edit, Outcome

Ask = Callable[[Door, Call], Outcomes]
NO_WAY_BACK: Final = ("merge", "purge")
"""Verbs with no way back: while such a call is open, every other write stops."""
WATCHED: Final = (*NO_WAY_BACK, "create", "upload")
"""Verbs whose calls do harm if the server does them late and a person has repeated them."""


def ask_what_happened(
    api: Api, call: Call, *, patience: float = 0.0, sleep: Callable[[float], None] = rest
) -> Outcomes | None:
    """The outcome for each client of an open call; None where the server cannot show it and a person must decide.

    May be repeated: it reads, and sends nothing. `patience` is for how many seconds the server may still be running the
    call; a call of `WATCHED` that is not done is asked for again until then. Raises ApiError where the server cannot be
    asked.
    """
    try:
        outcomes = _asked(api.door, call, patience, sleep)
    except UnexpectedShape:  # the server cannot send the record, or its shape is unknown
        return None
    except NotAuthorised as problem:
        if problem.status != codes.UNAUTHORIZED:
            raise
        return None  # a client that is hidden from this token
    except NotFound as problem:
        if problem.status != codes.BAD_REQUEST:
            raise
        return None  # the survivor of the merge is gone too: purged, or merged on
    return None if any(outcome is Outcome.UNKNOWN for _, outcome in outcomes) else outcomes


def _asked(door: Door, call: Call, patience: float, sleep: Callable[[float], None]) -> Outcomes:
    if call.verb == "merge":
        return _merged(door, call, patience, sleep)
    if call.verb == "purge":
        return [outcome for edit in call.edits for outcome in became(door, edit, patience=patience, sleep=sleep)]
    if call.verb not in _ASK:
        return _unknown(call)
    return watched(lambda: _ASK[call.verb](door, call), _is_final, patience if call.verb in WATCHED else 0.0, sleep)


def _is_final(outcomes: Outcomes) -> bool:
    """Whether the server can add nothing. A conflict may be a client without its contacts yet, or one of two files."""
    return all(outcome in {Outcome.APPLIED, Outcome.UNKNOWN} for _, outcome in outcomes)


def _unknown(call: Call) -> Outcomes:
    return [(edit.client_id, Outcome.UNKNOWN) for edit in call.edits] or [("", Outcome.UNKNOWN)]


def _merged(door: Door, call: Call, patience: float, sleep: Callable[[float], None]) -> Outcomes:
    if len(call.edits) != 2:  # noqa: PLR2004 - one of the two was erased meanwhile
        return _unknown(call)
    survivor, mergeable = call.edits
    standing = watched(lambda: look(door, survivor, mergeable), lambda it: it.gone is Presence.GONE, patience, sleep)
    return become(standing, survivor, mergeable)


def _bulk(door: Door, call: Call) -> Outcomes:
    return read_back(door, call.edits)


def _updated(door: Door, call: Call) -> Outcomes:
    return compared((edit.client_id, _as_wanted(door, edit)) for edit in call.edits)


def _as_wanted(door: Door, edit: Edit) -> bool | None:
    try:
        return as_wanted(record_of(door, edit.client_id), edit)
    except NotFound:
        return None


def _uploaded(door: Door, call: Call) -> Outcomes:
    """Judge by the documents that are new. An edit holds the ids before, and the kinds of the files."""
    outcomes = []
    for edit in call.edits:
        before, files = edit.before.get("documents"), edit.after.get("documents")
        if not isinstance(before, list) or not isinstance(files, list):
            return _unknown(call)
        new = set(before_of(record_of(door, edit.client_id))["documents"]) - set(map(str, before))
        more = Outcome.APPLIED if len(new) >= len(files) else Outcome.CONFLICT
        outcomes.append((edit.client_id, more if new else Outcome.NOT_APPLIED))
    return outcomes


def _created(door: Door, call: Call) -> Outcomes:
    """Look for the client by its key; without a key, nobody knows whether it was made."""
    (edit,) = call.edits  # no erasure removes this edit, because it has no client's id yet
    key = next((name for name in KEYS if edit.after.get(name)), None)
    if key is None:
        return [("", Outcome.UNKNOWN)]
    record = find_by(door, key, str(edit.after[key]))
    if record is None:
        return [("", Outcome.NOT_APPLIED)]
    return [(str(record["id"]), Outcome.APPLIED if as_wanted(record, edit) else Outcome.CONFLICT)]


_ASK: Final[Mapping[str, Ask]] = {
    "create": _created,
    "update": _updated,
    "upload": _uploaded,
    **dict.fromkeys(("archive", "restore", "delete", "assign_group", "bulk_update"), _bulk),
}
