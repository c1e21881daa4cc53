"""The list of clients: each filter against the server's own records, the orders, the pages, the sums, and the files."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest

from flows.ask.client_list import (
    ORDERS,
    PROBLEMS,
    SIZE,
    STATES,
    Filter,
    read_choices,
    read_export,
    read_page,
)
from flows.configuration.load import place_of
from flows.configuration.values import Settings, Source
from sandbox.server import running
from schemas.errors import SettingsError
from tests.engines import address
from tests.flows.conftest import Server, pull_from
from warehouse.opened.open import open_place

ENTITIES = ("clients", "invoices", "payments", "credits")
EVERYTHING = Filter(state="all")
QUARANTINE = "insert into control.quarantine (source, entity, id, field, reason, first_run_id, last_run_id)"


class Books:
    """A warehouse of two pulls, and the server's clients: one was merged and one purged in between."""

    def __init__(self, server, settings, gone):
        self.settings, self.gone = settings, gone
        self.clients = server.clients()

    def ids(self, wanted, source="main"):
        """The ids of all pages of a list, in their order."""
        first = read_page(self.settings, source, wanted)
        pages = [first, *(read_page(self.settings, source, wanted, n) for n in range(2, first.pages + 1))]
        found = [row["id"] for page in pages for row in page.rows]
        assert len(found) == len(set(found)) == first.of_all
        return found

    def on_server(self, fits):
        return {key for key, client in self.clients.items() if fits(client)}

    def rows(self, sql, **params):
        with open_place(place_of(self.settings), read_only=True) as warehouse:
            return warehouse.rows(sql, params)

    def change(self, *statements):
        with open_place(place_of(self.settings)) as warehouse:
            for sql in statements:
                warehouse.execute(sql)


@pytest.fixture(scope="module")
def kept(engine, tmp_path_factory):
    place = engine.new(tmp_path_factory.mktemp("client-list"))
    with running(clients=160, seed=5) as box:
        server = Server(box)
        source = Source(url=box.url, page_size=100, requests_per_second=10_000, look_back=0, entities=ENTITIES)
        settings = Settings(warehouse=address(place), publish=False, sources={"main": source})
        first, other, purged, archived, deleted = list(server.clients(status="active"))[:5]
        pull_from(server, settings)
        server.switch(clock={"advance": 3600})
        server.merge(first, other)
        server.purge(purged)
        server.bulk("archive", archived)
        server.bulk("delete", deleted)
        pull_from(server, settings)
        yield Books(server, settings, {other: "merged", purged: "gone"})
    engine.drop(place)


@pytest.fixture
def own(kept, engine, tmp_path):
    """The same in a warehouse that one test may change."""
    place = engine.copy(place_of(kept.settings), tmp_path / "own")
    books = Books.__new__(Books)
    books.settings = msgspec.structs.replace(kept.settings, warehouse=address(place))
    books.gone, books.clients = kept.gone, kept.clients
    yield books
    engine.drop(place)


def is_archived(client):
    return bool(client["archived_at"]) and not client["is_deleted"]


@pytest.mark.parametrize(
    ("state", "fits"),
    [
        ("present", lambda client: not client["is_deleted"]),
        ("active", lambda client: not client["is_deleted"] and not client["archived_at"]),
        ("archived", is_archived),
        ("deleted", lambda client: client["is_deleted"]),
    ],
)
def test_each_state_has_the_clients_of_the_server(kept, state, fits):
    wanted = kept.on_server(fits)
    assert set(kept.ids(Filter(state=state))) == wanted
    assert wanted


def test_vanished_clients_are_listed_with_their_fate_and_without_a_balance(kept):
    page = read_page(kept.settings, "main", Filter(state="vanished"))
    assert {row["id"]: row["state"] for row in page.rows} == kept.gone
    assert {row["owed"] for row in page.rows} == {None}
    assert [(record["owed"], record["net"]) for record in page.sums] == [(None, None)] * len(page.sums)
    assert set(kept.ids(EVERYTHING)) == set(kept.clients) | set(kept.gone)


def test_sums_by_currency_are_exact_and_no_debt_is_netted(kept):
    page = read_page(kept.settings, "main", Filter())
    balances = [client for client in kept.clients.values() if not client["is_deleted"]]
    currencies = dict(kept.rows("select id, currency_code from mart.clients"))
    wanted = {}
    for client in balances:
        sides = wanted.setdefault(currencies[client["id"]], [0, Decimal(0), Decimal(0)])
        balance = Decimal(str(client["balance"]))
        sides[0] += 1
        sides[1 if balance > 0 else 2] += abs(balance)
    assert {r["currency"]: [r["clients"], r["owed"], r["overpaid"]] for r in page.sums} == wanted
    assert all(record["net"] == record["owed"] - record["overpaid"] for record in page.sums)
    assert any(record["overpaid"] for record in page.sums)


