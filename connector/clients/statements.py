"""A client's statement of account, as the PDF that the server draws."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from connector.api.api import Api, Outcomes, perform
from connector.door.answer import Answer
from schemas.errors import NotAuthorised, NotFound, SettingsError, UnexpectedShape
from schemas.journal import Call, Edit, Outcome

PDF: Final = "application/pdf"
STATUSES: Final = ("all", "paid", "unpaid")
_TAIL: Final = 1024
"""Bytes in which a PDF reader looks for the end mark."""


@dataclass(frozen=True, slots=True)
class Period:
    """The first and last day of a statement, both included, and the tables to show. Raises SettingsError."""

    start: date
    end: date
    payments: bool = True
    credits: bool = True
    aging: bool = True
    status: str = "all"

    def __post_init__(self) -> None:
        """Refuse values that the server would refuse, or draw as an empty statement."""
        if self.start > self.end:
            raise SettingsError("The statement would begin after its end.")
        if self.status not in STATUSES:
            raise SettingsError(f"The status is one of {', '.join(STATUSES)}.")


def client_statement(api: Api, client_id: str, period: Period) -> bytes:
    """The statement of a client as PDF. It only reads, and may be repeated.

    Raises NotFound where the client is unknown or another company's (the server answers 401 to both, because it checks
    the right first), ServerUnavailable where its PDF engine fails, UnexpectedShape where the answer is not a PDF.
    """
    body = _body(client_id, period)
    try:
        answer = api.door.post("/client_statement", body, repeatable=True, media=PDF)
    except NotAuthorised as refusal:
        raise _meant(refusal, client_id) from None
    if not is_whole_pdf(answer.body):
        raise UnexpectedShape(f"The server sent a statement that is not a whole PDF ({len(answer.body)} bytes).")
    return answer.body


def email_statement(api: Api, client_id: str, period: Period) -> None:
    """Have the server mail the statement to the client's contacts.

    Not to be repeated: each call sends the mails again, and the server does not report whether they went out. Raises
    NotFound as `client_statement` does; OutcomeUnknown after a lost answer.
    """
    body = {**_body(client_id, period), "send_email": True}
    call = Call("email_statement", [Edit(client_id, {}, {"mailed": True})], api.plan_id)

    def send() -> Answer:
        return api.door.post("/client_statement", body, repeatable=False)

    def read_back(answer: Answer | None) -> Outcomes:
        return [(client_id, Outcome.UNKNOWN if answer is None else Outcome.APPLIED)]

    try:
        perform(api, call, send, read_back)
    except NotAuthorised as refusal:
        raise _meant(refusal, client_id) from None


def is_whole_pdf(content: bytes) -> bool:
    """Whether a PDF has its beginning and its end."""
    return content.startswith(b"%PDF-") and b"%%EOF" in content[-_TAIL:]


def _meant(refusal: NotAuthorised, client_id: str) -> NotAuthorised | NotFound:
    """The meaning of a 401 here (Handler.php:229); a 403 is a token that the server does not accept."""
    if refusal.status != 401:  # noqa: PLR2004 - as above
        return refusal
    return NotFound(f"There is no client {client_id}, or this token may not see it.", status=401)


def _body(client_id: str, period: Period) -> dict[str, object]:
    if not client_id.strip():
        raise SettingsError("Name the client whose statement is wanted.")
    return {
        "client_id": client_id, "start_date": period.start.isoformat(), "end_date": period.end.isoformat(),
        "show_payments_table": period.payments, "show_credits_table": period.credits,
        "show_aging_table": period.aging, "status": period.status,
    }  # fmt: skip
