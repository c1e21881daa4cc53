"""Cassettes: exchanges with a real server, scrubbed, in files that people can read. vcrpy records and plays them.

python -m tests.cassette convert FROM TO: makes those of `tests/cassettes` from recordings of a 5.10.42 server.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import vcr
import yaml
from vcr.cassette import Cassette
from vcr.request import Request
from vcr.serialize import serialize
from vcr.serializers import yamlserializer

from tests.cut import TAPES, Exchange, Tape
from tests.scrubbing import CREDENTIALS, HOST, NOTHING, Known, scrub_request, scrub_response

CASSETTES: Final = Path(__file__).parent / "cassettes"
URL: Final = f"https://{HOST}"
BY_PATH: Final = ("method", "path", "query", "credentials")
EXACTLY: Final = (*BY_PATH, "sent_body")


class Readable:
    """A serializer of vcrpy: YAML in which a body of several lines stands as it is, and keys in their order."""

    @staticmethod
    def serialize(cassette: dict) -> str:
        return yaml.dump(cassette, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**9)

    deserialize = staticmethod(yamlserializer.deserialize)


class _Dumper(yaml.CSafeDumper):
    """Texts of several lines as blocks. No aliases: each exchange is whole."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _block(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)


def recorder(known: Known = NOTHING, match_on: tuple[str, ...] = EXACTLY) -> vcr.VCR:
    """A vcrpy that records nothing but what the filter lets through, and plays requests that are the same to it.

    The headers are filtered by our own function, as vcrpy's `filter_headers` has been forgotten on some of its ways
    (#961, #983), and as cookies of an answer are not its business at all (#569).
    """
    made = vcr.VCR(
        before_record_request=lambda request: scrub_request(request, known),
        before_record_response=lambda response: scrub_response(response, known),
        decode_compressed_response=True,
        match_on=match_on,
        serializer="readable",
    )
    made.register_serializer("readable", Readable)
    made.register_matcher("credentials", _same_credentials)
    made.register_matcher("sent_body", _same_body)
    return made


def _same_credentials(one: Request, other: Request) -> bool:
    """Whether both have a token, and both a password: what was recorded with one must not play without."""
    return [name in one.headers for name in CREDENTIALS] == [name in other.headers for name in CREDENTIALS]


def _same_body(one: Request, other: Request) -> bool:
    first, second = one.body or b"", other.body or b""
    try:
        return first == second or json.loads(first) == json.loads(second)
    except ValueError:
        return False


@contextmanager
def played(
    name: str,
    *,
    folder: Path = CASSETTES,
    match_on: tuple[str, ...] = BY_PATH,
    wholly: bool = True,
    in_order: bool = False,
) -> Iterator[Cassette]:
    """Serve the requests of this process from a cassette, and none from a server.

    Like a server, it gives the same answer to the same question until something is written, and takes each write once.
    `in_order`: each exchange once, in its order. A request that the cassette does not have is an error of vcrpy.
    `wholly`: all that it has must have been asked for.
    """
    made, tapes = recorder(match_on=match_on), list[Cassette]()
    made.register_matcher("in_time", lambda _asked, stored: _in_time(stored, tapes[0]))
    matchers = match_on if in_order else (*match_on, "in_time")
    path = str(folder / f"{name}.yaml")
    with made.use_cassette(path, record_mode="none", match_on=matchers, allow_playback_repeats=not in_order) as tape:
        tapes.append(tape)
        yield tape
    assert not wholly or tape.all_played, f"not all of {name} was asked for"


def _in_time(stored: Request, tape: Cassette) -> bool:
    """Whether a recorded request has as many writes before it as were played."""
    writes = [n for n, one in enumerate(tape.requests) if one.method != "GET"]
    place = next(n for n, one in enumerate(tape.requests) if one is stored)
    return sum(n < place for n in writes) == sum(tape.play_counts[n] > 0 for n in writes)


def convert(source: Path, target: Path, tapes: tuple[Tape, ...] = TAPES) -> None:
    """Make each cassette anew from the recordings in a folder; the same recordings make the same files."""
    target.mkdir(parents=True, exist_ok=True)
    for tape in tapes:
        exchanges = [part.cut(_recorded(source, part.recording)[part.number]) for part in tape.parts]
        told = {
            "requests": [scrub_request(_request(one)) for one in exchanges],
            "responses": [scrub_response(_response(one)) for one in exchanges],
            "metadata": {"about": tape.about},
        }
        (target / f"{tape.name}.yaml").write_text(serialize(told, Readable), encoding="utf-8")


def _recorded(source: Path, name: str) -> list[Exchange]:
    return json.loads((source / f"{name}.json").read_text(encoding="utf-8"))["exchanges"]


def _request(exchange: Exchange) -> Request:
    asked = exchange["request"]
    return Request(asked["method"], asked["url"], (asked["body"] or "").encode(), dict(asked["headers"]))


def _response(exchange: Exchange) -> dict:
    answer = exchange["response"]
    return {
        "status": {"code": answer["status"], "message": ""},
        "headers": {name: [value] for name, value in answer["headers"].items()},
        "body": {"string": answer["body"].encode()},
    }


def main(words: list[str]) -> int:
    match words:
        case ["convert", source, target]:
            convert(Path(source), Path(target))
            return 0
    print("python -m tests.cassette convert FROM TO", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
