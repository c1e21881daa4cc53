"""The outermost layer: the headers of every answer, the request log, and the faults that are switched on.

An ASGI middleware. It passes the request on with its whole body, takes the whole answer in, and sends it on. It also
lies on the wire (`reset`, `drip`, `hang`), where the bytes leave; the application behind it never knows.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from email.utils import formatdate
from fnmatch import fnmatchcase
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.php.input import read_input
from sandbox.php.text import to_int
from sandbox.store.world import Fault, NoAnswer, World
from sandbox.wire.answers import MINIMUM_CLIENT, PAGE
from sandbox.wire.calls import API

CONTROL = "/_sandbox"
ABORT = "sandbox.abort"
"""The ASGI extension through which server.py lets us break a connection."""
FOREVER = 3600.0


@dataclass(slots=True)
class Whole:
    """A complete answer."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def without(self, *names: bytes) -> list[tuple[bytes, bytes]]:
        """Its headers but these."""
        return [(k, v) for k, v in self.headers if k.lower() not in names]


class Front:
    """Middleware over the whole application."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self.app, self.world = app, world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or break it as the fault demands."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = await _body(receive)
        if scope["method"] != "POST" and _header(scope, b"content-type").lower().startswith("multipart/form-data"):
            body = b""  # PHP reads such a form only in a POST
        _override_verb(scope, body)
        fault = None
        if not scope["path"].startswith(CONTROL):
            fault = await self._received(scope)
        if fault is not None and fault.do in {"hang", "reset"} and fault.after_bytes is None:
            await _no_answer(scope, receive, fault)
            return
        try:
            answer = await self._answer(scope, receive, body, fault)
        except NoAnswer as silent:
            await _no_answer(scope, receive, silent.fault)
            return
        await _emit(scope, send, answer, fault)

    async def _received(self, scope: Scope) -> Fault | None:
        """Log the request, wait out the latency, and find the fault that strikes it."""
        query = scope["query_string"].decode("latin-1")
        self.world.requests.append({"method": scope["method"], "path": scope["path"], "query": query})
        if self.world.switches.latency_ms:
            await asyncio.sleep(self.world.switches.latency_ms / 1000)
        rows = to_int(parse_qs(query).get("per_page", ["20"])[-1])
        return next((f for f in self.world.switches.faults if strikes(f, scope["method"], scope["path"], rows)), None)

    async def _answer(self, scope: Scope, receive: Receive, body: bytes, fault: Fault | None) -> Whole:
        if fault is not None and fault.do in {"status", "html", "empty", "redirect"}:
            answer = _made_up(fault)
        else:
            answer = _spoilt(await _collected(self.app, scope, receive, body), fault)
        date = formatdate(self.world.clock.now(), usegmt=True).encode()
        common = [(b"date", date), (b"cache-control", b"no-cache, private")]
        if scope["method"] != "OPTIONS":
            version = self.world.generation.version.encode()
            common += [(b"x-app-version", version), (b"x-minimum-client-version", MINIMUM_CLIENT.encode())]
        answer.headers = [*answer.headers, *common]
        if scope["method"] == "HEAD":
            answer.body = b""
        return answer


def strikes(fault: Fault, verb: str, path: str, rows: int) -> bool:
    """Whether this rule strikes now; counts the request if it matches the rule."""
    wanted_verb, _, wanted_path = fault.on.partition(" ")
    if (
        not (fnmatchcase(verb, wanted_verb) and fnmatchcase(path.removeprefix(API), wanted_path))
        or rows <= fault.above_per_page
    ):
        return False
    fault.met += 1
    times = fault.times if fault.times is not None else (None if fault.every else 1)
    if (times is not None and fault.struck >= times) or (not fault.every and fault.met < fault.nth):
        return False
    fault.struck += 1
    return True


async def _body(receive: Receive) -> bytes:
    out, more = b"", True
    while more:
        message = await receive()
        out += message.get("body", b"")
        more = message.get("more_body", False)
    return out


def _header(scope: Scope, name: bytes) -> str:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    return headers.get(name, b"").decode("latin-1")


def _override_verb(scope: Scope, body: bytes) -> None:
    """A POST may name another verb in a header, a form or JSON, or the query; Symfony and Laravel allow it."""
    if scope["method"] != "POST":
        return
    query = scope["query_string"].decode("latin-1")
    verb = _header(scope, b"x-http-method-override")
    if not verb and (b"_method" in body or "_method" in query):
        sent = read_input(query, body, _header(scope, b"content-type")).get("_method")
        verb = sent if isinstance(sent, str) else ""
    if verb.isascii() and verb.isalpha():
        scope["method"] = verb.upper()


async def _collected(app: ASGIApp, scope: Scope, receive: Receive, body: bytes) -> Whole:
    """The application's whole answer. Its `receive` gives the body once, then the peer's messages."""
    answer, given = Whole(), False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def take(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message["headers"])
        else:
            answer.body += message.get("body", b"")

    await app(scope, again, take)
    return answer


def _made_up(fault: Fault) -> Whole:
    """A fault's answer, without the application."""
    extra = [(k.lower().encode(), v.encode()) for k, v in fault.headers.items()]
    if fault.do == "redirect":
        status = fault.status if 300 <= fault.status < 400 else 302  # noqa: PLR2004 - the default redirect
        return Whole(status, [(b"location", fault.to.encode()), (b"content-length", b"0"), *extra])
    body, kind, status = PAGE.format(title="Bad Gateway").encode(), b"text/html; charset=UTF-8", fault.status
    if fault.do == "status":
        words = {429: "Too many requests", 500: "Server Error"}.get(status) or HTTPStatus(status).phrase
        body, kind = json.dumps({"message": words}).encode(), b"application/json"
    elif fault.do == "empty":
        body, kind, status = b"", b"application/json", 200
    return Whole(status, [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *extra], body)


