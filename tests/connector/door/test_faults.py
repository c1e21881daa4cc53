"""The transport faults F01–F22: each one ends in a good answer or in an error with a name, never in less data."""

from __future__ import annotations

import gc
import gzip
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from schemas.errors import (
    ApiError,
    Invalid,
    NetworkFailed,
    NotAuthorised,
    NotFound,
    PasswordRequired,
    RateLimited,
    Rejected,
    ServerUnavailable,
    UnexpectedShape,
)
from tests.connector.door.faulty_server import (
    PAGE,
    FaultyServer,
    answer,
    answer_then_hang_up,
    bomb,
    cut_chunks,
    drip_headers,
    error,
    garbage,
    gzipped,
    hang_up,
    huge_headers,
    reset,
    reset_in_the_body,
    short_body,
    silence,
    slow_body,
)

TOKEN = "canary-token-7Qx"


def door(url, **settings):
    """A door that never really waits."""
    quick = {"requests_per_second": 1000.0, "connect_timeout": 5.0, "read_timeout": 5.0}
    return Door(DoorSettings(url, **{**quick, **settings}), Secret(TOKEN), sleep=lambda _: None, random=lambda: 0.5)


@pytest.fixture
def free_port():
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def test_a_good_answer_carries_body_date_and_version():
    with FaultyServer(answer(headers=[("X-APP-VERSION", "5.10.42")])) as server, door(server.url) as it:
        got = it.get("/clients", {"sort": "updated_at|asc", "per_page": 5})
        request = server.requests[0].decode().lower()
    assert (got.status, got.body, got.version, got.empty) == (200, PAGE, "5.10.42", False)
    assert got.date.isoformat() == "2026-11-03T10:00:00+00:00"
    assert request.startswith("get /api/v1/clients?sort=updated_at%7casc&per_page=5 http/1.1\r\n")
    for line in (
        f"x-api-token: {TOKEN.lower()}",
        "x-requested-with: xmlhttprequest",
        "accept: application/json",
        "user-agent: ninja-sync/",
        "accept-encoding: gzip\r",
    ):
        assert line in request
    assert "cookie" not in request


@pytest.mark.parametrize(
    "fault",
    [
        reset,
        reset_in_the_body,
        short_body,
        cut_chunks,
        hang_up,
        garbage,
        huge_headers,
        answer(PAGE[:-9]),  # F04: truncated JSON with a fitting length
        answer(PAGE[:1]),
        answer(PAGE + b"<b>Warning</b>"),
        gzipped(PAGE),
        gzipped(gzip.compress(PAGE)[:-12]),
        gzipped(gzip.compress(PAGE)[:-4]),  # all of the JSON, not all of the stream
        gzipped(gzip.compress(PAGE) + b"more"),
        error(500, "Server Error"),
        error(502, "x"),
        error(504, "x"),
        answer(b"<h1>Be right back</h1>", status=503, media="text/html"),
        error(429, "Too many requests"),
    ],
)
def test_a_passing_fault_is_survived(fault):
    with FaultyServer(fault, answer()) as server, door(server.url) as it:
        assert it.get("/clients").body == PAGE
    assert it.requests == len(server.requests) == 2


@pytest.mark.parametrize(
    ("fault", "kind", "tries"),
    [
        (reset, NetworkFailed, 4),
        (short_body, NetworkFailed, 4),
        (huge_headers, NetworkFailed, 4),
        (gzipped(PAGE), NetworkFailed, 4),
        (answer(PAGE[:-9]), NetworkFailed, 3),
        (error(500, "Server Error"), ServerUnavailable, 3),
        (error(503, "Service Unavailable"), ServerUnavailable, 4),
        (answer(b"<h1>Gone</h1>", status=520, media="text/html"), ServerUnavailable, 4),
        (error(429, "Too many requests"), RateLimited, 4),
    ],
)
def test_a_lasting_fault_ends_with_its_name(fault, kind, tries):
    with (
        FaultyServer(fault) as server,
        door(server.url, attempts=4) as it,
        pytest.raises(kind, match=f"Tried {tries} times"),
    ):
        it.get("/clients")
    assert it.requests == len(server.requests) == tries


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (answer(b"<html>Log in</html>", media="text/html"), UnexpectedShape, "HTML instead of JSON: is NINJA_SYNC_URL"),
        (answer(b"hello", media="text/plain; charset=utf-8"), UnexpectedShape, "text/plain instead of JSON"),
        (answer(b"{}", media=""), UnexpectedShape, "something unnamed instead of JSON"),
        (answer(PAGE, headers=[("Content-Encoding", "br")]), UnexpectedShape, "encoded its answer as br"),
        (gzipped(bomb(30)), UnexpectedShape, "larger than max_body_bytes"),
        (answer(b'"' + b"x" * 2_000_000 + b'"'), UnexpectedShape, "larger than max_body_bytes"),
        (error(400, "No query results for model [App\\\\Models\\\\Client]."), NotFound, "no such record.*Client"),
        (error(400, "Record with value 7 not found"), NotFound, "no such record"),
        (error(400, "Relation `x` is not a valid include."), Invalid, "not a valid include"),
        (error(401, "This action is unauthorized."), NotAuthorised, "may not do this"),
        (error(403, "Invalid token"), NotAuthorised, "not accepted: Invalid token"),
        (error(404, "Method not supported for this route"), NotFound, "is the url right"),
        (error(412, "Invalid Password"), PasswordRequired, "password of the token's user"),
        (error(418, "Teapot"), ApiError, "418: Teapot"),
        (answer(b"<h1>Blocked</h1>", status=403, media="text/html"), Rejected, "in front of the server.* 403"),
        (answer(b"nginx", status=404, media="text/html"), NotFound, "in front of the server.* 404"),
        (
            error(429, "Too", [("Retry-After", 36000)]),
            RateLimited,
            "36000 s .until 2026-11-03 20:00:00 UTC.: start again",
        ),
        (error(503, "Down", [("Retry-After", 600)]), ServerUnavailable, "600 s"),
    ],
)
def test_what_will_not_change_is_asked_once(fault, kind, words):
    with (
        FaultyServer(fault) as server,
        door(server.url, max_body_bytes=1_000_000) as it,
        pytest.raises(kind, match=words) as caught,
    ):
        it.get("/clients")
    assert len(server.requests) == 1
    assert type(caught.value) is kind


