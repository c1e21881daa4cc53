"""No secret is in any file, log, table or output after all commands have run."""

from __future__ import annotations

import base64
import stat

import httpx
import pytest

from tests.canaries import leaks, left_behind


@pytest.fixture
def secrets(server):
    """Tokens, password, and what the server's records hold: keys and links of contacts, hashes, gateway tokens."""
    found = {server.box.token, server.box.other_token, server.box.viewer_token, server.box.password}
    for client in server.clients().values():
        found.add(client["client_hash"])
        for contact in client["contacts"]:
            found |= {contact["contact_key"], contact["link"]}
        for token in client["gateway_tokens"]:
            found |= {token["token"], token["gateway_customer_reference"]}
        for document in client["documents"]:
            found |= {document["hash"], document["link"], document["url"]}
    found.discard("")
    assert len(found) > 300
    return found


@pytest.mark.slow
def test_no_secret_is_left_anywhere_after_all_commands(server, command, secrets, tmp_path, monkeypatch):
    output = []

    def run(*args, **more):
        code, out, err = command(*args, **more)
        output.extend([(f"stdout of {args}", out.encode()), (f"stderr of {args}", err.encode())])
        return code

    edited = next(iter(server.clients(status="active").values()))
    bad = {"NINJA_SYNC_TOKEN": server.box.viewer_token}
    assert run("init", "--url", server.box.url, "--token-env", "NINJA_SYNC_TOKEN") == 0
    assert run("doctor") == 0
    assert run("pull") == 0
    server.edit(edited, city="Changed")
    assert run("pull", "--json") == 0
    assert run("pull", "--full") == 0
    assert run("status") == run("status", "--json") == run("balances", "--plot", tmp_path / "b.svg") == 0
    assert run("sql", "select * from ninja.clients limit 3", "--json") == 0
    assert run("sql", "select nonsense") == 2
    assert run("publish") == run("source", "list") == run("source", "rebind", "main", "--yes") == 0
    server.switch(faults=[{"on": "GET /clients", "every": True, "do": "status", "status": 403}])
    assert run("pull") == 5
    server.switch(faults=[{"on": "GET /clients", "nth": 3, "times": 1000, "do": "html"}])
    assert run("pull", "--full") == 5
    server.switch(faults=[])
    assert run("doctor", environ=bad) == 5
    assert run("pull", environ={"NINJA_SYNC_TOKEN": server.box.other_token}) == 2
    assert run("pull", environ={"NINJA_SYNC_TOKEN": server.box.token + "x"}) == 5
    assert run("pull", environ={"NINJA_SYNC_TOKEN": server.box.token + "\x01"}) == 2

    assert leaks(secrets, iter(output)) == []
    assert leaks(secrets, left_behind(tmp_path)) == []
    # The control: each way of hiding one is found.
    (tmp_path / "log.txt").write_bytes(b"x" + base64.b64encode(b"header: " + server.box.token.encode() + b"!"))
    (tmp_path / "escaped.json").write_text(next(s for s in secrets if "/" in s).replace("/", "\\/"))
    hits = " ".join(leaks(secrets, left_behind(tmp_path)))
    assert "log.txt" in hits
    assert "escaped.json" in hits


@pytest.mark.slow
def test_no_secret_is_in_the_pages_of_an_interrupted_pull(server, pulls, secrets, tmp_path):
    class Cut(httpx.HTTPTransport):
        def __init__(self, after):
            super().__init__()
            self.left = after

        def handle_request(self, request):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt
            return super().handle_request(request)

    with pytest.raises(KeyboardInterrupt):
        pulls(transport=Cut(after=8))
    pulls()
    with pytest.raises(KeyboardInterrupt):
        pulls(transport=Cut(after=8), full=True)
    staged = list((tmp_path / "state" / "warehouse.duckdb.staging").rglob("*.arrow"))
    assert staged
    assert leaks(secrets, left_behind(tmp_path)) == []


def test_every_file_is_private(command, tmp_path):
    assert command("pull")[0] == 0
    assert command("init", "--url", "https://ninja.example", "--token-file", "token")[0] == 0
    written = [*(tmp_path / "cli").rglob("*"), tmp_path / "config" / "ninja-sync.toml"]
    assert [p for p in written if stat.S_IMODE(p.stat().st_mode) & 0o077] == []


def test_a_secret_that_was_planted_in_a_table_would_be_found(pulls, query, server, tmp_path):
    pulls()
    query(
        f"update ninja.clients set private_notes = '{server.box.token}' where id = (select min(id) from ninja.clients)"
    )
    assert leaks({server.box.token}, left_behind(tmp_path))
