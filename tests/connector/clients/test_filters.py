"""Filters of the client list: the same, right answer on every generation of the server, or none."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector import clients
from connector.clients import Filter
from connector.clients.filters import ALL, NAMES, parameters
from sandbox.php.collation import like
from sandbox.server import running
from sandbox.store.generation import GENERATIONS
from schemas.errors import SettingsError
from tests.connector.clients.conftest import Box
from tests.noted import Noted

ZONES = ("UTC", "America/New_York", "Pacific/Kiritimati", "America/St_Johns")
BALANCES = ("0", "0.000001", "-0.000001", "10", "9.999999", "10.000001", "-250.5", "9999999999.5", "40000000000.123")
WORDS = ("a", "Zürich", "zurich", "50%", "a_b", "a\\b", "0", "Bern", "Müller  Bern", "ller B", "ÄRGER", "Straße", "x-y")
NAMED = ("Zürich Söhne", "zurich nord", "50% off", "500 off", "a_b", "aXb", "a\\b", "0", "Straße", "Strasse", "Ærø")


@pytest.fixture(scope="module", params=list(GENERATIONS))
def world(request):
    """A sandbox of one generation with its `Api`, and all its clients."""
    with running(clients=25, seed=5, behaves_like=request.param) as sandbox:
        box = Box(sandbox)
        for name, balance in zip(NAMED, [*BALANCES, *BALANCES], strict=False):
            box.balances(box.make(name), balance=balance)
        box.make("x", contacts=[{"first_name": "Bern", "email": "bern@one.test", "phone": "+41 44 0"}], number="N-1")
        box.make("Müller  Bern Gmbh", custom_value2="Bern Müller", id_number="CHE-1")
        api = box.api(Noted())
        with api.door:
            yield box, api, list(clients.list_clients(api))


def ids(found):
    return sorted(client.id for client in found)


def fits(wanted, client):
    """What a filter means, said once more, by the typed values that came without one."""
    found = [client.updated_at >= wanted.updated_at] if wanted.updated_at else []
    found += [client.created_at >= wanted.created_at] if wanted.created_at else []
    found += [client.status in wanted.status] if wanted.status is not None else []
    found += [client.is_deleted is wanted.is_deleted] if wanted.is_deleted is not None else []
    found += [not client.is_deleted] if wanted.with_trashed is False else []
    if wanted.name is not None:
        escaped = "".join("\\" + c if c in "\\%_" else c for c in wanted.name)
        found.append(like(f"%{escaped}%", client.name or "0"))
    if wanted.between_balance:
        found.append(wanted.between_balance[0] <= client.balance <= wanted.between_balance[1])
    found += [client.balance > wanted.balance_gt] if wanted.balance_gt is not None else []
    found += [client.balance >= wanted.balance_gte] if wanted.balance_gte is not None else []
    found += [client.balance < wanted.balance_lt] if wanted.balance_lt is not None else []
    found += [client.balance <= wanted.balance_lte] if wanted.balance_lte is not None else []
    found += [client.balance == wanted.balance_eq] if wanted.balance_eq is not None else []
    return all(found)


def drawn(data, everybody):
    """A filter of up to three conditions near what there is; None where no client can be like that."""
    stamps = sorted({moment for client in everybody for moment in (client.updated_at, client.created_at)})
    near = st.builds(lambda at, by: at + timedelta(seconds=by), st.sampled_from(stamps), st.integers(-40000, 40000))
    money = st.sampled_from([Decimal(b) for b in BALANCES]) | st.decimals(-300, 300, places=6)
    states = st.sets(st.sampled_from(["active", "archived", "deleted"]), min_size=1)
    strategies = {
        "updated_at": near, "created_at": near, "status": states, "is_deleted": st.booleans(),
        "with_trashed": st.booleans(), "name": st.sampled_from(WORDS),
        "between_balance": st.tuples(money, money).map(sorted).map(tuple), "balance_gt": money, "balance_gte": money,
        "balance_lt": money, "balance_lte": money, "balance_eq": money,
    }  # fmt: skip
    names = data.draw(st.sets(st.sampled_from(list(strategies)), max_size=3))
    told = {name: data.draw(strategies[name]) for name in sorted(names)}
    with suppress(SettingsError):
        return Filter(**told)
    return None


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(data=st.data())
def test_the_answer_is_what_the_filter_means_whatever_the_generation_and_its_time_zone(world, data):
    box, api, everybody = world
    wanted = drawn(data, everybody)
    if wanted is not None:
        box.switch(timezone=data.draw(st.sampled_from(ZONES)))
        meant = ids(client for client in everybody if fits(wanted, client))
        assert ids(clients.list_clients(api, wanted, page_size=data.draw(st.sampled_from([9, 500])))) == meant
        assert clients.count_clients(api, wanted) == len(meant)


def test_nothing_is_sent_that_generations_take_differently(world):
    box, api, _ = world
    box.switch(timezone="UTC")
    box.requests()
    several = (
        {"updated_at": 1, "created_at": 1, "status": {"active"}, "is_deleted": False, "with_trashed": False},
        {"name": "a", "email": "a@b.test", "id_number": "1", "number": "1", "group": "x", "filter": "a b"},
        {"between_balance": (1, 9), "balance_gt": 1, "balance_gte": 1, "balance_lt": 9, "balance_lte": 9},
        {"balance_eq": 1, "client_id": "x"},
    )
    for wanted in several:
        list(clients.list_clients(api, Filter(**wanted)))
    assert {name for wanted in several for name in wanted} == set(NAMES)
    sent = {pair.split("=")[0] for line in box.requests() for pair in line.partition("?")[2].split("&")}
    texts = {"client_id", "name", "email", "id_number", "number", "group", "filter"}
    assert sent == texts | {"updated_at", "created_at", "status", "between_balance", "sort", "per_page", "page"}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"email": " BERN@one.test "}, {"x"}),
        ({"email": "bern@one"}, set()),
        ({"number": "n-1"}, {"x"}),
        ({"id_number": "che-1"}, {"Müller  Bern Gmbh"}),
        ({"filter": "Bern"}, {"x", "Müller  Bern Gmbh"}),
        ({"filter": "bern muller"}, {"Müller  Bern Gmbh"}),
        ({"filter": "Gmbh Bern"}, set()),
        ({"filter": "+41 44"}, {"x"}),
        ({"filter": "50% o"}, {"50% off"}),
        ({"name": "strasse"}, {"Strasse"}),
        ({"name": "Straße"}, {"Straße"}),
        ({"client_id": "garbage"}, set()),
        ({"client_id": "1"}, set()),
        ({"group": "zzzzzzzzzz"}, set()),
    ],
)
def test_texts_and_ids_find_the_same_on_every_generation(world, wanted, found):
    _, api, everybody = world
    mine = {client.id for client in everybody if client.name in {*NAMED, "x", "Müller  Bern Gmbh"}}
    listed = [client for client in clients.list_clients(api, Filter(**wanted)) if client.id in mine]
    assert {client.name for client in listed} == found


def test_a_group_and_an_id_find_theirs(world):
    _, api, everybody = world
    grouped = next(client for client in everybody if client.group_settings_id)
    same = [client.id for client in everybody if client.group_settings_id == grouped.group_settings_id]
    assert ids(clients.list_clients(api, Filter(group=grouped.group_settings_id))) == sorted(same)
    for client in everybody[:3]:
        assert ids(clients.list_clients(api, Filter(client_id=client.id))) == [client.id]


def test_a_time_is_sent_as_whole_seconds_so_much_earlier_that_no_time_zone_hides_anything():
    eastern = timezone(timedelta(hours=2))
    moment = datetime(2026, 1, 2, 5, 4, 6, 900_000, eastern)
    assert parameters(Filter(updated_at=moment)) == {"updated_at": int(moment.timestamp()) - 15 * 3600}
    assert parameters(Filter(updated_at=5)) == {"updated_at": 1}


def test_without_anything_it_is_everybody_and_nothing_is_sent():
    assert parameters(ALL) == parameters(Filter(with_trashed=True)) == {}
    assert parameters(Filter(status={"active", "archived", "deleted"})) == {}


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"updated_at": datetime(2026, 1, 1)}, "without a zone"),  # noqa: DTZ001 - just that is refused
        ({"updated_at": 1_767_225_600_000}, "milliseconds"),
        ({"created_at": 0}, "not a time"),
        ({"created_at": -1}, "not a time"),
        ({"updated_at": "yesterday"}, "aware datetime"),
        ({"updated_at": 1.5}, "aware datetime"),
        ({"updated_at": True}, "aware datetime"),
        ({"status": {"activ"}}, "has no activ"),
        ({"status": "active"}, "is a set"),
        ({"status": set()}, "No client can have"),
        ({"status": {"deleted"}, "is_deleted": False}, "No client can have"),
        ({"is_deleted": True, "with_trashed": False}, "No client can have"),
        ({"is_deleted": "true"}, "True or False"),
        ({"client_id": ""}, "one id"),
        ({"client_id": "a,b"}, "one id"),
        ({"group": "a b"}, "one id"),
        ({"name": ""}, "empty"),
        ({"name": " \u00a0\u200b"}, "empty"),
        ({"name": "Bob*"}, "cannot match only their beginning"),
        ({"filter": "*"}, "*"),
        ({"name": 5}, "is a text"),
        ({"name": "\ud800"}, "not text"),
        ({"name": "a\x00b"}, "not text"),
        ({"name": "x" * 192}, "191"),
        ({"number": "0"}, "shows as empty"),
        ({"between_balance": (Decimal(2), Decimal(1))}, "together"),
        ({"between_balance": "1:2"}, "two amounts"),
        ({"between_balance": (1, 2, 3)}, "two amounts"),
        ({"balance_gt": 5, "balance_lt": 5}, "together"),
        ({"balance_gt": 0.1}, "never a float"),
        ({"balance_gt": "10"}, "never a float"),
        ({"balance_gte": Decimal("NaN")}, "14 digits"),
        ({"balance_gte": Decimal("1e14")}, "14 digits"),
        ({"balance_eq": Decimal("0.0000001")}, "six decimals"),
        ({"balance_lt": True}, "never a float"),
    ],
)
def test_what_the_server_would_take_for_no_filter_or_for_another_is_refused_with_the_reason(wanted, words):
    with pytest.raises(SettingsError) as refusal:
        Filter(**wanted)
    assert words in str(refusal.value)


def test_balances_at_the_very_ends_are_sent_as_plain_numbers():
    sent = {
        name: parameters(Filter(**{name: Decimal("1E+3")}))["between_balance"]
        for name in NAMES
        if name[:8] == "balance_"
    }
    assert sent == {
        "balance_gt": "1000.000001:99999999999999.999999", "balance_gte": "1000.000000:99999999999999.999999",
        "balance_lt": "-99999999999999.999999:999.999999", "balance_lte": "-99999999999999.999999:1000.000000",
        "balance_eq": "1000.000000:1000.000000",
    }  # fmt: skip