def test_an_invalid_request_names_the_fields_and_not_their_values():
    body = b'{"message":"The given data was invalid.","errors":{"name":["ann@private.example"],"contacts.0.email":[]}}'
    with (
        FaultyServer(answer(body, status=422)) as server,
        door(server.url) as it,
        pytest.raises(Invalid, match=r"given data was invalid. Fields: name, contacts.0.email\.$") as caught,
    ):
        it.post("/clients", {"name": "x"}, repeatable=True)
    assert caught.value.status == 422
    assert "private" not in str(caught.value)


def test_a_debug_servers_words_are_not_quoted():
    body = b'{"message":"SQLSTATE: Duplicate entry \'ann@private.example\'","exception":"QueryException","trace":[]}'
    with (
        FaultyServer(answer(body, status=500)) as server,
        door(server.url) as it,
        pytest.raises(ServerUnavailable) as caught,
    ):
        it.get("/clients")
    assert "private" not in str(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"[1]", b'{"message":{"a":1}}', b'{"message":null}', b"[" * 100_000, b"\xff"]
)
def test_an_error_without_words_is_still_named(body):
    with (
        FaultyServer(answer(body, status=403)) as server,
        door(server.url) as it,
        pytest.raises(NotAuthorised, match=r"^The token is not accepted$"),
    ):
        it.get("/clients")


def test_foreign_words_are_short_harmless_and_hold_no_token():
    message = "\\u001b[31mred\\u0007 \\u202e \\r\\nNext: " + "y" * 150 + TOKEN + "z" * 500
    with FaultyServer(error(400, message)) as server, door(server.url) as it, pytest.raises(Invalid) as caught:
        it.get("/clients")
    text = str(caught.value)
    assert text.isprintable()
    assert TOKEN[:8] not in text
    assert "***" in text
    assert len(text) < 260


def test_an_empty_200_is_an_answer_that_says_it_is_empty():
    with FaultyServer(answer(b"")) as server, door(server.url) as it:
        got = it.get("/clients")
    assert got.empty
    with pytest.raises(UnexpectedShape):
        got.json()


def test_gzip_is_read_and_a_small_bomb_within_the_limit_is_only_large():
    with FaultyServer(gzipped(gzip.compress(PAGE)), gzipped(bomb(2))) as server, door(server.url) as it:
        assert it.get("/clients").body == PAGE
        assert len(it.get("/clients").body) == 2 * 1024 * 1024 + 2


@pytest.mark.parametrize("fault", [silence, drip_headers, slow_body])
def test_a_server_that_never_ends_is_left_at_the_deadline(fault):
    with FaultyServer(fault, answer()) as server:
        with door(server.url, request_deadline=0.3) as it:
            assert it.get("/clients").body == PAGE
        server.script[:] = [silence]
        with door(server.url, read_timeout=0.2) as it, pytest.raises(NetworkFailed):
            it.get("/clients")
    assert len(server.requests) > 2


def test_nobody_listening_is_tried_again_and_then_named(free_port):
    with (
        door(f"http://127.0.0.1:{free_port}", attempts=3) as it,
        pytest.raises(NetworkFailed, match=r"No connection to the server.*Tried 3 times"),
    ):
        it.get("/clients")


def test_an_unknown_name_is_no_connection():
    with door("https://no-such-host.invalid", attempts=1) as it, pytest.raises(NetworkFailed, match="No connection"):
        it.get("/clients")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("form", ["{}/api/v1/clients", "{}/elsewhere?a=b", "//127.0.0.1:{port}/x"])
