"""A sandbox in this process, at a fixed moment."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette

from sandbox.server import create_app

NOW = 1_790_000_000.25


class InProcess(httpx.BaseTransport):
    """Hands requests to an application without a socket, one event loop for each."""

    def __init__(self, app: Starlette) -> None:
        self.transport = httpx.ASGITransport(app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answer(request))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = await self.transport.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


class Api(httpx.Client):
    """A client that sends what every caller of the API sends, as the owner of company A."""

    def __init__(self, app: Starlette) -> None:
        self.sandbox = app.state.sandbox
        self.world = app.state.world
        headers = {"X-API-TOKEN": self.sandbox.token, "X-Requested-With": "XMLHttpRequest"}
        super().__init__(transport=InProcess(app), base_url="http://sandbox", headers=headers)

    def close(self) -> None:
        super().close()
        self.world.db.close()

    def make(self, name: str = "One", **more) -> dict:
        return self.post("/api/v1/clients", json={"name": name, **more}).json()["data"]

    def rows(self, **params) -> list[dict]:
        answer = self.get("/api/v1/clients?" + urlencode(params))
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def names(self, **params) -> list[str]:
        return [row["name"] for row in self.rows(**{"sort": "id|asc", **params})]

    def bulk(self, action: str, *ids: str, **more):
        return self.post("/api/v1/clients/bulk", json={"action": action, "ids": ids, **more})

    def switch(self, **switches) -> dict:
        answer = self.post("/_sandbox/switches", json=switches)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def balances(self, client: dict, **figures) -> None:
        assert self.post(f"/_sandbox/clients/{client['id']}/balances", json=figures).status_code == 200


@pytest.fixture
def api() -> Iterator[Api]:
    with Api(create_app(clock=lambda: NOW)) as client:
        yield client


@pytest.fixture
def busy() -> Iterator[Api]:
    """With 240 believable clients."""
    with Api(create_app(clients=240, seed=5, clock=lambda: NOW)) as client:
        yield client


@pytest.fixture
def pair(api: Api) -> tuple[dict, dict]:
    """Two clients with figures; the other one has one contact of its own, one that the survivor has, one without."""
    one = api.make("One", contacts=[{"email": "a@x.io"}])
    other = api.make("Two", contacts=[{"email": "b@x.io"}, {"email": "a@x.io"}, {"first_name": "Ann"}])
    api.balances(one, balance=100, paid_to_date=10, credit_balance=1, payment_balance=5)
    api.balances(other, balance=50, paid_to_date=20, credit_balance=2, payment_balance=7)
    return one, other


@pytest.fixture
def modern() -> Iterator[Api]:
    """As the generation of 2026."""
    with Api(create_app(clock=lambda: NOW, behaves_like="2026")) as client:
        yield client
