from __future__ import annotations

import asyncio

import httpx

from sandbox.server import create_app


def test_requests_are_logged_without_headers_until_forgotten(api):
    api.get("/api/v1/clients?per_page=1&name=x")
    api.make()
    api.switch(shuffle=False)
    assert api.get("/_sandbox/requests").json() == [
        {"method": "GET", "path": "/api/v1/clients", "query": "per_page=1&name=x"},
        {"method": "POST", "path": "/api/v1/clients", "query": ""},
    ]
    assert api.delete("/_sandbox/requests").status_code == 200
    assert api.get("/_sandbox/requests").json() == []


def test_clients_can_be_added(busy):
    before = busy.get("/api/v1/clients?per_page=1").json()["meta"]["pagination"]["total"]
    ids = busy.post("/_sandbox/clients", json={"count": 30, "seed": 9}).json()["ids"]
    newest = busy.rows(sort="id|desc", per_page=30)
    assert [row["id"] for row in newest] == ids[::-1]
    assert {row["updated_at"] for row in newest} == {1_790_000_000}
    assert busy.get("/api/v1/clients?per_page=1").json()["meta"]["pagination"]["total"] == before + 30


def test_stamps_to_the_microsecond(api):
    client = api.make()
    api.post(f"/_sandbox/clients/{client['id']}/stamp", json={"updated_at": 1700000000.123456})
    assert api.world.db.execute("SELECT updated_at FROM clients").fetchone() == (1_700_000_000_123_456,)


def test_unknown_ids_and_missing_keys_are_told(api):
    assert api.post("/_sandbox/clients/zzzzzzzzzz/stamp", json={"updated_at": 1}).status_code == 400
    assert api.post(f"/_sandbox/clients/{api.make()['id']}/stamp", json={}).status_code == 400
    assert api.post("/_sandbox/throttle", content=b"[").status_code == 400


def test_planted_pairs_are_listed_and_shown(busy):
    pairs = busy.get("/_sandbox/planted").json()
    assert {pair["kind"] for pair in pairs} == {
        "typo", "legal_form", "swapped_contact", "same_vat_number", "plain_spelling", "same_email",
    }  # fmt: skip
    for pair in pairs:
        assert len(busy.rows(client_id=pair["id"])) == len(busy.rows(client_id=pair["duplicate_id"])) == 1


def test_peers_elsewhere_see_no_control_routes():
    app = create_app()

    async def ask() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app, client=("203.0.113.9", 4711))
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as far:
            return await far.get("/_sandbox/switches"), await far.post("/_sandbox/forget_passwords")

    page, refused = asyncio.run(ask())
    app.state.world.db.close()
    assert page.headers["content-type"].startswith("text/html")
    assert refused.status_code in {404, 405}


def test_a_limit_per_minute_ends_with_the_minute(api):
    api.post("/_sandbox/throttle", json={"per_minute": 1})
    assert [api.get("/api/v1/ping").status_code for _ in range(2)] == [200, 429]
    api.switch(clock={"advance": 61})
    assert api.get("/api/v1/ping").headers["x-ratelimit-remaining"] == "0"
