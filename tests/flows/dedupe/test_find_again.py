"""A second search on a real warehouse, on both engines: what it keeps, and what it compares again."""

from __future__ import annotations

from threading import Thread

import msgspec
import pytest

from flows.configuration.values import Retention
from flows.dedupe.find import find_duplicates
from flows.dedupe.rules import Rules
from flows.session.ready import open_ready
from flows.upkeep.erase import erase_client
from tests.engines import address
from warehouse.control.compared import read_inputs

STORED = ("duplicate_forms", "duplicate_scores", "duplicate_basis")


@pytest.fixture
def told(settings, server, place, monkeypatch):
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    return msgspec.structs.replace(settings, warehouse=address(place))


@pytest.fixture
def twins(server):
    """Two clients that are the same, as the server has them."""
    made = {"settings": {"currency_id": "1"}, "country_id": "276", "city": "Köln", "vat_number": "DE136695976"}
    names = ("Zwilling Handel GmbH", "Zwilling Handel")
    return [server.call("POST", "/api/v1/clients", {"name": name, **made})["data"]["id"] for name in names]


def stored(settings):
    """What the warehouse keeps for the next search, but for the number of searches."""
    with open_ready(settings) as warehouse:
        rows = {table: warehouse.rows(f"select * from control.{table}") for table in STORED}
    rows["duplicate_basis"] = [row[:4] for row in rows["duplicate_basis"]]
    return {table: sorted(own) for table, own in rows.items()}


def same(found):
    return found.clusters, found.pairs, found.compared, found.left_out, found.names


def test_a_search_after_a_pull_compares_what_has_changed_and_finds_what_a_whole_search_finds(
    told, twins, pulls, server
):
    pulls(using=told)
    first = find_duplicates(told, "main", Rules())
    assert first.again == first.compared
    assert sorted(twins) in [list(ids) for ids in first.clusters]
    again = find_duplicates(told, "main", Rules())
    assert (same(again), again.again, again.new) == (same(first), 0, 0)
    one = twins[0]
    server.edit(server.clients()[one], name="Ganz Anders Bau", vat_number="", city="Ulm")
    server.call("POST", "/api/v1/clients", {"name": "Neu Handel", "city": "Ulm"})
    pulls(using=told)
    less = find_duplicates(told, "main", Rules())
    assert 2 <= less.again < less.compared
    assert not [ids for ids in less.clusters if one in ids]
    kept = stored(told)
    whole = find_duplicates(told, "main", Rules(), everything=True)
    assert (same(less), whole.again) == (same(whole), whole.compared)
    assert stored(told) == kept


def test_an_erased_client_leaves_no_form_and_no_score(told, twins, pulls):
    pulls(using=told)
    find_duplicates(told, "main", Rules())
    one, other = twins
    before = stored(told)
    assert any(one in row for row in before["duplicate_forms"])
    assert any({one, other} <= set(row[1:3]) for row in before["duplicate_scores"])
    erase_client(told, "main", one, reason="asked for")
    after = stored(told)
    assert not [row for rows in after.values() for row in rows if one in row]
    found = find_duplicates(told, "main", Rules())
    assert found.again < found.compared
    assert same(found) == same(find_duplicates(told, "main", Rules(), everything=True))


def test_a_client_that_is_gone_or_deleted_is_not_compared_any_more(told, twins, pulls, server):
    pulls(using=told)
    with_all = find_duplicates(told, "main", Rules())
    one, other = twins
    server.call("DELETE", f"/api/v1/clients/{one}")
    server.merge(other, next(key for key in sorted(server.clients(status="active")) if key not in twins))
    pulls(using=told, full=True)
    found = find_duplicates(told, "main", Rules())
    assert found.compared == with_all.compared - 2
    assert not [ids for ids in found.clusters if one in ids]
    assert one not in {row[1] for row in stored(told)["duplicate_forms"]}
    deleted = find_duplicates(told, "main", Rules(), deleted=True)
    assert sorted(twins) in [list(ids) for ids in deleted.clusters]
    assert same(find_duplicates(told, "main", Rules())) == same(found)


