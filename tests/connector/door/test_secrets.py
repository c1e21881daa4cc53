"""No exception that leaves the door leads to the token, however far one walks from it; and exact numbers."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import logging
import socket
import subprocess
import sys
import traceback
import tracemalloc
import zlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.door.answer import Answer, read_body
from connector.door.door import Door, DoorSettings
from connector.door.quote import quote
from connector.door.secret import Secret
from schemas.errors import SyncError, UnexpectedShape
from tests.connector.door.faulty_server import (
    PAGE,
    FaultyServer,
    answer,
    error,
    gzipped,
    hang_up,
    reset,
    short_body,
    silence,
)

TOKEN, PASSWORD = "canary-token-7Qx", "canary-password-9Lm"


def everything_reachable(error):
    """The texts of an exception, its chain, its notes, attributes, and the local variables of all its frames."""
    todo, seen, texts = [error], set(), []
    while todo:
        one = todo.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        texts += [str(one), repr(one), repr(one.args), repr(vars(one)), *traceback.format_exception(one)]
        for frame, _ in traceback.walk_tb(one.__traceback__):
            if frame.f_code.co_filename != __file__:
                texts += [repr(frame.f_locals)]
                texts += [repr(vars(value)) for value in frame.f_locals.values() if hasattr(value, "__dict__")]
        todo += [one.__cause__, one.__context__]
    return texts


@pytest.mark.parametrize(
    "fault",
    [
        reset,
        hang_up,
        short_body,
        silence,
        gzipped(b"junk"),
        answer(PAGE[:-5]),
        answer(b"<html>", media="text/html"),
        answer(b"x", headers=[("Content-Encoding", TOKEN)]),
        answer(b"x", media=f"text/{TOKEN}"),
        answer(b"", status=302, headers=[("Location", f"https://{TOKEN}.evil.example/{TOKEN}")]),
        error(401, f"Bad {TOKEN} {PASSWORD}"),
        error(403, f"Bad {TOKEN}"),
        error(500, f"Bad {TOKEN}"),
        error(403, f"Bad {TOKEN[:12]}... and {PASSWORD[-12:]}"),
        answer(b"x", headers=[("Content-Encoding", TOKEN[2:])]),
        error(429, f"Bad {TOKEN}"),
        answer(b'{"message":"x","errors":{"%s":[]}}' % TOKEN.encode(), status=422),
    ],
)
def test_no_exception_leads_to_a_secret(fault, caplog):
    caplog.set_level(logging.INFO)  # at DEBUG httpcore logs the headers of answers: here of a server that reflects
    settings = {"request_deadline": 0.3, "requests_per_second": 1000.0, "attempts": 2}
    with (
        FaultyServer(fault) as server,
        Door(DoorSettings(server.url, **settings), Secret(TOKEN), sleep=lambda _: None) as it,
        pytest.raises(SyncError) as caught,
    ):
        it.post("/clients/a/b/merge", {}, repeatable=True, password=Secret(PASSWORD))
    assert TOKEN.encode() in server.requests[0]  # it was sent, and only there
    texts = [*everything_reachable(caught.value), caplog.text]
    parts = [secret[at : at + 11].lower() for secret in (TOKEN, PASSWORD) for at in range(len(secret) - 10)]
    assert not [text for text in texts if any(part in text.lower() for part in parts)]
    assert caught.value.__context__ is None


def test_the_walk_would_find_a_leak():
    places = {}
    exec(f"def leak():\n    header = {TOKEN!r}\n    raise ValueError('x')", places)  # noqa: S102 - a frame of another file
    with pytest.raises(ValueError, match="x") as caught:
        places["leak"]()
    assert [text for text in everything_reachable(caught.value) if TOKEN in text]


def test_nobody_listening_leads_to_no_secret():
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    with Door(DoorSettings(f"http://127.0.0.1:{port}", attempts=1), Secret(TOKEN)) as it:
        with pytest.raises(SyncError) as caught:
            it.get("/clients")
        assert TOKEN not in repr(it) + repr(vars(it))
    assert not [text for text in everything_reachable(caught.value) if TOKEN in text]


def test_a_filter_with_a_persons_address_is_not_logged(caplog):
    caplog.set_level(logging.DEBUG)
    with FaultyServer(answer()) as server, Door(DoorSettings(server.url), Secret(TOKEN)) as it:
        it.get("/clients", {"email": "ann@private.example"})
    assert "private.example" not in caplog.text
    assert TOKEN not in caplog.text


def test_an_answer_does_not_show_its_body():
    assert "ann@private.example" not in repr(Answer(200, b"ann@private.example"))


def test_numbers_are_exact():
    got = Answer(200, b'{"a":99999999999999.123456,"b":1.10,"c":100,"d":1.0e+25,"e":-0.0}').json()
    assert [str(got[name]) for name in "abcde"] == ["99999999999999.123456", "1.10", "100", "1.0E+25", "-0.0"]
    assert isinstance(got["b"], Decimal)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_every_decimal_comes_back_as_it_was_written(number):
    got = Answer(200, b'{"a":%s}' % f"{number:f}".encode()).json()["a"]
    assert got == number


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b"[1e99999999999999999999]",
        b"9" * 5000,
        b"[" * 100_000 + b"]" * 100_000,
        b'"\xff"',
        b'"\\ud800"',
        b"{'a':1}",
    ],
)
def test_what_is_not_json_is_refused_without_showing_it(body):
    with pytest.raises(UnexpectedShape, match=r"cannot be read as JSON \(\d+ bytes") as caught:
        Answer(200, body).json()
    assert caught.value.__context__ is None


@given(st.binary(max_size=300))
def test_any_bytes_are_json_or_refused(body):
    with contextlib.suppress(UnexpectedShape):
        Answer(200, body).json()


def test_a_gzip_stream_is_never_unpacked_beyond_the_limit():
    packed = gzip.compress(bytes(50_000_000))
    tracemalloc.start()
    with pytest.raises(UnexpectedShape):
        read_body([packed], "gzip", 100_000, lambda: None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_an_endless_gzip_stream_of_nothing_is_left_at_the_limit():
    packer = zlib.compressobj(wbits=31)
    start = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    with pytest.raises(UnexpectedShape):
        read_body(
            itertools.chain([start], itertools.repeat(b"\x00\x00\x00\xff\xff" * 1000)), "gzip", 100_000, lambda: None
        )


@given(st.text(max_size=400))
def test_foreign_text_becomes_one_short_printable_line(text):
    shown = quote(text)
    assert shown.isprintable()
    assert len(shown) <= 200


def test_a_token_at_the_cut_is_hidden_whole():
    for start in range(150, 210):
        assert "canary" not in quote("x" * start + TOKEN, [Secret(TOKEN)])


def test_importing_the_door_is_cheap():
    heavy = ["pydantic", "pandas", "prefect", "duckdb", "pyarrow", "numpy"]  # httpx itself imports rich
    code = f"import sys, connector.door.door; print([m for m in {heavy} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
