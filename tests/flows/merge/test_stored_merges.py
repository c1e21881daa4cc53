"""A stored plan of merges shows all that was shown when it was made, also later and to somebody else."""

from __future__ import annotations

from decimal import Decimal

import pytest

from flows.dedupe.explain import HARD
from flows.dedupe.plan import _remarks
from flows.dedupe.review import Case
from flows.merge.effect import BOTH, CLIENT_KEPT, MERGED_IN, balance_in_words, effect_of
from flows.merge.leave_out import plan_without
from flows.merge.stored import read_merges
from schemas.journal import Outcome
from warehouse.control.dedupe import FoundPair

ANN = {"first_name": "Ann", "email": "ann@m.test", "phone": "1"}
TWIN = {"first_name": "Anna", "last_name": "Lee", "email": "ann@m.test", "phone": "2"}
BOB = {"first_name": "Bob", "email": "bob@m.test"}
NAMELESS = {"first_name": "Cy", "phone": "+41 7"}
NAMES = {"country_id": {"756": "Switzerland", "276": "Germany"}}


def planned_pair(desk, **more):
    one = desk.make("Kept", "100.50", contacts=[ANN], private_notes="mine", city="Bern", country_id="756")
    other = desk.make(
        "", "-50.25", contacts=[TWIN, BOB, NAMELESS], private_notes="theirs", public_notes="seen", country_id="756",
        vat_number="CHE1", city="Zug",
        settings={"currency_id": "1", "payment_terms": "30", "pdf_variables": {"a": ["$b"]}},
    )  # fmt: skip
    return one, other, desk.plan((one["id"], other["id"]), **more)


def shown(desk, planned):
    return read_merges(desk.desk.settings, planned.plan.plan_id)


def test_a_stored_plan_shows_what_was_previewed(desk):
    _, other, planned = planned_pair(desk)
    (preview,), (merge,) = planned.previews, shown(desk, planned).merges
    again = merge.preview
    assert again.figures == preview.figures
    assert merge.step.as_plain == planned.plan.steps[0].as_plain
    assert (again.before.columns, again.before.contacts) == (preview.before.columns, preview.before.contacts)
    assert again.currencies == preview.currencies == ("USD", "USD")
    for kind in ("moved", "dropped", "second_primaries"):
        ids = ({one.id for one in getattr(side, kind)} for side in (preview, again))
        assert next(ids) == next(ids)
    values = {name: value for name, value in preview.lost.items() if name != "settings.pdf_variables"}
    assert {name: again.lost[name] for name in values} == values
    assert "settings.pdf_variables" in again.lost
    assert again.mergeable.display_name == preview.mergeable.display_name != ""
    assert other["id"] not in merge.step.label_of(other["id"])
    assert merge.state == "planned"


def test_a_line_of_an_address_that_fills_no_blank_says_why(desk):
    def why(own, other):
        planned = desk.plan((desk.make("Kept", **own)["id"], desk.make("Twin", **other)["id"]))
        (merge,) = shown(desk, planned).merges
        (row,) = [row for row in effect_of(merge.preview, NAMES, ()).fields if row.name == "address2"]
        return row.is_lost, row.why

    box = {"address2": "Box 12", "country_id": "756"}
    lost, text = why({"city": "Bern", "country_id": "756"}, box)
    assert (lost, text) == (True, "an address is taken over only as a whole, and the client kept has one")
    assert why({"country_id": "756"}, box) == (False, "")
    assert why({"city": "Bern", "country_id": "756", "address2": "Box 1"}, box) == (True, "")


def test_each_field_says_where_its_text_comes_from_and_what_is_lost(desk):
    _, _, planned = planned_pair(desk)
    (merge,) = shown(desk, planned).merges
    effect = effect_of(merge.preview, NAMES, merge.step.remarks)
    rows = {row.name: row for row in effect.fields}
    assert (rows["city"].after, rows["city"].origin, rows["city"].is_lost) == ("Bern", CLIENT_KEPT, True)
    assert (rows["vat_number"].after, rows["vat_number"].origin) == ("CHE1", MERGED_IN)
    assert (rows["private_notes"].origin, rows["private_notes"].is_lost) == (BOTH, False)
    assert rows["private_notes"].after.startswith("mine")
    assert "theirs" in rows["private_notes"].after
    assert (rows["country_id"].after, rows["country_id"].is_lost) == ("Switzerland", False)
    assert rows["public_notes"].is_public
    assert rows["public_notes"].is_lost
    lost = {row.name for row in effect.lost}
    assert {"public_notes", "city", "number", "settings.payment_terms", "settings.pdf_variables"} <= lost
    assert "private_notes" not in lost


def test_each_contact_says_what_happens_to_it(desk):
    _, _, planned = planned_pair(desk)
    (merge,) = shown(desk, planned).merges
    rows = {(row.contact.first_name, row.of_kept): row for row in effect_of(merge.preview, NAMES).contacts}
    assert rows["Ann", True].what == "stays"
    assert rows["Ann", True].gained == "last name Lee"
    assert rows["Anna", False].what.startswith("already there")
    assert rows["Anna", False].lost == "first name Anna, phone 2"
    assert not rows["Anna", False].is_lost
    assert rows["Bob", False].what == "moves"
    assert rows["Cy", False].what == "moves, as a new contact without an e-mail address"


