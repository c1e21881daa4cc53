"""A client's statement of account, as the PDF that the server draws."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from connector.answer import Answer
from connector.api import Api, Outcomes, perform
from schemas.errors import NotAuthorised, NotFound, SettingsError, UnexpectedShape
from schemas.journal import Call, Edit, Outcome

PDF: Final = "application/pdf"
STATUSES: Final = ("all", "paid", "unpaid")


@dataclass(frozen=True, slots=True)
class Period:
    """From which day to which, both in it, and which tables the statement shows. Raises SettingsError."""

    start: date
    end: date
    payments: bool = True
    credits: bool = True
    aging: bool = True
    status: str = "all"

    def __post_init__(self) -> None:
        """Refuse what the server would refuse, or draw empty."""
        if self.start > self.end:
            raise SettingsError("The statement would begin after its end.")
        if self.status not in STATUSES:
            raise SettingsError(f"The status is one of {', '.join(STATUSES)}.")


def client_statement(api: Api, client_id: str, period: Period) -> bytes:
    """The statement of a client as PDF. It only reads, and may be repeated.

    Raises NotFound where the client is unknown or another company's (the server answers 401 to both, as it asks for the
    right first), ServerUnavailable where its PDF engine fails, UnexpectedShape for what is no PDF.
    """
    try:
        answer = api.door.post("/client_statement", _body(client_id, period), repeatable=True, media=PDF)
    except NotAuthorised as refusal:
        if refusal.status == 401:  # noqa: PLR2004 - Handler.php:229
            raise NotFound(f"There is no client {client_id}, or this token may not see it.", status=401) from None
        raise
    if not answer.body.startswith(b"%PDF-") or b"%%EOF" not in answer.body[-1024:]:
        raise UnexpectedShape(f"The server sent a statement that is no whole PDF ({len(answer.body)} bytes).")
    return answer.body


def email_statement(api: Api, client_id: str, period: Period) -> None:
    """Have the server mail the statement to the client's contacts.

    Not to be repeated: each call sends the mails again, and the server does not tell whether they went out. After a
    lost answer OutcomeUnknown is raised.
    """
    call = Call("email_statement", [Edit(client_id, {}, {"mailed": True})], api.plan_id)

    def send() -> Answer:
        return api.door.post("/client_statement", {**_body(client_id, period), "send_email": True}, repeatable=False)

    def read_back(answer: Answer | None) -> Outcomes:
        return [(client_id, Outcome.UNKNOWN if answer is None else Outcome.APPLIED)]

    perform(api, call, send, read_back)


def _body(client_id: str, period: Period) -> dict[str, object]:
    if not client_id:
        raise SettingsError("Name the client whose statement is wanted.")
    return {
        "client_id": client_id, "start_date": period.start.isoformat(), "end_date": period.end.isoformat(),
        "show_payments_table": period.payments, "show_credits_table": period.credits,
        "show_aging_table": period.aging, "status": period.status,
    }  # fmt: skip