def _spoilt(answer: Whole, fault: Fault | None) -> Whole:
    """A real answer, cut in half or without its data where the fault demands it; its length fits the bytes sent."""
    if fault is None or fault.do not in {"truncate", "no_data"}:
        return answer
    if fault.do == "truncate":
        body = answer.body[: len(answer.body) // 2]
    else:
        content = json.loads(answer.body or b"{}")
        body = json.dumps({k: v for k, v in content.items() if k != "data"}, indent=4).encode()
    length = (b"content-length", str(len(body)).encode())
    return Whole(answer.status, [*answer.without(b"content-length"), length], body)


async def _emit(scope: Scope, send: Send, answer: Whole, fault: Fault | None) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    if fault is not None and fault.do == "drip":
        for i in range(len(answer.body)):
            await send({"type": "http.response.body", "body": answer.body[i : i + 1], "more_body": True})
            await asyncio.sleep(0.1 if fault.seconds is None else fault.seconds)
    elif fault is not None and fault.do in {"reset", "hang"}:
        await send({"type": "http.response.body", "body": answer.body[: fault.after_bytes], "more_body": True})
        await _break(scope, fault)
        return
    else:
        await send({"type": "http.response.body", "body": answer.body, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _no_answer(scope: Scope, receive: Receive, fault: Fault) -> None:
    """Stay silent until the peer gives up (`hang`), or break the connection (`reset`)."""
    if fault.do == "reset":
        await _break(scope, fault)
        return
    gone = asyncio.ensure_future(_disconnected(receive))
    await asyncio.wait([gone], timeout=FOREVER if fault.seconds is None else fault.seconds)
    gone.cancel()
    await _break(scope, fault)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _break(scope: Scope, fault: Fault) -> None:
    """Break the connection where the server lets us; in-process there is none, so the caller gets the exception."""
    if fault.do == "hang" and fault.after_bytes is not None:
        await asyncio.sleep(FOREVER if fault.seconds is None else fault.seconds)
    abort = scope.get("extensions", {}).get(ABORT)
    if abort is None:
        raise ConnectionResetError("a fault of the sandbox broke this connection")
    abort()