def test_without_rescue_its_contacts_are_dropped(desk):
    _, _, planned = planned_pair(desk, rescue=False)
    (merge,) = shown(desk, planned).merges
    rows = {row.contact.first_name: row for row in effect_of(merge.preview, NAMES).contacts if not row.of_kept}
    assert (rows["Cy"].what, rows["Cy"].is_lost) == ("is dropped by the server", True)


def test_public_notes_and_differences_are_warned_of(desk):
    _, _, planned = planned_pair(desk, public_notes=True)
    (merge,) = shown(desk, planned).merges
    assert any("Customers can read them" in text for text in effect_of(merge.preview, NAMES).warnings)
    one, other = desk.make("A", "1"), desk.make("B", "2", settings={"currency_id": "2"})
    planned = desk.plan((one["id"], other["id"]), allowed={"currency"})
    (merge,) = shown(desk, planned).merges
    assert any("DIFFERENT CURRENCIES: USD and GBP" in text for text in effect_of(merge.preview, NAMES).warnings)


def test_notes_of_a_merge_are_stored_with_it(desk):
    one, other = desk.make("Kept", country_id=""), desk.make("Gone", private_notes="x")
    planned = desk.plan((one["id"], other["id"]), remarks={other["id"]: ["Look twice."]})
    (merge,) = shown(desk, planned).merges
    assert merge.step.remarks[-1] == "Look twice."
    assert [*planned.notes][: len(merge.step.remarks) - 1] == [*merge.step.remarks[:-1]]
    assert shown(desk, planned).stored.plan.digest == planned.plan.digest == shown(desk, planned).stored.digest


def test_after_the_merge_its_check_and_its_figures_are_shown(desk):
    one, other, planned = planned_pair(desk)
    assert desk.apply(planned, pulls=True).stopped is None
    (merge,) = shown(desk, planned).merges
    after = desk.box.show(one["id"])
    assert (merge.state, merge.checked) == ("done", Outcome.APPLIED)
    assert merge.now is not None
    assert merge.now.figures["balance"] == after["balance"] == one["balance"] + other["balance"]
    assert merge.now.code == "USD"


def test_figures_of_before_the_merge_are_not_shown_as_its_result(desk):
    _, _, planned = planned_pair(desk)
    assert desk.apply(planned, pulls=False).stopped is None
    (merge,) = shown(desk, planned).merges
    assert merge.now is None


def test_a_later_merge_into_the_same_client_is_known(desk):
    one, two, three = (desk.make(name, "1") for name in ("One", "Two", "Three"))
    planned = desk.plan((one["id"], two["id"]), (one["id"], three["id"]))
    assert [merge.again for merge in shown(desk, planned).merges] == [True, False]


def test_a_conflict_that_a_person_overruled_is_a_remark_without_a_name():
    hard = next(iter(HARD))
    pair = FoundPair("a", "b", 0.5, (), (), (hard,), True)
    case = Case(["a", "b"], (), [pair])
    found = _remarks([case], [("a", "b")])
    assert list(found) == ["b"]
    assert hard in found["b"][0]


def test_a_balance_says_its_side():
    assert balance_in_words(Decimal("5.5"), "CHF") == "owed 5.50 CHF"
    assert balance_in_words(Decimal("-5.5"), "CHF") == "overpaid 5.50 CHF"
    assert balance_in_words(Decimal(0), "CHF") == "nothing owed"


@pytest.mark.parametrize(("rescue", "public_notes"), [(True, False), (True, True), (False, False)])
def test_a_plan_made_again_saves_by_the_choice_of_the_first_though_it_had_nothing_to_save(desk, rescue, public_notes):
    pairs = [tuple(desk.make(name)["id"] for name in ("Kept", "Twin")) for _ in "ab"]
    planned = desk.plan(*pairs, rescue=rescue, public_notes=public_notes)
    assert all(step.before.is_empty and step.then.is_empty for step in planned.plan.steps)
    left_out, stays = shown(desk, planned).merges
    since = {"private_notes": "since", "public_notes": "seen", "contacts": [NAMELESS]}
    keeps = {"settings": desk.box.show(stays.step.mergeable_id)["settings"]}
    desk.box.call("PUT", f"/api/v1/clients/{stays.step.mergeable_id}", keeps | since)
    again = plan_without(desk.desk.settings, desk.desk.door(), shown(desk, planned), {left_out.place})
    (merge,) = shown(desk, again).merges
    step = merge.step
    assert (step.rescue, step.public_notes) == (rescue, public_notes)
    assert [contact["phone"] for contact in step.before.new_contacts] == [NAMELESS["phone"]] * rescue
    assert ("private_notes" in step.before.columns, "public_notes" in step.before.columns) == (rescue, public_notes)
    assert shown(desk, again).stored.plan.digest == again.plan.digest
