"""`--certain` plans nothing that might be two: no look-alikes, no conflict, no client torn between two."""

from __future__ import annotations

import json

import pytest

from flows.cli.dedupe.review import show_case
from flows.dedupe.comparable import comparable
from flows.dedupe.decide import decide_pairs
from flows.dedupe.explain import reasons
from flows.dedupe.find import find_duplicates
from flows.dedupe.levels import COMPARISONS
from flows.dedupe.model import predicted
from flows.dedupe.plan import CERTAIN, FOR_A_PERSON, is_certain, plan_clusters, planned_cases, torn
from flows.dedupe.questions import to_ask
from flows.dedupe.review import Case, Line, cases, pairs_in
from flows.dedupe.rules import Rules
from flows.session.api import open_api
from flows.session.ready import open_ready
from sandbox.server import running
from schemas.errors import SettingsError
from tests.bench.dedupe_books import PLAIN, book
from tests.flows.conftest import Server
from warehouse.control.dedupe import LATER, NEVER_MERGE, SAME_AS, FoundPair, pair_of

COUNTRIES = {"DE": "276", "AT": "40", "CH": "756", "FR": "250", "GB": "826", "US": "840", "IT": "380", "NL": "528"}
COMPANY = {
    "name": "Tannhof Gartenbau GmbH", "address1": "Lindenweg 4", "city": "Freiburg", "postal_code": "79098",
    "country_id": "276", "phone": "0761 4455667", "website": "https://tannhof-gartenbau.example.de",
    "contacts": [{"first_name": "Ilse", "last_name": "Tannhof", "email": "ilse@tannhof-gartenbau.de"}],
}  # fmt: skip
VALID = ("DE136695976", "DE811907980")


@pytest.fixture
def server():
    """A server with one client, so that a test makes all the others."""
    with running(clients=1, seed=5) as box:
        yield Server(box)


def made(server, *clients):
    return [server.call("POST", "/api/v1/clients", client)["data"]["id"] for client in clients]


def as_client(row):
    """A record of a book as the server takes it."""
    first, _, last = (row["persons"] or [""])[0].partition(" ")
    mail = (row["emails"] or [""])[0]
    return {
        "name": row["name"] or "", "vat_number": row["vat_number"] or "", "id_number": row["id_number"] or "",
        "website": row["website"] or "", "phone": (row["phones"] or [""])[0] or "", "address1": row["address"] or "",
        "city": row["city"] or "", "postal_code": row["postal_code"] or "",
        "country_id": COUNTRIES.get(row["country"] or "", ""),
        "contacts": [{"first_name": first, "last_name": last, "email": mail if "@" in mail else ""}],
    }  # fmt: skip


def merges(told, **more):
    """The pairs of clients that a plan of certain duplicates would merge."""
    with open_api(settings=told) as api:
        planned = plan_clusters(told, "main", api.door, Rules(), certain=True, **more)
    return [{step.survivor_id, step.mergeable_id} for step in planned.plan.steps] if planned.plan else []


@pytest.mark.proof
def test_45_clients_that_only_look_alike_give_no_merges(told, pulls, server):
    seen, different = set(), []
    for one in book(1_200, 4_001):
        if one.kind != PLAIN and one.who not in seen:
            different.append(one)
        seen.add(one.who)
    alike = [one for one in different if sum(one.family == other.family for other in different) > 1][:45]
    assert len(alike) == 45
    made(server, *(as_client(one.row) for one in alike))
    pulls(using=told)
    find_duplicates(told, "main", Rules())
    with pytest.raises(SettingsError, match="no undecided group is certain"):
        merges(told)


@pytest.mark.proof
def test_two_clients_entered_twice_in_the_same_way_are_planned_only_with_certain(told, pulls, server):
    one, other = made(server, *(COMPANY | {"vat_number": VALID[0]} for _ in "ab"))
    pulls(using=told)
    find_duplicates(told, "main", Rules())
    assert planned_cases(told, "main", certain=False) == []
    assert merges(told) == [{one, other}]


@pytest.mark.proof
def test_no_decision_but_same_lets_a_certain_pair_be_planned(told, pulls, server):
    one, other = made(server, *(COMPANY | {"vat_number": VALID[0]} for _ in "ab"))
    pulls(using=told)
    find_duplicates(told, "main", Rules())
    for decision in (LATER, NEVER_MERGE):
        decide_pairs(told, "main", [(pair_of(one, other), decision, "")])
        assert planned_cases(told, "main", certain=True) == []


@pytest.mark.proof
def test_different_valid_vat_numbers_are_never_certain_nor_by_way_of_a_client_without_one(told, pulls, server):
    one, other = made(server, *(COMPANY | {"vat_number": number} for number in VALID))
    pulls(using=told)
    find_duplicates(told, "main", Rules())
    assert planned_cases(told, "main", certain=True) == []
    (third,) = made(server, COMPANY)
    pulls(using=told)
    found = find_duplicates(told, "main", Rules())
    assert max(p.probability for p in found.pairs if third in (p.id_a, p.id_b)) >= CERTAIN
    assert planned_cases(told, "main", certain=True) == []
    decide_pairs(told, "main", [(pair_of(other, third), NEVER_MERGE, "")])
    find_duplicates(told, "main", Rules())
    assert merges(told) == [{one, third}]


