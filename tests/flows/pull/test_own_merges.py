"""What we have merged away or purged ourselves is known at the next pull, without reading everything."""

from __future__ import annotations

import pytest

from connector import clients
from connector.door.secret import Secret
from flows.session.api import open_api
from schemas.journal import Call, Edit, Outcome
from schemas.merge_plan import ALLOWABLE


@pytest.fixture
def api(settings, server, monkeypatch):
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    with open_api(settings=settings, password=lambda: Secret(server.box.password)) as opened:
        yield opened


def redirects(query):
    return {row[0]: row[1:] for row in query("select id, kind, into_id, evidence from mart.client_redirects")}


def test_a_merge_and_a_purge_of_ours_are_told_by_the_next_pull_as_what_they_were(api, server, pulls, query, tmp_path):
    nobody = server.call("POST", "/api/v1/clients", {"name": "No contact stays", "contacts": []})["data"]
    kept, gone = [one for one in server.clients(status="active") if one != nobody["id"]][:2]
    pulls()
    clients.merge(api, kept, nobody["id"], backup=tmp_path / "merged.json", allowed=ALLOWABLE)
    clients.purge(api, gone, backup=tmp_path / "purged.json")
    pulled = pulls()
    assert pulled.run.kind == "pull"
    assert {one.id: (one.kind, one.into_id) for one in pulled.departed} == {
        nobody["id"]: ("merged", kept), gone: ("purged", None),
    }  # fmt: skip
    found = redirects(query)
    assert found[nobody["id"]][:2] == ("merged", kept)
    assert found[gone][2].startswith("our own purge, call ")
    again = pulls()  # idle, or, within the second of the merge, a pull that finds nothing
    assert again.run.kind in ("idle", "pull")
    assert (pulled.left, again.left, list(again.departed), again.run.updated) == (0, 0, [], 0)


def test_many_of_our_own_are_no_reason_for_the_brake(api, server, pulls, tmp_path):
    ids = list(server.clients(status="active"))[:6]
    pulls()
    for one in ids:
        clients.purge(api, one, backup=tmp_path / f"{one}.json")
    pulled = pulls()
    assert (len(pulled.departed), pulled.held) == (6, None)


def test_one_that_is_back_on_a_restored_server_is_not_taken_out(api, server, pulls, query, tmp_path):
    one = next(iter(server.clients(status="active")))
    pulls()
    call = api.journal.intend(Call("purge", [Edit(one, {}, {"gone": True})]))
    api.journal.settle(call, [(one, Outcome.APPLIED)])
    server.edit(server.clients()[one], city="Back")
    pulled = pulls()
    assert (list(pulled.departed), pulled.run.updated) == ([], 1)
    assert query("select count(*) from ninja.clients where id = $id", id=one) == [(1,)]
