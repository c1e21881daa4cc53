"""The verbs for reading, through the real door."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from connector.api.verbs import all_groups, current_company, lister, ping, statics
from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from connector.scan.pages import PAGE_CAP, Malformed
from connector.scan.scan import first_look, read
from connector.scan.state import Scan, key
from schemas.entities import CLIENTS, GROUPS, LOOKUPS
from schemas.errors import NetworkFailed, NotAuthorised, ServerUnavailable, UnexpectedShape, Unreadable

RECORDINGS = Path(__file__).parents[2] / "recordings"
HEADERS = {"content-type": "application/json", "date": "Tue, 03 Nov 2026 10:00:00 GMT", "x-app-version": "5.10.42"}


def recorded(name):
    (exchange, *_) = json.loads((RECORDINGS / f"{name}.json").read_text())["exchanges"]
    return exchange["response"]


def page(records, per_page=20, total=None):
    pagination = {"total": len(records) if total is None else total, "count": len(records), "per_page": per_page}
    return json.dumps({"data": records, "meta": {"pagination": pagination}})


class Wire:
    """Answers that were prepared, one after the other and the last one for ever; and what was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(body):
            body = body(request)
        if isinstance(body, httpx.Response):
            return body
        return httpx.Response(200, headers=HEADERS, content=body)

    @property
    def door(self) -> Door:
        settings = DoorSettings("https://ninja.test", requests_per_second=1e6)
        transport = httpx.MockTransport(self)
        return Door(settings, Secret("canary-token"), transport=transport, sleep=lambda _: None, random=lambda: 0.5)

    @property
    def queries(self):
        return [dict(request.url.params) for request in self.asked]


def answer(status, body, **headers):
    return lambda _: httpx.Response(status, headers={**HEADERS, **headers}, content=body)


# pages


def test_a_lister_asks_for_one_page_of_its_entity_and_reads_it():
    body = recorded("clients_full_pull")["body"]
    wire = Wire(body)
    got = lister(wire.door, CLIENTS)({"sort": "updated_at|asc", "per_page": 100, "updated_at": 1750000000})
    assert got.records == json.loads(body, parse_float=Decimal)["data"]
    assert (got.total, got.per_page, got.version) == (250, 100, "5.10.42")
    assert got.date.isoformat() == "2026-11-03T10:00:00+00:00"
    (request,) = wire.asked
    assert (request.method, request.url.path) == ("GET", "/api/v1/clients")
    assert wire.queries == [{"sort": "updated_at|asc", "per_page": "100", "updated_at": "1750000000"}]


def test_an_empty_200_is_unreadable_and_not_asked_for_again():
    wire = Wire("")
    with pytest.raises(Unreadable):
        lister(wire.door, CLIENTS)({})
    assert len(wire.asked) == 1


@pytest.mark.parametrize("body", ['{"message":"x"}', "[]", '{"data":[]}'])
def test_json_of_another_shape_is_an_error_with_a_name(body):
    with pytest.raises(UnexpectedShape):
        lister(Wire(body).door, CLIENTS)({})


def test_html_with_200_is_an_error_with_a_name():
    response = recorded("html_200_unknown_get")
    wire = Wire(answer(200, response["body"], **{"content-type": response["headers"]["Content-Type"]}))
    with pytest.raises(UnexpectedShape, match="HTML"):
        lister(wire.door, CLIENTS)({})


def test_an_answer_without_a_date_is_refused():
    wire = Wire(lambda _: httpx.Response(200, headers={"content-type": "application/json"}, content=page([])))
    with pytest.raises(UnexpectedShape, match="Date"):
        lister(wire.door, CLIENTS)({})


def test_one_record_with_bad_utf_8_does_not_take_its_page_along():
    wire = Wire(page([{"id": "aB1", "name": "X"}, {"id": "cD2"}]).encode().replace(b'"X"', b'"\xff"'))
    assert lister(wire.door, CLIENTS)({}).records == [Malformed("aB1"), {"id": "cD2"}]


def test_an_unknown_token_is_not_authorised():
    response = recorded("error_403_token")
    with pytest.raises(NotAuthorised):
        lister(Wire(answer(response["status"], response["body"])).door, CLIENTS)({})


@pytest.mark.parametrize(
    ("poisoned", "status"),
    [(lambda: httpx.Response(200, headers=HEADERS, content=""), None),
     (lambda: httpx.Response(500, headers=HEADERS, content='{"message":"Server Error"}'), 500),
     (lambda: httpx.Response(200, headers=HEADERS, content=page([]).replace("[]", '[{"id":"\\ud800"}]')), 200)],
    ids=["an empty 200", "a 500", "a lone surrogate"],
)  # fmt: skip
def test_a_poison_row_is_narrowed_down_through_the_door(poisoned, status):
    rows = [{"id": f"c{n:02d}", "updated_at": 1750000000 + n, "client_hash": "x"} for n in range(20)]

    def serve(request):
        params = request.url.params
        per_page, number = int(params["per_page"]), int(params.get("page", 1))
        found = [r for r in rows if r["updated_at"] >= int(params.get("updated_at", 0))]
        if params["sort"].endswith("desc"):
            found.reverse()
        shown = found[(number - 1) * per_page : number * per_page]
        if rows[11] in shown and "filter_details" not in params:
            return poisoned()
        return httpx.Response(200, headers=HEADERS, content=page(shown, per_page, len(found)))

    ask = lister(Wire(serve).door, CLIENTS)
    scan = Scan(ask, first_look(ask), page_size=8)
    came = {key(r) for records in read(scan, None) for r in records}
    assert came == {r["id"] for r in rows} - {"c11"}
    assert scan.poison == ["c11"]


