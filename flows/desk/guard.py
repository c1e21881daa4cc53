"""Keep strangers and other sites out of the desk: checks before each request, and headers on each answer."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES: Final = 20 * 1024 * 1024
"""The largest request: an Excel file of a few hundred thousand rows."""
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # `no-referrer` would make browsers send `Origin: null` with forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
}


class Guard:
    """Lets a request through if it is for one of our own addresses, and a form if it comes from one of our pages.

    `origins` are the addresses of the desk, such as http://127.0.0.1:8137. The check of Host keeps out other names that
    lead to this machine (DNS rebinding), the check of Origin forms on other sites.
    """

    def __init__(self, app: ASGIApp, origins: frozenset[str]) -> None:
        self._app, self._origins = app, origins
        self._hosts = frozenset(urlsplit(origin).netloc for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(str(scope["method"]), Headers(scope=scope))
        app = PlainTextResponse(refusal[1], refusal[0]) if refusal else self._app
        await app(scope, _limited(receive), _with_headers(send))

    def _refusal(self, verb: str, headers: Headers) -> tuple[int, str] | None:
        """Return the status and the reason of a request that is refused."""
        if headers.get("host", "") not in self._hosts:
            return 421, "The desk does not answer under this name. Use the link that it printed."
        if verb in {"GET", "HEAD"}:
            return None
        if verb != "POST":
            return 405, "The desk does not know this verb."
        if headers.get("origin") not in self._origins:
            return 403, "This form does not come from the desk."
        size = headers.get("content-length", "")
        if size.isdigit() and int(size) > MOST_BYTES:
            return 413, f"At most {MOST_BYTES // 1024 // 1024} MB can be sent."
        return None


def _limited(receive: Receive) -> Receive:
    """Refuse a body that grows over the limit without having said its size."""
    so_far = 0

    async def counted() -> Message:
        nonlocal so_far
        message = await receive()
        so_far += len(message.get("body", b""))
        if so_far > MOST_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return message

    return counted


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sent
