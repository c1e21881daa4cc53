"""Plans of merges: what they come to is foreseen, what would be lost is kept, and what should not be is refused."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.merge.sheet import undo_sheet
from flows.merge.sheet_text import as_markdown
from schemas.errors import PasswordRequired, SettingsError, StalePlan, WrongDigest

WORLDS = int(os.environ.get("NINJA_SYNC_WORLDS", "8"))
LONG = "NINJA_SYNC_WORLDS" in os.environ
"""How many are drawn, for each server and engine: `make merges` draws many more."""
ANN = {"first_name": "Ann", "email": "ann@m.test", "phone": "1", "send_email": True}
BOB = {"first_name": "Bob", "email": "bob@m.test"}
NAMELESS = {"first_name": "Cy", "phone": "+41 7"}


def people(record):
    return sorted((c["first_name"], c["email"].strip(), c["phone"]) for c in record["contacts"])


def test_two_clients_become_one_with_all_money_and_everybody(desk):
    one = desk.make("Kept", "100.50", "7", contacts=[ANN], private_notes="mine", city="Bern")
    other = desk.make(
        "Gone", "50.25", "3", contacts=[{**ANN, "phone": "", "last_name": "Lee"}, BOB, NAMELESS],
        private_notes="theirs", vat_number="CHE123", id_number="G-1-" + one["id"],
    )  # fmt: skip
    planned = desk.plan((one["id"], other["id"]))
    (preview,) = planned.previews
    assert {f.name: f.after for f in preview.figures}["balance"] == Decimal("150.75")
    applied = desk.apply(planned)
    assert (applied.stopped, list(applied.states), desk.merges()) == (None, ["done"], 1)
    after = desk.box.show(one["id"])
    assert not desk.there(other["id"])
    assert (after["balance"], after["paid_to_date"]) == (Decimal("150.75"), 10)
    assert people(after) == [("Ann", "ann@m.test", "1"), ("Bob", "bob@m.test", ""), ("Cy", "", "+41 7")]
    assert [c["is_primary"] for c in after["contacts"]].count(True) == 1
    assert {c["last_name"] for c in after["contacts"] if c["first_name"] == "Ann"} == {"Lee"}
    assert (after["vat_number"], after["id_number"], after["city"]) == ("CHE123", "G-1-" + one["id"], "Bern")
    assert after["private_notes"].startswith("mine")
    assert "theirs" in after["private_notes"]


def test_the_backup_holds_both_and_the_sheet_says_what_to_make_anew(desk):
    one, other = desk.make("Kept", "10"), desk.make("Gone Ltd", "5", contacts=[BOB], city="Zug")
    applied = desk.apply(desk.plan((one["id"], other["id"])))
    (file,) = applied.backups
    saved = json.loads(Path(file).read_text())["clients"]
    assert [c["id"] for c in saved] == [one["id"], other["id"]]
    assert other["contacts"][0]["contact_key"] not in Path(file).read_text()
    sheet = as_markdown(undo_sheet(desk.desk.settings, Path(file)))
    for words in (
        "Gone Ltd",
        "city: it was blank",
        "- [ ] city: Zug",
        "Bob, bob@m.test",
        "| balance | 10.00 USD | 5.00 USD |",
        "currency: USD",
    ):
        assert words in sheet
    assert f"# Taking back the merge of {other['number']} Gone Ltd" in sheet
    assert f"{one['number']} Kept <{desk.box.sandbox.url}/#/clients/{one['id']}>" in sheet
    assert str(saved[1]["updated_at"]) not in sheet
    assert other["id"] not in sheet
    nothing = Path(file).with_name("nothing.json")
    with pytest.raises(SettingsError, match="is not on this machine"):
        undo_sheet(desk.desk.settings, nothing)
    nothing.write_text("{}")
    with pytest.raises(SettingsError, match="is not a backup"):
        undo_sheet(desk.desk.settings, nothing)


def test_without_rescue_the_server_does_what_the_preview_says(desk):
    one, other = desk.make("Kept", contacts=[ANN]), desk.make("Gone", contacts=[ANN, BOB, NAMELESS])
    planned = desk.plan((one["id"], other["id"]), rescue=False)
    (preview,) = planned.previews
    assert [c.first_name for c in preview.dropped] == ["Ann", "Cy"]
    assert [c.first_name for c in preview.second_primaries] == []
    desk.apply(planned)
    assert people(desk.box.show(one["id"])) == [("Ann", "ann@m.test", "1"), ("Bob", "bob@m.test", "")]


PERSON = st.fixed_dictionaries(
    {"first_name": st.sampled_from(["Ann", "Bob", "Cy", "Di"])},
    optional={
        "email": st.sampled_from(["a@p.test", "A@p.test", "b@p.test", "c@p.test"]),
        "phone": st.sampled_from(["1", "2"]),
    },
)  # fmt: skip
SIDE = st.fixed_dictionaries(
    {
        "contacts": st.lists(PERSON, max_size=3, unique_by=lambda p: p.get("email") or id(p)),
        "balance": st.decimals(-1000, 100000, places=2).map(str), "paid": st.decimals(0, 1000, places=2).map(str),
    },
    optional={"city": st.sampled_from(["Bern", "Zug"]), "public_notes": st.sampled_from(["x", "y"])},
)  # fmt: skip


@settings(max_examples=WORLDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=SIDE, second=SIDE, rescue=st.booleans())
def test_whatever_is_previewed_comes_true(desk, first, second, rescue):
    one, other = desk.make("One", **first), desk.make("Two", **second)
    planned = desk.plan((one["id"], other["id"]), rescue=rescue)
    (preview,) = planned.previews
    desk.wire.reset()
    applied = desk.apply(planned)
    assert applied.stopped is None
    assert desk.merges() == 1
    after = desk.box.show(one["id"])
    assert after["balance"] == one["balance"] + other["balance"] == preview.survivor_after.balance
    assert after["paid_to_date"] == one["paid_to_date"] + other["paid_to_date"]
    foreseen = {c.id for c in preview.survivor_after.contacts}
    now = {c["id"] for c in after["contacts"]}
    assert foreseen <= now
    assert len(now - foreseen) == len(preview.before.new_contacts)
    if rescue:
        # One with an address that the survivor has is taken to be the same person: its own name wins.
        here = {p.get("email") for p in first["contacts"]} - {None}
        told = {p["first_name"] for p in second["contacts"] if p.get("email") not in here}
        told |= {p["first_name"] for p in first["contacts"]}
        assert told <= {c["first_name"] for c in after["contacts"]}
        assert [c["is_primary"] for c in after["contacts"]].count(True) <= 1


def test_chains_are_put_in_order_and_every_cent_arrives(desk):
    a, b, c, d = (desk.make(n, m) for n, m in (("A", "1.01"), ("B", "2.02"), ("C", "3.03"), ("D", "4.04")))
    planned = desk.plan((a["id"], b["id"]), (b["id"], c["id"]), (a["id"], d["id"]))
    order = [(s.survivor_id, s.mergeable_id) for s in planned.plan.steps]
    assert order.index((b["id"], c["id"])) < order.index((a["id"], b["id"]))
    applied = desk.apply(planned)
    assert list(applied.states) == ["done"] * 3
    assert desk.total(a["id"]) == Decimal("10.10")


def test_pairs_that_contradict_each_other_are_refused(desk):
    a, b, c = "aaa", "bbb", "ccc"
    for pairs, words in (
        ([(a, a)], "itself"), ([(a, b), (c, b)], "twice"), ([(a, b), (b, c), (c, a)], "circle"),
    ):  # fmt: skip
        with pytest.raises(SettingsError, match=words):
            desk.plan(*pairs)


@pytest.mark.parametrize(
    ("survivor", "other", "allow", "words"),
    [
        ({"settings": {"currency_id": "3"}}, {}, "currency", "different currencies"),
        ({"vat_number": "DE1"}, {"vat_number": "DE2"}, "tax", "tax or register numbers"),
        ({"country_id": "276"}, {"country_id": "756"}, "country", "different countries"),
    ],
)
def test_what_stands_in_the_way_is_refused_unless_it_is_allowed(desk, survivor, other, allow, words):
    one, two = desk.make("One", **survivor), desk.make("Two", **other)
    refused = desk.plan((one["id"], two["id"]))
    assert refused.plan is None
    assert words in refused.refused[0].reason
    assert f"--allow {allow}" in refused.refused[0].reason
    allowed = desk.plan((one["id"], two["id"]), allowed={allow})
    assert desk.apply(allowed).stopped is None


def test_an_archived_survivor_and_clients_of_others_are_refused(desk):
    one, two = desk.make("One"), desk.make("Two")
    desk.box.bulk("archive", one["id"])
    assert "archived" in desk.plan((one["id"], two["id"])).refused[0].reason
    theirs = desk.box.call("GET", "/api/v1/clients?per_page=1", token=desk.box.sandbox.other_token)["data"]
    for pair in ((theirs[0]["id"] if theirs else "zzzz", two["id"]), (two["id"], "nobody")):
        assert "not readable with this token" in desk.plan(pair).refused[0].reason


def test_a_client_that_changed_since_is_not_merged_and_the_rest_waits(desk):
    a, b, c, d = (desk.make(n, "1") for n in "ABCD")
    planned = desk.plan((a["id"], b["id"]), (c["id"], d["id"]))
    late = planned.plan.steps[1]
    desk.box.balances({"id": late.mergeable_id}, balance="99")
    applied = desk.apply(planned)
    assert isinstance(applied.stopped, StalePlan)
    assert list(applied.states) == ["done", "planned"]
    assert desk.there(late.mergeable_id)


def test_the_digest_and_the_password_are_asked_for(desk):
    one, two = desk.make("One"), desk.make("Two")
    planned = desk.plan((one["id"], two["id"]))
    with pytest.raises(WrongDigest):
        desk.apply(planned, digest="0" * 16)
    with pytest.raises(PasswordRequired):
        desk.apply(planned, password="wrong")
    assert (desk.there(two["id"]), desk.wire.writes()) == (True, [])
    assert desk.apply(planned).stopped is None
    with pytest.raises(StalePlan, match="applied once"):
        desk.apply(planned)


@pytest.mark.quick(where=lambda where, **_: where == ("5.10", "duckdb"))
@pytest.mark.parametrize(
    ("step", "how"),
    # every step, in turn with a 500 and without an answer; `make merges` takes both at each
    [(step, how) for step in range(7) for even, how in enumerate(["500", "no_answer"]) if LONG or step % 2 == even],
)
def test_a_merge_that_dies_at_any_step_is_never_sent_twice(desk, step, how):
    one, other = desk.make("One", "10"), desk.make("Two", "5.5", contacts=[BOB])
    before = desk.total(one["id"], other["id"])
    planned = desk.plan((one["id"], other["id"]))
    desk.box.switch(merge_dies={"after": step, "do": how})
    desk.wire.reset()
    applied = desk.apply(planned)
    desk.box.switch(merge_dies=None)
    assert desk.merges() == 1
    if applied.stopped is None:
        assert (list(applied.states), desk.there(other["id"])) == (["done"], False)
        assert desk.total(one["id"]) == before
    elif desk.there(other["id"]) and desk.total(one["id"]) == Decimal(10):  # nothing was done: it may be resumed
        desk.resume(planned)
        assert desk.merges() == 2
        assert desk.total(one["id"]) == before
    else:  # half done: a person looks first
        with pytest.raises(Exception, match="journal settle"):
            desk.resume(planned)
        assert desk.merges() == 1
