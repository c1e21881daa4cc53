"""The journal in the warehouse: calls that write, noted before they are sent and after they were read back.

Each note is a transaction of its own, so that it is safe when the method returns, whatever happens to this process.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from schemas.errors import ConnectionLost, SettingsError, SyncError
from schemas.journal import Call, Edit, Outcome
from schemas.values import to_json
from warehouse.control.state import read_erased
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

INTENDED: Final = "intended"
SETTLED: Final = "settled"
LOCKS_LOST: Final = "not sent: the connection that held the lock of the source was lost"
_JSON = msgspec.json.Decoder(dict[str, object], float_hook=Decimal)


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that was noted and never settled: its outcome is unknown until the server is asked."""

    call_id: str
    at: datetime
    operator: str
    call: Call


class WarehouseJournal:
    """The journal of one source (`schemas.journal.Journal`). `opened` gives the warehouse for one note or for many.

    `still_held` asks whether the run still has its locks. Without them somebody else may be writing.
    """

    def __init__(
        self,
        source: str,
        opened: Callable[[], AbstractContextManager[Warehouse]],
        *,
        operator: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: secrets.token_hex(6),
        still_held: Callable[[], bool] = lambda: True,
    ) -> None:
        self._still_held = still_held
        self._source, self._opened, self._operator, self._now, self._new_id = source, opened, operator, now, new_id

    def intend(self, call: Call) -> str:
        """Note that a call is about to be sent; returns its id. Raises ConnectionLost if the locks are lost.

        The locks are asked after the note: so the next holder finds the call, and asks the server about it.
        """
        call_id = self._new_id()
        with self._opened() as warehouse, warehouse.transaction():
            marks = dict.fromkeys(_marks(warehouse, self._source, [edit.client_id for edit in call.edits]), INTENDED)
            self._note(warehouse, call_id, call.verb, call.plan_id, INTENDED, marks, "")
            values = {
                "source": self._source, "call_id": call_id, "places": list(range(len(call.edits))),
                "ids": [edit.client_id for edit in call.edits],
                "befores": [to_json(edit.before) for edit in call.edits],
                "afters": [to_json(edit.after) for edit in call.edits],
            }  # fmt: skip
            warehouse.execute(statement("journal/note_edits"), values)
        if not self._still_held():
            with suppress(SyncError):  # a new holder of the locks may have settled it already
                self.settle(call_id, [(edit.client_id, Outcome.NOT_APPLIED) for edit in call.edits], LOCKS_LOST)
            raise ConnectionLost
        return call_id

    def leave(self, call_id: str, *, waited: bool = False) -> None:
        """Leave the call open, as noted."""

    def settle(self, call_id: str, outcomes: Sequence[tuple[str, Outcome]], message: str = "") -> None:
        """Note the outcome for each client of a call, in the order of its edits.

        A call is settled once. Raises SettingsError for an unknown or a settled call.
        """
        with self._opened() as warehouse, warehouse.transaction():
            verb, plan_id = _unsettled(warehouse, self._source, call_id)
            marks = _marks(warehouse, self._source, [client_id for client_id, _ in outcomes])
            words = {mark: outcome.value for mark, (_, outcome) in zip(marks, outcomes, strict=True)}
            self._note(warehouse, call_id, verb, plan_id, SETTLED, words, message)
            values = {
                "source": self._source, "call_id": call_id, "places": list(range(len(outcomes))),
                "ids": [client_id for client_id, _ in outcomes],
                "outcomes": [outcome.value for _, outcome in outcomes],
            }  # fmt: skip
            warehouse.execute(statement("journal/note_outcomes"), values)
            self._forget_unmade(warehouse, call_id)

    def _forget_unmade(self, warehouse: Warehouse, call_id: str) -> None:
        """Keep only the field names of a client without an id: no erasure could find its values."""
        call = {"source": self._source, "call_id": call_id}
        for place, after in warehouse.rows(statement("journal/unmade"), call):
            names = to_json(dict.fromkeys(_JSON.decode(str(after))))
            warehouse.execute(statement("journal/keep_names"), {**call, "place": place, "after": names})

    def _note(
        self,
        warehouse: Warehouse,
        call_id: str,
        verb: str,
        plan_id: str | None,
        state: str,
        clients: Mapping[str, str],
        message: str,
    ) -> None:
        warehouse.hold(f"journal of {self._source}")  # so that no two rows get one number
        values: dict[str, object] = {
            "source": self._source, "call_id": call_id, "noted_at": self._now(), "operator": self._operator,
            "plan_id": plan_id, "verb": verb, "state": state, "clients": to_json(clients), "message": message,
        }  # fmt: skip
        warehouse.execute(statement("journal/note"), values)


def open_calls(warehouse: Warehouse, source: str) -> list[OpenCall]:
    """Return the calls of a source that were noted and never settled, oldest first."""
    calls = []
    for call_id, at, operator, plan_id, verb in warehouse.rows(statement("journal/open"), {"source": source}):
        edits = edits_of(warehouse, source, str(call_id))
        call = Call(str(verb), [edit for edit, _ in edits], None if plan_id is None else str(plan_id))
        calls.append(OpenCall(str(call_id), at, str(operator), call))  # type: ignore[arg-type]  # a timestamp column
    return calls


def edits_of(warehouse: Warehouse, source: str, call_id: str) -> list[tuple[Edit, Outcome | None]]:
    """Return the edits of a call, each with its outcome."""
    rows = warehouse.rows(statement("journal/edits"), {"source": source, "call_id": call_id})
    return [
        (Edit(str(key), _JSON.decode(str(before)), _JSON.decode(str(after))), Outcome(outcome) if outcome else None)
        for key, before, after, outcome in rows
    ]


def _unsettled(warehouse: Warehouse, source: str, call_id: str) -> tuple[str, str | None]:
    rows = warehouse.rows(statement("journal/settled"), {"source": source, "call_id": call_id})
    if not rows:
        raise SettingsError(f"The journal of {source!r} has no call {call_id!r}: `ninja-sync journal` lists them.")
    ((verb, plan_id, settled),) = rows
    if settled:
        raise SettingsError(f"The call {call_id!r} is already settled.")
    return str(verb), None if plan_id is None else str(plan_id)


def _marks(warehouse: Warehouse, source: str, ids: Sequence[str]) -> list[str]:
    """Return the marks of clients; a client still to be made gets its place in the call."""
    known = read_erased(warehouse, source)
    return [known.mark(client_id) if client_id else f"new {place}" for place, client_id in enumerate(ids)]
