"""Serve the desk on this machine until Ctrl-C, and print the links by which people enter."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import uvicorn

from flows.ask.copies import COPIES
from flows.configuration.values import Settings
from flows.desk.app import build_app
from flows.desk.jobs import Job
from flows.desk.visit import Desk
from flows.session.operator import user_of_machine
from schemas.errors import SettingsError

HERE: Final = frozenset({"127.0.0.1", "::1", "localhost"})
"""Hosts of addresses that do not leave this machine."""
USUAL_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}
"""The ports that browsers leave out of Host and Origin."""


@dataclass(frozen=True, slots=True)
class OpenDesk:
    """A desk that listens at its address, and the server that answers once it runs."""

    desk: Desk
    server: uvicorn.Server
    listener: socket.socket

    def link_for(self, person: str) -> str:
        """Return a link by which a person can enter, once."""
        return f"{self.desk.url}/enter/{self.desk.sessions.invite(person)}"

    def serve(self) -> None:
        """Answer until a signal, or until `server.should_exit` is set. Long work goes on."""
        try:
            with COPIES.kept():
                self.server.run(sockets=[self.listener])
        finally:
            self.listener.close()


def open_desk(
    settings: Settings, *, host: str = "127.0.0.1", port: int = 0, url: str = "", read_only: bool = False
) -> OpenDesk:
    """Listen at an address; port 0 is a free one.

    `url` is the address under which a proxy in front of the desk is known. Raises SettingsError if host, port or URL
    cannot be used.
    """
    public = _public(url)
    listener = _listener(host, port)
    own = _origins(host, listener.getsockname()[1])
    desk = Desk(settings, read_only=read_only, url=public or own[0])
    config = uvicorn.Config(
        build_app(desk, frozenset([public] if public else own)), log_level="critical", access_log=False,
        server_header=False, proxy_headers=False, lifespan="off", timeout_graceful_shutdown=5,
    )  # fmt: skip
    return OpenDesk(desk, uvicorn.Server(config), listener)


def serve_desk(
    opened: OpenDesk,
    people: Sequence[str],
    announce: Callable[[Sequence[tuple[str, str]]], None],
    waiting: Callable[[Sequence[Job]], None],
) -> None:
    """Serve until Ctrl-C or SIGTERM, in the main thread.

    `announce` gets each person with a link, by default the user of this machine. `waiting` gets the long work that is
    still under way at the end: it is waited for, until a second signal.
    """
    before = {
        number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)
    }  # uvicorn ends by them itself, and raises them again for the handlers from before
    try:
        announce([(name, opened.link_for(name)) for name in people or [user_of_machine()]])
        opened.serve()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if running := opened.desk.jobs.running():
        waiting(running)
    opened.desk.jobs.wait()


def _listener(host: str, port: int) -> socket.socket:
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as problem:
        why = os.strerror(problem.errno) if isinstance(problem, OSError) and problem.errno and problem.errno > 0 else ""
        raise SettingsError(
            f"The desk cannot listen at {host}, port {port}{': ' * bool(why)}{why}. Name another --port, or 0 for a "
            "free one."
        ) from None
    # Head and body of an answer are two packets. Without this, the kernel holds the second one back for 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _origins(host: str, port: int) -> list[str]:
    """Return the addresses of a desk without a proxy; the first one is for its links."""
    own = _origin("http", host, port)
    return [own, _origin("http", "localhost", port)] if host in HERE else [own]


def _public(url: str) -> str:
    """Return the origin of the proxy's address; '' without one. Raises SettingsError if it is not an address."""
    if not url:
        return ""
    with suppress(ValueError):  # the port is no number, or a bracket is missing
        parts = urlsplit(url)
        if (
            parts.scheme in USUAL_PORTS and parts.hostname and not parts.path.strip("/") and "@" not in parts.netloc
            and not parts.query and not parts.fragment
        ):  # fmt: skip
            if parts.scheme == "http" and parts.hostname not in HERE:
                raise SettingsError(f"{url} is not safe: passwords would cross the network as they are. Use https.")
            return _origin(parts.scheme, parts.hostname, parts.port)
    raise SettingsError(f"--url takes an address such as https://desk.example.org, without a path, not {url!r}.")


def _origin(scheme: str, host: str, port: int | None) -> str:
    """Return an origin as browsers write it: in small letters, and without the usual port."""
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}" if port in {None, USUAL_PORTS[scheme]} else f"{scheme}://{shown}:{port}"