def test_two_searches_at_a_time_leave_nothing_half_kept(told, twins, pulls, monkeypatch):
    """The second one stores its state while the first compares: the next search compares all clients."""
    pulls(using=told)
    find_duplicates(told, "main", Rules())
    begun = []

    def meanwhile(phase, done, total):
        if phase == "grouping" and not begun:
            begun.append(phase)
            find_duplicates(told, "main", Rules())

    find_duplicates(told, "main", Rules(), progress=meanwhile)
    assert begun
    assert stored(told) == {table: [] for table in STORED}
    found = find_duplicates(told, "main", Rules())
    assert found.again == found.compared


def test_a_search_that_stores_while_another_reads_is_not_read_by_halves(
    settings, postgres_place, server, twins, pulls, monkeypatch
):
    """Scores of one search, with the prints of the next one, would show a change as none."""
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    told = msgspec.structs.replace(settings, warehouse=address(postgres_place))
    pulls(using=told)
    find_duplicates(told, "main", Rules())
    server.edit(server.clients()[twins[0]], name="Ganz Anders Bau", vat_number="", city="Ulm")
    pulls(using=told)
    other = Thread(target=find_duplicates, args=(told, "main", Rules()))
    waits = "select 1 from pg_locks where locktype = 'advisory' and not granted"

    def meanwhile(warehouse, *asked, **named):
        if other.ident is None:
            other.start()
            while other.is_alive() and not warehouse.rows(waits):
                other.join(0.02)
        return read_inputs(warehouse, *asked, **named)

    monkeypatch.setattr("flows.dedupe.find.read_inputs", meanwhile)
    found = find_duplicates(told, "main", Rules())
    other.join()
    assert not [ids for ids in found.clusters if twins[0] in ids]
    assert same(found) == same(find_duplicates(told, "main", Rules(), everything=True))


def test_a_client_erased_while_clients_are_compared_leaves_no_form_and_no_score(told, twins, pulls):
    pulls(using=told)
    one = twins[0]

    def meanwhile(phase, done, total):
        if phase == "grouping":
            erase_client(told, "main", one, reason="asked for")

    find_duplicates(told, "main", Rules(), progress=meanwhile)
    kept = stored(told)
    assert kept["duplicate_forms"]
    assert not [row for rows in kept.values() for row in rows if one in row]
    found = find_duplicates(told, "main", Rules())
    assert same(found) == same(find_duplicates(told, "main", Rules(), everything=True))


@pytest.mark.parametrize("kept", [Retention(history_days=30), Retention(record_days=30)])
def test_forms_of_clients_that_are_gone_and_of_an_old_search_end_with_the_history(told, twins, pulls, server, kept):
    pulls(using=told)
    found = find_duplicates(told, "main", Rules())
    server.purge(twins[0])
    month = msgspec.structs.replace(told, retention=kept)
    pulls(using=month, full=True)
    assert twins[0] not in {row[1] for row in stored(told)["duplicate_forms"]}
    assert len(stored(told)["duplicate_forms"]) == found.compared - 1
    find_duplicates(told, "main", Rules(threshold=0.2))
    with open_ready(told) as warehouse:
        assert warehouse.rows("select count(*) > 0 from control.duplicate_pairs") == [(True,)]
        warehouse.execute("update control.duplicate_pairs set found_at = now() - interval '31 days'")
    pulls(using=month)
    assert not stored(told)["duplicate_forms"]
    again = find_duplicates(told, "main", Rules(), everything=False)
    assert again.again == again.compared == len(stored(told)["duplicate_forms"])
    assert same(again) == same(find_duplicates(told, "main", Rules(), everything=True))


def test_the_phases_of_a_search_are_reported_with_counts(told, twins, pulls):
    pulls(using=told)
    reported = []
    found = find_duplicates(told, "main", Rules(), progress=lambda *report: reported.append(report))
    phases = list(dict.fromkeys(phase for phase, _, _ in reported))
    assert phases == ["reading", "preparing", "comparing", "grouping", "storing"]
    assert ("preparing", found.compared, found.compared) in reported
    assert ("comparing", found.compared, found.compared) in reported
