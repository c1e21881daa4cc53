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
    """Fill a design of the company with clients; returns the server's message: the name of the PDF, or about mails.

    May be repeated, but not with `send_email`, which mails again. It changes no client. Raises SettingsError for
    clients that are not there (the server refuses the whole call for one) and without a template (nothing was sent);
    ServerUnavailable where the template does not exist (the server answers 500). With `send_email`, raises
    OutcomeUnknown after a lost answer and after a 500, because some mails may have gone out.
    """
    if not template_id.strip() or not client_ids:
        raise SettingsError("Nothing was sent: name a template and a client.")
    ids = list(dict.fromkeys(client_ids))
    present = read_present(api.door, ids)
    missing = [client_id for client_id in ids if client_id not in present.records and client_id not in present.unread]
    if missing:
        raise SettingsError(f"Nothing was sent: these clients are not on the server: {', '.join(missing[:10])}.")
    body = {
        "action": "template", "ids": ids, "template_id": template_id, "template": template_id, "send_email": send_email,
    }  # fmt: skip
    messages: list[str] = []

    def send() -> Answer:
        try:
            answer = api.door.post("/clients/bulk", body, repeatable=False)
        except ServerUnavailable as problem:
            if problem.status != codes.INTERNAL_SERVER_ERROR:
                raise
            raise ServerUnavailable(
                f"{sentence(problem)} Is {template_id} the id of a design?", status=problem.status
            ) from None
        sent = answer.json()
        said = message_of(sent) if isinstance(sent, dict) else ""
        if not said:
            raise UnexpectedShape("The server answered without a message about the template.")
        messages.append(said)
        return answer

    def read_back(answer: Answer | None) -> Outcomes:
        lost = Outcome.UNKNOWN if send_email else Outcome.NOT_APPLIED  # a PDF that nobody fetches has no effect
        return [(client_id, lost if answer is None else Outcome.APPLIED) for client_id in ids]

    edits = [Edit(client_id, {}, {"template": template_id}) for client_id in ids]
    perform(api, Call("template", edits, api.plan_id), send, read_back)
    return messages[-1]
