"""Duplicates found, decided on, planned and merged: on both engines, and on people of whom it is known who is one."""

from __future__ import annotations

import json
import os
import pty
import subprocess

import msgspec
import pytest

from flows.dedupe.decide import choose, decide_group, decide_pairs
from flows.dedupe.find import across, find_duplicates
from flows.dedupe.model import predicted
from flows.dedupe.plan import plan_clusters
from flows.dedupe.review import cases
from flows.dedupe.rules import Rules, load_rules
from flows.merge.survivor import RULES, survivor_of, why
from flows.session.api import open_api
from flows.session.ready import open_ready
from schemas.client import client_of
from schemas.errors import SettingsError
from tests.bench.dedupe_judged import judged
from tests.bench.dedupe_quality import ninja_sync
from tests.bench.dedupe_sets import sets
from tests.flows.dedupe.labelled import febrl
from tests.forked import COMMAND
from warehouse.control.dedupe import NEVER_MERGE, SAME_AS, pair_of


def test_people_with_slips_of_the_pen_are_found_by_name_and_address_alone():
    """FEBRL 1, without its date of birth and social security number: a thousand records, half of them copies."""
    records = sets()["FEBRL 1"]()
    result = judged(records, *ninja_sync([record.row for record in records]))
    assert result.precision >= 0.99
    assert result.recall >= 0.93


@pytest.mark.proof
def test_the_order_of_the_rows_does_not_matter():
    people = [client for _, client in febrl(1)][:300]
    ways = [
        {pair_of(r["id_l"], r["id_r"]): round(r["match_probability"], 9) for r in predicted(rows).to_pylist()}
        for rows in (people, people[::-1])
    ]
    assert ways[0] == ways[1]


@pytest.fixture
def twins(server):
    """Two clients that are one, and a third that shares a phone with them."""
    made = {"settings": {"currency_id": "1"}, "country_id": "276"}
    people = [
        {"name": "Zwilling Handel GmbH", "vat_number": "DE136695976", "city": "Köln", **made},
        {"name": "Zwiling Handel", "vat_number": "DE 136695976", "city": "Koeln", **made},
        {"name": "Anders AG", "phone": "0221 123456", **made},
    ]
    return [server.call("POST", "/api/v1/clients", one)["data"]["id"] for one in people]


@pytest.mark.proof
def test_twins_are_found_explained_and_obey_decisions(told, twins, pulls, server):
    pulls(using=told)
    one, other, _ = twins
    found = find_duplicates(told, "main", Rules())
    assert sorted((one, other)) in [list(ids) for ids in found.clusters]
    (pair,) = [p for p in found.pairs if {p.id_a, p.id_b} == {one, other}]
    assert pair.keys == ["vat_number"]
    assert "same VAT number" in pair.reasons
    case = next(c for c in cases(told, "main") if set(c.ids) == {one, other})
    assert {line.name for line in case.lines if line.differs} >= {"display_name", "city"}
    decide_group(told, "main", case.ids, NEVER_MERGE, reason="two shops")
    again = find_duplicates(told, "main", Rules())
    assert not [ids for ids in again.clusters if {one, other} <= set(ids)]
    assert again.new == 0
    decide_pairs(told, "main", [(pair_of(one, other), SAME_AS, "one after all")])
    find_duplicates(told, "main", Rules())
    with open_api(settings=told) as api:
        planned = plan_clusters(told, "main", api.door, Rules(survivor=["oldest"]))
    assert [{s.survivor_id, s.mergeable_id} for s in planned.plan.steps] == [{one, other}]


@pytest.mark.proof
def test_a_decision_outlives_the_merge_of_the_client_it_speaks_of(told, twins, pulls, server):
    pulls(using=told)
    one, other, third = twins
    decide_pairs(told, "main", [(pair_of(one, other), SAME_AS, ""), (pair_of(other, third), NEVER_MERGE, "")])
    server.merge(one, other)
    pulls(using=told, full=True)
    found = find_duplicates(told, "main", Rules(threshold=0.01, floor=0.01))
    assert other not in {client for ids in found.clusters for client in ids}
    assert not [ids for ids in found.clusters if {one, third} <= set(ids)]
    assert set(found.names) == {client for ids in found.clusters for client in ids}


@pytest.mark.proof
def test_who_was_chosen_survives_whatever_the_rules_say(told, twins, pulls):
    pulls(using=told)
    find_duplicates(told, "main", Rules())
    decide_pairs(told, "main", [(pair_of(*twins[:2]), SAME_AS, "")])
    for chosen in twins[:2]:
        choose(told, "main", chosen)
        with open_api(settings=told) as api:
            planned = plan_clusters(told, "main", api.door, Rules())
        step = next(s for s in planned.plan.steps if s.survivor_id in twins)
        assert step.survivor_id == chosen


@pytest.mark.proof
def test_across_sources_is_a_report_and_keeps_nothing(told, twins, pulls, server, monkeypatch):
    pulls(using=told)
    with pytest.raises(SettingsError, match="fewer than two sources"):
        across(told, Rules())
    twin = {"name": "Zwilling Handel GmbH", "vat_number": "DE136695976", "country_id": "276"}
    server.call("POST", "/api/v1/clients", twin, token=server.box.other_token)
    other = msgspec.structs.replace(told, sources={**told.sources, "other": told.sources["main"]})
    pulls(using=other, name="other", token=server.box.other_token)
    found = across(other, Rules())
    assert {pair.id_a.partition(":")[0] for pair, _, _ in found} == {"main"}
    assert any("same VAT number" in pair.reasons for pair, _, _ in found)
    with open_ready(other) as warehouse:
        assert warehouse.rows("select count(*) from control.duplicate_pairs") == [(0,)]


