"""A full read with several connections, from the settings to the staged pages: exact, resumable, and ended in order."""

from __future__ import annotations

import signal
import subprocess
import threading

import httpx
import msgspec
import pytest

from connector.scan.pages import Malformed
from flows.configuration.load import place_of
from flows.pull.stage import _without_erased
from schemas.billing import INVOICES
from schemas.entities import CLIENTS
from schemas.erased import Erased
from tests.forked import COMMAND
from warehouse.load.staging import Staging

PAGE = 5
"""So that 120 clients are many pages, and four connections read them."""


@pytest.fixture
def settings(settings):
    source = msgspec.structs.replace(settings.sources["main"], page_size=PAGE, connections=4)
    return msgspec.structs.replace(settings, sources={"main": source})


@pytest.fixture
def assert_exact(server, query):
    """The mirror has each client of the server as it is, and no other one."""

    def check():
        found = query("select id, balance, epoch(updated_at)::bigint from ninja.clients order by id")
        shown = server.clients()
        assert found == [(key, shown[key]["balance"], shown[key]["updated_at"]) for key in sorted(shown)]

    return check


class Watched(httpx.HTTPTransport):
    """Which threads ask; after so many requests for clients, Ctrl-C."""

    def __init__(self, after=10**9):
        super().__init__()
        self.threads, self.left = set(), after

    def handle_request(self, request):
        self.left -= "clients" in request.url.path
        if self.left < 0:
            raise KeyboardInterrupt
        self.threads.add(threading.current_thread().name)
        return super().handle_request(request)


def readers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("ninja-sync-read")]


def test_a_full_read_uses_the_connections_of_the_settings_and_is_exact(server, pulls, assert_exact):
    server.switch(latency_ms=10)
    watched = Watched()
    pulls(transport=watched)
    assert len(watched.threads) == 1 + 4
    assert readers() == []
    assert_exact()


@pytest.mark.proof
def test_a_small_change_is_read_by_one_connection(server, pulls, assert_exact):
    pulls()
    server.edit(next(iter(server.clients(status="active").values())), city="Zürich")
    watched = Watched()
    pulls(transport=watched)
    assert len(watched.threads) == 1
    assert_exact()


@pytest.mark.proof
@pytest.mark.parametrize("after", [12, 20, 30])
def test_an_interrupted_full_read_goes_on_with_what_was_left_open(server, pulls, settings, assert_exact, after):
    with pytest.raises(KeyboardInterrupt):
        pulls(transport=Watched(after))
    assert readers() == []
    staged = Staging(Staging.of(place_of(settings), "main").folder, [])
    _, pages = staged._manifest()
    edited = next(iter(server.clients(status="active").values()))
    server.edit(edited, city="Changed between the two")
    server.requests()
    pulled = pulls()
    assert any("interrupted" in note for note in pulled.notes)
    assert sum("sort=updated_at%7Casc" in request for request in server.requests()) < 36 - len(pages) + 8
    assert_exact()


@pytest.mark.proof
def test_what_fails_while_pages_are_staged_leaves_no_thread_behind(server, pulls, monkeypatch):
    server.switch(latency_ms=50)
    monkeypatch.setattr(Staging, "add", full_disk)
    with pytest.raises(OSError, match="No space left"):
        pulls()
    assert readers() == []


def full_disk(*_, **__):
    raise OSError(28, "No space left on device")


@pytest.mark.proof
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_full_read_that_is_stopped_does_not_wait_for_slow_answers(server, tmp_path, how):
    file = tmp_path / "ninja-sync.toml"
    file.write_text(
        f'warehouse = "w.duckdb"\n[sources.main]\nurl = "{server.box.url}"\ntoken_env = "NINJA_SYNC_TOKEN"\n'
        f"page_size = {PAGE}\n"
    )
    environ = {"NINJA_SYNC_TOKEN": server.box.token, "HOME": str(tmp_path)}
    server.switch(faults=[{"do": "hang", "on": "GET /clients", "nth": 12, "times": 1000}])
    process = subprocess.Popen(
        [str(COMMAND), "pull", "--config", str(file)], env=environ, cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    while sum(r["path"].endswith("/clients") for r in server.call("GET", "/_sandbox/requests")) < 12:
        assert process.poll() is None
    process.send_signal(how)
    _, err = process.communicate(timeout=50)  # read_timeout is 60 s, and it would be tried again
    assert process.returncode == 128 + how
    assert err == "ninja-sync: stopped; all stored data is complete, and the next run continues from there.\n"


@pytest.mark.parametrize(("entity", "kept"), [(CLIENTS, []), (INVOICES, [Malformed("aB1")])], ids=["client", "invoice"])
def test_an_invoice_with_the_id_of_an_erased_client_is_not_taken_for_the_client(tmp_path, entity, kept):
    staging = Staging(tmp_path, [])
    erased = Erased("main", "salt", frozenset({Erased("main", "salt", frozenset()).mark("aB1")}))
    assert _without_erased(entity, [Malformed("aB1")], erased, staging) == kept
    assert len(staging.left_out) == 1 - len(kept)
