"""Tax data by address, which the server looks up anew: three times a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from connector.answer import MINUTE_WINDOW, Answer
from connector.api import Api, Outcomes, perform
from connector.halt import rest
from schemas.client import Client, client_of
from schemas.errors import Invalid, RateLimited
from schemas.journal import Call, Edit, Outcome

PER_MINUTE: Final = 3
"""`throttle:3,1` of the route, on every server, for each user (routes/api.php)."""
_TRIES: Final = 3


def update_tax_data(api: Api, client_ids: Sequence[str], *, sleep: Callable[[float], None] = rest) -> Iterator[Client]:
    """Have the server look up the tax data of each client's address anew; yields each as the server has it then.

    It may be repeated. The server takes three a minute: after three, a minute is waited, and a refusal (429) is waited
    out too. It does so for paid accounts only, and answers 200 otherwise too: compare `tax_info`.
    """
    for number, client_id in enumerate(client_ids):
        if number and number % PER_MINUTE == 0:
            sleep(MINUTE_WINDOW)
        yield _one(api, client_id, sleep)


def _one(api: Api, client_id: str, sleep: Callable[[float], None]) -> Client:
    seen: list[Client] = []

    def send() -> Answer:
        answer = api.door.post(f"/clients/{client_id}/updateTaxData", repeatable=False)
        found = answer.json()
        seen.append(client_of(found.get("data") if isinstance(found, dict) else None))
        return answer

    def read_back(answer: Answer | None) -> Outcomes:
        return [(client_id, Outcome.UNKNOWN if answer is None else Outcome.APPLIED)]

    edit = Edit(client_id, {}, {"tax_data": "looked up anew"})
    for _ in range(_TRIES - 1):
        try:
            perform(api, Call("update_tax_data", [edit], api.plan_id), _unless_busy(send), read_back)
        except _Busy:
            sleep(MINUTE_WINDOW)
        else:
            return seen[-1]
    perform(api, Call("update_tax_data", [edit], api.plan_id), send, read_back)
    return seen[-1]


class _Busy(Invalid):
    """The minute's three are used up; the server has done nothing."""


def _unless_busy(send: Callable[[], Answer]) -> Callable[[], Answer]:
    def sending() -> Answer:
        try:
            return send()
        except RateLimited as busy:
            raise _Busy(str(busy), status=429) from None

    return sending
