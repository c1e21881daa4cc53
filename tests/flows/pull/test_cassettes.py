"""A pull recorded with vcrpy and played again without a server; a cassette of ours holds no secret."""

from __future__ import annotations

import json
import urllib.request

from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from flows.configuration.values import Settings, Source
from flows.pull.job import Job
from flows.pull.pull import pull
from sandbox.server import running
from tests.canaries import leaks, secrets_in
from tests.cassette import recorder
from tests.scrubbing import HOST, Known
from warehouse.engine.duckdb import open_warehouse

RUN_MARKS = {"clients": "run_id, valid_from, observed_at, observed_run_id", "contacts": "run_id"}
"""What differs between two pulls of the same records."""


def pulled(url, token, folder):
    settings = Settings(
        warehouse=str(folder / "warehouse.duckdb"),
        sources={"main": Source(url=url, page_size=20, entities=("clients",))},
        publish=False,
    )
    with Door(DoorSettings(url, requests_per_second=10_000), Secret(token)) as door:
        run = pull(Job(settings, "main", door)).run
    with open_warehouse(folder / "warehouse.duckdb") as warehouse:
        rows = [
            warehouse.rows(f"select * exclude ({mark}) from ninja.{t} order by id") for t, mark in RUN_MARKS.items()
        ]
    return run, rows


def secrets_of(box):
    """The keys and hashes of the clients, from the server itself."""
    headers = {"X-API-TOKEN": box.token, "X-Requested-With": "XMLHttpRequest"}
    request = urllib.request.Request(f"{box.url}/api/v1/clients?per_page=50", headers=headers)  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
        return secrets_in(json.loads(answer.read()))


def test_a_recorded_pull_plays_again_without_its_server_and_its_cassette_holds_no_secret(tmp_path):
    cassette = tmp_path / "pull.yaml"
    with running(clients=50, seed=8) as box:
        host = box.url.removeprefix("http://")
        known = Known((box.token, box.password, box.other_token), ((host, HOST),))
        with recorder(known).use_cassette(str(cassette), record_mode="once"):
            pulled(box.url, box.token, tmp_path / "recorded")
        run, rows = pulled(box.url, box.token, tmp_path / "live")
        secrets = {*known.secrets, host, *secrets_of(box)}
    with recorder().use_cassette(str(cassette), record_mode="none"):
        again, same = pulled(f"https://{HOST}", "another-token", tmp_path / "played")
    assert (again.inserted, again.requests) == (run.inserted, run.requests) == (50, run.requests)
    assert same == rows
    assert len(secrets) > 150
    content = cassette.read_bytes()
    assert leaks(secrets, iter([("cassette", content)])) == []
    assert b"display_name" in content  # the control: the records themselves are there
