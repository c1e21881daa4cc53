"""Clients that vanished: taken out with what belongs to them, with a redirect, and found again by their traces."""

from __future__ import annotations

from decimal import Decimal

import pytest

from schemas.clocks import Clocks
from schemas.entities import CLIENTS
from schemas.normalise import normalise
from schemas.vanished import HELD, HIDDEN, Vanished
from tests.records import MOMENT, NOW, client, contact
from tests.warehouse.load.test_history import at, history
from warehouse.control.state import read_state
from warehouse.engine.seam import scratch
from warehouse.engine.sql import statement
from warehouse.load.staging import Staging
from warehouse.load.vanished import Lost, Unlisted, heirs, lost, missing, owners, remember_unexplained, unlisted


def redirects(warehouse, columns="id, kind, into_id, current_id, hops"):
    return warehouse.rows(f"select {columns} from mart.client_redirects where source = 'main' order by id")


@pytest.fixture
def staged(tmp_path):
    """Stage pages of records and leave them there."""

    def stage(*pages):
        staging = Staging(tmp_path / "staged", [])
        staging.begin(None, Clocks(1, None))
        for page in pages:
            staging.add(CLIENTS, normalise(CLIENTS, page), open=[(None, None)], newest_seen=0)
        return staging

    return stage


@pytest.mark.parametrize(
    "wrong",
    [("a", "lost", None), ("a", "merged", None), ("a", "merged", ""), ("a", "merged", "a"), ("a", "gone", "b")],
)
def test_what_contradicts_itself_is_no_vanished_client(wrong):
    with pytest.raises(ValueError, match=r"says nothing|is not one of"):
        Vanished(*wrong)


@pytest.mark.parametrize("kind", ["gone", "purged"])
def test_a_vanished_client_is_taken_out_with_its_contacts_and_remembered(warehouse, load_records, kind):
    load_records([client("a"), client("b")])
    loaded = load_records([], vanished=[Vanished("a", kind, evidence="told so")], began=at(60))
    assert warehouse.rows("select id from ninja.clients") == [("b",)]
    assert warehouse.rows("select id from ninja.contacts") == [("cb",)]
    assert (loaded.run.vanished, loaded.run.changed, loaded.run.mirrored) == (1, True, 1)
    assert history(warehouse, "valid_from, valid_to, is_current, ended_by")[0] == (MOMENT, at(60), False, kind)
    columns = "id, display_name, kind, current_id, current_name, hops, evidence, vanished_at, run_id"
    assert redirects(warehouse, columns) == [("a", "Client a", kind, None, None, None, "told so", at(60), "run-002")]


def test_the_contacts_that_moved_to_the_survivor_stay(warehouse, load_records):
    load_records([client("a", contacts=[contact("k"), contact("l")]), client("b")])
    survivor = client("b", contacts=[contact("cb"), contact("k")], updated_at=NOW + 30)
    loaded = load_records([survivor], vanished=[Vanished("a", "merged", "b")], began=at(60))
    assert warehouse.rows("select id, client_id from ninja.contacts order by id") == [("cb", "b"), ("k", "b")]
    assert loaded.run.vanished == 1


def test_contacts_that_moved_in_an_earlier_run_stay_too(warehouse, load_records):
    load_records([client("a", contacts=[contact("k")]), client("b", contacts=[])])
    load_records([client("b", contacts=[contact("k")], updated_at=NOW + 30)], began=at(60))
    load_records([], vanished=[Vanished("a", "merged", "b")], began=at(90))
    assert warehouse.rows("select id, client_id from ninja.contacts") == [("k", "b")]


@pytest.mark.parametrize(
    ("stamp", "seen_with", "closed"),
    [
        (NOW + 30, "this run", at(30)),
        (NOW + 30, "the run before", at(30)),
        (NOW - 30, "this run", at(60)),
        (None, "never", at(90)),
    ],
)
def test_a_merged_client_was_valid_until_its_survivor_took_over(warehouse, load_records, stamp, seen_with, closed):
    load_records([client("a"), client("b", balance=1, updated_at=NOW - 5)], kind="full", began=MOMENT)
    load_records([client("a", city="Kiel", updated_at=NOW + 10)], began=at(15))
    grown = [client("b", balance=2, updated_at=stamp)]
    if seen_with == "the run before":
        load_records(grown, began=at(60))
    moment = at(60) if seen_with == "this run" else at(90)
    load_records(grown if seen_with == "this run" else [], vanished=[Vanished("a", "merged", "b")], began=moment)
    assert history(warehouse, "valid_from, valid_to, ended_by")[:2] == [
        (MOMENT, at(10), "changed"),
        (at(10), closed, "merged"),
    ]


