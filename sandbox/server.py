"""Starts a sandbox: inside a test, in a thread, or in the foreground."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.control import control
from sandbox.people.seed import INVOICED, populate
from sandbox.people.stock import Filled, Stock, fill
from sandbox.routes import ROUTES
from sandbox.store.database import connect
from sandbox.store.generation import FIVE_TEN, GENERATIONS
from sandbox.store.world import Clock, World
from sandbox.wire.answers import refusal, server_error
from sandbox.wire.calls import no_route
from sandbox.wire.front import ABORT, Front

GRACE = 1.0
"""Seconds that requests have to end, at the end."""
PAUSE = 0.002


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The address and keys of a running sandbox. The password is the owner's.

    The viewer may see clients and do nothing else; `none_token` belongs to a user without any right.
    """

    url: str
    token: str
    viewer_token: str
    none_token: str
    other_token: str
    password: str


def create_app(
    *,
    clients: int = 0,
    invoiced: int = INVOICED,
    seed: int = 1,
    database: Path | None = None,
    clock: Callable[[], float] = time.time,
    behaves_like: str = FIVE_TEN.name,
    stock: Stock | None = None,
) -> Starlette:
    """A sandbox as an ASGI application, with this many believable clients in company A.

    The first `invoiced` of them have invoices, payments and credits behind their figures.
    `app.state.sandbox` holds its tokens and password, `app.state.world` its memory. Ending its lifespan, or closing
    `app.state.world.db`, closes the database. A database file that already holds clients is served unchanged.
    `behaves_like` names one of `GENERATIONS`. `stock` fills company A with given records instead.
    """
    generation = GENERATIONS[behaves_like]
    world = World(connect(database), Clock(clock), random.Random(f"world {seed}"), generation)
    keys = populate(world, clients=clients, seed=seed, invoiced=invoiced)
    filled = fill(world, stock) if stock is not None else None

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        world.db.close()

    app = Starlette(
        routes=[*ROUTES, *control.ROUTES],
        middleware=[Middleware(Front, world=world)],
        exception_handlers={404: no_route, 405: no_route, 500: _crashed},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.world = world
    app.state.sandbox = Sandbox("http://sandbox", **keys)
    app.state.filled = filled
    return app


async def _crashed(_: Request, __: Exception) -> Response:
    """The answer of a crashed PHP. The exception itself goes into the log: it is a mistake of the sandbox."""
    return refusal(server_error(), wants_json=True, home="")


@contextmanager
def running(
    *,
    clients: int = 0,
    invoiced: int = INVOICED,
    seed: int = 1,
    host: str = "127.0.0.1",
    port: int = 0,
    database: Path | None = None,
    behaves_like: str = FIVE_TEN.name,
    stock: Stock | None = None,
) -> Iterator[Sandbox]:
    """Run a sandbox on a free port, in a thread. It leaves nothing running, not even requests that hang."""
    server, sandbox, listener = _prepared(
        create_app(
            clients=clients, invoiced=invoiced, seed=seed, database=database, behaves_like=behaves_like, stock=stock
        ),
        host,
        port,
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the sandbox did not start; see its log")
            time.sleep(0.01)
        yield sandbox
    finally:
        server.end()
        thread.join()
        listener.close()


def serve(
    *,
    clients: int,
    invoiced: int = INVOICED,
    seed: int,
    host: str,
    port: int,
    database: Path | None,
    behaves_like: str,
    announce: Callable[[Sandbox, Filled | None], None],
    stock: Stock | None = None,
) -> None:
    """Run a sandbox in the foreground until SIGINT or SIGTERM. It calls `announce` once it accepts requests."""
    app = create_app(
        clients=clients, invoiced=invoiced, seed=seed, database=database, behaves_like=behaves_like, stock=stock
    )
    server, sandbox, listener = _prepared(app, host, port)

    def end(*_: object) -> None:
        """Before uvicorn handles signals itself, and when it raises them again after its end."""
        server.end()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        # The socket listens already: requests wait in its queue until uvicorn is ready.
        announce(sandbox, app.state.filled)
        server.run(sockets=[listener])
    finally:
        listener.close()
        for number, handler in before.items():
            signal.signal(number, handler)


class _Server(uvicorn.Server):
    """uvicorn that ends at once: its own loop looks ten times a second whether it should, and so does its shutdown."""

    _wake: Callable[[], object] = staticmethod(lambda: None)

    def end(self) -> None:
        """End it, from any thread or from the handler of a signal."""
        self.should_exit = True
        with suppress(RuntimeError):  # its loop is closed: it has ended
            self._wake()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End by a signal."""
        super().handle_exit(sig, frame)
        self.end()

    async def main_loop(self) -> None:
        """Serve until the end."""
        loop, ending = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(ending.set)
        if not await self.on_tick(0):
            await ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close what is idle, give open requests a moment, and break off those that hang."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        until = time.monotonic() + GRACE
        while (self.server_state.connections or self.server_state.tasks) and time.monotonic() < until:
            await asyncio.sleep(PAUSE)
        for task in self.server_state.tasks:
            task.cancel()
        await self.lifespan.shutdown()


def _prepared(app: Starlette, host: str, port: int) -> tuple[_Server, Sandbox, socket.socket]:
    listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    # Head and body of an answer are two packets. Without this option the kernel holds the second one back for 40 ms,
    # until the first is acknowledged. Connections inherit it.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    shown = f"[{host}]" if ":" in host else host
    sandbox = replace(app.state.sandbox, url=f"http://{shown}:{listener.getsockname()[1]}")
    config = uvicorn.Config(
        _Wire(app),
        log_level="error",
        access_log=False,
        server_header=False,
        date_header=False,
        lifespan="on",
    )
    return _Server(config), sandbox, listener


class _Wire:
    """Lets the application break its connection, which ASGI cannot express.

    uvicorn's `send` is a method of the object that holds the transport. With a linger time of zero the kernel sends a
    reset instead of an orderly end.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            transport: Any = getattr(send, "__self__").transport  # noqa: B009 - a Send is typed as a plain function
            scope.setdefault("extensions", {})[ABORT] = lambda: _reset(transport)
        await self.app(scope, receive, send)


def _reset(transport: Any) -> None:
    with suppress(OSError):  # the peer has closed first
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