def test_country_currency_and_group_narrow_the_list(own):
    choices = read_choices(own.settings, "main")
    known = own.rows("select id, country_code, currency_code, status from mart.clients")
    countries = Counter(country for _, country, _, status in known if status != "deleted" and country)
    assert {code for code, _ in choices.countries} >= set(countries)
    for code, number in countries.items():
        assert len(own.ids(Filter(country=code))) == number
    for code, _ in choices.currencies:
        wanted = {key for key, _, currency, status in known if currency == code and status != "deleted"}
        assert set(own.ids(Filter(currency=code))) == wanted
    assert len(choices.currencies) > 1
    own.change("update ninja.clients set country_id = null where number = '0007'")
    (row,) = own.rows("select id from ninja.clients where number = '0007'")
    assert row[0] in own.ids(Filter(country="none", state="all"))
    for name, _ in choices.groups:
        (number,) = own.rows("select count(*) from mart.clients where group_name = $name", name=name)[0]
        assert len(own.ids(Filter(group=name, state="all"))) == number > 0


def test_a_search_finds_parts_of_names_numbers_and_contacts_in_any_case(kept):
    active = [c for c in kept.clients.values() if c["name"] and not c["is_deleted"]]
    one = next(c for c in active if any(k["email"] for k in c["contacts"]) and len(c["name"]) > 8)
    contact = next(k for k in one["contacts"] if k["email"])
    for text in (
        one["name"][1:7], one["name"].upper(), one["number"], one["number"][1:], contact["email"].upper(),
        contact["email"][2:9], f"{contact['first_name']} {contact['last_name']}",
    ):  # fmt: skip
        assert one["id"] in kept.ids(Filter(text=text)), text
    assert kept.ids(Filter(text="no client has such a name")) == []
    part = "gmbh"
    wanted = {
        c["id"]
        for c in active
        if any(
            part in str(text).casefold()
            for text in (c["display_name"], c["name"], *(k["email"] for k in c["contacts"]))
        )
    }
    assert set(kept.ids(Filter(text=part))) == wanted
    assert len(wanted) > 3


def test_a_vanished_client_is_found_by_its_name(kept):
    for key in kept.gone:
        ((name,),) = kept.rows("select display_name from mart.client_redirects where id = $id", id=key)
        assert key in kept.ids(Filter(text=str(name), state="all"))


@pytest.mark.parametrize(
    "text", ["'; drop table ninja.clients; --", "\\", "[", "(", "*", "$source", "{x}", "%", "\u202e"]
)
def test_a_hostile_search_is_a_text_like_any_other(kept, text):
    read_page(kept.settings, "main", Filter(text=text, country=text, group=text, currency=text))
    assert len(kept.ids(Filter())) > SIZE


def test_each_problem_has_its_clients(own):
    own.change(
        "update ninja.clients set balance = balance + 1 where number = '0010'",
        "insert into control.duplicate_clusters select source, 'pair', id, now() from ninja.clients "
        "where number in ('0011', '0014')",
        "insert into control.duplicate_clusters select source, 'alone', id, now() from ninja.clients "
        "where number = '0015'",
        "insert into control.duplicate_clusters values ('main', 'alone', 'mergedAway', now())",
        f"{QUARANTINE} select source, 'clients', id, 'balance', 'odd', run_id, run_id from ninja.clients "
        "where number = '0012'",
        f"{QUARANTINE} values ('main', 'clients', 'neverStored', 'balance', 'odd', 'run', 'run')",
        "update ninja.contacts set email = null "
        "where client_id in (select id from ninja.clients where number = '0013')",
    )
    number = {key: value for value, key in own.rows("select id, number from ninja.clients")}
    wanted = {
        "overdue": "select client_id from mart.open_items where open_amount > 0 and days_overdue > 0",
        "overpaid": "select id from ninja.clients where balance < 0",
        "duplicates": "select id from control.duplicate_clusters where cluster_id = 'pair'",
        "in_quarantine": "select id from control.quarantine where resolved_run_id is null and entity = 'clients'",
        "differing": "select client_id from mart.reconciliation",
        "with_mail": "select id from mart.data_quality where finding = 'no contact with a mail'",
    }
    assert set(wanted) == set(PROBLEMS)
    deleted = {key for (key,) in own.rows("select id from ninja.clients where is_deleted")}
    for problem, sql in wanted.items():
        expected = {key for (key,) in own.rows(sql)} - deleted
        assert set(own.ids(Filter(problem=problem))) == expected, problem
        assert expected
    assert number["0010"] in own.ids(Filter(problem="differing"))
    listed = [row for page in (1, 2, 3) for row in read_page(own.settings, "main", EVERYTHING, page).rows]
    assert {row["id"] for row in listed if row["is_duplicate"]} == {number["0011"], number["0014"]}
    rows = {row["id"]: row for row in read_page(own.settings, "main", Filter(problem="in_quarantine")).rows}
    assert rows["neverStored"]["state"] == "in quarantine"
    assert rows[number["0012"]]["is_quarantined"]


