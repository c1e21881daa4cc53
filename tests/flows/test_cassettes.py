"""A pull recorded with vcrpy and played again without a server; a cassette of ours holds no secret."""

from __future__ import annotations

import msgspec
import pytest
import vcr

from connector.door import Door, DoorSettings
from connector.secret import Secret
from flows.job import Job
from flows.pull import pull
from flows.settings import Settings, Source
from sandbox.server import running
from schemas.entities import CLIENTS
from schemas.scrub import scrubbed, searched
from tests.canaries import leaks
from warehouse.duckdb_engine import open_warehouse


def without_credentials(request):
    """Scrubs before a request is written: `filter_headers` alone was not honoured everywhere (vcrpy #961)."""
    request.headers = {"Accept": "application/json"}
    return request


def without_secrets(response):
    """Scrubs a recorded answer: whoever has a contact's link is logged in."""
    body = msgspec.json.decode(response["body"]["string"])
    if isinstance(body, dict) and isinstance(body.get("data"), list):
        body["data"] = [scrubbed(CLIENTS, record) for record in body["data"]]
    elif isinstance(body, dict) and isinstance(body.get("data"), dict):
        company = body["data"]
        body["data"] = {**searched(company), "company_key": "a key that was taken out"}
    response["body"]["string"] = msgspec.json.encode(body)
    response["headers"].pop("content-length", None)
    return response


RUN_MARKS = {"clients": "run_id, valid_from, observed_at, observed_run_id", "contacts": "run_id"}
"""What differs between two pulls of the same records."""


@pytest.fixture
def recorder():
    return vcr.VCR(
        before_record_request=without_credentials, before_record_response=without_secrets, match_on=["method", "uri"]
    )


def pulled(url, token, folder):
    settings = Settings(
        warehouse=str(folder / "warehouse.duckdb"), sources={"main": Source(url=url, page_size=20)}, publish=False
    )
    with Door(DoorSettings(url, requests_per_second=10_000), Secret(token)) as door:
        run = pull(Job(settings, "main", door)).run
    with open_warehouse(folder / "warehouse.duckdb") as warehouse:
        rows = [
            warehouse.rows(f"select * exclude ({mark}) from ninja.{t} order by id") for t, mark in RUN_MARKS.items()
        ]
    return run, rows


def test_a_recorded_pull_plays_again_without_its_server_and_its_cassette_holds_no_secret(tmp_path, recorder):
    cassette = tmp_path / "pull.yaml"
    with running(clients=50, seed=8) as box:
        with recorder.use_cassette(str(cassette), record_mode="once"):
            pulled(box.url, box.token, tmp_path / "recorded")
        run, rows = pulled(box.url, box.token, tmp_path / "live")
    with recorder.use_cassette(str(cassette), record_mode="none"):
        again, same = pulled(box.url, "another-token", tmp_path / "played")
    assert (again.inserted, again.requests) == (run.inserted, run.requests) == (50, run.requests)
    assert same == rows
    content = cassette.read_bytes()
    secrets = {box.token, box.password, box.other_token}
    assert leaks(secrets, iter([("cassette", content)])) == []
    for word in (b"key_login", b"contact_key", b"client_hash", b"gateway_customer_reference", b"X-API-TOKEN"):
        assert word.lower() not in content.lower()
    assert b"display_name" in content  # the control: the records themselves are there
