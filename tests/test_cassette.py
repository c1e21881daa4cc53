"""Cassettes as such: what they play, what they refuse to play, and that they are made of the recordings."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
import yaml
from vcr.errors import CannotOverwriteExistingCassetteException as NotRecorded

from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from tests.canaries import leaks, secrets_in
from tests.cassette import CASSETTES, EXACTLY, URL, convert, main, played, recorder
from tests.cut import TAPES
from tests.scrubbing import HOST, PDF, SCRUBBED, Known, scrub_response

RECORDINGS = Path(__file__).parent / "recordings"
SOME = [tape for tape in TAPES if all((RECORDINGS / f"{part.recording}.json").exists() for part in tape.parts)]


@pytest.fixture
def door():
    with Door(DoorSettings(URL, requests_per_second=1e6, attempts=1), Secret("any-token")) as opened:
        yield opened


def test_the_cassettes_are_those_of_the_table_and_what_they_are_made_of_makes_them_again(tmp_path):
    assert {path.stem for path in CASSETTES.iterdir()} == {tape.name for tape in TAPES}
    assert len(SOME) >= 10
    convert(RECORDINGS, tmp_path / "again", tuple(SOME))
    for tape in SOME:
        name = f"{tape.name}.yaml"
        assert (tmp_path / "again" / name).read_bytes() == (CASSETTES / name).read_bytes()


def test_all_cassettes_together_are_small():
    assert sum(path.stat().st_size for path in CASSETTES.iterdir()) < 250_000


def test_the_command_tells_how_it_is_called(tmp_path, capsys):
    assert main([]) == 2
    assert "convert FROM TO" in capsys.readouterr().err


def test_a_question_has_the_same_answer_until_something_is_written_and_a_write_is_taken_once(door):
    def city():
        return door.get("/clients/YRdG6YYKbD").json()["data"]["city"]

    with played("update"):
        assert (city(), city()) == ("Rotterdam", "Rotterdam")
        door.put("/clients/YRdG6YYKbD", {}, repeatable=False)
        assert (city(), city()) == ("Nieuwegein", "Nieuwegein")
        with pytest.raises(NotRecorded):
            door.put("/clients/YRdG6YYKbD", {}, repeatable=False)


def test_what_was_recorded_with_a_password_does_not_play_without_one(door):
    path = "/clients/Jrb2kgGMdW/Jrb2kgGMdW/merge"
    with played("merge_refused", wholly=False), pytest.raises(NotRecorded):
        door.post(path, repeatable=False)


def test_what_was_not_asked_for_is_told_and_what_was_not_recorded_is_refused(door):
    with pytest.raises(AssertionError, match="not all of show"), played("show"):
        pass
    with played("show", wholly=False), pytest.raises(NotRecorded):
        door.get("/clients/another")


def test_a_recorder_writes_down_what_can_be_read_and_plays_it_to_the_same_request_alone(tmp_path):
    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("statement"):
            return httpx.Response(200, headers={"Content-Type": "application/pdf"}, content=b"%PDF-1.7 \xff\xfe")
        return httpx.Response(200, headers={"Content-Type": "application/json"}, content=b'{\n    "name": "\\u00e4"\n}')

    def ask(transport, body):
        with httpx.Client(transport=transport) as client:
            headers = {"X-API-TOKEN": "canary-token-1", "Content-Type": "application/json"}
            return [
                client.post(f"https://books.example.org/api/v1/{path}", content=body, headers=headers).content
                for path in ("client_statement", "clients")
            ]

    tape = tmp_path / "any.yaml"
    with recorder(Known(("canary-token-1",))).use_cassette(str(tape), record_mode="once"):
        ask(httpx.MockTransport(serve), b'{"name": "x", "id": 1}')
    assert '        {\n            "name": "\\u00e4"\n        }' in tape.read_text()
    assert "canary" not in tape.read_text()
    assert yaml.safe_load(tape.read_text())["interactions"][0]["response"]["body"]["string"] == PDF
    with played("any", folder=tmp_path, match_on=EXACTLY):
        assert ask(None, b'{"id":1,"name":"x"}') == [PDF.encode(), b'{\n    "name": "\\u00e4"\n}']
    with played("any", folder=tmp_path, match_on=EXACTLY, wholly=False), pytest.raises(NotRecorded):
        ask(None, b'{"id":2,"name":"x"}')


@pytest.mark.parametrize("path", sorted(CASSETTES.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_cassette_of_ours_holds_a_secret_or_a_host(path, recorded_secrets):
    content = path.read_bytes()
    assert leaks(recorded_secrets, iter([(path.name, content)])) == []
    for one in yaml.safe_load(content)["interactions"]:
        asked, got = one["request"], one["response"]
        assert asked["uri"].startswith(f"https://{HOST}/api/v1/")
        assert {v for k, vs in asked["headers"].items() for v in vs if k.startswith("X-API")} <= {SCRUBBED}
        assert not {"set-cookie", "cookie"} & {name.lower() for name in (*asked["headers"], *got["headers"])}
        body = got["body"]["string"]
        assert scrub_response({**got, "body": {"string": body.encode()}})["body"]["string"] == body.encode()
        if body.startswith("{"):
            assert secrets_in(json.loads(body)) <= {SCRUBBED}


@pytest.fixture(scope="module")
def recorded_secrets():
    """All secrets of the recordings from which most cassettes were made."""
    found = set()
    for name in ("clients_full_pull", "clients_second_pull", "companies_current"):
        for exchange in json.loads((RECORDINGS / f"{name}.json").read_text())["exchanges"]:
            found |= secrets_in(json.loads(exchange["response"]["body"]))
    assert len(found) > 700
    return found
