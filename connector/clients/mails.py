"""Mail that is suppressed after a bounce."""

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
    """Have Postmark send mails again to an address that bounced; returns what the server says, without addresses.

    It may be repeated: what is active stays so. Raises SettingsError for what is no id of a bounce (nothing was sent),
    Invalid where the bounce is unknown, and where Postmark refuses: the server answers that with 200 and the status
    inside (recorded: `{"message": …, "0": 400}`). After a lost answer OutcomeUnknown.
    """
    if not _BOUNCE.fullmatch(bounce_id):
        raise SettingsError(
            "Nothing was sent: name the bounce by its id. It is in Postmark, and in the client's system logs."
        )
    told: list[str] = []

    def send() -> Answer:
        answer = api.door.post(f"/reactivate_email/{bounce_id}", repeatable=True)
        found = {} if answer.empty else answer.json()
        said = _ADDRESS.sub("***", api.door.quoted(message_of(found))) if isinstance(found, dict) else ""
        if isinstance(found, dict) and (status := _status_inside(found)):
            raise Invalid(f"The mail service refuses it: {said}", status=status)
        told.append(said)
        return answer

    def read_back(answer: Answer | None) -> Outcomes:
        return [("", Outcome.UNKNOWN if answer is None else Outcome.APPLIED)]

    perform(api, Call("reactivate_email", [Edit("", {}, {"reactivated": True})], api.plan_id), send, read_back)
    return told[-1]


def _status_inside(answer: dict[str, object]) -> int | None:
    """The status that the server has put into its answer instead of above it, under a number as PHP's lists have."""
    statuses = (int(str(value)) for key, value in answer.items() if key.isdigit() and str(value).isdigit())
    return next((status for status in statuses if codes.is_error(status)), None)