def test_an_open_deposit_and_the_rest_are_overdue_by_the_rules_of_the_open_items(own):
    days = ("current_date - 40", "current_date + 40", "null")
    cases = [(p, pd, d, b) for p in (0, 40, 100, 150) for pd in days for d in days for b in (100, -5, 0)]
    invoices = own.rows("select id from ninja.invoices order by id limit 108")
    assert len(cases) == len(invoices)
    own.change(*(
        f"update ninja.invoices set partial = {p}, partial_due_date = {pd}, due_date = {d}, balance = {b}, "
        f"status_id = '{2 if n % 7 else 1}' where id = '{key}'"
        for n, ((p, pd, d, b), (key,)) in enumerate(zip(cases, invoices, strict=True))
    ))  # fmt: skip
    wanted = {
        key for (key,) in own.rows("select client_id from mart.open_items where open_amount > 0 and days_overdue > 0")
    }
    known = {key for (key,) in own.rows("select id from ninja.clients")}
    assert set(own.ids(replace(EVERYTHING, problem="overdue"))) == wanted & known


def test_the_orders_are_those_of_people(kept):
    rows = {
        row["id"]: row for n in range(1, 5) for row in read_page(kept.settings, "main", Filter(order="owed"), n).rows
    }
    owed = [(row["currency"], row["net"]) for row in rows.values()]
    by_currency = {}
    for currency, net in owed:
        by_currency.setdefault(currency, []).append(net)
    assert [currency for currency, _ in owed] == sorted((c for c, _ in owed), key=lambda c: list(by_currency).index(c))
    assert all(nets == sorted(nets, reverse=True) for nets in by_currency.values())
    ((own,),) = kept.rows("select currency_code from mart.companies where source = 'main'")
    assert owed[0][0] == own
    numbers = [kept.clients[key]["number"] for key in kept.ids(Filter(order="number"))]
    assert numbers == sorted(numbers, key=lambda number: (len(number), number))
    updated = [kept.clients[key]["updated_at"] for key in kept.ids(Filter(order="updated"))]
    assert updated == sorted(updated, reverse=True)
    names = [kept.clients[key]["display_name"] for key in kept.ids(Filter())]
    assert [name[0].upper() for name in names if name[0].isascii()] == sorted(
        name[0].upper() for name in names if name[0].isascii()
    )


def test_the_pages_have_fifty_clients_and_one_after_the_last_has_none(kept):
    page = read_page(kept.settings, "main", Filter())
    assert (len(page.rows), page.pages) == (SIZE, -(-page.of_all // SIZE))
    beyond = read_page(kept.settings, "main", Filter(), page.pages + 1)
    assert (beyond.rows, beyond.of_all) == ([], page.of_all)


@pytest.mark.parametrize(
    "wanted", [Filter(), Filter(problem="overpaid"), Filter(text="gmbh", order="owed"), Filter(state="vanished")]
)
def test_a_file_has_exactly_the_clients_of_the_list_in_its_order(kept, wanted):
    records = read_export(kept.settings, "main", wanted).records()
    assert [record["id"] for record in records] == kept.ids(wanted)
    for record in records:
        if record["net"] is not None:
            assert record["net"] == record["owed"] - record["overpaid"]


@pytest.mark.parametrize("wrong", [{"state": "x"}, {"problem": "mirrored"}, {"order": "1; drop"}, {"country": "\x00"}])
def test_a_filter_that_does_not_exist_is_refused(kept, wrong):
    with pytest.raises(SettingsError):
        read_page(kept.settings, "main", Filter(**wrong))
    with pytest.raises(SettingsError, match="no source"):
        read_page(kept.settings, "nobody", Filter())


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("state", STATES)
def test_every_order_goes_with_every_state_and_all_sources(kept, order, state):
    assert set(kept.ids(Filter(state=state, order=order), None)) == set(kept.ids(Filter(state=state)))