@pytest.mark.proof
def test_a_person_may_merge_what_is_in_conflict_and_the_plan_says_so(told, pulls, server):
    one, other = made(server, *(COMPANY | {"vat_number": number} for number in VALID))
    pulls(using=told)
    decide_pairs(told, "main", [(pair_of(one, other), SAME_AS, "moved abroad")])
    find_duplicates(told, "main", Rules())
    (case,) = cases(told, "main", everything=True)
    assert [pair.against for pair in case.conflicts] == [["different VAT number"]]
    with open_api(settings=told) as api:
        planned = plan_clusters(told, "main", api.door, Rules(), allowed={"tax"})
    assert len(planned.plan.steps) == 1
    (note,) = [note for note in planned.notes if "a person decided" in note]
    assert note.endswith("in spite of: different VAT number.")


@pytest.mark.proof
def test_a_client_that_has_changed_since_is_left_out(told, pulls, server):
    _, other = made(server, *(COMPANY | {"vat_number": VALID[0]} for _ in "ab"))
    pulls(using=told)
    find_duplicates(told, "main", Rules())
    server.edit(server.clients()[other], vat_number=VALID[1])
    for mirrored in (False, True):
        if mirrored:
            pulls(using=told, full=True)
        with open_api(settings=told) as api:
            planned = plan_clusters(told, "main", api.door, Rules(), certain=True)
        assert planned.plan is None
        assert any("have changed since the last `dedupe find`" in note for note in planned.notes)
    find_duplicates(told, "main", Rules())
    assert planned_cases(told, "main", certain=True) == []


@pytest.mark.proof
def test_a_pair_that_an_earlier_version_found_is_not_certain(told, pulls, server):
    made(server, *(COMPANY | {"vat_number": VALID[0]} for _ in "ab"))
    pulls(using=told)
    find_duplicates(told, "main", Rules())
    with open_ready(told) as warehouse:
        warehouse.execute("update control.duplicate_pairs set in_conflict = null")
    assert planned_cases(told, "main", certain=True) == []


def test_a_review_says_why_a_pair_cannot_be_merged_by_the_program(capsys):
    lines = [Line("display_name", ["Tannhof", "Tannhof GmbH"])]
    against = ["different phone", "different VAT number"]
    for in_conflict in (True, False):
        pair = FoundPair("a", "b", 0.5, (), ["same name"], against, in_conflict)
        show_case(Case("ab", lines, [pair], kept="a"), "Group")
        shown = " ".join(capsys.readouterr().out.split())
        assert ("but different phone; cannot be merged by the program: different VAT number" in shown) is in_conflict
        assert ("but different VAT number" in shown) is not in_conflict


@pytest.mark.proof
def test_the_commands(server, pulls, command, tmp_path):
    def run(*args):
        return command(*args).stdout

    certain = made(server, *(COMPANY | {"vat_number": VALID[0]} for _ in "ab"))
    unsure = {"name": "Quellhof Optik", "city": "Bremen", "postal_code": "28195"}
    pair = made(server, unsure | {"phone": "0421 334455"}, unsure | {"name": "Quelhof Optik", "phone": "0421 998877"})
    run("pull")
    found = json.loads(run("dedupe", "find", "--threshold", "0.999", "--json"))
    assert [sorted(cluster) for cluster in found["clusters"]] == [sorted(certain)]
    assert [one["in_conflict"] for one in found["pairs"]] == [False]
    asked = {tuple(sorted(case["ids"])): case["less_likely"] for case in json.loads(run("dedupe", "review", "--json"))}
    assert asked == {tuple(sorted(certain)): False, tuple(sorted(pair)): True}
    assert [sorted(case["ids"]) for case in json.loads(run("dedupe", "list", "--json"))] == [sorted(certain)]
    with pytest.raises(SettingsError, match="With --certain"):
        run("dedupe", "plan")
    (merge,) = json.loads(run("dedupe", "plan", "--certain", "--json"))["plan"]["merges"]
    assert {merge["survivor_id"], merge["mergeable_id"]} == set(certain)


def test_a_case_is_certain_only_if_every_pair_is():
    def case(**changed):
        pairs = {pair: FoundPair(*pair, CERTAIN, reasons=["same name"]) for pair in pairs_in("abc")}
        decided = changed.pop("decided", {})
        return Case("abc", (), [changed.get("".join(pair), found) for pair, found in pairs.items()], decided)

    assert is_certain(case())
    assert is_certain(case(decided={("a", "b"): SAME_AS}))
    assert not is_certain(case(bc=FoundPair("b", "c", CERTAIN - 1e-6, reasons=["same name"])))
    assert not is_certain(case(bc=FoundPair("b", "c", CERTAIN, reasons=["same name"], in_conflict=True)))
    assert not is_certain(case(bc=FoundPair("a", "b", CERTAIN, reasons=["same name"])))
    assert not is_certain(case(decided={("b", "c"): LATER}))
    assert not is_certain(case(decided={("a", "c"): NEVER_MERGE}))


