"""A design of the company, filled with clients: the bulk action `template`."""

from __future__ import annotations

from collections.abc import Sequence

from connector.answer import Answer
from connector.api import Api, Outcomes, perform
from connector.clients.present import read_present
from schemas.errors import SettingsError
from schemas.journal import Call, Edit, Outcome


def run_template(api: Api, client_ids: Sequence[str], template_id: str, *, send_email: bool = False) -> str:
    """Fill a design of the company with clients; returns the server's word: the name of the PDF it makes, or of mails.

    Not to be repeated where it sends mails. Raises SettingsError for clients that are not there (the server refuses the
    whole call for one) and without a template (a 500 there).
    """
    if not template_id.strip() or not client_ids:
        raise SettingsError("Nothing was sent: name a template and a client.")
    ids = list(dict.fromkeys(client_ids))
    found = read_present(api.door, ids)
    missing = [one for one in ids if one not in found.records and one not in found.unread]
    if missing:
        raise SettingsError(f"Nothing was sent: these clients are not on the server: {', '.join(missing[:10])}.")
    body = {"action": "template", "ids": ids, "template_id": template_id, "template": template_id}
    told: list[str] = []

    def send() -> Answer:
        answer = api.door.post("/clients/bulk", {**body, "send_email": send_email}, repeatable=False)
        said = answer.json()
        told.append(str(said.get("message") or "") if isinstance(said, dict) else "")
        return answer

    def read_back(answer: Answer | None) -> Outcomes:
        outcome = Outcome.UNKNOWN if answer is None else Outcome.APPLIED
        return [(one, outcome) for one in ids]

    perform(
        api, Call("template", [Edit(one, {}, {"template": template_id}) for one in ids], api.plan_id), send, read_back
    )
    return told[-1]
