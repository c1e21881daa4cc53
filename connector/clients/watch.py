"""Asking again while the server may still be at it: it goes on after the connection is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from httpx import codes

from connector.api.presence import Presence, presence
from connector.door.answer import Answer
from connector.door.door import Door
from schemas.errors import ApiError, Invalid, NotFound, RateLimited, ServerUnavailable

LONGEST: Final = 60.0
"""Seconds after a lost answer, after which a server that shows nothing of a call will do nothing of it either.

PHP's own limit is 30 to 60 s of work, and the door has waited for the answer before."""
_FIRST: Final = 2.0
_LONGEST_WAIT: Final = 30.0
Found = TypeVar("Found")


def watched(
    look: Callable[[], Found], done: Callable[[Found], bool], seconds: float, sleep: Callable[[float], None]
) -> Found:
    """What is found when it is done, or when so many seconds of waiting are over; asked at least once."""
    found = look()
    for wait in _waits(seconds):
        if done(found):
            break
        sleep(wait)
        found = look()
    return found


class Sent:
    """Sends the one call that takes a client away, and remembers whether the server may still be at it.

    `patience` is for how many seconds to ask what became of it, where no good answer came.
    """

    def __init__(self, door: Door, client_id: str, send: Callable[[], Answer]) -> None:
        self._door, self._client_id, self._send, self.patience = door, client_id, send, LONGEST

    def __call__(self) -> Answer:
        """Send it. With a 500 of Invoice Ninja, or a 429, it is over; of a proxy's 502, or of silence, nobody knows.

        A refusal because the client is gone is no refusal: something between here and the server may have sent it
        twice. What became of it is to be read back, so it is raised as an ApiError that is none.
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
    """Waits that grow, and add up to this."""
    wait, left = _FIRST, seconds
    while left > 0:
        yield min(wait, left)
        left -= wait
        wait = min(3 * wait, _LONGEST_WAIT)