def test_a_survivor_that_has_not_changed_since_everything_was_read_tells_no_time(warehouse, load_records):
    load_records([client("a"), client("b")], kind="full", began=MOMENT)
    load_records([client("b", city="Kiel", updated_at=NOW + 10)], began=at(20))
    load_records([client("a"), client("b", city="Kiel")], kind="full", began=at(50))
    load_records([], kind="full", vanished=[Vanished("a", "merged", "b")], began=at(90))
    assert history(warehouse, "valid_to")[0] == (at(90),)


def test_a_survivor_that_has_not_changed_since_the_first_load_tells_no_time(warehouse, load_records):
    load_records([client("a"), client("b")], kind="full", began=MOMENT)
    load_records([], vanished=[Vanished("a", "merged", "b")], began=at(90))
    assert history(warehouse, "id, valid_from, valid_to")[0] == ("a", MOMENT, at(90))


def test_a_survivor_that_changed_before_the_other_one_did_tells_no_time_either(warehouse, load_records):
    load_records([client("a"), client("b")], kind="full", began=MOMENT)
    load_records([client("b", city="Kiel", updated_at=NOW + 10)], began=at(20))
    load_records([client("a", city="Bonn", updated_at=NOW + 40)], began=at(50))
    load_records([], vanished=[Vanished("a", "merged", "b")], began=at(90))
    assert history(warehouse, "valid_from, valid_to")[1] == (at(40), at(90))


def test_chains_of_merges_are_followed_to_their_end(warehouse, load_records):
    load_records([client(key) for key in "abcdefg"])
    load_records([], vanished=[Vanished("a", "merged", "b"), Vanished("d", "merged", "e")])
    load_records([], vanished=[Vanished("b", "merged", "c"), Vanished("e", "purged")])
    load_records([], vanished=[Vanished("f", "merged", "g"), Vanished("g", "merged", "f")])
    assert redirects(warehouse) == [
        ("a", "merged", "b", "c", 2),
        ("b", "merged", "c", "c", 1),
        ("d", "merged", "e", None, None),
        ("e", "purged", None, None, None),
        ("f", "merged", "g", None, None),
        ("g", "merged", "f", None, None),
    ]
    assert redirects(warehouse, "current_name")[:2] == [("Client c",), ("Client c",)]


def test_a_client_that_comes_back_is_no_redirect_and_can_vanish_again(warehouse, load_records):
    load_records([client("a"), client("b")])
    load_records([], vanished=[Vanished("a", "gone")], began=at(60))
    load_records([client("a")], began=at(90))
    assert (redirects(warehouse), read_state(warehouse, "main").mirrored) == ([], 2)
    assert warehouse.rows("select id, returned_run_id from control.redirects") == [("a", "run-003")]
    load_records([], vanished=[Vanished("a", "purged")], began=at(120))
    assert redirects(warehouse, "id, kind, vanished_at") == [("a", "purged", at(120))]


def test_what_is_found_out_later_corrects_the_redirect_and_leaves_its_time(warehouse, load_records):
    load_records([client("a"), client("b")])
    load_records([], vanished=[Vanished("a", "gone")], began=at(60))
    loaded = load_records([], vanished=[Vanished("a", "merged", "b", "activity")], began=at(90))
    assert redirects(warehouse, "id, kind, current_id, evidence, vanished_at") == [
        ("a", "merged", "b", "activity", at(60))
    ]
    assert loaded.run.vanished == 0


def test_a_client_that_was_read_in_this_run_has_not_vanished(warehouse, load_records):
    load_records([client("a"), client("b")])
    said = [Vanished("a", "gone"), Vanished("b", "gone")]
    loaded = load_records([client("a"), client("b", balance="odd")], vanished=said)
    assert (loaded.run.vanished, loaded.run.mirrored, redirects(warehouse)) == (0, 2, [])
    assert loaded.run.changed is False


def test_the_quarantine_of_a_vanished_client_is_closed(warehouse, load_records):
    load_records([client("a"), client("b")])
    load_records([client("a", balance="odd"), client("never", balance="odd")])
    loaded = load_records([], vanished=[Vanished("a", "gone"), Vanished("never", "gone")])
    assert (loaded.run.quarantine_open, loaded.run.vanished) == (0, 1)


def test_another_source_with_the_same_ids_loses_nothing(warehouse, load_records):
    for source in ("main", "other"):
        load_records([client("a")], source=source)
    load_records([], vanished=[Vanished("a", "gone")])
    assert warehouse.rows("select source from ninja.clients") == [("other",)]
    assert warehouse.rows("select source from ninja.contacts") == [("other",)]


def test_what_stays_unexplained_stays_until_it_is_told_anew(warehouse, load_records):
    def unexplained():
        return read_state(warehouse, "main").unexplained

    load_records([client("a")])
    assert unexplained() is None
    load_records([], unlisted=dict.fromkeys("xyz", HELD))
    load_records([])
    assert unexplained() == 3
    load_records([], unlisted={})
    assert unexplained() == 0
    remember_unexplained(warehouse, "main", CLIENTS, -2)
    assert unexplained() == -2


