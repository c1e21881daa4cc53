"""Lists of groups: the states and order that the whole cases have, the server's money, page by page."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal

import pytest

from flows.ask.ask import reading
from flows.dedupe.decide import decide_pairs
from flows.dedupe.find import find_duplicates
from flows.dedupe.groups import (
    MONEY,
    ORDERS,
    PROBABLE,
    STATES,
    Member,
    group_named,
    open_groups,
    page_of_groups,
    warnings_of,
)
from flows.dedupe.plan import decided_groups
from flows.dedupe.questions import questions
from flows.dedupe.review import cases, pairs_in
from flows.dedupe.rules import Rules
from schemas.errors import SettingsError
from warehouse.control.dedupe import LATER, NEVER_MERGE, SAME_AS, known_clusters, known_pairs, pair_of

ALL = (0, 10_000)


@pytest.fixture
def searched(told, pulls, server):
    """A warehouse whose clients were compared, with groups and single pairs."""
    made = {"country_id": "276", "city": "Bremen", "postal_code": "28195"}
    alike = ({"name": "Quellhof Optik", "phone": "0421 334455"}, {"name": "Quelhof Optik", "phone": "0421 998877"})
    three = [{"name": f"Tannhof Gartenbau {end}", "phone": "0421 556677"} for end in ("GmbH", "", "GmbH & Co")]
    for client in (*alike, *three):
        server.call("POST", "/api/v1/clients", made | client)
    pulls(using=told)
    find_duplicates(told, "main", Rules(threshold=0.97))
    return told


def everything(settings, **more):
    with reading(settings, newest=True) as warehouse:
        return page_of_groups(warehouse, "main", state=None, groups=ALL, pairs=ALL, **more)


def expected_order(settings):
    """The groups to decide on as the definition of their order has it, from all pairs and decisions."""
    with reading(settings, newest=True) as warehouse:
        clusters, pairs = known_clusters(warehouse, "main"), known_pairs(warehouse, "main")
    inside = {pair for ids in clusters for pair in pairs_in(ids)}
    alone = [[pair.id_a, pair.id_b] for pair in pairs if pair_of(pair.id_a, pair.id_b) not in inside]
    decided = {pair: text for case in cases(settings, "main", everything=True) for pair, text in case.decided.items()}
    found = {(pair.id_a, pair.id_b): pair for pair in pairs}
    made = []
    for ids in [*clusters, *alone]:
        still = [pair for pair in pairs_in(ids) if decided.get(pair, LATER) == LATER]
        unsure = [abs(found[pair].probability - 0.5) for pair in still if pair in found and not found[pair].in_conflict]
        if still:
            made.append((not unsure, min(unsure, default=0.5), ids))
    return [ids for _, _, ids in sorted(made)]


def test_the_order_to_ask_is_by_the_least_certain_undecided_pair(searched):
    with reading(searched, newest=True) as warehouse:
        found = open_groups(warehouse, "main")
    assert [list(group.ids) for group in found] == expected_order(searched)
    assert {group.single for group in found} == {False, True}
    first, second = found[:2]
    decide_pairs(searched, "main", [(pair, NEVER_MERGE, "") for pair in pairs_in(first.ids)])
    decide_pairs(searched, "main", [(pair, LATER, "") for pair in pairs_in(second.ids)])
    with reading(searched, newest=True) as warehouse:
        left = open_groups(warehouse, "main")
    assert [list(group.ids) for group in left] == expected_order(searched)
    assert [group.ids for group in left] == [group.ids for group in found[1:]]
    asked = questions(searched, "main")
    assert [(case.ids, case.less_likely) for case in asked] == [(group.ids, group.single) for group in left]


def test_the_state_of_each_group_is_that_of_its_whole_case(searched):
    groups = [group.ids for group in everything(searched).rows if not group.single]
    large = next(ids for ids in groups if len(ids) > 2)
    one, other, third = [ids for ids in groups if ids != large][:3]
    decide_pairs(searched, "main", [
        *((pair, SAME_AS, "") for pair in pairs_in(one)), *((pair, NEVER_MERGE, "") for pair in pairs_in(other)),
        *((pair, LATER, "") for pair in pairs_in(third)), (pairs_in(large)[0], SAME_AS, ""),
    ])  # fmt: skip
    found = everything(searched)
    states = {tuple(group.ids): group.state for group in found.rows if not group.single}
    assert states == {tuple(case.ids): case.state for case in cases(searched, "main", everything=True)}
    assert [states[tuple(ids)] for ids in (one, other, third, large)] == ["same", "not_same", "later", "undecided"]
    assert decided_groups(searched, "main") == 1
    counted = Counter((group.single, group.state) for group in found.rows)
    assert found.counts == {(single, state): counted[single, state] for single in (False, True) for state in STATES}
    assert found.count(single=False, state="open") == counted[False, "undecided"] + 1


def test_decisions_carried_over_from_a_merged_client_count(searched, server, pulls):
    large = next(group.ids for group in everything(searched).rows if len(group.ids) > 2)
    kept, merged, third = large
    decide_pairs(searched, "main", [(pair_of(kept, third), SAME_AS, ""), (pair_of(merged, third), NEVER_MERGE, "")])
    with reading(searched, newest=True) as warehouse:
        assert group_named(warehouse, "main", merged) == large
    server.merge(kept, merged)
    pulls(using=searched, full=True)
    found = next(group for group in everything(searched).rows if kept in group.ids and not group.single)
    assert (list(found.ids), found.state) == ([kept, third], "same")
    decide_pairs(searched, "main", [(pair_of(kept, third), LATER, "")])
    assert next(case for case in cases(searched, "main") if kept in case.ids).state == "later"
    found = next(group for group in everything(searched).rows if kept in group.ids and not group.single)
    assert found.state == "later"


def test_the_money_of_a_group_is_the_servers_by_currency(searched, server):
    clients = server.clients()
    for group in everything(searched).rows:
        balances = [Decimal(str(clients[client_id]["balance"])) for client_id in group.ids]
        assert sum(money.owed for money in group.money) == sum(balance for balance in balances if balance > 0)
        assert sum(money.overpaid for money in group.money) == -sum(balance for balance in balances if balance < 0)
        assert [member.name for member in group.members] == [clients[key]["display_name"] for key in group.ids]
        assert {money.currency for money in group.money} == {member.currency for member in group.members}


def test_pages_in_any_order_hold_each_group_once(searched):
    for by in ORDERS:
        whole = everything(searched, by=by)
        pieces = []
        for first in range(0, len(whole.rows), 2):
            with reading(searched, newest=True) as warehouse:
                page = page_of_groups(warehouse, "main", by=by, state=None, groups=(first, 2), pairs=(first, 2))
            pieces += page.rows
            assert page.counts == whole.counts
        assert sorted(group.key for group in pieces) == sorted(group.key for group in whole.rows)
        assert [group.key for group in pieces if not group.single] == [
            group.key for group in whole.rows if not group.single
        ]
        groups = [group for group in whole.rows if not group.single]
        if by == PROBABLE:
            assert [group.probability for group in groups] == sorted((g.probability for g in groups), reverse=True)
        if by == MONEY:
            largest = [max(max(money.owed, money.overpaid) for money in group.money) for group in groups]
            assert largest == sorted(largest, reverse=True)


def test_an_order_or_state_that_is_not_there_is_an_error(searched):
    with reading(searched, newest=True) as warehouse:
        for wrong in ({"by": "name"}, {"state": "odd"}):
            with pytest.raises(SettingsError, match="no such order or state"):
                page_of_groups(warehouse, "main", **wrong)


def test_each_warning_has_its_cause():
    plain = Member("a", currency="EUR", vat_number="DE 136695976")
    for other, said in (
        (Member("b", currency="EUR", vat_number="de136695976"), []),
        (Member("b", currency="USD"), ["different currencies"]),
        (Member("b", currency="EUR", vat_number="DE811907980"), ["different VAT numbers"]),
        (Member("b", currency="EUR", status="archived"), ["an archived client"]),
        (Member("b", currency="EUR", status="deleted"), ["a deleted client"]),
    ):
        assert warnings_of([plain, other], in_conflict=False) == said
        assert warnings_of([plain, other], in_conflict=True) == [*said, "clients that contradict each other"]


def test_json_of_a_review_lists_the_groups_in_the_same_order(searched, monkeypatch, tmp_path):
    from typer.testing import CliRunner  # noqa: PLC0415

    from flows.cli.app import app  # noqa: PLC0415

    monkeypatch.setenv("NINJA_SYNC_URL", searched.sources["main"].url)
    monkeypatch.setenv("NINJA_SYNC_WAREHOUSE", searched.warehouse)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["dedupe", "review", "--json"], catch_exceptions=False)
    with reading(searched, newest=True) as warehouse:
        assert [case["ids"] for case in json.loads(done.stdout)] == [g.ids for g in open_groups(warehouse, "main")]
