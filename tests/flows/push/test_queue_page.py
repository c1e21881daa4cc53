"""Queued changes as people look at them: the client's number and name, the company's label, the state in words."""

from __future__ import annotations

import json

from flows.plans.approvals import reject_digest
from flows.push.queue_page import TAKEN, queue_page
from flows.session.operator import operator
from flows.session.ready import open_ready
from tests.flows.push.test_push_outbox import insert, plan

LABEL = "Segment <b>\u202e"


def label(desk):
    """Have the company call its first custom field so."""
    with open_ready(desk.settings) as warehouse:
        warehouse.execute("update ninja.companies set custom_fields = cast($fields as json)", {
            "fields": json.dumps({"client1": f"{LABEL}|single_line_text", "client2": " |x", "contact1": "No"}),
        })  # fmt: skip


def test_a_change_is_shown_with_its_client_its_label_and_its_state(desk, box):
    one = box.make("Queued & Sons", settings={"currency_id": "1"})
    desk.pull()
    label(desk)
    insert(desk, (one["id"], "custom_value1", "VIP"), (one["id"], "ctiy", None))
    listed = queue_page(desk.settings)
    by_field = {change.column: change for change in listed.changes}
    first = by_field["custom_value1"]
    assert (first.number, first.client, first.field_name) == (one["number"], "Queued & Sons", LABEL)
    assert (first.words, first.value, first.next_step) == ("waits for a plan", "VIP", "")
    assert by_field["ctiy"].field_name == "ctiy"
    made = plan(desk).plan
    refused, taken = queue_page(desk.settings), queue_page(desk.settings, group=TAKEN)
    assert [(c.column, c.words) for c in refused.changes] == [("ctiy", "refused")]
    assert "did you mean city" in refused.changes[0].why
    assert refused.changes[0].next_step
    assert [(c.column, c.plan_id, c.can_be_withdrawn) for c in taken.changes] == [
        ("custom_value1", made.plan_id, False)
    ]
    assert taken.by_group == {"waiting": 0, "refused": 1, "rejected": 0, "taken": 1}
    reject_digest(desk.settings, made.digest, "not this one")
    words = {c.column: (c.words, c.why) for c in queue_page(desk.settings).changes}
    assert words["custom_value1"] == ("its plan was rejected", f"by {operator()}: not this one")


def test_pages_of_the_queue_fit_together_and_are_of_one_source(desk, box):
    one = box.make("One", settings={"currency_id": "1"})
    insert(desk, *((one["id"], f"field {n}", str(n)) for n in range(5)))
    insert(desk, (one["id"], "city", "Bern"), source="mian")
    whole = queue_page(desk.settings, "main")
    assert (whole.total, whole.by_group["waiting"]) == (5, 5)
    parts = [queue_page(desk.settings, "main", number, most=2) for number in (1, 2, 3)]
    assert [change for part in parts for change in part.changes] == whole.changes
    (lost,) = queue_page(desk.settings, "mian").changes
    assert lost.why == "there is no source 'mian'"
    assert queue_page(desk.settings).total == 6
