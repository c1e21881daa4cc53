"""Cassettes recorded anew: from a server to a folder, without secrets, and played again without the server."""

from __future__ import annotations

import dataclasses
import json
import shutil
import urllib.request

import pytest

from connector.door.secret import Secret
from sandbox.server import running
from schemas.errors import UnsafePlan
from tests.canaries import leaks, left_behind
from tests.recorded import PLAYED_RUN, PREFIX, Server, find_faults, main, play, record
from tests.scenes import SCENES, WITH_PASSWORD, Stage

RUN = f"{PREFIX}1795336905"


def asked(box, path):
    headers = {"X-API-TOKEN": box.token, "X-Requested-With": "XMLHttpRequest"}
    with urllib.request.urlopen(  # noqa: S310 - our own server
        urllib.request.Request(box.url + path, headers=headers), timeout=60  # noqa: S310 - as above
    ) as answer:  # fmt: skip
        return json.loads(answer.read())


def total(box):
    return asked(box, "/api/v1/clients?per_page=1")["meta"]["pagination"]["total"]


def server_of(box, *, password=True):
    return Server(box.url, Secret(box.token), Secret(box.password) if password else None, per_second=1e5)


def plain(value):
    """What a scene saw, with every field of it."""
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value


def as_played(seen):
    """What scenes saw, in the words of a cassette."""
    return {name: repr(plain(one)).replace(RUN, PLAYED_RUN) for name, one in seen.items()}


@pytest.fixture(scope="module")
def box():
    """A server without clients: every recording leaves it so."""
    with running() as box:
        yield box


@pytest.fixture(scope="module")
def tapes(box, tmp_path_factory):
    """A folder with all cassettes, and what the scenes saw while they were recorded."""
    folder = tmp_path_factory.mktemp("recorded") / "tapes"
    return folder, record(server_of(box), folder, RUN)


def test_every_scene_is_recorded_without_a_secret_and_plays_again_without_its_server(tapes, box):
    folder, seen = tapes
    assert {path.stem for path in folder.iterdir()} == set(SCENES) == set(seen)
    assert leaks({box.token, box.password, server_of(box).host, RUN}, left_behind(folder)) == []
    assert as_played(play(folder, seen)) == as_played(seen)
    assert PLAYED_RUN in as_played(seen)["make"]


def test_nothing_is_left_on_the_server_after_a_scene_that_fails_either(box, tmp_path):
    def fails(stage: Stage) -> object:
        raise RuntimeError(stage.id("one"))

    with pytest.raises(RuntimeError):
        record(server_of(box), tmp_path / "tapes", RUN, scenes={"make": SCENES["make"], "fails": fails})
    assert (total(box), list(tmp_path.iterdir())) == (0, [])


def test_a_company_with_clients_of_others_is_left_alone_unless_it_is_said_and_theirs_are_not_written_down(tmp_path):
    with running(clients=3, seed=5) as others:
        before = asked(others, "/api/v1/clients?sort=id|asc")["data"]
        with pytest.raises(UnsafePlan, match="clients that were not made here; nothing was done"):
            record(server_of(others), tmp_path / "tapes", RUN)
        assert asked(others, "/api/v1/clients?sort=id|asc")["data"] == before
        assert list(tmp_path.iterdir()) == []
        record(server_of(others, password=False), tmp_path / "tapes", RUN, among_others=True)
        assert {path.stem for path in (tmp_path / "tapes").iterdir()} == set(SCENES) - WITH_PASSWORD
        left = {c["id"]: c for c in asked(others, "/api/v1/clients?per_page=100")["data"]}
    assert [left.pop(c["id"]) for c in before] == before
    assert all(c["is_deleted"] and c["id_number"].startswith(RUN) for c in left.values())  # there was no password
    assert find_faults(tmp_path / "tapes", {c["display_name"] for c in before}) == []


def test_a_cassette_with_a_secret_or_with_the_client_of_another_is_found(tapes, tmp_path):
    folder = shutil.copytree(tapes[0], tmp_path / "tapes")
    assert find_faults(folder, {"a-planted-secret"}) == []
    show = (folder / "show.yaml").read_text()
    (folder / "show.yaml").write_text(show.replace(f"{PLAYED_RUN}-one", "HRB 12345"))
    (folder / "update.yaml").write_text((folder / "update.yaml").read_text() + "# a-planted-secret\n")
    edit = folder / "edit.yaml"
    edit.write_text(edit.read_text().replace('"client_hash": "scrubbed"', '"client_hash": "zqWAMYLoP3"'))
    key, stranger, known = sorted(find_faults(folder, {"a-planted-secret"}), key=lambda fault: fault.rpartition("/")[2])
    assert key == "edit.yaml: zqW..."
    assert stranger.startswith("show.yaml: the client ")
    assert known.endswith("update.yaml: a-plan...")


def test_the_command_says_what_is_missing_and_what_it_has_done(box, tmp_path, capsys):
    assert main([str(tmp_path)], {}) == 2
    assert "NINJA_SYNC_URL is not set" in capsys.readouterr().err
    assert main([str(tmp_path)], {"NINJA_SYNC_URL": box.url}) == 2
    assert "NINJA_SYNC_TOKEN is not set" in capsys.readouterr().err
    assert main([str(tmp_path)], {"NINJA_SYNC_URL": box.url, "NINJA_SYNC_TOKEN": "wrong"}) == 5
    assert "token is not accepted" in capsys.readouterr().err
