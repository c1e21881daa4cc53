"""The main job on real input: answers recorded from a running Invoice Ninja 5.10.42, served again to the real code.

The recorder asked by id; here the same bodies, record for record, are served in the order that is asked for.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from flows.configuration.values import Settings, Source
from flows.pull.job import Job
from flows.pull.pull import pull
from flows.session.clock import Clock
from tests.flows.pull.test_pull import contact_truth, truth
from warehouse.engine.duckdb import open_warehouse

RECORDINGS = Path(__file__).parents[2] / "recordings"
URL = "https://ninja.test"
RECORDED = datetime(2026, 11, 22, 8, 41, 45, tzinfo=UTC)
"""By the server's clock, and in these tests by ours."""


def bodies(name):
    exchanges = json.loads((RECORDINGS / f"{name}.json").read_text())["exchanges"]
    return [e["response"]["body"] for e in exchanges]


def records(name):
    """The recorded records by id: (decoded, their text as it came)."""
    found = {}
    for body in bodies(name):
        decoder, place = json.JSONDecoder(parse_float=Decimal), body.index("[") + 1
        while True:
            place += len(body[place:]) - len(body[place:].lstrip(" \n,"))
            if body[place] == "]":
                break
            record, end = decoder.raw_decode(body, place)
            found[record["id"]] = (record, body[place:end])
            place = end
    return found


class Recorded(httpx.BaseTransport):
    """Serves the recorded records as the list would be, and the other recorded answers as they are."""

    def __init__(self):
        self.records = records("clients_full_pull")

    def handle_request(self, request):
        path = request.url.path.removeprefix("/api/v1")
        if path == "/clients":
            text = self.page(dict(request.url.params))
        else:
            text = {
                "/companies/current": lambda: bodies("companies_current")[0],
                "/statics": lambda: bodies("statics")[0],
                "/group_settings": lambda: '{"data":[],"meta":{"pagination":{"total":0,"count":0,"per_page":5000}}}',
            }[path]()
        headers = {
            "Content-Type": "application/json", "Date": format_datetime(RECORDED, usegmt=True),
            "X-APP-VERSION": "5.10.42",
        }  # fmt: skip
        return httpx.Response(200, headers=headers, content=text.encode())

    def page(self, params):
        per_page, direction = int(params["per_page"]), -1 if params["sort"].endswith("desc") else 1
        since = int(params.get("updated_at", 0))
        chosen = [(r, text) for r, text in self.records.values() if r["updated_at"] >= since]
        chosen.sort(key=lambda pair: direction * pair[0]["updated_at"])
        shown = ",".join(text for _, text in chosen[:per_page])
        meta = {"total": len(chosen), "count": len(chosen[:per_page]), "per_page": per_page, "current_page": 1}
        return f'{{"data":[{shown}],"meta":{{"pagination":{json.dumps(meta)}}}}}'


@pytest.fixture
def pulls(tmp_path):
    served = Recorded()
    settings = Settings(
        warehouse=str(tmp_path / "warehouse.duckdb"),
        sources={"main": Source(url=URL, page_size=100, entities=("clients",))},
        publish=False,
    )

    def run():
        with Door(DoorSettings(URL, requests_per_second=10_000), Secret("TOKEN"), transport=served) as door:
            return pull(Job(settings, "main", door, clock=Clock(now=lambda: RECORDED)))

    run.served, run.path = served, tmp_path / "warehouse.duckdb"
    return run


def assert_equal_to_the_recordings(pulls):
    clients = {key: record for key, (record, _) in pulls.served.records.items()}
    columns = (
        "id, name, number, balance, paid_to_date, credit_balance, payment_balance, country_id, currency_id, "
        "private_notes, custom_value1, is_deleted, archived_at, created_at, updated_at"
    )
    with open_warehouse(pulls.path) as warehouse:
        assert {row[0]: row[1:] for row in warehouse.rows(f"select {columns} from ninja.clients")} == truth(clients)
        contacts = warehouse.rows("select id, client_id, first_name, email, is_primary, updated_at from ninja.contacts")
        assert {row[0]: row[1:] for row in contacts} == contact_truth(clients)
        total = sum((Decimal(c["balance"]) for c in clients.values()), Decimal(0))
        assert warehouse.rows("select sum(balance) from ninja.clients") == [(total,)]
        assert warehouse.rows("select count(*) from mart.clients where currency_code is null") == [(0,)]
        countries = "select count(*) from ninja.clients as n join mart.clients as m using (id) "
        assert warehouse.rows(countries + "where n.country_id is not null and m.country is null") == [(0,)]


def test_the_recorded_clients_are_loaded_value_by_value_money_to_the_last_digit(pulls):
    pulled = pulls()
    assert (pulled.run.inserted, pulled.needs_a_look, list(pulled.notes)) == (250, False, [])
    assert_equal_to_the_recordings(pulls)


def test_the_recorded_second_pull_brings_exactly_the_recorded_changes(pulls):
    pulls()
    changed = records("clients_second_pull")
    pulls.served.records |= changed
    pulled = pulls()
    assert pulled.run.updated + pulled.run.touched == len(changed) == 7
    assert {change.id for change in pulled.changes} <= set(changed)
    assert_equal_to_the_recordings(pulls)
