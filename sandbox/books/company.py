"""Companies as the API shows them: a recorded answer of 5.10.42 with the company's own values filled in."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from starlette.responses import Response

from sandbox.books.lookups import statics
from sandbox.php import hashids
from sandbox.php.php_json import pretty
from sandbox.store.database import Row, select
from sandbox.store.world import MICROS
from sandbox.wire.answers import compact_answer, forbidden, json_answer, not_found
from sandbox.wire.calls import Call


@cache
def template() -> dict[str, Any]:
    """A whole company with default settings."""
    data: dict[str, Any] = json.loads((resources.files("sandbox") / "data/company.json").read_text(encoding="utf-8"))
    return data


def company_row(call: Call) -> Row:
    """The token's company."""
    return select(call.world.db, "companies", "id = ?", (call.token.company_id,))[0]


def _company_json(row: Row, host: str) -> dict[str, Any]:
    settings = {
        **template()["settings"],
        "name": row["name"],
        "currency_id": row["currency_id"],
        "country_id": str(row["country_id"]),
        "client_number_counter": row["client_number_counter"],
    }
    own = {
        "id": hashids.encode(row["id"]),
        "company_key": row["company_key"],
        "custom_fields": json.loads(row["custom_fields"]),
        "portal_domain": host,
        "settings": settings,
        "updated_at": row["updated_at"] // MICROS,
        "created_at": row["created_at"] // MICROS,
    }
    return template() | own


def current(call: Call) -> Response:
    """POST /companies/current: the token's company."""
    return json_answer({"data": _company_json(company_row(call), call.host)})


def index(call: Call) -> Response:
    """GET /companies: every company of the user, with any token."""
    mine = "id IN (SELECT company_id FROM tokens WHERE user_id = ?) ORDER BY id"
    rows = select(call.world.db, "companies", mine, (call.token.user_id,))
    return json_answer({"data": [_company_json(row, call.host) for row in rows]})


def show(call: Call) -> Response:
    """GET /companies/{id}: `current` does not count as an id."""
    rows = select(call.world.db, "companies", "id = ?", (hashids.decode(call.ids["id"]),))
    if not rows:
        raise not_found("Company")
    if rows[0]["id"] != call.token.company_id:
        raise forbidden()
    return json_answer({"data": _company_json(rows[0], call.host)})


def ping(call: Call) -> Response:
    """GET /ping: the names of the company and of the user."""
    user = select(call.world.db, "users", "id = ?", (call.token.user_id,))[0]
    return compact_answer({"company_name": company_row(call)["name"], "user_name": user["name"]})


@cache
def _statics_text(license_key: bool) -> str:
    return pretty(statics() | ({"license_key": ""} if license_key else {}))


def show_statics(call: Call) -> Response:
    """GET /statics; the only answer that names its charset."""
    return Response(
        _statics_text(call.world.generation.tells_license), headers={"Content-Type": "application/json; charset=utf-8"}
    )