def test_clients_that_stay_although_they_are_not_listed_are_named_with_what_they_owe(warehouse, load_records):
    load_records([client("a", balance=Decimal("1.5")), client("b", balance=-7), client("c")])
    assert load_records([], unlisted={"a": HIDDEN, "b": HELD}, began=at(60)).run.changed
    assert not load_records([], unlisted={"a": HIDDEN, "b": HELD}, began=at(90)).run.changed
    rows = "select id, display_name, balance, why, since from mart.unlisted_clients order by id"
    assert warehouse.rows(rows) == [
        ("a", "Client a", Decimal("1.5"), HIDDEN, at(60)),
        ("b", "Client b", Decimal(-7), HELD, at(60)),
    ]
    named = [
        Unlisted("b", "Client b", None, Decimal(-7), HELD),
        Unlisted("a", "Client a", None, Decimal("1.5"), HIDDEN),
    ]
    assert unlisted(warehouse, CLIENTS, "main", 9) == named
    assert unlisted(warehouse, CLIENTS, "main", 1) == named[:1]
    columns, _ = warehouse.answer(statement("vanished/unlisted"), {"source": "main", "most": 1})
    assert columns == list(Unlisted.__struct_fields__)


@pytest.mark.parametrize("back", ["listed again", "found by the next full pass", "gone for good"])
def test_a_client_is_unlisted_no_longer_than_it_is_missing(warehouse, load_records, back):
    load_records([client("a"), client("b")])
    load_records([], unlisted={"a": HELD})
    if back == "listed again":
        load_records([client("a")])
    elif back == "found by the next full pass":
        assert load_records([], unlisted={}).run.changed
    else:
        load_records([], vanished=[Vanished("a", "gone")], unlisted={})
    assert warehouse.rows("select id from mart.unlisted_clients") == []
    assert not back.startswith("listed") or warehouse.rows("select id from control.unlisted") == []


def test_what_is_unlisted_in_one_source_is_not_in_another(warehouse, load_records):
    for source in ("main", "other"):
        load_records([client("a")], source=source, unlisted={"a": HELD})
    load_records([], unlisted={})
    assert warehouse.rows("select source, id from mart.unlisted_clients") == [("other", "a")]


def test_missing_is_what_is_mirrored_and_neither_staged_nor_set_aside(warehouse, load_records, staged):
    load_records([client(key) for key in "abcde"])
    load_records([client("z")], source="other")
    with scratch(warehouse):
        assert missing(warehouse, staged([client("a")], [client("c")]), CLIENTS, "main", {"d"}) == ["b", "e"]
        assert missing(warehouse, staged(), CLIENTS, "main", ()) == list("abcde")


def test_the_lost_are_told_with_the_contacts_of_their_record(warehouse, load_records):
    load_records([client("a", name="", balance=Decimal("0.000001"), contacts=[contact("k"), contact("l")])])
    load_records([client("b", contacts=[contact("k")])])
    with scratch(warehouse):
        assert lost(warehouse, "main", ["a", "nobody"]) == [
            Lost("a", "", "Client a", Decimal("0.000001"), MOMENT, ("k", "l"))
        ]


def test_a_contact_belongs_to_the_newest_staged_client_that_lists_it_else_to_the_mirrors(
    warehouse, load_records, staged
):
    load_records([client("a", contacts=[contact("k"), contact("l"), contact("m")])])
    left = [
        client("x", contacts=[contact("m", updated_at=NOW + 9)], updated_at=NOW),
        client("b", contacts=[contact("k")]),
    ]
    staging = staged(left, [client("x", contacts=[], updated_at=NOW + 5)])
    asked = ["k", "l", "m", "nowhere"]
    with scratch(warehouse):
        assert owners(warehouse, staging, "main", asked) == {"k": "b", "l": "a", "m": "a"}
        assert owners(warehouse, None, "main", asked) == {"k": "a", "l": "a", "m": "a"}
        assert owners(warehouse, staged([client("c", contacts=[contact("l")])]), "main", ["l"]) == {"l": "c"}


def test_heirs_are_those_who_grew_by_the_balance_and_then_the_newest(warehouse, load_records, staged):
    load_records([client(key, balance=0, updated_at=NOW - 900 + n) for n, key in enumerate("abcdef")])
    load_records([client("b", balance=7, updated_at=NOW)])
    load_records([client("d", is_deleted=True, updated_at=NOW + 5)])
    gone = Lost("f", "F", "F", Decimal(7), MOMENT, ())
    with scratch(warehouse):
        assert heirs(warehouse, None, "main", gone, 9) == ["b", "e", "c", "a"]
        staging = staged(
            [client("c", balance=7, updated_at=NOW + 1), client("b", balance=7, updated_at=NOW), client("new")]
        )
        assert heirs(warehouse, staging, "main", gone, 3) == ["c", "b", "e"]
        assert heirs(warehouse, staging, "main", Lost("f", "F", "F", Decimal(0), MOMENT, ()), 2) == ["c", "b"]
