from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from sandbox.server import create_app

NOW = 1_790_000_000.25
TABLES = (
    "clients",
    "contacts",
    "documents",
    "gateway_tokens",
    "group_settings",
    "planted",
    "companies",
    "tokens",
    "users",
    "invoices",
    "payments",
    "paymentables",
    "credits",
    "invitations",
    "ledger",
    "counters",
    "quotes",
    "recurring_invoices",
    "products",
    "vendors",
    "vendor_contacts",
    "projects",
    "tasks",
    "expenses",
)


def _dump(**how) -> list[tuple]:
    app = create_app(clock=lambda: NOW, **how)
    rows = [row for table in TABLES for row in app.state.world.db.execute(f"SELECT * FROM {table}")]
    app.state.world.db.close()
    return rows


@pytest.fixture(scope="module")
def world():
    app = create_app(clients=1500, seed=3, clock=lambda: NOW)
    yield app.state.world
    app.state.world.db.close()


def _column(world, sql: str) -> list:
    return [row[0] for row in world.db.execute(sql)]


def test_the_same_seed_makes_the_same_world():
    assert _dump(clients=100, seed=4) == _dump(clients=100, seed=4)
    assert _dump(clients=100, seed=4) != _dump(clients=100, seed=5)


def test_each_company_has_its_clients(world):
    assert Counter(_column(world, "SELECT company_id FROM clients")) == {1: 1500, 2: 12}


def test_no_sandbox_is_empty_handed_without_clients():
    assert _dump(clients=0, seed=1)


def test_every_client_has_contacts_and_one_primary(world):
    primaries = _column(world, "SELECT sum(is_primary) FROM contacts GROUP BY client_id")
    assert len(primaries) == 1512
    assert set(primaries) == {1}
    assert " " in _column(world, "SELECT email FROM contacts")
    assert max(_column(world, "SELECT count(*) FROM contacts GROUP BY client_id")) == 4


def test_states_scripts_and_countries_vary(world):
    states = Counter(tuple(row) for row in world.db.execute("SELECT deleted_at IS NULL, is_deleted FROM clients"))
    assert set(states) == {(1, 0), (0, 0), (0, 1)}
    names = "".join(_column(world, "SELECT name FROM clients"))
    assert {"ü", "Ł", "é", "東", "ה", "ا"} <= set(names)
    assert len(set(_column(world, "SELECT country_id FROM clients"))) > 8
    assert "" in _column(world, "SELECT name FROM clients")


def test_figures_have_cents_micros_signs_and_zeros(world):
    balances = [Decimal(text) for text in _column(world, "SELECT balance FROM clients")]
    places = Counter(-b.as_tuple().exponent for b in balances)
    assert min(balances) < 0 < max(balances)
    assert Decimal(0) in balances
    assert {0, 2, 6} <= set(places)
    assert any(Decimal(text) for text in _column(world, "SELECT credit_balance FROM clients"))


def test_stamps_are_tied_ordered_and_in_the_past(world):
    rows = list(world.db.execute("SELECT created_at, updated_at FROM clients WHERE company_id = 1 ORDER BY id"))
    assert all(made <= changed < NOW * 1e6 for made, changed in rows)
    assert max(Counter(changed for _, changed in rows).values()) >= 100
    assert max(Counter(changed // 1_000_000 for made, changed in rows if made == changed).values()) >= 100


def test_some_clients_inherit_their_currency(world):
    settings = _column(world, "SELECT settings FROM clients WHERE group_settings_id IS NOT NULL")
    assert settings
    assert not any("currency_id" in text for text in settings)


def test_secrets_to_hunt_for_are_planted(world):
    assert all(t.startswith("pm_") for t in _column(world, "SELECT token FROM gateway_tokens"))
    assert _column(world, "SELECT hash FROM documents")
    assert min(map(len, _column(world, "SELECT client_hash FROM clients"))) == 40
    assert min(map(len, _column(world, "SELECT contact_key FROM contacts"))) == 32


def test_numbers_are_unique_and_the_counter_stands_behind_them(world):
    numbers = _column(world, "SELECT number FROM clients WHERE company_id = 1")
    assert len(set(numbers)) == 1500
    assert _column(world, "SELECT client_number_counter FROM companies WHERE id = 1") == [1501]


def test_planted_pairs_are_different_clients_of_one_kind_each(world):
    pairs = list(world.db.execute("SELECT client_id, duplicate_id, kind FROM planted"))
    assert len(pairs) > 30
    assert all(original < duplicate for original, duplicate, _ in pairs)
    joined = "planted JOIN clients d ON d.id = duplicate_id WHERE kind = 'plain_spelling'"
    assert set(_column(world, f"SELECT d.vat_number FROM {joined}")) == {""}
