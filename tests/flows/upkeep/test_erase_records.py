"""Erasing a client takes its invoices and payments too, and pulls leave out those that the server still lists."""

from __future__ import annotations

import msgspec
import pytest

from flows.configuration.values import Erasure
from flows.upkeep.erase import erase_client
from sandbox.server import running
from schemas.errors import NotAuthorised
from tests.engines import address
from tests.flows.conftest import Server, pull_from
from tests.flows.pull.test_entities import ALL, invoice, listed, payment, refund
from tests.flows.upkeep.test_erase import canaries
from warehouse.opened.open import open_place

pytestmark = pytest.mark.slow

NOTE = "canary-note"


@pytest.fixture
def settings(settings, place):
    source = msgspec.structs.replace(settings.sources["main"], entities=ALL)
    return msgspec.structs.replace(settings, warehouse=address(place), sources={"main": source})


@pytest.fixture
def query(place):
    def run(sql, **params):
        with open_place(place) as warehouse:
            return warehouse.rows(sql, params)

    return run


@pytest.fixture
def victim(server, pulls):
    """A client with a paid invoice of two versions, and another client with one invoice."""
    victim, other = list(server.clients())[:2]
    invoice(server, other)
    paper = invoice(server, victim, NOTE)
    paid = payment(server, paper, 60)
    pulls()
    refund(server, paid, paper, 10)
    pulls()
    return victim


def held(query, client_id):
    """How many rows of a client each table holds."""
    tables = ("ninja.invoices", "ninja.payments", "control.record_versions", "control.vanished_records")
    return [query(f"select count(*) from {table} where client_id = $id", id=client_id)[0][0] for table in tables]


@pytest.mark.publishes
def test_nothing_is_left_of_an_erased_clients_documents(settings, victim, query, postgres):
    before = held(query, victim)
    assert NOTE in canaries(settings, postgres)
    erase_client(settings, "main", victim, reason="asked for")
    assert all(before[:3])
    assert held(query, victim) == [0, 0, 0, 0]
    assert NOTE not in canaries(settings, postgres)
    for child, parent, link in (
        ("invoice_items", "invoices", "invoice_id"),
        ("payment_applications", "payments", "payment_id"),
    ):
        orphans = f"select count(*) from ninja.{child} where {link} not in (select id from ninja.{parent})"
        assert query(orphans) == [(0,)]
    assert query("select count(*) from control.record_changes") == [(0,)]


def test_documents_of_an_erased_client_are_left_out_while_the_server_lists_them(
    server, settings, pulls, victim, query, postgres
):
    erase_client(settings, "main", victim, reason="asked for")
    invoice(server, victim, NOTE)
    server.switch(clock={"advance": 5})
    for full in (False, True, False):
        pulled = pulls(full=full)
        assert (held(query, victim), [part.left for part in pulled.parts]) == ([0] * 4, [0] * 4)
        assert full or [part.run.kind for part in pulled.parts[1:]] != ["full"] * 3
    theirs = [paper for kind in ("invoices", "payments") for paper in listed(server, kind)]
    count = sum(paper["client_id"] == victim for paper in theirs)
    assert query("select count(*) from control.left_out_records") == [(count,)]
    assert NOTE not in canaries(settings, postgres)
    server.purge(victim)
    server.switch(clock={"advance": 5})
    pulls()
    assert query("select count(*) from control.left_out_records") == [(0,)]


@pytest.fixture
def telling():
    """A server that reports purges in its activities."""
    with running(clients=20, invoiced=0, seed=5, behaves_like="5.12") as box:
        yield Server(box)


def test_a_purged_client_is_erased_even_if_the_pull_ends_before_its_documents_are_read(
    telling, settings, query, postgres
):
    source = msgspec.structs.replace(settings.sources["main"], url=telling.box.url)
    using = msgspec.structs.replace(settings, sources={"main": source}, erasure=Erasure(after_purge=True))
    purged, other = list(telling.clients())[:2]
    for person in (purged, other):
        invoice(telling, person, NOTE if person == purged else "Another")
    pull_from(telling, using)
    telling.purge(purged)
    telling.switch(clock={"advance": 5}, faults=[{"on": "GET /invoices", "nth": 2, "do": "status", "status": 403}])
    with pytest.raises(NotAuthorised):
        pull_from(telling, using)
    assert query("select count(*) from mart.client_history where id = $id", id=purged) == [(0,)]
    assert held(query, purged) == [0, 0, 0, 0]
    assert NOTE not in canaries(using, postgres)
    telling.switch(faults=[])
    done = pull_from(telling, using)
    assert [part.left for part in done.parts] == [0] * 4
    assert "full" not in {part.run.kind for part in done.parts}
    assert query("select count(*) from control.left_out_records") == [(0,)]
