"""What decisions teach: weights keep their rank, a model is adopted only if it is better, and no label gets lost."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest

from flows.dedupe.comparable import comparable
from flows.dedupe.decide import decide_pairs
from flows.dedupe.find import find_duplicates
from flows.dedupe.fit import odds
from flows.dedupe.labels import Labels, labels_of
from flows.dedupe.learn import LEAST_DECISIONS, choose_model, fitted_better, learn
from flows.dedupe.levels import COMPARISONS
from flows.dedupe.model import BOOK, LIST, Model, kind_of, model_in_use, predicted, shipped
from flows.dedupe.pairs import levels_between, levels_of, prepared
from flows.dedupe.questions import questions
from flows.dedupe.review import cases
from flows.dedupe.rules import Rules
from flows.session.ready import open_ready
from sandbox.server import running
from schemas.errors import SettingsError
from tests.bench.dedupe_books import book
from tests.bench.dedupe_learn import HABITS, candidates, taught, with_habit
from tests.flows.conftest import Server
from warehouse.control.dedupe import NEVER_MERGE, SAME_AS, pair_of
from warehouse.control.duplicate_models import models_of

NAMES = (
    "Ahorn", "Birken", "Distel", "Eschen", "Farn", "Ginster", "Hasel", "Iris", "Jasmin", "Kiefern", "Linden", "Malven",
    "Nelken", "Oliven", "Pappel", "Quitten", "Rosen", "Salbei", "Tulpen", "Ulmen", "Veilchen", "Weiden", "Zedern",
    "Anemonen",
)  # fmt: skip
TRADES = ("Druckerei", "Metzgerei", "Tischlerei", "Spedition", "Optik", "Brauerei", "Weberei", "Zimmerei")


@pytest.fixture(scope="module")
def agencies():
    """The pairs of a book whose agencies lend their phone and mailbox to two or three clients each."""
    return candidates(with_habit(book(1_500, 3_001), HABITS["phone"], 3_001))


def labels(of, chosen, same):
    groups = np.arange(len(chosen))
    return Labels(of.kind, of.steps[chosen], same, (), groups, of.in_conflict[chosen])


def better(of, chosen, same):
    start = shipped(of.kind)
    return fitted_better(labels(of, chosen, same), start, start, np.ones(len(chosen), bool), 0.85)


@pytest.mark.proof
def test_a_hundred_decisions_halve_the_wrong_pairs_of_a_book_with_a_habit(agencies):
    result = taught(agencies)
    assert result.adopted
    assert result.learned <= result.before / 2
    assert result.loss_learned < result.loss_asked
    assert result.certain_learned <= result.certain_asked


@pytest.mark.parametrize(("seen", "groups"), [(149, 150), (131, 150), (0, 1)])
def test_a_few_unseen_decisions_and_one_crowd_of_clients_prove_nothing(agencies, seen, groups):
    chosen = np.flatnonzero((agencies.probable(shipped(BOOK)) > 0.2) & ~agencies.in_conflict)[:150]
    start = shipped(BOOK)
    decided = Labels(
        BOOK, agencies.steps[chosen], np.zeros(150), (), np.arange(150) % groups, agencies.in_conflict[chosen]
    )
    _, figures, is_better = fitted_better(decided, start, start, np.arange(150) >= seen, 0.85)
    assert figures.checked == 150 - seen
    assert not is_better
    unseen = np.ones(150, bool)
    assert fitted_better(labels(agencies, chosen, np.zeros(150)), start, start, unseen, 0.85)[2]


def test_learned_weights_keep_their_rank(agencies):
    chosen = np.flatnonzero(agencies.probable(shipped(BOOK)) > 0.2)[:150]
    model, _, _ = better(agencies, chosen, agencies.same[chosen])
    for comparison in COMPARISONS:
        weights = [model.weights[comparison.name][level.name] for level in comparison.levels]
        signs = [level.agrees for level in comparison.levels]
        assert weights == sorted(weights, reverse=True)
        assert all(weight >= 0 if agrees else weight <= 0 for weight, agrees in zip(weights, signs, strict=True))


def test_decisions_that_the_model_expects_change_nothing(agencies):
    """The truth is drawn by the shipped model's own probabilities, so no other can be better."""
    chosen = np.flatnonzero(~agencies.in_conflict)[:200]
    expected = odds(agencies.steps[chosen], shipped(BOOK))
    chance = np.random.default_rng(1)
    adopted = [better(agencies, chosen, (chance.random(len(chosen)) < expected).astype(float))[2] for _ in range(20)]
    assert sum(adopted) <= 3


