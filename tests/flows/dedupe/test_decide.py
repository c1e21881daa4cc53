"""Decisions about a group: noted whole, never over a colleague's, taken back to what was decided before."""

from __future__ import annotations

import pytest

from flows.ask.ask import reading
from flows.dedupe.decide import choose, decide_group, decide_pairs, take_back_group
from flows.dedupe.find import find_duplicates
from flows.dedupe.one_group import read_group
from flows.dedupe.review import cases, pairs_in
from flows.dedupe.rules import Rules
from flows.dedupe.walk import Stop, Walk, walk_of
from flows.session.operator import acting_as
from flows.session.ready import open_ready
from schemas.errors import SettingsError
from warehouse.control.dedupe import LATER, NEVER_MERGE, SAME_AS


@pytest.fixture
def group(told, pulls, server):
    """The settings, and the ids of a group of three."""
    made = {"country_id": "276", "city": "Bremen", "postal_code": "28195", "phone": "0421 556677"}
    for end in ("GmbH", "", "GmbH & Co"):
        server.call("POST", "/api/v1/clients", made | {"name": f"Tannhof Gartenbau {end}"})
    pulls(using=told)
    find_duplicates(told, "main", Rules())
    return told, next(case.ids for case in cases(told, "main") if len(case.ids) == 3)


def read(settings, ids):
    with reading(settings, newest=True) as warehouse:
        return read_group(warehouse, "main", ids)


def rows(settings):
    with open_ready(settings) as warehouse:
        return [
            sorted(warehouse.rows(f"select * from control.{table}"))
            for table in ("duplicate_decisions", "chosen_survivors")
        ]


def test_a_group_alone_is_read_as_it_is_among_all(group):
    settings, ids = group
    decide_group(settings, "main", ids, LATER)
    choose(settings, "main", ids[2])
    (whole,) = [case for case in cases(settings, "main") if case.ids == ids]
    alone = read(settings, ids)
    assert (alone.case.lines, alone.case.pairs) == (whole.lines, whole.pairs)
    assert (alone.case.kept, alone.case.why) == (whole.kept, whole.why) == (ids[2], "chosen by a person")
    assert alone.case.decided == {pair: whole.decided[pair] for pair in pairs_in(ids)}
    assert alone.probability == max(pair.probability for pair in whole.pairs)


def test_a_decision_and_the_client_to_keep_are_noted_with_their_author(group):
    settings, ids = group
    with acting_as("Anna"):
        noted = decide_group(settings, "main", ids, SAME_AS, kept=ids[1])
    found = read(settings, ids)
    assert (found.case.state, found.case.kept) == ("same", ids[1])
    assert {decision.author.partition("@")[0] for decision in found.standing.decisions} == {"Anna"}
    assert {decision.pair for decision in found.standing.decisions} == set(pairs_in(ids))
    assert [(choice.client_id, choice.author, choice.at) for choice in found.standing.choices] == [
        (ids[1], noted.author, noted.at)
    ]


def test_a_decision_over_one_that_the_person_has_not_seen_is_not_noted(group):
    settings, ids = group
    seen = read(settings, ids).standing.mark
    with acting_as("Ben"):
        bens = decide_group(settings, "main", ids, NEVER_MERGE, seen=seen)
    before = rows(settings)
    with acting_as("Anna"):
        assert decide_group(settings, "main", ids, SAME_AS, kept=ids[1], seen=seen) is None
    assert rows(settings) == before
    take_back_group(settings, "main", bens)
    assert read(settings, ids).standing.mark == seen
    assert decide_group(settings, "main", ids, SAME_AS, seen=seen) is not None


def test_a_second_click_is_the_persons_own_newest_decision_and_nothing_else(group):
    settings, ids = group
    seen = read(settings, ids).standing.mark
    sent = {"decision": SAME_AS, "kept": ids[1], "seen": seen}
    with acting_as("Anna"):
        first = decide_group(settings, "main", ids, **sent)
        stored = rows(settings)
        assert decide_group(settings, "main", ids, **sent) == first
        for other in ({"decision": LATER}, {"kept": ids[2]}, {"kept": ""}):
            assert decide_group(settings, "main", ids, **sent | other) is None
    with acting_as("Ben"):
        assert decide_group(settings, "main", ids, **sent) is None
    assert rows(settings) == stored
    with acting_as("Ben"):
        decide_pairs(settings, "main", [((ids[0], ids[2]), NEVER_MERGE, "")])
    with acting_as("Anna"):
        assert decide_group(settings, "main", ids, **sent) is None
    walk = Walk("main", [Stop(ids)])
    walk.note(0, first)
    walk.note(0, first)
    assert len(walk.made) == 1


def test_a_colleagues_choice_of_the_client_to_keep_is_not_passed_by_a_second_click(group):
    settings, ids = group
    seen = read(settings, ids).standing.mark
    with acting_as("Anna"):
        decide_group(settings, "main", ids, SAME_AS, seen=seen)
    with acting_as("Ben"):
        choose(settings, "main", ids[2])
    with acting_as("Anna"):
        assert decide_group(settings, "main", ids, SAME_AS, seen=seen) is None


