from __future__ import annotations

import json

import pytest

PING = "/api/v1/ping"


def test_a_rule_strikes_once_unless_told(api):
    api.switch(faults=[{"do": "status", "status": 503, "headers": {"Retry-After": "7"}}])
    first, second = api.get(PING), api.get(PING)
    assert (first.status_code, first.headers["retry-after"], second.status_code) == (503, "7", 200)
    assert api.get("/_sandbox/switches").json()["faults"][0]["struck"] == 1


def test_the_nth_request_on_a_path(api):
    api.switch(faults=[{"on": "GET /clients", "nth": 2, "times": 2, "do": "status"}])
    assert api.get(PING).status_code == 200
    assert [api.get("/api/v1/clients").status_code for _ in range(4)] == [200, 500, 500, 200]


def test_every_request_so_many_times(api):
    api.switch(faults=[{"on": "* /p*", "every": True, "times": 3, "do": "status"}])
    assert [api.get(PING).status_code for _ in range(5)] == [500, 500, 500, 200, 200]
    api.switch(faults=[{"every": True, "do": "status"}])
    assert {api.get(PING).status_code for _ in range(5)} == {500}


def test_only_large_pages(api):
    api.switch(faults=[{"on": "GET /clients", "every": True, "above_per_page": 50, "do": "status"}])
    found = [api.get(f"/api/v1/clients?per_page={rows}").status_code for rows in (50, 51, 20)]
    assert found == [200, 500, 200]


def test_rules_are_applied_in_order(api):
    api.switch(faults=[{"do": "status", "status": 502}, {"do": "status", "status": 504}])
    assert [api.get(PING).status_code for _ in range(3)] == [502, 504, 200]


def test_html_and_empty(api):
    api.switch(faults=[{"do": "html", "status": 200}, {"do": "empty"}])
    page, nothing = api.get(PING), api.get(PING)
    assert page.headers["content-type"].startswith("text/html")
    assert (nothing.status_code, nothing.content) == (200, b"")


def test_redirect(api):
    api.switch(faults=[{"do": "redirect", "to": "https://elsewhere.example"}])
    answer = api.get(PING)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://elsewhere.example")


def test_truncated_json_is_whole_on_the_wire(api):
    api.switch(faults=[{"do": "truncate"}])
    answer = api.get("/api/v1/clients")
    assert int(answer.headers["content-length"]) == len(answer.content)
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_no_data(api):
    api.switch(faults=[{"do": "no_data"}])
    assert list(api.get("/api/v1/clients").json()) == ["meta"]


def test_refused_requests_change_nothing(api):
    api.switch(faults=[{"on": "POST /clients", "do": "status"}])
    assert api.post("/api/v1/clients", json={}).status_code == 500
    assert api.rows() == []


def test_without_a_socket_a_broken_connection_is_an_exception(api):
    api.switch(faults=[{"do": "reset"}])
    with pytest.raises(ConnectionResetError):
        api.get(PING)


def test_control_routes_are_never_struck(api):
    api.switch(faults=[{"every": True, "do": "status"}])
    assert api.get("/_sandbox/switches").status_code == 200