def test_a_decision_on_a_pair_in_conflict_teaches_nothing(agencies):
    chosen = np.flatnonzero(agencies.probable(shipped(BOOK)) > 0.2)[:100]
    hard = np.flatnonzero(agencies.in_conflict)[:20]
    assert len(hard) == 20
    alone, _, _ = better(
        agencies, chosen[~agencies.in_conflict[chosen]], agencies.same[chosen][~agencies.in_conflict[chosen]]
    )
    both = np.concatenate([chosen[~agencies.in_conflict[chosen]], hard])
    with_hard, _, _ = better(agencies, both, np.concatenate([agencies.same[both[:-20]], np.ones(20)]))
    assert with_hard == alone


def test_the_levels_of_given_pairs_are_those_of_the_candidates():
    clients = [comparable(**record.row) for record in book(300, 5)]
    with prepared(clients) as connection:
        found = pa.concat_tables(levels_of(connection)).sort_by([("id_l", "ascending"), ("id_r", "ascending")])
        pairs = list(zip(found["id_r"].to_pylist(), found["id_l"].to_pylist(), strict=True))
        again = levels_between(connection, pairs).sort_by([("id_l", "ascending"), ("id_r", "ascending")])
        assert found.num_rows > 50
        assert again.equals(found)
        known = {frozenset(pair) for pair in pairs}
        other = next(pair for pair in combinations(sorted(c.id for c in clients), 2) if frozenset(pair) not in known)
        assert levels_between(connection, [other, ("c0000000", "nobody")]).num_rows == 1
        assert levels_between(connection, []).num_rows == 0
        assert kind_of(connection) == BOOK


def test_a_model_is_used_only_for_clients_of_its_kind():
    clients = [comparable(**record.row) for record in book(300, 5)]
    order = [("id_l", "ascending"), ("id_r", "ascending")]
    usual = predicted(clients).sort_by(order)
    assert predicted(clients, Model(9.0, shipped(BOOK).weights, LIST)).sort_by(order).equals(usual)
    assert predicted(clients, Model(9.0, shipped(BOOK).weights, BOOK)).num_rows > usual.num_rows


@pytest.fixture
def server():
    """A server with one client, so that a test makes all the others."""
    with running(clients=1, seed=5) as box:
        yield Server(box)


@pytest.fixture
def agency_pairs(server):
    """48 clients: two and two are different firms that have the phone and mailbox of one agency."""
    pairs = []
    for number, name in enumerate(NAMES):
        trades = (TRADES[number % 8], TRADES[(number + 3) % 8])
        pairs.append(pair_of(*(
            server.call("POST", "/api/v1/clients", {
                "name": f"{name} {trade}", "country_id": "276", "phone": f"0761 4455{600 + number}",
                "city": "Freiburg", "postal_code": "79098", "address1": f"Weg {number + 1}",
                "contacts": [{"email": f"buero{number}@agentur{number}.de"}],
            })["data"]["id"] for trade in trades
        )))  # fmt: skip
    return pairs


def decide_all(told, pairs, decision):
    decide_pairs(told, "main", [(pair, decision, "") for pair in pairs])


@pytest.mark.proof
def test_a_source_learns_what_its_people_decide_and_goes_back(told, pulls, agency_pairs, monkeypatch, tmp_path):
    pulls(using=told)
    before = {(p.id_a, p.id_b): p.probability for p in find_duplicates(told, "main", Rules()).pairs}
    asked = [pair for pair in agency_pairs if pair in before]
    assert len(asked) == len(agency_pairs)
    decide_all(told, agency_pairs, NEVER_MERGE)
    assert find_duplicates(told, "main", Rules()).unlearned == len(agency_pairs)
    learned = learn(told, "main", Rules())
    assert learned.adopted
    assert (learned.decisions, learned.lost, learned.kind) == (len(agency_pairs), 0, BOOK)
    assert learned.figures.log_loss_after < learned.figures.log_loss_before
    assert any(change.in_words == "counts less" for change in learned.changes)
    after = find_duplicates(told, "main", Rules(threshold=0.01, floor=0.01))
    assert after.unlearned == 0
    assert all(p.probability < before[p.id_a, p.id_b] for p in after.pairs if (p.id_a, p.id_b) in asked)
    with pytest.raises(SettingsError, match="has seen all decisions"):
        learn(told, "main", Rules())
    choose_model(told, "main", "shipped")
    again = find_duplicates(told, "main", Rules())
    assert {(p.id_a, p.id_b): p.probability for p in again.pairs if (p.id_a, p.id_b) in asked}.items() <= before.items()
    choose_model(told, "main", learned.model_id)
    with open_ready(told) as warehouse:
        assert model_in_use(warehouse, "main").kind == BOOK
    with pytest.raises(SettingsError, match="no model 'nonsense'"):
        choose_model(told, "main", "nonsense")