def test_clients_of_one_accountant_are_never_certain_however_much_they_share(told, pulls, server):
    shared = {
        **COMPANY,
        "website": "",
        "contacts": [{"first_name": "Urs", "last_name": "Frei", "email": "urs@frei.ch"}],
    }
    made(server, *({**shared, "name": name} for name in ("Morandi Uhren AG", "Bellevue Optik AG")))
    pulls(using=told)
    find_duplicates(told, "main", Rules())
    with pytest.raises(SettingsError, match="no undecided group is certain"):
        merges(told)
    pair = FoundPair("a", "b", 0.9999, reasons=["same phone", "same e-mail address"], against=["different names"])
    assert not is_certain(Case(["a", "b"], [], [pair]))
    assert is_certain(Case(["a", "b"], [], [FoundPair("a", "b", 0.9999, reasons=["same phone", "names alike"])]))


def test_clients_are_decided_on_by_number_or_id(told, pulls, server):
    one, other = made(server, {**COMPANY, "number": "K-7"}, {**COMPANY, "number": "K-8"})
    pulls(using=told)
    decide_pairs(told, "main", [(("K-8", one), NEVER_MERGE, "")])
    with open_ready(told) as warehouse:
        assert warehouse.rows("select id_a, id_b from control.duplicate_decisions") == [pair_of(one, other)]
    for pair, words in ((("K-7", one), "two clients"), (("K-9", one), "no client 'K-9'")):
        with pytest.raises(SettingsError, match=words):
            decide_pairs(told, "main", [(pair, NEVER_MERGE, "")])


def test_the_most_uncertain_pairs_outside_the_clusters_are_asked_about_those_in_conflict_last(monkeypatch):
    monkeypatch.setattr("flows.dedupe.questions.MOST_ASKED", 3)
    probable = {("a", "b"): 0.9, ("a", "c"): 0.19, ("a", "d"): 0.5, ("b", "c"): 0.3, ("b", "d"): 0.6, ("c", "d"): 0.8}
    assert to_ask(probable, {("a", "d")}, set(), 0.85) == {("b", "d"), ("b", "c"), ("c", "d")}
    assert to_ask(probable, {("a", "d")}, {("b", "d")}, 0.85) == {("a", "d"), ("b", "c"), ("c", "d")}


def test_a_pair_that_makes_a_cluster_uncertain_is_stored_however_many_pairs_are_more_uncertain(monkeypatch):
    monkeypatch.setattr("flows.dedupe.questions.MOST_ASKED", 3)
    unsure = {(f"a{number}", f"b{number}"): 0.5 for number in range(9)}
    probable = {**unsure, ("c", "d"): 0.9999, ("d", "e"): 0.8, ("c", "f"): 0.8, ("g", "h"): 0.8}
    asked = to_ask(probable, {("c", "f")}, {("c", "d")}, 0.85)
    assert asked - unsure.keys() == {("d", "e")}
    assert len(asked) == 4


def test_a_client_that_is_the_same_as_one_outside_its_cluster_by_a_decision_is_not_certain():
    """`a` is never `c`, but `b` is: so `a` is not `b`, whatever the last search found."""
    pairs = [FoundPair("a", "b", CERTAIN)]
    decided = {("a", "c"): NEVER_MERGE, ("b", "c"): SAME_AS}
    assert torn([Case("ab", (), pairs, decided)], pairs) == {"b", "c"}
    assert not torn([Case("ab", (), pairs, {("a", "c"): NEVER_MERGE, ("a", "b"): SAME_AS})], pairs)


@pytest.mark.parametrize(
    "names",
    [
        ("Tannhof GmbH & Co. KG", "Tannhof Verwaltungs GmbH"),
        ("Tannhof Gartenbau GmbH", "Tannhof Gartenbau Holding AG"),
        ("Tannhof Gartenbau GmbH", "Tannhof Gartenbau e.K."),
        ("Windpark Tannhof GmbH", "Windpark Tannhof I GmbH"),
        ("Hans Huber", "Hans Huber jun."),
    ],
)
def test_two_of_one_house_with_one_mailbox_are_a_matter_for_a_person(names):
    own = {key: COMPANY[key] for key in ("city", "postal_code")}
    shared = {"address": "Lindenweg 4", "country": "DE", "phones": ["0761 4455667"], "emails": ["buero@tannhof-x.de"]}
    alike = [comparable(id=str(n), name=name, **own, **shared) for n, name in enumerate(names)]
    (row,) = predicted(alike).to_pylist()
    ranks = {comparison.name: row[comparison.name] for comparison in COMPARISONS}
    pair = FoundPair("0", "1", row["match_probability"], (), *reasons(ranks), row["in_conflict"])
    assert not is_certain(Case("01", (), [pair]))


def test_the_reasons_that_are_a_matter_for_a_person_are_those_of_levels():
    assert {level.reason for comparison in COMPARISONS for level in comparison.levels} >= FOR_A_PERSON
