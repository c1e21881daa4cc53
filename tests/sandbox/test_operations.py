"""Odd requests to every operation, in every generation: no answer that the real server would not give.

No 500 but the real ones, the headers always, JSON that is JSON, and a database that is whole after each request and
untouched by the refused ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.php.input import read_files, read_input
from sandbox.server import create_app
from sandbox.store.generation import GENERATIONS
from tests.sandbox.conftest import NOW, Api
from tests.sandbox.odd_requests import Asked, headers_of, requests
from tests.sandbox.operations import DOCUMENTED, OPERATIONS, Operation
from tests.sandbox.real_errors import cause_of

EXAMPLES = 25
KINDS = {"application/json", "application/json; charset=utf-8", "text/html; charset=utf-8", "application/pdf"}
GROWTH = {"storeClient": 1, "purgeClient": -1, "mergeClient": -1}
WHOLE = (
    "PRAGMA foreign_key_check",
    "SELECT id FROM documents EXCEPT SELECT document_id FROM document_contents",
    "SELECT company_id, number FROM clients WHERE number IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1",
    "SELECT id FROM clients WHERE NOT json_valid(settings)",
    "SELECT id FROM clients WHERE is_deleted AND deleted_at IS NULL",
)
"""Queries that find nothing in a database that is whole."""
Contents = dict[str, list[tuple[Any, ...]]]


@cache
def stocked(behaves_like: str) -> tuple[Api, bytes]:
    """A sandbox and its database: clients 1 to 3 of company A (active, archived, deleted), 4 of B, 5 in a group."""
    api = Api(create_app(clock=lambda: NOW, behaves_like=behaves_like))
    made = [api.make(f"Client {n}", contacts=[{"first_name": "Ann", "email": f"a{n}@example.com"}]) for n in range(3)]
    api.bulk("archive", made[1]["id"])
    api.bulk("delete", made[2]["id"])
    api.post("/api/v1/clients", json={"name": "Theirs"}, headers={"X-API-TOKEN": api.sandbox.other_token})
    group = api.post("/api/v1/group_settings", json={"name": "G", "settings": {"currency_id": "3"}}).json()["data"]
    api.make("Grouped", group_settings_id=group["id"])
    parts = [("documents[]", ("a.txt", b"hello"))]
    api.post(f"/api/v1/clients/{made[0]['id']}/upload", data={"_method": "PUT"}, files=parts)
    api.post("/api/v1/webhooks", json={"target_url": "https://x.example.com", "event_id": "1"})
    api.post("/_sandbox/designs", json={})
    api.balances(made[0], balance="120.5", credit_balance="3")
    return api, api.world.db.serialize()


def fresh(behaves_like: str) -> Api:
    """The same sandbox as it was before any test."""
    api, database = stocked(behaves_like)
    api.world.db.deserialize(database)
    api.world.db.execute("PRAGMA foreign_keys = ON")
    for remembered in (api.world.totals, api.world.passwords_given, api.world.throttle.used, api.world.requests):
        remembered.clear()
    return api


def contents(api: Api) -> Contents:
    """Every row of every table."""
    tables = [name for (name,) in api.world.db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: api.world.db.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in tables}


def operation_of(verb: str, path: str) -> Operation | None:
    """Which one a verb and a path below the API are; `PATCH` does as `PUT`."""
    wanted = "PUT" if verb == "PATCH" else verb
    fitting = [o for o in OPERATIONS if o.verb == wanted and re.fullmatch(o.path.replace("{}", "[^/]+"), path)]
    return min(fitting, key=lambda o: o.path.count("{}"), default=None)


def send(api: Api, asked: Asked) -> httpx.Response:
    verb = "POST" if asked.kind.startswith("multipart") else asked.operation.verb
    return api.request(verb, asked.url(), content=asked.content, headers=headers_of(asked, api.sandbox))


def check_answer(answer: httpx.Response, api: Api) -> None:
    assert answer.headers["content-type"].lower() in KINDS
    assert answer.headers["x-app-version"] == api.world.generation.version
    assert answer.headers["x-minimum-client-version"] == "5.0.16"
    if "json" in answer.headers["content-type"]:
        body = json.loads(answer.text)
        assert answer.status_code < 400 or body == "Invalid event" or isinstance(body["message"], str)


def check_database(before: Contents, after: Contents, answer: httpx.Response, done: Operation | None, api: Api) -> None:
    for query in WHOLE:
        assert api.world.db.execute(query).fetchall() == [], query
    if answer.status_code >= 300 or done is None or done.verb == "GET":
        assert after == before
    grown = len(after["clients"]) - len(before["clients"])
    assert grown == (GROWTH.get(done.name, 0) if done and answer.status_code == 200 else 0)


def check_end(api: Api) -> None:
    """Whatever was stored can be shown, and lists count what is there."""
    for token, company in ((api.sandbox.token, 1), (api.sandbox.viewer_token, 1), (api.sandbox.other_token, 2)):
        headers = {"X-API-TOKEN": token}
        answer = api.get("/api/v1/clients?per_page=5000&sort=id|asc&include=ledger,group_settings", headers=headers)
        (count,) = api.world.db.execute("SELECT count(*) FROM clients WHERE company_id = ?", (company,)).fetchone()
        assert len(answer.json()["data"]) == answer.json()["meta"]["pagination"]["total"] == count
        for kind in ("group_settings", "webhooks", "documents"):
            assert api.get(f"/api/v1/{kind}", headers=headers).status_code == 200


@pytest.mark.parametrize("behaves_like", GENERATIONS)
@settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)  # fmt: skip
@given(several=st.lists(requests(), min_size=1, max_size=8))
def test_odd_requests_are_answered_as_a_real_server_would(behaves_like, several):
    api = fresh(behaves_like)
    for asked in several:
        before = contents(api)
        answer = send(api, asked)
        done = operation_of(api.world.requests[-1]["method"], asked.path)
        check_answer(answer, api)
        check_database(before, contents(api), answer, done, api)
        if answer.status_code >= 500:
            query = str(answer.request.url.query, "ascii")
            sent = read_input(query, asked.content, asked.kind) | read_files(asked.content, asked.kind)
            assert done is not None
            assert cause_of(done, sent, behaves_like, asked.token), f"no real cause: {asked}"
    check_end(api)


def plain(operation: Operation, api: Api) -> Iterator[httpx.Response]:
    """The operation with nothing odd about it, on the first client and by its owner."""
    path = operation.path.replace("{}", "VolejRejNm", 1).replace("{}", "Wpmbk5ezJn")
    headers = {"X-API-PASSWORD": api.sandbox.password}
    body = {"ids": ["VolejRejNm"], "action": "archive", "client_id": "VolejRejNm"}
    body |= {"start_date": "2026-01-01", "end_date": "2026-12-31"}
    if operation.name != "bulkClients":
        del body["action"]
    yield api.request(operation.verb, f"/api/v1{path}", headers=headers, json=body)


@pytest.mark.parametrize("behaves_like", GENERATIONS)
@pytest.mark.parametrize("operation", DOCUMENTED, ids=lambda operation: operation.name)
def test_every_documented_operation_is_there(behaves_like, operation):
    api = fresh(behaves_like)
    for answer in plain(operation, api):
        assert answer.status_code == 200, answer.text
        assert "html" not in answer.headers["content-type"]
