"""The activities feed: pulled where it is wanted, and evidence of merges and purges where the server tells of them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import httpx
import msgspec
import pytest

from connector.api.activities import Deed
from flows.configuration.values import Erasure
from flows.pull.reconcile import fates_by_activities
from sandbox.server import running
from sandbox.store.generation import GENERATIONS
from tests.flows.conftest import Server
from warehouse.load.vanished import Lost


class NoFeed(httpx.HTTPTransport):
    """The server as it answers a user who may not see activities."""

    def handle_request(self, request):
        if request.url.path.endswith("/activities"):
            return httpx.Response(500, json={"message": "Server Error"})
        return super().handle_request(request)


@pytest.fixture(params=GENERATIONS)
def server(request):
    """A sandbox of each generation."""
    with running(clients=120, seed=5, behaves_like=request.param) as box:
        yield Server(box)


@pytest.fixture
def wanted(settings):
    """Settings with the feed of the source."""
    source = msgspec.structs.replace(settings.sources["main"], activities=True)
    return msgspec.structs.replace(settings, sources={"main": source})


def bare(server):
    """Two clients without a contact that has a mail: a merge of them moves none."""
    return [
        server.call("POST", "/api/v1/clients", {"name": f"Bare {n}", "contacts": [{"first_name": "Only"}]})["data"][
            "id"
        ]
        for n in (1, 2, 3)
    ]


def test_a_purge_and_a_merge_are_known_by_activities_where_the_server_writes_them(server, pulls, query, settings):
    one, other, third = bare(server)
    pulls()
    server.purge(third)
    server.merge(one, other)
    done = {d.id: (d.kind, d.into_id) for d in pulls().departed}
    version = query("select server_version from control.sources")[0][0]
    told = not version.startswith("5.10")
    assert done[third] == (("purged", None) if told else ("gone", None))
    assert done[other] == ("merged", one)
    evidence = dict(query("select id, evidence from control.redirects"))
    assert evidence[third] == ("activity 153" if told else "the server no longer knows it")


@pytest.mark.proof
def test_the_feed_is_stored_once_each_and_without_hashes(server, pulls, query, wanted):
    pulls(using=wanted)
    one, _, third = bare(server)
    pulls(using=wanted)
    server.edit(server.clients()[one], city="Ulm")
    hashes = [client["client_hash"] for client in server.clients().values()]
    server.purge(third)
    pulls(using=wanted)
    pulls(using=wanted, full=True)
    stored = {
        row[0]: row[1:] for row in query("select id, activity_type_id, client_id, notes, record from ninja.activities")
    }
    feed = server.call("GET", "/api/v1/activities?per_page=500")["data"]
    assert stored.keys() >= {row["id"] for row in feed}
    assert [row["activity_type_id"] for row in feed if row["client_id"] == one][::-1] == ["1", "61"]
    assert not [word for word in hashes if word in str(stored)]
    assert "127.0.0.1" not in str(stored)
    shown = query(
        "select activity, client_name from mart.client_activities where client_id = $id order by created_at", id=one
    )
    assert sorted(row[0] for row in shown) == ["client created", "client updated"]


@pytest.mark.proof
def test_a_token_that_may_not_see_the_feed_loads_all_else(server, pulls, query, wanted):
    done = pulls(using=wanted, transport=NoFeed())
    assert (done.run.inserted, "activities cannot be read" in " ".join(done.notes)) == (120, True)
    assert query("select count(*) from ninja.activities") == [(0,)]


@pytest.mark.proof
@pytest.mark.opens
def test_a_purged_client_is_erased_where_the_settings_say_so(server, pulls, query, settings):
    third = bare(server)[2]
    told = msgspec.structs.replace(settings, erasure=Erasure(after_purge=True))
    pulls(using=told)
    server.purge(third)
    done = pulls(using=told)
    evidence = not query("select server_version from control.sources")[0][0].startswith("5.10")
    assert query("select count(*) from mart.client_history where id = $id", id=third) == [(0 if evidence else 1,)]
    assert query("select count(finished_at) from control.erasures") == [(int(evidence),)]
    assert ("Erased" in " ".join(done.notes)) == evidence
    assert pulls(using=told).left == 0


def lost(key, name, at=100):
    return Lost(key, name, name, Decimal(0), datetime.fromtimestamp(at, UTC), ())


@pytest.mark.proof
@pytest.mark.parametrize(
    ("gone", "deeds", "told"),
    [
        ([lost("a", "X")], [Deed("s", "X", 150)], {"a": "merged"}),
        ([lost("a", "X")], [Deed(None, "X", 150)], {"a": "purged"}),
        ([lost("a", "X")], [Deed(None, "X", 50)], {}),
        ([lost("a", "X")], [Deed(None, "Y", 150)], {}),
        ([lost("a", "X"), lost("b", "X")], [Deed(None, "X", 150)], {}),
        (
            [lost("a", "X"), lost("b", "X")],
            [Deed(None, "X", 150), Deed(None, "X", 160)],
            {"a": "purged", "b": "purged"},
        ),
        ([lost("a", "X"), lost("b", "X")], [Deed(None, "X", 150), Deed("s", "X", 160)], {}),
        ([lost("a", "X")], [Deed("s", "X", 150), Deed("t", "X", 160)], {}),
    ],
)
def test_a_name_alone_is_evidence_only_where_it_leaves_no_doubt(gone, deeds, told):
    assert {key: one.kind for key, one in fates_by_activities(gone, deeds).items()} == told
