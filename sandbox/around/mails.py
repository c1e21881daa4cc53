"""POST /reactivate_email/{bounce_id}: on a server without Postmark, which is what the sandbox is."""

from __future__ import annotations

from starlette.responses import Response

from sandbox.wire.answers import bad_request, compact_answer
from sandbox.wire.calls import Call

FROM_POSTMARK = "Request does not contain a valid Server token."


def reactivate(call: Call) -> Response:
    """200 with the mail service's complaint, and the 400 that was meant as the status inside the body (recorded).

    An id with a dash is a message's, looked for in the log of bounces, which is empty here: 400. Any user may ask.
    """
    if "-" in call.ids["id"]:
        raise bad_request("Bounce ID not found")
    return compact_answer({"message": FROM_POSTMARK, "0": 400})
