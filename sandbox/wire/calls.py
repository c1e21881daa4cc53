"""One request on its way to a handler, and the order of the server's checks.

The order is recorded: route, token, the limit per minute, password, then the handler itself (id, permission,
validation, state). A route that does not exist, or not for this verb, is answered before any token is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.php.input import Input, expects_json, is_json_as_said, read_files, read_input
from sandbox.store.database import transaction
from sandbox.store.world import World
from sandbox.wire import access
from sandbox.wire.access import Token
from sandbox.wire.answers import Refused, compact_answer, html_answer, malformed_json, refusal, wrong_verb

API = "/api/v1"


@dataclass(frozen=True, slots=True)
class Call:
    """The inputs of a handler."""

    world: World
    token: Token
    input: Input
    ids: dict[str, str]
    path: str
    host: str
    wants_json: bool
    files: Input

    def text(self, name: str) -> str | None:
        """A parameter that is a text and not empty."""
        value = self.input.get(name)
        return value if isinstance(value, str) else None


Handler = Callable[[Call], Response]


def route(verb: str, path: str, handler: Handler, *, password: bool = False, one_transaction: bool = True) -> Route:
    """One of the API's routes. `password`: only with the token user's login password.

    Without `one_transaction` each statement of the handler is committed at once: work done before the handler fails
    stays done.
    """

    async def endpoint(request: Request) -> Response:
        world: World = request.app.state.world
        body = await request.body()
        try:
            with world.turn:
                return _handled(world, request, body, handler, password=password, one_transaction=one_transaction)
        except Refused as refused:
            return refusal(refused, wants_json=expects_json(request.headers), home=host_of(request))

    return Route(API + path, endpoint, methods=[verb], name=f"{verb} {path}")


def _handled(
    world: World, request: Request, body: bytes, handler: Handler, *, password: bool, one_transaction: bool
) -> Response:
    """The checks before the handler, and the handler, inside a transaction unless it commits on its own.

    Blocking on purpose: one SQLite connection can serve only one request at a time, and this keeps counters right.
    """
    token = access.token_of(world, request.headers.get("x-api-token", ""))
    room = access.count_request(world, request.client.host if request.client else "")
    wants_json = expects_json(request.headers)
    if room is not None and room.left < 0:
        return too_many(room, wants_json=wants_json)
    if password:
        access.check_password(world, token, request.headers)
    call = Call(
        world,
        token,
        read_input(request.url.query, body, request.headers.get("content-type", "")),
        {k: str(v) for k, v in request.path_params.items()},
        request.url.path,
        host_of(request),
        wants_json,
        read_files(body, request.headers.get("content-type", "")),
    )
    if world.generation.refuses_malformed_json and not is_json_as_said(body, request.headers.get("content-type", "")):
        raise malformed_json()
    try:
        with transaction(world.db) if one_transaction else nullcontext():
            answer = handler(call)
    except Refused as refused:
        answer = refusal(refused, wants_json=wants_json, home=call.host)
    if room is not None and int(answer.headers.get("X-RateLimit-Remaining", room.left)) >= room.left:
        answer.headers.update(access.limit_headers(room))  # of two limits the nearer one is reported
    return answer


def too_many(room: access.Room, *, wants_json: bool) -> Response:
    """429: bare in JSON, with all headers in HTML (Handler.php:225-226 builds a new answer)."""
    if wants_json:
        return compact_answer({"message": "Too many requests"}, 429)
    limits = {
        "Retry-After": str(room.seconds),
        "X-RateLimit-Limit": str(room.limit),
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": str(room.reset),
    }
    return html_answer("Too Many Requests", 429, limits)


def host_of(request: Request) -> str:
    """`http://host:port`, as the caller wrote it."""
    return f"{request.url.scheme}://{request.url.netloc}"


async def no_route(request: Request, _: Exception) -> Response:
    """A GET of an unknown path is the single-page application, with 200; other verbs are not supported there."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return html_answer("Invoice Ninja")
    return refusal(wrong_verb(), wants_json=expects_json(request.headers), home=host_of(request))
