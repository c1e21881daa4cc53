"""POST /reactivate_email/{bounce_id}: on a server without Postmark, like the sandbox."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.wire.answers import bad_request, compact_answer
from sandbox.wire.calls import Call

FROM_POSTMARK = "Request does not contain a valid Server token."


def reactivate(call: Call) -> Response:
    """200 with the mail service's complaint, and the intended status 400 inside the body (recorded).

    An id with a dash is a message's: it is looked up in the log of bounces, which is empty here, so 400. Any user may
    ask.
    """
    if "-" in call.ids["id"]:
        raise bad_request("Bounce ID not found")
    return compact_answer({"message": FROM_POSTMARK, "0": 400})