def test_a_server_that_only_says_500_is_unavailable():
    wire = Wire(answer(500, '{"message":"Server Error"}'))
    with pytest.raises(ServerUnavailable):
        first_look(lister(wire.door, CLIENTS))


def test_json_that_breaks_off_is_never_a_shorter_page():
    wire = Wire(page([{"id": "aB1"}])[:-9])
    with pytest.raises(NetworkFailed):
        lister(wire.door, CLIENTS)({})


# the company


def test_the_company_is_the_tokens_own():
    wire = Wire(recorded("companies_current")["body"])
    company = current_company(wire.door)
    record = json.loads(recorded("companies_current")["body"])["data"]
    assert (company.id, company.name) == (record["id"], record["settings"]["name"])
    assert company.record["custom_fields"] == record["custom_fields"]
    (request,) = wire.asked
    assert (request.method, request.url.path) == ("POST", "/api/v1/companies/current")


def test_the_fingerprint_is_of_the_company_key_and_does_not_show_it():
    body = recorded("companies_current")["body"]
    secret = json.loads(body)["data"]["company_key"]
    fingerprint = current_company(Wire(body).door).fingerprint
    assert fingerprint == hashlib.sha256(secret.encode()).hexdigest()[:32]
    assert current_company(Wire(body.replace(secret, "another")).door).fingerprint != fingerprint


def test_asking_for_the_company_is_repeated_after_a_failure():
    down, wire_body = answer(503, '{"message":"x"}'), recorded("companies_current")["body"]
    wire = Wire(down, wire_body)
    assert current_company(wire.door).id
    assert len(wire.asked) == 2


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        [{"id": "a"}],
        {},
        {"id": "a", "company_key": "k"},
        {"id": "a", "settings": {}},
        {"company_key": "k", "settings": {}},
        {"id": 1, "company_key": "k", "settings": {}},
        {"id": "", "company_key": "k", "settings": {}},
        {"id": "a", "company_key": None, "settings": {}},
        {"id": "a", "company_key": "", "settings": {}},
        {"id": "a", "company_key": "k", "settings": []},
    ],
)
def test_a_company_of_another_shape_is_refused(data):
    with pytest.raises(UnexpectedShape):
        current_company(Wire(json.dumps({"data": data})).door)


def test_a_company_without_a_name_is_still_one():
    body = json.dumps({"data": {"id": "a", "company_key": "k", "settings": {"name": None}}})
    assert current_company(Wire(body).door).name == ""


# groups, lists, ping


def test_all_groups_are_read_page_by_page_by_id():
    groups = [{"id": f"g{n}"} for n in range(7)]

    def serve(request):
        number = int(request.url.params["page"])
        return httpx.Response(200, headers=HEADERS, content=page(groups[(number - 1) * 3 : number * 3], 3, total=0))

    wire = Wire(serve)
    assert all_groups(wire.door, GROUPS) == groups
    assert {request.url.path for request in wire.asked} == {"/api/v1/group_settings"}
    assert wire.queries == [{"sort": "id|asc", "per_page": str(PAGE_CAP), "page": str(n)} for n in (1, 2, 3)]


def test_no_groups_are_one_request():
    wire = Wire(page([], PAGE_CAP))
    assert all_groups(wire.door, GROUPS) == []
    assert len(wire.asked) == 1


NAMES = [lookup.name for lookup in LOOKUPS]


def test_statics_are_the_servers_lists():
    body = recorded("statics")["body"]
    wire = Wire(answer(200, body, **{"content-type": "application/json; charset=utf-8"}))
    found = statics(wire.door, NAMES)
    assert set(found) == set(NAMES)
    assert found["countries"] == json.loads(body, parse_float=Decimal)["countries"]
    assert wire.asked[0].url.path == "/api/v1/statics"


@pytest.mark.parametrize("rows", [None, [], {}, "text"])
def test_a_missing_list_is_an_error_and_not_an_empty_one(rows):
    lists = {name: [{"id": "1"}] for name in NAMES} | {"currencies": rows}
    with pytest.raises(UnexpectedShape, match="currencies"):
        statics(Wire(json.dumps(lists)).door, NAMES)


def test_a_list_with_gaps_in_its_keys_comes_as_an_object():
    lists = {name: {"1": {"id": "1"}, "3": {"id": "3"}} for name in NAMES}
    assert statics(Wire(json.dumps(lists)).door, NAMES)["sizes"] == [{"id": "1"}, {"id": "3"}]


def test_ping_names_company_and_user():
    wire = Wire(recorded("ping")["body"])
    assert ping(wire.door) == ("Company B", "Admin User")
    assert wire.asked[0].url.path == "/api/v1/ping"


@pytest.mark.parametrize("verb", [lambda door: statics(door, NAMES), ping, current_company])
@pytest.mark.parametrize("body", ["[]", '"text"', "5", "null", ""])
def test_an_answer_that_is_no_object_is_an_error_with_a_name(verb, body):
    with pytest.raises(UnexpectedShape):
        verb(Wire(body).door)
