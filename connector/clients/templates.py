"""A design of the company, filled with clients: the bulk action `template`."""

from __future__ import annotations

from collections.abc import Sequence

from httpx import codes

from connector.api.api import Api, Outcomes, perform
from connector.clients.present import read_present
from connector.door.answer import Answer, message_of
from schemas.errors import ServerUnavailable, SettingsError, UnexpectedShape, sentence
from schemas.journal import Call, Edit, Outcome


def run_template(api: Api, client_ids: Sequence[str], template_id: str, *, send_email: bool = False) -> str:
    """Fill a design of the company with clients; returns the server's word: the name of the PDF it makes, or of mails.

    May be repeated; not to be repeated with `send_email`, which mails again. No client is changed by it. Raises
    SettingsError for clients that are not there (the server refuses the whole call for one) and without a template
    (nothing was sent), ServerUnavailable where the template is none (the server answers 500); with `send_email`
    OutcomeUnknown after a lost answer, and after a 500, as some mails may have gone out before.
    """
    if not template_id.strip() or not client_ids:
        raise SettingsError("Nothing was sent: name a template and a client.")
    ids = list(dict.fromkeys(client_ids))
    found = read_present(api.door, ids)
    missing = [one for one in ids if one not in found.records and one not in found.unread]
    if missing:
        raise SettingsError(f"Nothing was sent: these clients are not on the server: {', '.join(missing[:10])}.")
    body = {
        "action": "template", "ids": ids, "template_id": template_id, "template": template_id, "send_email": send_email,
    }  # fmt: skip
    told: list[str] = []

    def send() -> Answer:
        try:
            answer = api.door.post("/clients/bulk", body, repeatable=False)
        except ServerUnavailable as problem:
            if problem.status != codes.INTERNAL_SERVER_ERROR:
                raise
            raise ServerUnavailable(
                f"{sentence(problem)} Is {template_id} the id of a design?", status=problem.status
            ) from None
        found = answer.json()
        said = message_of(found) if isinstance(found, dict) else ""
        if not said:
            raise UnexpectedShape("The server answered without a word about the template.")
        told.append(said)
        return answer

    def read_back(answer: Answer | None) -> Outcomes:
        lost = Outcome.UNKNOWN if send_email else Outcome.NOT_APPLIED  # a PDF that nobody fetches is none
        return [(one, lost if answer is None else Outcome.APPLIED) for one in ids]

    edits = [Edit(one, {}, {"template": template_id}) for one in ids]
    perform(api, Call("template", edits, api.plan_id), send, read_back)
    return told[-1]