def test_the_terminal_shows_a_colleagues_decision_and_asks_again(group, command, monkeypatch):
    settings, ids = group
    monkeypatch.setenv("NINJA_SYNC_WAREHOUSE", settings.warehouse)
    with reading(settings, newest=True) as warehouse:
        place = [stop.ids for stop in walk_of(warehouse, "main").stops].index(ids)
    keys = iter(["l"] * place + ["s", "s", "q"])
    asked = []

    def pressed(_question, _answers):
        asked.append(read(settings, ids).case.state)
        if len(asked) == place + 1:
            with acting_as("Ben"):
                decide_group(settings, "main", ids, NEVER_MERGE)
        return next(keys)

    monkeypatch.setattr("flows.cli.dedupe.review._key", pressed)
    done = command("dedupe", "review")
    assert asked[place : place + 2] == ["undecided", "not_same"]
    assert "Your decision was not noted" in done.stderr
    assert "Decided: not the same, by Ben@" in done.stderr
    assert "(1 = 2, 1 = 3, 2 = 3)" in done.stderr
    assert read(settings, ids).case.state == "same"


@pytest.mark.parametrize("before", [None, SAME_AS, NEVER_MERGE, LATER])
def test_what_was_decided_before_counts_again_whatever_it_was(group, before):
    settings, ids = group
    if before:
        decide_group(settings, "main", ids, before, kept=ids[2] if before == SAME_AS else "")
    first, stored = read(settings, ids), rows(settings)
    noted = decide_group(settings, "main", ids, SAME_AS, kept=ids[1])
    assert read(settings, ids).case.kept == ids[1]
    take_back_group(settings, "main", noted)
    after = read(settings, ids)
    assert (after.standing, after.case.kept, after.case.state) == (first.standing, first.case.kept, first.case.state)
    assert rows(settings) == stored


def test_a_colleagues_later_decision_stays_if_mine_is_taken_back(group):
    settings, ids = group
    with acting_as("Anna"):
        annas = decide_group(settings, "main", ids, SAME_AS)
    with acting_as("Ben"):
        decide_group(settings, "main", ids, NEVER_MERGE)
    take_back_group(settings, "main", annas)
    assert read(settings, ids).case.state == "not_same"


def test_a_decision_taken_back_makes_the_copies_for_readers_out_of_date(group):
    settings, ids = group
    noted = decide_group(settings, "main", ids, SAME_AS)
    with open_ready(settings) as warehouse:
        warehouse.execute(
            "insert into control.published (run_id, changed_runs, published_at, seconds) values ('', 7, now(), 1)"
        )
    take_back_group(settings, "main", noted)
    with open_ready(settings) as warehouse:
        assert {number for (number,) in warehouse.rows("select changed_runs from control.published")} == {-1}


def test_what_cannot_be_decided_is_refused_and_nothing_noted(group):
    settings, ids = group
    before = rows(settings)
    for wrong, words in (
        ({"decision": "maybe"}, "one of"), ({"decision": SAME_AS, "kept": "other"}, "not in this group"),
        ({"decision": SAME_AS, "ids": [*ids, "nobody"]}, "no client 'nobody'"),
    ):  # fmt: skip
        with pytest.raises(SettingsError, match=words):
            decide_group(settings, "main", **{"ids": ids} | wrong)
    assert rows(settings) == before


def test_clients_that_are_merged_meanwhile_are_no_group_any_more(group, server, pulls):
    settings, ids = group
    server.merge(ids[0], ids[1])
    pulls(using=settings, full=True)
    assert read(settings, ids).case.ids == [ids[0], ids[2]]
    server.merge(ids[0], ids[2])
    pulls(using=settings, full=True)
    assert read(settings, ids) is None


def test_a_review_is_undone_step_by_step_and_says_what_comes_next(group):
    settings, ids = group
    with reading(settings, newest=True) as warehouse:
        walk = walk_of(warehouse, "main")
    assert ids in [stop.ids for stop in walk.stops]
    walk = Walk("main", [Stop(ids), Stop(ids[:2], single=True)])
    assert (walk.take_back_last(settings), walk.in_words()) == (None, "2 not looked at")
    for place, decision in ((0, LATER), (0, NEVER_MERGE), (1, SAME_AS)):
        walk.note(place, decide_group(settings, "main", walk.stops[place].ids, decision))
    assert (walk.in_words(), walk.following, walk.left) == ("1 the same, 1 not the same", "find", [])
    assert walk.take_back_last(settings) == 1
    assert (walk.in_words(), walk.following, walk.left) == ("1 not the same, 1 not looked at", "plan", [1])
    assert walk.take_back_last(settings) == 0
    assert (walk.in_words(), walk.following) == ("1 left for later, 1 not looked at", "review")
    assert read(settings, ids).case.state == "later"


def test_decisions_on_pairs_still_need_two_clients(group):
    settings, ids = group
    with pytest.raises(SettingsError, match="two clients"):
        decide_pairs(settings, "main", [((ids[0], ids[0]), SAME_AS, "")])
