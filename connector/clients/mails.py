"""Addresses that the mail service suppresses after a bounce."""

from __future__ import annotations

import re
from typing import Final

from httpx import codes

from connector.api.api import Api, Outcomes, perform
from connector.door.answer import Answer, message_of
from schemas.errors import Invalid, SettingsError
from schemas.journal import Call, Edit, Outcome

_BOUNCE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,99}", re.ASCII)
_ADDRESS: Final = re.compile(r"\S+@\S+")


def reactivate_email(api: Api, bounce_id: str) -> str:
    """Have Postmark send mails again to an address that bounced; returns the server's message, without addresses.

    It may be repeated: an active address stays active. Raises SettingsError where the text is not the id of a bounce
    (nothing was sent). Raises Invalid where the bounce is unknown, and where Postmark refuses: the server then answers
    200 with the status inside (recorded: `{"message": …, "0": 400}`). Raises OutcomeUnknown after a lost answer.
    """
    if not _BOUNCE.fullmatch(bounce_id):
        raise SettingsError(
            "Nothing was sent: name the bounce by its id. It is in Postmark, and in the client's system logs."
        )
    messages: list[str] = []

    def send() -> Answer:
        answer = api.door.post(f"/reactivate_email/{bounce_id}", repeatable=True)
        body = {} if answer.empty else answer.json()
        said = _ADDRESS.sub("***", api.door.quoted(message_of(body))) if isinstance(body, dict) else ""
        if isinstance(body, dict) and (status := _status_inside(body)):
            raise Invalid(f"The mail service refuses it: {said}", status=status)
        messages.append(said)
        return answer

    def read_back(answer: Answer | None) -> Outcomes:
        return [("", Outcome.UNKNOWN if answer is None else Outcome.APPLIED)]

    perform(api, Call("reactivate_email", [Edit("", {}, {"reactivated": True})], api.plan_id), send, read_back)
    return messages[-1]


def _status_inside(answer: dict[str, object]) -> int | None:
    """The error status that the server put inside its answer, under a number, as in PHP's lists; None without one."""
    statuses = (int(str(value)) for key, value in answer.items() if key.isdigit() and str(value).isdigit())
    return next((status for status in statuses if codes.is_error(status)), None)
