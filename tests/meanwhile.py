"""Somebody else at work while the connector is: what is done just before a request leaves."""

from __future__ import annotations

from collections.abc import Callable

import httpx


class Meanwhile(httpx.BaseTransport):
    """Does a thing before the first request of this method and path, once; then sends it.

    `after` is the method that has to be seen first.
    """

    def __init__(self, before: str, do: Callable[[], object], *, after: str = "") -> None:
        self._before, self._do, self._after, self._wire = before, do, after, httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == self._after:
            self._after = ""
        elif self._before and not self._after and f"{request.method} {request.url.path}".startswith(self._before):
            self._before = ""
            self._do()
        return self._wire.handle_request(request)

    def close(self) -> None:
        self._wire.close()
