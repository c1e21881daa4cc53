"""Mail that is suppressed after a bounce."""

from __future__ import annotations

from connector.answer import Answer
from connector.api import Api, Outcomes, perform
from schemas.errors import Invalid, SettingsError
from schemas.journal import Call, Edit, Outcome


def reactivate_email(api: Api, bounce_id: str) -> str:
    """Have Postmark send mails again to an address that bounced; returns what the server says.

    It may be repeated: what is active stays so. Raises Invalid where the bounce is unknown, and where Postmark refuses:
    the server answers that with 200 and the status inside (recorded: `{"message": …, "0": 400}`).
    """
    if not bounce_id.strip():
        raise SettingsError("Name the bounce: its id is in Postmark, and in the client's system logs.")
    told: list[str] = []

    def send() -> Answer:
        answer = api.door.post(f"/reactivate_email/{bounce_id}", repeatable=True)
        found = answer.json() if not answer.empty else {}
        said = str(found.get("message") or "") if isinstance(found, dict) else ""
        if isinstance(found, dict) and any(value in (400, "400") for key, value in found.items() if key != "message"):
            raise Invalid(f"The mail service refuses it: {said}", status=400)
        told.append(said)
        return answer

    def read_back(answer: Answer | None) -> Outcomes:
        return [("", Outcome.UNKNOWN if answer is None else Outcome.APPLIED)]

    perform(api, Call("reactivate_email", [Edit("", {}, {"reactivated": True})], api.plan_id), send, read_back)
    return told[-1]
