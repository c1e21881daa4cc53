"""Asks again while the server may still be working: it goes on after the connection is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from httpx import codes

from connector.api.presence import Presence, presence
from connector.door.answer import Answer
from connector.door.door import Door
from schemas.errors import ApiError, Invalid, NotFound, RateLimited, ServerUnavailable

LONGEST: Final = 60.0
"""Seconds after a lost answer. A server that shows no trace of a call by then will not carry it out any more.

PHP's own limit is 30 to 60 s of work, and the door has waited for the answer before."""
_FIRST: Final = 2.0
_LONGEST_WAIT: Final = 30.0
Found = TypeVar("Found")


def watched(
    look: Callable[[], Found], done: Callable[[Found], bool], seconds: float, sleep: Callable[[float], None]
) -> Found:
    """The last look: when it is done, or when so many seconds of waiting are over. Looks at least once."""
    seen = look()
    for wait in _waits(seconds):
        if done(seen):
            break
        sleep(wait)
        seen = look()
    return seen


class Sent:
    """Sends the one call that removes a client, and remembers whether the server may still be working.

    `patience` is for how many seconds to ask for the outcome, where no good answer came.
    """

    def __init__(self, door: Door, client_id: str, send: Callable[[], Answer]) -> None:
        self._door, self._client_id, self._send, self.patience = door, client_id, send, LONGEST

    def __call__(self) -> Answer:
        """Send it. After Invoice Ninja's 500, or a 429, it is over; after a proxy's 502, or silence, nobody knows.

        A refusal because the client is gone does not count as one: something on the way may have sent the call twice.
        It is raised as a plain ApiError, so that the outcome is read back.
        """
        try:
            answer = self._send()
        except (ServerUnavailable, RateLimited) as problem:
            if problem.status in (codes.INTERNAL_SERVER_ERROR, codes.TOO_MANY_REQUESTS):
                self.patience = 0.0
            raise
        except (Invalid, NotFound) as refusal:
            if refusal.status == codes.BAD_REQUEST and presence(self._door, self._client_id) is Presence.GONE:
                raise ApiError(f"The client {self._client_id} is gone already: {refusal}", status=400) from None
            raise
        self.patience = 0.0
        return answer


def _waits(seconds: float) -> Iterator[float]:
    """Growing waits that add up to this."""
    wait, left = _FIRST, seconds
    while left > 0:
        yield min(wait, left)
        left -= wait
        wait = min(3 * wait, _LONGEST_WAIT)
