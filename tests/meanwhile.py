"""Somebody else at work while the connector is: what is done just before a request leaves."""

from __future__ import annotations

from collections.abc import Callable

import httpx


class Meanwhile(httpx.BaseTransport):
    """Does a thing, once, before a request of this method and path leaves: the `nth` of them.

    They count from when a request of the method `after` has left, if that is told.
    """

    def __init__(self, before: str, do: Callable[[], object], *, after: str = "", nth: int = 1) -> None:
        self._before, self._do, self._after, self._left = before, do, after, nth
        self._wire = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self._after:
            self._after = "" if request.method == self._after else self._after
        elif f"{request.method} {request.url.path}".startswith(self._before):
            self._left -= 1
            if self._left == 0:
                self._do()
        return self._wire.handle_request(request)

    def close(self) -> None:
        self._wire.close()