@pytest.mark.proof
def test_a_cluster_that_nobody_has_decided_on_is_planned_only_with_certain(told, twins, pulls, server):
    pulls(using=told)
    find_duplicates(told, "main", Rules())
    with open_api(settings=told) as api:
        with pytest.raises(SettingsError, match="--certain"):
            plan_clusters(told, "main", api.door, Rules())
        planned = plan_clusters(told, "main", api.door, Rules(), certain=True, allowed={"currency", "country", "tax"})
    assert planned.plan is not None


@pytest.mark.proof
def test_the_commands(server, twins, command, tmp_path):
    def run(*args):
        return command(*args).stdout

    run("pull")
    one, other, third = twins
    found = json.loads(run("dedupe", "find", "--json"))
    assert sorted((one, other)) in found["clusters"]
    assert "Zwilling" in run("dedupe", "find")
    assert json.loads(
        run("sql", f"select count(*) as n from mart.duplicate_candidates where id in ('{one}', '{other}')", "--json")
    ) == [{"n": 2}]
    assert [one, other] in [
        sorted(c["ids"], key=twins.index)
        for c in json.loads(run("dedupe", "review", "--json"))
        if set(c["ids"]) <= set(twins)
    ]
    (tmp_path / "decisions.csv").write_text(f"id_a,id_b,decision\n{one},{other},same_as\n{one},{third},never_merge\n")
    run("dedupe", "decide", "--file", "decisions.csv")
    run("dedupe", "decide", "--survivor", other)
    assert next(c for c in json.loads(run("dedupe", "list", "--json")) if one in c["ids"])["decided"] == "same"
    planned = json.loads(run("dedupe", "plan", "--json"))
    (merge,) = planned["plan"]["merges"]
    assert (merge["survivor_id"], merge["mergeable_id"]) == (other, one)
    for args, words in (
        (["decide", one, "nobody", "--same"], "no client 'nobody'"),
        (["decide", one], "two ids"), (["decide", one, one, "--same"], "two clients"),
        (["find", "--rules", "no.toml"], "cannot be read"),
    ):  # fmt: skip
        with pytest.raises(SettingsError, match=words):
            run("dedupe", *args)
    with pytest.raises(SettingsError, match="There is no terminal to ask on"):
        run("dedupe", "review") if json.loads(run("dedupe", "review", "--json")) else pytest.fail("nothing is open")


@pytest.mark.proof
def test_a_person_decides_at_the_terminal(told, twins, pulls, server, tmp_path):
    pulls(using=told)
    clusters = len(find_duplicates(told, "main", Rules()).clusters)
    master, terminal = pty.openpty()
    environ = {
        **os.environ, "NINJA_SYNC_URL": server.box.url, "NINJA_SYNC_WAREHOUSE": told.warehouse, "HOME": str(tmp_path),
    }  # fmt: skip
    # A wrong key, nothing to undo, back from the first group, the same and the client chosen, one put off, that undone,
    # put off again and gone back to, the rest not.
    os.write(master, b"xubc1lulb" + b"n" * (clusters - 2) + b"q")
    done = subprocess.run(
        [COMMAND, "dedupe", "review"], stdin=terminal, capture_output=True, text=True,
        env={**environ, "COLUMNS": "80"}, cwd=tmp_path, timeout=60, check=True,
    )  # fmt: skip
    os.close(master)
    os.close(terminal)
    assert "≠" in done.stdout
    assert "same VAT number" in done.stdout
    assert "1 kept: " in done.stdout
    assert "There is no decision to undo." in done.stderr
    assert f"1 the same, {clusters - 2:,} not the same, 1 not looked at. Next: ninja-sync dedupe plan" in done.stderr
    left = cases(told, "main")
    assert len(left) == 1
    everyone = cases(told, "main", everything=True)
    assert sum(case.state == "same" for case in everyone) == 1
    assert sum(case.state == "not_same" for case in everyone) == clusters - 2


@pytest.mark.proof
def test_the_rules_are_read_from_a_file_and_wrong_ones_are_told(tmp_path):
    file = tmp_path / "dedupe.toml"
    file.write_text('threshold = 0.8\nsurvivor = ["oldest"]\nfree_mail_also = ["Provider.example"]\n')
    rules = load_rules(file)
    assert (rules.threshold, list(rules.survivor), "provider.example" in rules.free_mail) == (0.8, ["oldest"], True)
    for text, words in (
        ("thresold = 1", "thresold"),
        ("threshold = 2.0", "probabilities"),
        ("threshold =", "dedupe.toml"),
    ):
        file.write_text(text)
        with pytest.raises(SettingsError, match=words):
            load_rules(file)


@pytest.mark.proof
def test_every_survivor_rule_chooses_and_an_unknown_one_is_told(server):
    records = [client_of(record) for record in server.clients().values()][:6]
    for rule in RULES:
        chosen = survivor_of(records, [rule])
        assert all(RULES[rule](chosen) >= RULES[rule](one) for one in records)
        assert survivor_of(records[::-1], [rule]) == chosen
        assert why(chosen, records, [rule])
    with pytest.raises(SettingsError, match="no survivor rule 'tallest'"):
        survivor_of(records, ["tallest"])
