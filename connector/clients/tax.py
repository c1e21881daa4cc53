"""Tax data by address, which the server looks up on request: at most three times a minute."""

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
"""Seconds until three more requests may go; the server counts in whole seconds."""
_TRIES: Final = 3


class Minute:
    """Lets three requests go in any minute, for all threads that share it, in the order of their arrival."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = rest) -> None:
        self._clock, self._sleep = clock, sleep
        self._free_at = deque([float("-inf")] * PER_MINUTE, maxlen=PER_MINUTE)
        self._lock = threading.Lock()

    def take(self) -> None:
        """Return when the next request may be sent: a minute after the third one before it."""
        with self._lock:  # held during the sleep: later threads wait longer
            wait = self._free_at[0] - self._clock()
            if wait > 0:
                self._sleep(wait)
            self._free_at.append(self._clock() + WINDOW)

    def use_up(self) -> None:
        """Hold all requests for a whole minute: the server refused one, so somebody else has used up its three."""
        with self._lock:
            self._free_at.extend([self._clock() + WINDOW] * PER_MINUTE)


@cache
def minute_of(server: str) -> Minute:  # noqa: ARG001 - the key of the cache
    """The minute shared by everyone in this process who asks this server."""
    return Minute()


def update_tax_data(api: Api, client_ids: Sequence[str], *, minute: Minute | None = None) -> Iterator[Client]:
    """Have the server look up the tax data of each client's address again; yields each client as it is then.

    It may be repeated. Sends nothing before the first item is requested. The server takes three a minute from a user,
    so all threads together send three, and a refused one (429) is sent again a minute later. The server looks up only
    for paid accounts, but always answers 200: compare `tax_info`. Raises SettingsError for clients that are not there
    (nothing was sent), NotAuthorised (401: admins only), RateLimited where it has refused three times.
    """
    ids = list(dict.fromkeys(client_ids))
    present = read_present(api.door, ids)
    missing = [its_id for its_id in ids if its_id not in present.records and its_id not in present.unread]
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
    """One call. A refusal for the rate limit has done nothing, so it is recorded as not applied."""
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
