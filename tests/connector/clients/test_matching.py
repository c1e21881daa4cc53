"""What comes back for a filter: a client that was not meant shows that the server ignored it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from connector import clients
from connector.api.api import Api
from connector.clients import Filter
from connector.clients.matching import matches, total_is_exact
from schemas.client import client_of
from schemas.errors import FilterIgnored
from tests.records import NOW, client, contact

MOMENT = datetime.fromtimestamp(NOW, UTC)


def one(**fields):
    return client_of(client("aB", **fields))


class Forgetful:
    """A door to a server that does not know some parameters."""

    def __init__(self, door, *forgotten):
        self.door, self.forgotten = door, forgotten

    def get(self, path, params):
        return self.door.get(path, {name: value for name, value in params.items() if name not in self.forgotten})


@pytest.mark.parametrize(
    "wanted",
    [
        {"updated_at": MOMENT + timedelta(days=400)},
        {"created_at": MOMENT + timedelta(days=400)},
        {"status": {"deleted"}},
        {"is_deleted": True},
        {"client_id": "zzzzzzzzzz"},
        {"group": "zzzzzzzzzz"},
        {"name": "nobody is called so"},
        {"email": "nobody@nowhere.test"},
        {"number": "none-1"},
        {"id_number": "none-1"},
        {"filter": "nobody is called so"},
        {"balance_gt": 90_000_000},
    ],
)
def test_a_server_that_ignores_a_filter_is_found_out_by_list_and_by_count(api, wanted):
    name = {"is_deleted": "status", "balance_gt": "between_balance"}.get(*wanted, *wanted)
    deaf = Api(Forgetful(api.door, name), api.journal)
    for ask in (
        lambda: list(clients.list_clients(deaf, Filter(**wanted))),
        lambda: clients.count_clients(deaf, Filter(**wanted)),
    ):
        with pytest.raises(FilterIgnored, match=name):
            ask()
    assert clients.count_clients(api, Filter(**wanted)) in {0, clients.count_clients(api, Filter(is_deleted=True))}


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ({"name": "ZURICH"}, {"name": "Zürich"}),
        ({"name": "Straße"}, {"name": "Strasse"}),  # whether ß is ss is the server's business
        ({"name": "o"}, {"name": "Ørsted"}),
        ({"name": "0"}, {"name": ""}),  # what is called "0" is shown as nothing
        ({"name": "muller"}, {"name": "Mül\u00adler"}),
        ({"name": "a b"}, {"name": "A\u00a0B"}),
        ({"filter": "a b"}, {"custom_value3": "a…b"}),
        ({"filter": "Ann Lee"}, {}),
        ({"filter": "vat-1"}, {"vat_number": "VAT-1"}),  # newer servers may look into more columns
        ({"email": "CaB@example.com "}, {}),
        ({"number": "a-1"}, {"number": "A-1 "}),
        ({"status": {"active"}}, {"is_deleted": True}),  # an import may have left a row so
        ({"status": {"deleted"}}, {"is_deleted": True}),
        ({"balance_lte": Decimal("1234567890123.1234")}, {"balance": Decimal("1234567890123.1235")}),
    ],
)
def test_where_only_the_server_can_tell_it_is_believed(wanted, fields):
    assert matches(Filter(**wanted), one(**fields)) in (True, False)


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ({"name": "muller"}, {"name": "Meier"}),
        ({"name": "a b"}, {"name": "a-b"}),
        ({"email": "c@example.com"}, {}),
        ({"number": "A"}, {"number": "A-1"}),
        ({"id_number": "A"}, {"id_number": ""}),
        ({"status": {"archived"}}, {"is_deleted": True, "archived_at": NOW}),
        ({"status": {"archived", "deleted"}}, {}),
        ({"group": "x"}, {"group_settings_id": "X"}),
        ({"client_id": "Ab"}, {}),
        ({"balance_gt": Decimal("100.50")}, {"balance": Decimal("100.499999")}),
        ({"balance_eq": 0}, {"balance": Decimal("-0.000001")}),
        ({"updated_at": MOMENT}, {"updated_at": 0}),
    ],
)
def test_what_plainly_does_not_fit_is_told_with_the_filter_and_the_id_and_no_name(wanted, fields):
    with pytest.raises(FilterIgnored) as ignored:
        matches(Filter(**wanted), one(**fields))
    assert "aB" in str(ignored.value)
    assert not any(word in str(ignored.value) for word in ("Meier", "Ann", "example.com", "muller"))


def test_a_client_that_came_along_at_the_edge_of_a_time_is_left_out():
    wanted = Filter(updated_at=MOMENT)
    for seconds, meant in ((0, True), (-1, False), (-30 * 3600, False)):
        assert matches(wanted, one(updated_at=NOW + seconds)) is meant
    with pytest.raises(FilterIgnored):
        matches(wanted, one(updated_at=NOW - 34 * 3600))


def test_the_parts_of_a_second_are_not_compared_as_the_server_does_not_show_them():
    assert matches(Filter(updated_at=MOMENT + timedelta(milliseconds=900)), one(updated_at=NOW))


def test_a_mail_of_any_contact_fits():
    found = one(contacts=[contact("c1"), contact("c2", is_primary=False)])
    assert matches(Filter(email="c2@example.com"), found)
    assert matches(Filter(email="c2@example.com"), dataclasses.replace(found, name=None))


def test_a_total_counts_those_who_are_meant_unless_times_or_very_long_amounts_are_in_it():
    exact = [
        Filter(),
        Filter(status={"active"}, name="a"),
        Filter(balance_gt=0),
        Filter(balance_lt=Decimal("999999.5")),
    ]
    assert all(map(total_is_exact, exact))
    assert not any(map(total_is_exact, [Filter(updated_at=5), Filter(created_at=5), Filter(balance_eq=10**9)]))
