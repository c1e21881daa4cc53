"""A token is sent to no server but the one that it was first used with, unless a person has said so."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from flows.cli.app import app
from sandbox.server import running
from schemas.errors import SyncError
from tests.flows.conftest import Server
from warehouse.engine.place import PostgresUrl
from warehouse.opened.open import open_place


@pytest.fixture
def stranger():
    """A server that was never used: it must see no request at all."""
    with running(clients=3, seed=8) as box:
        yield Server(box)


@pytest.fixture
def home(server, place, tmp_path, monkeypatch):
    """What writes the configuration of a folder, and what runs a command there; its source was pulled once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NINJA_SYNC_WAREHOUSE", place.url if isinstance(place, PostgresUrl) else str(place))

    def write(text):
        (tmp_path / "ninja-sync.toml").write_text(f"publish = false\n{text}")

    def run(*args, **environ):
        told = {"NINJA_SYNC_URL": "", "NINJA_SYNC_TOKEN": "", "OFFICE_TOKEN": server.box.token, **environ}
        done = CliRunner().invoke(app, args, env=told)
        if isinstance(done.exception, SyncError):
            return done.exception.exit_code, f"{done.output} {done.exception}"
        return done.exit_code, done.output

    write(source("office", server.box.url))
    assert run("pull")[0] == 0
    return write, run


def source(name, url, variable="OFFICE_TOKEN"):
    return f'[sources.{name}]\nurl = "{url}"\ntoken_env = "{variable}"\nretry_budget = 1\n'


def test_a_source_whose_url_was_changed_sends_nothing_to_the_new_server(home, server, stranger):
    write, run = home
    write(source("office", stranger.box.url))
    for words in (("doctor",), ("clients", "list"), ("push", "plan", "--outbox")):
        code, told = run(*words)
        assert (code, stranger.requests()) == (2, []), words
        assert "ninja-sync source rebind office" in " ".join(told.replace("│", "").split()), words
    code, told = run("source", "rebind", "office")  # without --yes and without a terminal
    assert (code, stranger.requests()) == (1, [])
    assert f"Send the token to {stranger.box.url}?" in told


@pytest.mark.proof
def test_the_environment_does_not_lead_a_token_elsewhere(home, stranger):
    _, run = home
    code, told = run("pull", NINJA_SYNC_URL=stranger.box.url)
    assert (code, stranger.requests()) == (2, [])
    assert "bound to" in told


@pytest.mark.proof
def test_the_token_of_one_source_is_not_sent_to_the_server_of_another_one(home, server, stranger):
    write, run = home
    write(source("office", server.box.url) + source("shop", stranger.box.url))
    code, told = run("pull", "--source", "shop")
    assert (code, stranger.requests()) == (2, [])
    assert "env OFFICE_TOKEN" in told
    write(source("shop", stranger.box.url))  # and not where the source was only renamed
    assert run("pull")[0] == 2
    assert stranger.requests() == []
    write(source("office", server.box.url) + source("shop", stranger.box.url, "SHOP_TOKEN"))
    assert run("pull", "--source", "shop", SHOP_TOKEN=stranger.box.token)[0] == 0


@pytest.mark.proof
def test_a_person_may_allow_another_server(home, server, stranger):
    write, run = home
    write(source("office", server.box.url) + source("shop", stranger.box.url))
    tokens = {"OFFICE_TOKEN": stranger.box.token}
    assert run("source", "rebind", "shop", "--yes", **tokens)[0] == 0
    assert run("pull", "--source", "shop", **tokens)[0] == 0
    assert run("pull", "--source", "office")[0] == 0


@pytest.mark.proof
def test_a_source_of_an_older_version_keeps_its_server(home, server, stranger, place):
    write, run = home
    write(source("office", server.box.url) + source("shop", stranger.box.url, "SHOP_TOKEN"))
    assert run("pull", "--source", "shop", SHOP_TOKEN=stranger.box.token)[0] == 0
    with open_place(place) as opened:
        opened.execute("delete from control.secret_hosts where base_url = $url", {"url": stranger.box.url})
    write(source("office", server.box.url) + source("shop", stranger.box.url))
    assert run("pull", "--source", "shop", OFFICE_TOKEN=stranger.box.token)[0] == 0
