"""POST /clients/{id}/updateTaxData: does nothing for an unpaid account, three times a minute."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.clients.clients import bound
from sandbox.clients.records import item_answer
from sandbox.wire import access
from sandbox.wire.answers import forbidden, refusal
from sandbox.wire.calls import Call, too_many

PER_MINUTE = 3
"""`throttle:3,1` of the route, on every server."""


def renew(call: Call) -> Response:
    """The client, unchanged; for admins of any company (PurgeClientRequest checks no more).

    The count is the user's, with any token: an unknown client does not count, a refused user does (recorded).
    """
    row = bound(call)
    room = access.count_one(call.world, f"updateTaxData of user {call.token.user_id}", PER_MINUTE)
    if room.left < 0:
        return too_many(room, wants_json=call.wants_json)
    if call.token.is_admin:
        answer = item_answer(call, row)
    else:
        answer = refusal(forbidden(), wants_json=call.wants_json, home=call.host)
    answer.headers.update(access.limit_headers(room))
    return answer
