"""Over real sockets: starting, stopping, and connections that break."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading

import httpx
import pytest

from sandbox.server import running

PING = "/api/v1/ping"


def _client(sandbox) -> httpx.Client:
    return httpx.Client(base_url=sandbox.url, headers={"X-API-TOKEN": sandbox.token}, timeout=60)


@pytest.fixture(scope="module")
def sandbox():
    with running(clients=5, seed=2) as started:
        yield started


@pytest.fixture
def http(sandbox):
    with _client(sandbox) as client:
        yield client
        client.post("/_sandbox/switches", json={"faults": []})


def _fault(http, **rule) -> None:
    assert http.post("/_sandbox/switches", json={"faults": [rule]}).status_code == 200


def test_keys_look_like_real_ones(sandbox):
    keys = {sandbox.token, sandbox.viewer_token, sandbox.other_token}
    assert {len(key) for key in keys} == {64}
    assert len(keys) == 3


def test_answers_carry_the_versions_and_no_server_name(http):
    answer = http.get(PING)
    assert answer.headers["x-app-version"] == "5.10.42"
    assert answer.headers["x-minimum-client-version"] == "5.0.16"
    assert answer.headers["cache-control"] == "no-cache, private"
    assert "server" not in answer.headers
    assert len(answer.headers.get_list("date")) == 1


def test_links_name_the_address_that_was_asked(http, sandbox):
    row = http.get("/api/v1/clients?per_page=1").json()
    assert row["data"][0]["contacts"][0]["link"].startswith(sandbox.url + "/client/key_login/")
    assert row["meta"]["pagination"]["links"]["next"] == sandbox.url + "/api/v1/clients?page=2"


def test_reset_breaks_before_a_word_is_said(http):
    _fault(http, do="reset")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        http.get(PING)
    assert http.get(PING).status_code == 200


def test_reset_in_the_middle_comes_after_the_work_is_done(http):
    before = http.get("/api/v1/clients").json()["meta"]["pagination"]["total"]
    _fault(http, on="POST /clients", do="reset", after_bytes=20)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        http.post("/api/v1/clients", json={"name": "made, but nobody was told"})
    assert http.get("/api/v1/clients").json()["meta"]["pagination"]["total"] == before + 1


def test_hang_says_nothing(http):
    _fault(http, do="hang")
    with pytest.raises(httpx.ReadTimeout):
        http.get(PING, timeout=0.3)
    assert http.get(PING).status_code == 200


def test_hang_ends_when_told(http):
    _fault(http, do="hang", seconds=0.1)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        http.get(PING)


def test_hang_in_the_middle(http):
    _fault(http, do="hang", after_bytes=5)
    with pytest.raises(httpx.ReadTimeout):
        http.get(PING, timeout=0.3)


def test_drip_is_whole_in_the_end(http):
    _fault(http, do="drip", seconds=0.001)
    with http.stream("GET", PING) as answer:
        pieces = list(answer.iter_raw())
    assert len(pieces) > 1
    assert "company_name" in json.loads(b"".join(pieces))


def test_head_has_no_body(http):
    answer = http.head("/api/v1/clients")
    assert (answer.status_code, answer.content) == (200, b"")


def test_another_verb_may_stand_in_the_query_or_a_header(http):
    client = http.post("/api/v1/clients", json={"name": "x"}).json()["data"]
    path = f"/api/v1/clients/{client['id']}"
    assert http.post(path + "?_method=PUT", json={"name": "y"}).json()["data"]["name"] == "y"
    assert http.post(path, data={"_method": "PUT", "name": "z"}).json()["data"]["name"] == "z"
    assert http.post(path, headers={"X-HTTP-Method-Override": "DELETE"}).json()["data"]["is_deleted"] is True


def test_nothing_is_left_running_even_if_a_request_hangs():
    before = threading.active_count()
    with running() as sandbox, _client(sandbox) as http:
        _fault(http, do="hang")
        with pytest.raises(httpx.ReadTimeout):
            http.get(PING, timeout=0.1)
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(sandbox.url)


def test_a_database_file_is_kept_and_its_keys_with_it(tmp_path):
    file = tmp_path / "ninja.sqlite"
    with running(clients=3, seed=1, database=file) as first, _client(first) as http:
        made = http.post("/api/v1/clients", json={"name": "kept"}).json()["data"]
    with running(clients=3, seed=1, database=file) as second, _client(second) as http:
        assert http.get(f"/api/v1/clients/{made['id']}").json()["data"]["name"] == "kept"
        assert http.get("/api/v1/clients").json()["meta"]["pagination"]["total"] == 4
    assert (first.token, first.password) == (second.token, second.password)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_module_serves_until_it_is_told_to_stop(number):
    command = [sys.executable, "-m", "sandbox", "--clients", "2", "--seed", "8", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        known = json.loads(program.stdout.readline())
        answer = httpx.get(known["url"] + PING, headers={"X-API-TOKEN": known["token"]}, timeout=60)
        program.send_signal(number)
        rest, errors = program.communicate(timeout=120)
    assert answer.status_code == 200
    assert (program.returncode, rest, errors) == (0, "", "")
    assert set(known) == {"url", "token", "viewer_token", "none_token", "other_token", "password"}