@pytest.mark.proof
def test_a_model_of_another_version_is_not_used(told, pulls, agency_pairs):
    pulls(using=told)
    decide_all(told, agency_pairs, NEVER_MERGE)
    learned = learn(told, "main", Rules())
    assert learned.adopted
    with open_ready(told) as warehouse:
        other = json.dumps({"bias": -3.0, "weights": {"name": {"nearly the same": 4.0}}})
        warehouse.execute("update control.duplicate_models set weights = cast($w as json)", {"w": other})
        assert model_in_use(warehouse, "main") is None
    with pytest.raises(SettingsError, match="learned by another version"):
        choose_model(told, "main", learned.model_id)
    find_duplicates(told, "main", Rules())
    assert learn(told, "main", Rules()).adopted


@pytest.mark.proof
def test_a_decision_still_teaches_after_its_clients_were_merged(told, pulls, server, agency_pairs):
    pulls(using=told)
    decide_all(told, agency_pairs[:3], SAME_AS)
    before = labels_of(told, "main", Rules())
    survivor, merged = agency_pairs[0]
    server.merge(survivor, merged)
    pulls(using=told, full=True)
    after = labels_of(told, "main", Rules())
    assert (len(after), after.lost) == (3, 0)
    assert sorted(map(tuple, after.steps)) == sorted(map(tuple, before.steps))


@pytest.mark.proof
def test_too_few_decisions_teach_nothing(told, pulls, agency_pairs):
    pulls(using=told)
    decide_all(told, agency_pairs[: LEAST_DECISIONS - 1], NEVER_MERGE)
    with pytest.raises(SettingsError, match="needs 20 decisions, and 19 decisions can be used"):
        learn(told, "main", Rules())
    with open_ready(told) as warehouse:
        assert models_of(warehouse, "main") == []


@pytest.mark.proof
def test_the_most_uncertain_cases_are_asked_first_and_pairs_in_no_group_too(told, pulls, agency_pairs):
    pulls(using=told)
    find_duplicates(told, "main", Rules(threshold=0.99))
    asked = questions(told, "main")
    away = [min(abs(p.probability - 0.5) for p in case.pairs) for case in asked]
    assert away == sorted(away)
    alone = [tuple(case.ids) for case in asked if case.less_likely]
    assert alone
    assert not set(alone) & {tuple(case.ids) for case in cases(told, "main", everything=True)}
    decide_all(told, alone[:1], NEVER_MERGE)
    assert alone[0] not in [tuple(case.ids) for case in questions(told, "main")]


@pytest.mark.proof
def test_the_commands(server, agency_pairs, command, tmp_path):
    def run(*args):
        return command(*args).output

    run("pull")
    assert json.loads(run("dedupe", "models", "--json")) == {"source": "main", "in_use": "shipped", "models": []}
    lines = "".join(f"{a},{b},never_merge\n" for a, b in agency_pairs)
    (tmp_path / "decisions.csv").write_text(f"id_a,id_b,decision\n{lines}")
    run("dedupe", "decide", "--file", "decisions.csv")
    assert f"{len(agency_pairs)} decisions since the last `dedupe learn`" in " ".join(run("dedupe", "find").split())
    learned = json.loads(run("dedupe", "learn", "--json"))
    assert learned["adopted"]
    assert {"comparison", "level", "before", "after", "change"} <= learned["changes"][0].keys()
    listed = json.loads(run("dedupe", "models", "--json"))
    assert (listed["in_use"], listed["models"][0]["model_id"]) == (learned["model_id"], learned["model_id"])
    assert "in use: shipped" in run("dedupe", "models", "--use", "shipped")
    assert learned["model_id"] in run("dedupe", "models", "--use", learned["model_id"])
    decided = [*agency_pairs[:5]]
    lines = "".join(f"{a},{b},same_as\n" for a, b in decided)
    (tmp_path / "decisions.csv").write_text(f"id_a,id_b,decision\n{lines}")
    run("dedupe", "decide", "--file", "decisions.csv")
    shown = " ".join(run("dedupe", "learn").split())
    assert "of 5 decisions new to the model before" in shown
    assert "What the decisions would change" in shown
