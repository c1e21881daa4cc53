"""Tax data by address, which the server looks up anew: three times a minute."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Final

from connector.api.api import Api, Outcomes, perform
from connector.clients.present import read_present
from connector.clients.read import data_of
from connector.door.answer import MINUTE_WINDOW, Answer
from connector.door.halt import rest
from schemas.client import Client, client_of
from schemas.errors import RateLimited, SettingsError
from schemas.journal import Call, Edit, Outcome

PER_MINUTE: Final = 3
"""`throttle:3,1` of the route, on every server, for each user (routes/api.php)."""
WINDOW: Final = MINUTE_WINDOW + 1
"""Seconds until three more may go; the server counts in whole seconds."""
_TRIES: Final = 3


class Minute:
    """Lets three go in any minute, for all threads that share it, in the order in which they come."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = rest) -> None:
        self._clock, self._sleep = clock, sleep
        self._free_at = deque([float("-inf")] * PER_MINUTE, maxlen=PER_MINUTE)
        self._lock = threading.Lock()

    def take(self) -> None:
        """Return when the next one may be sent: a minute after the third one before it."""
        with self._lock:  # held while it sleeps: who comes later waits longer
            wait = self._free_at[0] - self._clock()
            if wait > 0:
                self._sleep(wait)
            self._free_at.append(self._clock() + WINDOW)

    def use_up(self) -> None:
        """Let none go for a whole minute: the server has refused one, so somebody else has had its three."""
        with self._lock:
            self._free_at.extend([self._clock() + WINDOW] * PER_MINUTE)


@cache
def minute_of(server: str) -> Minute:  # noqa: ARG001 - what it is kept by
    """The minute that everyone in this process shares who asks this server."""
    return Minute()


def update_tax_data(api: Api, client_ids: Sequence[str], *, minute: Minute | None = None) -> Iterator[Client]:
    """Have the server look up the tax data of each client's address anew; yields each as the server has it then.

    It may be repeated. Nothing is sent before it is iterated over. The server takes three a minute from a user: so do
    we, from all threads together, and what it refuses (429) is sent again a minute later. It looks up for paid accounts
    only, and answers 200 otherwise too: compare `tax_info`. Raises SettingsError for clients that are not there
    (nothing was sent), NotAuthorised (401: admins only), RateLimited where it has refused three times.
    """
    ids = list(dict.fromkeys(client_ids))
    found = read_present(api.door, ids)
    missing = [one for one in ids if one not in found.records and one not in found.unread]
    if missing or not ids:
        named = f"these clients are not on the server: {', '.join(missing[:10])}." if missing else "name a client."
        raise SettingsError(f"Nothing was sent: {named}")
    shared = minute or minute_of(api.door.url("/clients"))
    return (_one(api, client_id, shared) for client_id in ids)


def _one(api: Api, client_id: str, minute: Minute) -> Client:
    for tries_left in reversed(range(_TRIES)):
        minute.take()
        try:
            return _once(api, client_id)
        except RateLimited:
            minute.use_up()
            if not tries_left:
                raise
    raise AssertionError("unreachable")


def _once(api: Api, client_id: str) -> Client:
    """One call. A refusal for the minute's sake has done nothing, so it is noted as not applied."""
    seen: list[Client] = []
    refused: list[RateLimited] = []

    def send() -> Answer:
        try:
            answer = api.door.post(f"/clients/{client_id}/updateTaxData", repeatable=False)
        except RateLimited as busy:
            refused.append(busy)
            raise
        seen.append(client_of(data_of(answer.json())))
        return answer

    def read_back(answer: Answer | None) -> Outcomes:
        lost = Outcome.NOT_APPLIED if refused else Outcome.UNKNOWN
        return [(client_id, lost if answer is None else Outcome.APPLIED)]

    edit = Edit(client_id, {}, {"tax_data": "looked up anew"})
    perform(api, Call("update_tax_data", [edit], api.plan_id), send, read_back)
    return seen[-1]
