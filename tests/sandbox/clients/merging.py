"""What the tests of merges ask for and look at."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import httpx

from tests.sandbox.conftest import Api


def merge(api: Api, one: dict, other: dict, query: str = "", **headers: str) -> httpx.Response:
    headers = {"X-API-PASSWORD": api.sandbox.password, **headers}
    return api.post(f"/api/v1/clients/{one['id']}/{other['id']}/merge{query}", headers=headers)


def show(api: Api, client: dict, include: str = "ledger,activities") -> dict:
    return api.get(f"/api/v1/clients/{client['id']}?include={include}").json(parse_float=Decimal)["data"]


def dying(api: Api, one: dict, other: dict) -> None:
    """A merge that gets no good answer: a 500 or none at all."""
    with suppress(ConnectionResetError):
        assert merge(api, one, other).status_code == 500


def exists(api: Api, client: dict) -> bool:
    return api.get(f"/api/v1/clients/{client['id']}").status_code == 200


def figures(client: dict) -> tuple[object, ...]:
    return tuple(client[name] for name in ("balance", "paid_to_date", "credit_balance", "payment_balance"))
