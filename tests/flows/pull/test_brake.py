"""The brake: who would be removed, and the removal that a person allows by typing the number."""

from __future__ import annotations

import msgspec
import pytest

from flows.ask.health import held_records
from flows.pull.brake import remove_held
from schemas.errors import SettingsError
from tests.engines import address


@pytest.fixture
def held(settings, place, pulls, server, monkeypatch):
    """Settings of a warehouse that keeps clients that the server no longer has, and these clients."""
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    chosen = msgspec.structs.replace(settings, warehouse=address(place))
    pulls(using=chosen)
    gone = list(server.clients(status="active").values())[:12]
    server.purge(*(client["id"] for client in gone))
    assert pulls(using=chosen, full=True).held
    return chosen, gone


def test_the_clients_that_would_be_removed_are_named(held):
    settings, gone = held
    (kept,) = held_records(settings, None, most=100)
    assert (kept.source, kept.counts, kept.number) == ("main", {"clients": 12}, 12)
    assert {(row["id"], row["number"], row["name"]) for row in kept.records} == {
        (client["id"], client["number"], client["display_name"]) for client in gone
    }
    assert {row["id"]: row["balance"] for row in kept.records} == {client["id"]: client["balance"] for client in gone}
    (rest,) = held_records(settings, "main", most=100, skip=10)
    assert [row["id"] for row in rest.records] == [row["id"] for row in kept.records[10:]]


@pytest.mark.parametrize("typed", ["", "11", "13", "12.0", "yes", "-12"])
def test_any_other_number_removes_nothing(held, typed):
    settings, _ = held
    with pytest.raises(SettingsError, match="Type 12 to allow the removal of 12 clients"):
        remove_held(settings, "main", typed)
    assert held_records(settings, "main")[0].number == 12


def test_the_number_removes_them_and_nothing_is_kept_then(held):
    settings, gone = held
    pulled = remove_held(settings, "main", " 12 ")
    assert {client.id for client in pulled.departed} == {client["id"] for client in gone}
    assert held_records(settings, "main") == []
    with pytest.raises(SettingsError, match="Nothing is kept any more"):
        remove_held(settings, "main", "12")
