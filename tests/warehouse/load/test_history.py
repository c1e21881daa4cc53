"""The history of clients: each version that was seen, since when it was valid, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.diff import differences
from schemas.entities import CLIENTS
from schemas.values import to_json
from schemas.vanished import Vanished
from tests.records import MOMENT, NOW, client, contact
from warehouse.engine.sql import statement
from warehouse.load import merge
from warehouse.opened.migrate import migrate
from warehouse.schema.mirror import VERSION_COLUMNS, columns

AS_OF = """
select id, balance from mart.client_history
where source = $source and valid_from <= $at and (valid_to is null or valid_to > $at)
"""


def at(seconds):
    return datetime.fromtimestamp(NOW + seconds, UTC)


def history(warehouse, told="balance, valid_from, valid_to, ended_by", source="main"):
    """The versions in their order; what is told of each."""
    asked = (
        f"select {told} from mart.client_history where source = $source order by id, valid_from, valid_to nulls last"
    )
    return warehouse.rows(asked, {"source": source})


def test_a_first_load_opens_every_version_when_it_began_and_closes_none(warehouse, load_records):
    load_records([client("a", updated_at=NOW - 900), client("b", updated_at=0)], began=MOMENT)
    assert history(warehouse, "id, valid_from, valid_to, is_current, observed_at, run_id") == [
        ("a", MOMENT, None, True, MOMENT, "run-001"),
        ("b", MOMENT, None, True, MOMENT, "run-001"),
    ]
    assert warehouse.rows("select count(*) from control.client_versions") == [(0,)]


def test_a_changed_client_keeps_its_old_version_whole_until_the_stamp_of_the_new_one(warehouse, load_records):
    load_records([client("a", balance=1, name="Old")])
    load_records([client("a", balance=2, name="New", updated_at=NOW + 50)], began=at(99))
    assert history(warehouse) == [
        (Decimal(1), MOMENT, at(50), "changed"),
        (Decimal(2), at(50), None, None),
    ]
    stored = "select name, observed_at, ended_at, run_id, ended_run_id, record->>'name' from control.client_versions"
    assert warehouse.rows(stored) == [("Old", MOMENT, at(99), "run-001", "run-002", "Old")]
    assert "planted" not in str(warehouse.rows("select record from control.client_versions"))


def test_a_load_of_more_changes_than_one_query_compares_keeps_every_version_and_change(
    warehouse, load_records, monkeypatch
):
    """There are changed, touched, new and unchanged clients, and one that had vanished, in pieces of two."""
    monkeypatch.setattr(merge, "PIECE", 2)
    names = "abcdefg"
    load_records([client(name, balance=1) for name in names])
    load_records(vanished=[Vanished("g", "gone")])
    changed = [client(name, balance=2, updated_at=NOW + 50) for name in "abcdg"]
    touched, new = client("e", balance=1, updated_at=NOW + 50), client("new", updated_at=NOW + 50)
    loaded = load_records([*changed, touched, new, client("f", balance=1)], began=at(99))
    assert sorted(change.id for change in loaded.changes) == ["a", "b", "c", "d", "g", "new"]
    assert all(change.before for change in loaded.changes if change.id in set("abcd"))
    ended = "select id, ended_by from control.client_versions order by id"
    assert warehouse.rows(ended) == [*((name, "changed") for name in "abcd"), ("g", "gone")]
    differing = "select id, before, after from control.client_changes where field = 'balance' order by id"
    assert warehouse.rows(differing) == [(name, "1", "2") for name in "abcdg"]


def test_a_client_that_was_only_touched_keeps_its_version(warehouse, load_records):
    load_records([client("a")])
    load_records([client("a", updated_at=NOW + 50)], began=at(99))
    assert history(warehouse, "valid_from, valid_to, observed_at, run_id") == [(MOMENT, None, MOMENT, "run-001")]
    assert warehouse.rows("select run_id from ninja.clients") == [("run-002",)]


def test_a_version_whose_stamp_did_not_move_or_is_of_tomorrow_is_valid_since_its_run_began(warehouse, load_records):
    load_records([client("a", balance=1, updated_at=NOW - 5)])
    load_records([client("a", balance=2, updated_at=NOW - 5)], began=at(100))
    load_records([client("a", balance=3, updated_at=NOW - 500)], began=at(200))
    load_records([client("a", balance=4, updated_at=NOW + 999_999)], began=at(300))
    assert [since for _, since, _, _ in history(warehouse)] == [MOMENT, at(100), at(200), at(300)]


def test_no_version_is_valid_before_the_one_before_it(warehouse, load_records):
    load_records([client("a", balance=1, updated_at=NOW - 900)], began=MOMENT)
    load_records([client("a", balance=2, updated_at=NOW - 800)], began=at(100))  # committed late: stamped before
    load_records([client("a", balance=3, updated_at=NOW - 850)], began=at(-100))  # the server's clock went back
    assert history(warehouse) == [
        (Decimal(1), MOMENT, MOMENT, "changed"),
        (Decimal(2), MOMENT, MOMENT, "changed"),
        (Decimal(3), MOMENT, None, None),
    ]


def test_a_client_that_comes_later_is_known_since_its_stamp_but_never_since_before_the_first_load(
    warehouse, load_records
):
    load_records([client("a")], began=MOMENT)
    load_records([client("new", updated_at=NOW + 20), client("old", updated_at=NOW - 20)], began=at(60))
    assert history(warehouse, "id, valid_from")[1:] == [("new", at(20)), ("old", at(60))]


def test_a_client_that_comes_back_is_not_valid_while_it_was_away(warehouse, load_records):
    load_records([client("a", balance=1), client("b")], began=MOMENT)
    load_records([], vanished=[Vanished("a", "gone")], began=at(100))
    load_records([client("a", balance=2, updated_at=NOW - 9)], began=at(200))
    assert history(warehouse, "id, balance, valid_from, valid_to, ended_by")[:2] == [
        ("a", Decimal(1), MOMENT, at(100), "gone"),
        ("a", Decimal(2), at(200), None, None),
    ]


def test_versions_of_two_sources_do_not_meet(warehouse, load_records):
    load_records([client("a", balance=1)], source="one")
    load_records([client("a", balance=1)], source="two")
    load_records([client("a", balance=2)], source="two", began=at(9))
    assert [len(history(warehouse, "id", source)) for source in ("one", "two")] == [1, 2]


def test_history_tells_the_effective_currency_and_the_status(warehouse, load_records):
    load_records([client("a", archived_at=NOW), client("b", is_deleted=True)])
    told = "status, currency_code, country"
    assert [row[:1] for row in history(warehouse, told)] == [("archived",), ("deleted",)]


def test_changes_are_told_field_by_field_with_the_version_that_brought_them(warehouse, load_records):
    load_records([client("a", contacts=[contact("k"), contact("l")]), client("b")])
    new = {"balance": Decimal("99999999999999.999999"), "settings": {"currency_id": "1"}, "updated_at": NOW + 5}
    contacts = [contact("l"), contact("k", email="n@x.y")]
    load_records([client("a", contacts=contacts, **new)], [client("new")], began=at(60))
    columns = "id, display_name, field, before, after, changed_at, observed_at, run_id"
    found = warehouse.rows(f"select {columns} from mart.client_changes order by field")
    assert {row[:2] + row[5:] for row in found} == {("a", "Client a", at(5), at(60), "run-002")}
    assert [row[2:5] for row in found] == [
        ("balance", "100.50", "99999999999999.999999"),
        ("contacts.k.email", "k@example.com", "n@x.y"),
        ("settings.currency_id", "3", "1"),
        ("settings.entity", "App\\Models\\Client", ""),
    ]


def test_what_changed_while_a_client_was_away_is_told(warehouse, load_records):
    load_records([client("a", city="Kiel")])
    load_records([], vanished=[Vanished("a", "gone")], began=at(50))
    load_records([client("a", city="Bonn")], began=at(99))
    assert warehouse.rows("select field, before, after from mart.client_changes") == [("city", "Kiel", "Bonn")]


@pytest.mark.parametrize("name", ["compared", "changes"])
def test_changes_are_found_by_the_ids_that_arrived_not_among_all_versions_of_a_run(name):
    """Postgres expects one version of a run that it has not seen, and then compares each record with each version."""
    assert "ended_run_id" not in statement(f"load/{name}")


def test_tables_without_versions_get_them_from_the_runs_that_stored_the_rows(warehouse, load_records, monkeypatch):
    load_records([client("a"), client("b")])
    load_records([client("b", balance=7, updated_at=NOW + 5)], began=at(60))
    for name in VERSION_COLUMNS:
        warehouse.execute(f"alter table ninja.clients drop column {name} cascade")
    warehouse.execute("update control.mirror set version = 1")
    migrate(warehouse, now=MOMENT)
    told = "id, valid_from, observed_at, run_id"
    assert warehouse.rows(f"select {told} from mart.client_history where is_current order by id") == [
        ("a", MOMENT, MOMENT, "run-001"),
        ("b", at(60), at(60), "run-002"),
    ]
    assert list(columns(CLIENTS, None))[-4:-1] == list(VERSION_COLUMNS)


def as_of(warehouse, source, moment):
    """The balances as of a moment; a client that stands in it twice is an error."""
    found = warehouse.rows(AS_OF, {"source": source, "at": moment})
    assert len(found) == len({key for key, _ in found}), found
    return dict(found)


@dataclass
class Server:
    """A server of three clients: each step sends some of them, changed or not, and others vanish."""

    source: str
    sent: dict[str, dict] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    told: list[tuple[str, str, str, str]] = field(default_factory=list)

    def client(self, key, balance, stamp):
        """The client as it is sent, and what that changes to when it was sent last."""
        fields = {"balance": balance, "city": f"City {balance}", "updated_at": stamp}
        before, after = self.sent.get(key), client(key, **fields, contacts=[contact(f"c{key}", phone=str(balance))])
        if before is not None:
            found = differences(to_json(before), to_json(after))
            self.told += [(key, one.field, one.before, one.after) for one in found]
        self.sent[key] = after
        self.away.discard(key)
        return after

    def balances(self):
        """What the mirror should hold."""
        return {key: Decimal(one["balance"]) for key, one in self.sent.items() if key not in self.away}


SENT = st.tuples(st.integers(0, 2), st.integers(-3, 40))
STEP = st.fixed_dictionaries({key: st.one_of(st.none(), st.just("vanish"), SENT) for key in "abc"})
"""Per client: not sent; vanished; or sent with a balance and a stamp."""
SOURCES = count()


def run_of(steps, load_records, stamped, began):
    """Play the steps as loads; yields the server after each of them with the moment at which the load began."""
    server = Server(f"source{next(SOURCES)}")
    for number, step in enumerate(steps):
        moment, records, gone = began(number, step), [], []
        for key, what in step.items():
            if what == "vanish" and key in server.balances():
                gone.append(Vanished(key, "gone"))
                server.away.add(key)
            elif isinstance(what, tuple):
                records.append(server.client(key, what[0], stamped(server, key, number, what[1])))
        load_records(records, source=server.source, began=at(moment), vanished=gone)
        yield server, at(moment)


ONCE = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.mark.proof
@given(st.lists(STEP, min_size=1, max_size=6))
@ONCE
def test_balances_as_of_a_moment_are_what_the_mirror_held_then(warehouse, load_records, steps):
    """Stamps move on to behind the last load, or do not, or go back as on a restored server."""

    def stamped(server, key, number, drawn):
        before = server.sent[key]["updated_at"] if key in server.sent else NOW - 999
        return NOW + 50 * number + drawn if drawn > 0 else before + 100 * drawn

    held = []
    for server, moment in run_of(steps, load_records, stamped, lambda number, _: 50 * number + 45):
        held.append((moment, server.balances()))
        for then, balances in held:
            assert as_of(warehouse, server.source, then) == balances
    assert as_of(warehouse, server.source, held[0][0] - timedelta(seconds=1)) == {}
    for (start, one), (end, other) in pairwise(held):
        between = as_of(warehouse, server.source, start + (end - start) / 2)
        assert all(value in (one.get(key), other.get(key)) for key, value in between.items())
    found = warehouse.rows(
        "select id, field, before, after from mart.client_changes where source = $s", {"s": server.source}
    )
    assert sorted(found) == sorted(server.told)


@given(st.lists(STEP, min_size=1, max_size=6), st.lists(st.integers(-60, 60), min_size=6, max_size=6))
@ONCE
def test_at_no_moment_a_client_has_two_versions_whatever_stamps_and_clocks_do(warehouse, load_records, steps, clocks):
    """Any stamps, late and early ones, many in one second; the server's clock stands still and goes back."""
    for server, _ in run_of(steps, load_records, lambda _s, _k, _n, drawn: NOW + 2 * drawn, lambda n, _: clocks[n]):
        spans = warehouse.rows(
            "select id, valid_from, valid_to from mart.client_history where source = $s", {"s": server.source}
        )
        for moment in {stamp for _, *stamps in spans for stamp in stamps if stamp}:
            for edge in (timedelta(0), timedelta(microseconds=1)):
                as_of(warehouse, server.source, moment - edge)
        assert all(end is None or start <= end for _, start, end in spans)
        latest = max((stamp for _, *stamps in spans for stamp in stamps if stamp), default=MOMENT)
        assert as_of(warehouse, server.source, latest) == server.balances()
