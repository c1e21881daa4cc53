"""What is said of a connection that fails: which part of the way it was, and what to look at."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from sandbox.server import running
from schemas.errors import NetworkFailed, UnexpectedShape
from tests.connector.door.faulty_server import Connection, FaultyServer, answer, drip, silence

TOKEN = "0N2g5YVhJMlVNMzlWUUlhMXNZSTZoanpSaVJLSnNl"
DATA = b'{"data":[{"name":"Jane Doe"}],"meta":{}}'
WARNING = b'<br />\n<b>Warning</b>:  Undefined array key "x" in <b>/var/www/x.php</b> on line <b>7</b><br />\n'


def told(url, kind=NetworkFailed, **settings):
    """The words of the error that a request ends with."""
    settings = {"attempts": 1, "requests_per_second": 1000.0, **settings}
    door = Door(DoorSettings(url, **settings), Secret(TOKEN), sleep=lambda _: None)
    with door, pytest.raises(kind) as caught:
        door.get("/clients")
    return str(caught.value)


def test_https_on_a_port_of_http_is_told_as_that():
    with running(clients=1) as box:
        words = told(box.url.replace("http:", "https:"))
    assert "does not speak TLS at https://127.0.0.1:" in words
    assert "Is the port right?" in words


def test_http_on_a_port_of_tls_is_told_as_that():
    def alert(connection):
        connection.send(b"\x15\x03\x03\x00\x02\x02F\r\n\r\n")
        return False

    with FaultyServer(alert) as server:
        assert told(server.url).endswith("the server speaks TLS at this port: write https:// in `url`.")


def test_a_host_that_is_unknown_is_named():
    words = told("https://nowhere.invalid")
    assert words.startswith("No connection to the server: the host of https://nowhere.invalid is not known.")


def test_a_port_on_which_nobody_listens_is_named(free_port):
    words = told(f"https://127.0.0.1:{free_port}")
    assert f"nobody listens at https://127.0.0.1:{free_port} (connection refused)" in words


@pytest.fixture
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
    return port


def test_a_dead_proxy_is_named_as_the_proxy(free_port):
    words = told("https://ninja.example", proxy=f"http://127.0.0.1:{free_port}")
    assert words.startswith(f"No connection to the proxy http://127.0.0.1:{free_port}: nobody listens")
    assert "the port of `proxy`" in words


def test_an_unknown_proxy_is_named_as_the_proxy():
    words = told("https://ninja.example", proxy="http://proxy.invalid:3128")
    assert words.startswith("No connection to the proxy http://proxy.invalid:3128: the host of")


@pytest.mark.parametrize(("status", "advice"), [(403, "Is it the right one?"), (407, "asks for a password")])
def test_a_proxy_that_refuses_is_named_as_the_proxy(status, advice):
    with FaultyServer(answer(b"no", status=status)) as server:
        words = told("https://ninja.example", proxy=server.url)
        assert words.startswith(f"The proxy {server.url} does not let the request through ({status}")
    assert advice in words


@pytest.mark.parametrize(
    ("start", "rest"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n", b" " * 10_000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 10_000),
    ],
    ids=["headers", "body", "chunks"],
)
def test_an_answer_that_drips_ends_at_the_deadline_which_is_told(start, rest):
    """Each byte comes in time; the clock passes the deadline while they come, in a read or between two."""
    passed = threading.Event()

    def slowly(connection):
        connection.send(start)
        passed.set()
        return drip(rest)(connection)

    def clock():
        return time.monotonic() + (1000 if passed.is_set() else 0)

    with FaultyServer(slowly) as server:
        door = Door(DoorSettings(server.url, attempts=1), Secret(TOKEN), clock=clock, sleep=lambda _: None)
        with door, pytest.raises(NetworkFailed, match=r"was not done after 120 \(timed out\)|within request_deadline"):
            door.get("/clients")


class Greeting(FaultyServer):
    """Speaks first, one byte of a TLS greeting at a time."""

    def _serve(self, raw):
        with raw, contextlib.suppress(OSError):
            drip(b"\x16\x03\x03\x3f\xff" + b"\x02" * 10_000)(Connection(raw, self._stop))


def test_a_tls_handshake_that_drips_ends_at_the_deadline_too():
    with Greeting(silence) as server:
        assert "No connection to the server" in told(server.url.replace("http:", "https:"), request_deadline=0.3)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (WARNING, '`Warning : Undefined array key "x" in /var/www/x.php on line 7`'),
        (b"\xef\xbb\xbf", "a byte order mark"),
        (b"Notice: " + TOKEN[:20].encode() + b" of ann@private.example ", "`Notice: *** of ***`"),
        (b"<p> </p>", "a text"),
        (b"word " * 200, "`" + "word " * 15 + "word…`"),
    ],
)
@pytest.mark.parametrize("media", ["application/json", "text/html; charset=UTF-8"])
def test_a_text_before_the_json_is_shown_by_its_first_words(before, words, media):
    with FaultyServer(answer(before + DATA, media=media)) as server:
        told_of = told(server.url)
    assert told_of.startswith(f"The server sent {words} before its JSON.")
    assert "log" in told_of
    assert "Jane" not in told_of


def test_a_page_of_html_with_a_script_in_it_is_still_html():
    page = b'<!doctype html><title>Login</title><script>let a = {"b": 1};</script>'
    with FaultyServer(answer(page, media="text/html")) as server:
        assert told(server.url, UnexpectedShape).startswith("The server answered HTML instead of JSON")


def test_json_that_breaks_off_is_no_text_before_json():
    with FaultyServer(answer(DATA[:-9])) as server:
        assert told(server.url).startswith("The answer's JSON is damaged or breaks off")
