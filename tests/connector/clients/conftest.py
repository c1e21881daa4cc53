"""A sandbox for the tests of a file, and the verbs' `Api` to it, with a journal that is a list."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connector.api.api import Api
from connector.clients.read import record_of
from connector.door.door import Door, DoorSettings
from connector.door.password import Password
from connector.door.secret import Secret
from sandbox.server import Sandbox, running
from tests.noted import Noted


class Box:
    """A running sandbox, and what its users do to it behind the connector's back."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def call(self, method: str, path: str, body: object = None, *, token: str = "") -> dict:
        headers = {
            "X-API-TOKEN": token or self.sandbox.token, "X-Requested-With": "XMLHttpRequest",
            "Content-Type": "application/json", "X-API-PASSWORD": self.sandbox.password,
        }  # fmt: skip
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.sandbox.url + path, data, headers, method=method)  # noqa: S310 - ours
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
            return json.loads(answer.read(), parse_float=Decimal)

    def make(self, name: str = "One", **more: object) -> dict:
        """A new client, as the server shows it."""
        made = self.call("POST", "/api/v1/clients", {"name": name, **more})["data"]
        return self.call("GET", f"/api/v1/clients/{made['id']}")["data"]

    def show(self, client_id: str) -> dict:
        return self.call("GET", f"/api/v1/clients/{client_id}")["data"]

    def bulk(self, action: str, *ids: str, **more: object) -> None:
        self.call("POST", "/api/v1/clients/bulk", {"action": action, "ids": list(ids), **more})

    def switch(self, **switches: object) -> None:
        self.call("POST", "/_sandbox/switches", switches)

    def balances(self, client: dict, **figures: object) -> None:
        self.call("POST", f"/_sandbox/clients/{client['id']}/balances", figures)

    def requests(self) -> list[str]:
        """What was asked since the last call of this, as `METHOD path?query`."""
        found = self.call("GET", "/_sandbox/requests")
        self.call("DELETE", "/_sandbox/requests")
        return [f"{r['method']} {r['path']}?{r['query']}" for r in found if "/_sandbox/" not in r["path"]]

    def api(
        self,
        journal: Noted,
        *,
        token: str = "",
        password: str = "",
        transport: httpx.BaseTransport | None = None,
        read_timeout: float = 20,
    ) -> Api:
        """The verbs' way to it; the token, the password, the wire may be others. Its waits take no time."""
        settings = DoorSettings(self.sandbox.url, requests_per_second=100_000, read_timeout=read_timeout)
        door = Door(settings, Secret(token or self.sandbox.token), transport=transport, sleep=lambda _: None)
        return Api(door, journal, Password(lambda: Secret(password or self.sandbox.password)))


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """A sandbox of this file, with 25 believable clients; a test makes the clients that it changes."""
    with running(clients=25, seed=5) as sandbox:
        yield Box(sandbox)


@pytest.fixture
def journal() -> Noted:
    return Noted()


@pytest.fixture
def api(box: Box, journal: Noted) -> Iterator[Api]:
    opened = box.api(journal)
    with opened.door:
        yield opened


@pytest.fixture
def other_api(box: Box, journal: Noted) -> Iterator[Callable[..., Api]]:
    """Opens an `Api` with another token, password or wire, as of `Box.api`; it is closed at the end."""
    with ExitStack() as stack:

        def opened(**other: Any) -> Api:
            made = box.api(journal, **other)
            stack.enter_context(made.door)
            return made

        yield opened


@pytest.fixture
def as_it_is(api: Api):
    """A client as the server has it, whole, through the connector's own door."""
    return lambda client_id: record_of(api.door, client_id)
