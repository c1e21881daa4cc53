"""POST /KIND/bulk: one action on several records, alike for every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from sandbox.papers import states
from sandbox.papers.kinds import Kind
from sandbox.papers.lists import list_answer, may, with_ids
from sandbox.php import hashids
from sandbox.store.database import Row, marks, select
from sandbox.wire.answers import invalid
from sandbox.wire.calls import Call, Handler

Action = Callable[[Call, Row], object]


def bulk_of(kind: Kind, actions: Mapping[str, Action]) -> Handler:
    """Carry out the action on each of the company's records among the ids, and answer these in the order of their ids.

    Unknown ids, other companies', and rows that the token may not edit are silently left out; an unknown action does
    nothing (recorded for invoices and payments).
    """

    def bulk(call: Call) -> Response:
        ids = checked_ids(call)
        carry_out(call, kind, ids, actions)
        return list_answer(call, kind, with_ids(call, kind, ids))

    return bulk


def checked_ids(call: Call) -> list[int | None]:
    """The row numbers of the request, None where something else was sent. Refuses a request without action or ids."""
    action, sent = call.input.get("action"), call.input.get("ids")
    errors = {}
    if action in (None, [], {}):
        errors["action"] = ["The action field is required."]
    elif not isinstance(action, str):
        errors["action"] = ["The action must be a string."]
    if sent in (None, [], {}):
        errors["ids"] = ["The ids field is required."]
    elif not isinstance(sent, list | dict):
        errors["ids"] = ["The ids must be an array."]
    if errors:
        raise invalid(errors)
    return [decoded(x) for x in (sent.values() if isinstance(sent, dict) else sent or ())]


def decoded(value: Any) -> int | None:
    """The row number of a hashed id."""
    return hashids.decode(value)


def ours(call: Call, kind: Kind, ids: Sequence[int | None]) -> list[Row]:
    """The company's records among these ids, in the order of their ids."""
    where = f"id IN ({marks(ids)}) AND company_id = ? ORDER BY id"
    return select(call.world.db, kind.table, where, (*ids, call.token.company_id))


def carry_out(call: Call, kind: Kind, ids: Sequence[int | None], actions: Mapping[str, Action]) -> None:
    """The action of the request on each record that the token may edit; each is read again before it."""
    action = actions.get(call.input["action"])
    for row in ours(call, kind, ids) if action else ():
        if action and may(call.token, "edit", kind, row):
            action(call, select(call.world.db, kind.table, "id = ?", (row["id"],))[0])


def plain_actions(kind: Kind) -> dict[str, Action]:
    """archive, restore, delete, for a kind that does nothing else with them."""
    return {
        "archive": lambda call, row: states.archive(call.world, kind.table, row),
        "restore": lambda call, row: states.restore(call.world, kind.table, row),
        "delete": lambda call, row: states.delete(call.world, kind.table, row),
    }