def test_a_redirect_is_not_followed_and_names_only_the_host(status, form):
    with FaultyServer(answer()) as decoy:
        place = form.format(decoy.url, port=decoy.port).replace("http://", "http://ann:canary@")
        with FaultyServer(answer(b"", status=status, headers=[("Location", place)])) as server, door(server.url) as it:
            with pytest.raises(Rejected, match=r"the host 127.0.0.1. Redirects are not followed.*set url") as caught:
                it.get("/clients")
            with pytest.raises(Rejected):
                it.post("/clients", {}, repeatable=True)
    assert decoy.connections == 0
    assert len(server.requests) == 2
    assert not [bad for bad in ("canary", "elsewhere", "a=b") if bad in str(caught.value)]


def test_cookies_are_not_kept():
    with FaultyServer(answer(headers=[("Set-Cookie", "session=1; Path=/")])) as server, door(server.url) as it:
        it.get("/clients")
        it.get("/clients")
    assert not [request for request in server.requests if b"cookie" in request.lower()]


def test_the_environments_proxies_are_not_used(monkeypatch):
    with FaultyServer(answer()) as decoy, FaultyServer(answer()) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, decoy.url)
        with door(server.url) as it:
            it.get("/clients")
    assert (decoy.connections, server.connections) == (0, 1)


def test_a_connection_is_used_again():
    with FaultyServer(answer()) as server, door(server.url) as it:
        for _ in range(5):
            it.get("/clients")
    assert server.connections == 1


def test_a_stale_connection_costs_a_read_nothing():
    with FaultyServer(answer_then_hang_up) as server, door(server.url) as it:
        for _ in range(5):
            assert it.get("/clients").body == PAGE


# Writes that must not be repeated: never two of them at the server


@pytest.mark.parametrize(
    "fault", [reset, hang_up, short_body, error(500, "x"), error(503, "x"), error(429, "x"), answer(PAGE[:-5])]
)
def test_a_write_that_may_not_be_repeated_is_sent_once(fault):
    with (
        FaultyServer(fault) as server,
        door(server.url) as it,
        pytest.raises((NetworkFailed, ServerUnavailable, RateLimited)),
    ):
        it.post("/clients/a/b/merge", {}, repeatable=False)
    assert len(server.requests) == 1


def test_a_write_that_hangs_is_sent_once():
    with FaultyServer(silence) as server, door(server.url, request_deadline=0.2) as it, pytest.raises(NetworkFailed):
        it.post("/clients/a/b/merge", {}, repeatable=False)
    assert len(server.requests) == 1


def test_a_write_that_found_nobody_is_tried_again(free_port):
    with door(f"http://127.0.0.1:{free_port}", attempts=3) as it, pytest.raises(NetworkFailed, match="Tried 3 times"):
        it.post("/clients", {}, repeatable=False)
    assert it.requests == 3


def test_a_write_that_may_be_repeated_is_repeated():
    with FaultyServer(reset, error(503, "x"), answer()) as server, door(server.url) as it:
        it.post("/clients/bulk", {"ids": ["a"]}, repeatable=True)
        it.put("/clients/a", {"name": "x"}, repeatable=True)
        it.delete("/clients/a")
    assert [request.split(b" ")[0] for request in server.requests] == [b"POST", b"POST", b"POST", b"PUT", b"DELETE"]


def test_the_password_is_sent_with_its_own_request_only():
    with FaultyServer(answer()) as server, door(server.url) as it:
        it.post("/clients/a/purge", repeatable=False, password=Secret("pass-word"))
        it.get("/clients")
    assert b"X-API-PASSWORD: pass-word" in server.requests[0]
    assert b"x-api-password" not in server.requests[1].lower()


def test_a_file_goes_out_as_a_form_and_a_statement_comes_in_as_pdf():
    with FaultyServer(answer(), answer(b"%PDF-1.7", media="application/pdf")) as server, door(server.url) as it:
        it.upload("/clients/a/upload", "a.pdf", b"content", repeatable=False)
        assert it.post("/client_statement", {}, repeatable=True, media="application/pdf").body == b"%PDF-1.7"
        with pytest.raises(UnexpectedShape, match="application/pdf instead of JSON"):
            it.get("/clients")
    assert b'name="documents[]"; filename="a.pdf"' in server.requests[0]
    assert b'name="_method"\r\n\r\nPUT' in server.requests[0]


@pytest.mark.parametrize(
    "path",
    ["", "clients", "//evil.example", "/clients/../x", "/clients/", "/a?b", "/a#b", "/a b", "/a%2e", "/é", "/.", "@x"],
)
def test_a_path_that_could_lead_elsewhere_is_not_sent(path):
    with FaultyServer(answer()) as server, door(server.url) as it, pytest.raises(Rejected, match="nothing was sent"):
        it.get(path)
    assert server.connections == 0


def test_many_threads_share_one_door():
    with (
        FaultyServer(reset, error(500, "x"), short_body, answer()) as server,
        door(server.url) as it,
        ThreadPoolExecutor(4) as pool,
    ):
        bodies = list(pool.map(lambda n: it.get("/clients", {"page": n}).body, range(40)))
    assert bodies == [PAGE] * 40
    assert it.requests == len(server.requests) == 43
    gc.collect()  # an open socket would warn here, and a warning fails the test
