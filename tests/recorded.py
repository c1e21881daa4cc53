"""Recording cassettes anew, from any Invoice Ninja: `make record`, with NINJA_SYNC_URL and NINJA_SYNC_TOKEN.

For a company that is there to be tried on: where others' clients are, nothing is done unless `--among-others` says so.
What is made there is purged in the end, or deleted where NINJA_SYNC_PASSWORD is not set. A cassette is put into the
folder after it was searched for secrets, for the server's address and for clients that are not the recorder's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from connector.api.api import Api
from connector.api.verbs import lister
from connector.door.door import Door, DoorSettings
from connector.door.password import Password, no_password
from connector.door.secret import Secret
from schemas.entities import CLIENTS
from schemas.errors import SettingsError, SyncError, UnsafePlan
from tests.canaries import leaks, left_behind, secrets_in
from tests.cassette import EXACTLY, URL, played, recorder
from tests.noted import Noted
from tests.scenes import PREFIX, SCENES, WITH_PASSWORD, Scene, Stage, perform
from tests.scrubbing import HOST, SCRUBBED, Known

PLAYED_RUN: Final = f"{PREFIX}run"
"""The beginning of an id_number in a cassette, where a run has no number."""
NO_WAIT: Final = 100_000.0


@dataclass(frozen=True, slots=True)
class Server:
    """Where is recorded from, and as whom. `per_second` are requests."""

    url: str
    token: Secret
    password: Secret | None = None
    per_second: float = 4.0

    @property
    def host(self) -> str:
        return self.url.partition("//")[2].partition("/")[0]


def record(
    server: Server, folder: Path, run: str, *, among_others: bool = False, scenes: Mapping[str, Scene] = SCENES
) -> dict[str, object]:
    """Record scenes into a folder, a cassette each, and leave nothing on the server; what each scene saw.

    Raises UnsafePlan where the company has clients that were not made here, or a cassette holds what it must not.
    """
    settings = DoorSettings(server.url, requests_per_second=server.per_second)
    secrets = tuple(one.reveal() for one in (server.token, server.password) if one)
    known = Known(secrets, ((server.host, HOST), (run, PLAYED_RUN)))
    with Door(settings, server.token) as door, tempfile.TemporaryDirectory() as aside:
        if not among_others and any(not _is_ours(one) for one in _clients(door)):
            raise UnsafePlan("This company has clients that were not made here; nothing was done. See --among-others.")
        try:
            stage = Stage(Api(door, Noted(), _password(server.password)), run)
            possible = {name: s for name, s in scenes.items() if server.password or name not in WITH_PASSWORD}
            seen = perform(stage, possible, _recording(Path(aside), known))
        finally:
            _remove(door, server.password)
        faults = find_faults(Path(aside), {*secrets, server.host})
        if faults:
            raise UnsafePlan(f"Nothing was kept, as the cassettes hold what they must not: {'; '.join(faults[:5])}.")
        shutil.copytree(aside, folder, dirs_exist_ok=True)
    return seen


def play(folder: Path, names: Iterable[str]) -> dict[str, object]:
    """Play these scenes from the cassettes of a folder, without a server; what each of them saw."""

    def tape(name: str) -> AbstractContextManager[object]:
        return played(name, folder=folder, match_on=EXACTLY, in_order=True)

    scenes = {name: SCENES[name] for name in names}
    with Door(DoorSettings(URL, requests_per_second=NO_WAIT), Secret("0f3a9c517d2e")) as door:
        return perform(Stage(Api(door, Noted(), _password(Secret("7b1d2e8c4f6a"))), PLAYED_RUN), scenes, tape)


def find_faults(folder: Path, secrets: set[str]) -> list[str]:
    """What must not stand in cassettes: these texts in any form, keys and hashes, clients that were not made here."""
    found = leaks(secrets, left_behind(folder))
    for path in sorted(folder.glob("*.yaml")):
        for one in yaml.safe_load(path.read_text(encoding="utf-8"))["interactions"]:
            body = one["response"]["body"]["string"]
            told = json.loads(body) if isinstance(body, str) and body.startswith(("{", "[")) else {}
            found += [f"{path.name}: the client {r.get('id')}" for r in _records(told) if not _is_ours(r)]
            found += [f"{path.name}: {secret[:3]}..." for secret in secrets_in(told) - {SCRUBBED}]
    return found


def _records(value: Any) -> Iterator[dict[str, Any]]:
    """The clients in an answer, at any depth; a blank one, which is no client yet, apart."""
    if isinstance(value, dict):
        if "client_hash" in value and value.get("id"):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _records(one)


def _is_ours(record: object) -> bool:
    return isinstance(record, dict) and str(record.get("id_number") or "").startswith(PREFIX)


def _clients(door: Door) -> Iterator[object]:
    """All clients of the company, page by page."""
    ask, number = lister(door, CLIENTS), 1
    while records := ask({"sort": "id|asc", "per_page": 100, "page": number}).records:
        yield from records
        number += 1


def _remove(door: Door, password: Secret | None) -> None:
    """Purge all clients that were made here, in this run or one that was cut off; delete them without a password."""
    ask = lister(door, CLIENTS)
    ours = [str(one["id"]) for one in ask({"filter": PREFIX, "per_page": 500}).records if _is_ours(one)]  # type: ignore[index]
    if password is None and ours:
        door.post("/clients/bulk", {"action": "delete", "ids": ours}, repeatable=True)
        return
    for client_id in ours:
        door.post(f"/clients/{client_id}/purge", {}, repeatable=False, password=password)


def _recording(folder: Path, known: Known) -> Callable[[str], AbstractContextManager[object]]:
    @contextmanager
    def tape(name: str) -> Iterator[None]:
        with recorder(known).use_cassette(str(folder / f"{name}.yaml"), record_mode="all"):
            yield

    return tape


def _password(password: Secret | None) -> Password:
    return Password((lambda: password) if password else no_password)


def main(words: list[str], environ: Mapping[str, str] = os.environ) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.recorded", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the cassettes go")
    parser.add_argument("--among-others", action="store_true", help="the company may have clients of others")
    told = parser.parse_args(words)
    try:
        server = _server(environ)
        seen = record(server, told.folder, f"{PREFIX}{time.time():.0f}", among_others=told.among_others)
        play(told.folder, seen)
    except SyncError as problem:
        print(problem, file=sys.stderr)
        return problem.exit_code
    without = f", without {', '.join(sorted(WITH_PASSWORD))}: NINJA_SYNC_PASSWORD is not set"
    print(f"{len(seen)} cassettes in {told.folder}, and played again{'' if server.password else without}.")
    return 0


def _server(environ: Mapping[str, str]) -> Server:
    if not environ.get("NINJA_SYNC_URL"):
        raise SettingsError("NINJA_SYNC_URL is not set: the address of the Invoice Ninja to record from.")
    token = Secret.from_environment("NINJA_SYNC_TOKEN", environ)
    password = Secret.from_environment("NINJA_SYNC_PASSWORD", environ) if environ.get("NINJA_SYNC_PASSWORD") else None
    return Server(environ["NINJA_SYNC_URL"], token, password)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
