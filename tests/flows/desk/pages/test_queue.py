"""Queued changes at the desk, against a real server: look, withdraw, queue again, and make a plan of them."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from flows.plans.approvals import reject_digest
from flows.push.outbox import queued_changes
from flows.session.ready import open_ready
from tests.engines import address
from tests.flows.desk.conftest import Visitor, answering, text_of
from tests.flows.desk.pages.test_plans import HOSTILE

PLACE = "/plans/queued"


@pytest.fixture
def settings(settings, place):
    """Those of the other tests, on each engine."""
    return replace(settings, warehouse=address(place))


@pytest.fixture
def client(server):
    """An active client of the server."""
    return next(one for one in server.clients().values() if not one["is_deleted"] and not one["archived_at"])


@pytest.fixture
def insert(settings, opened):
    """Queue changes, as a program does by SQL."""

    def run(*rows, source="main", author="bot", reason="asked for"):
        with open_ready(settings) as warehouse:
            for client_id, field, value in rows:
                values = {"source": source, "id": client_id, "field": field, "value": value}
                warehouse.execute(
                    "insert into control.outbox (source, id, field, value, author, reason) "
                    "values ($source, $id, $field, $value, $author, $reason)",
                    {**values, "author": author, "reason": reason},
                )
        return {change.column: change for change in queued_changes(settings)}

    return run


def test_from_the_queue_to_a_plan_on_the_server(visitor, settings, server, client, insert):
    assert "No change is queued" in text_of(visitor.get(PLACE))
    insert((client["id"], "city", "Zug"), (client["id"], "ctiy", "Zug"))
    queue = text_of(visitor.get(PLACE))
    for word in (client["number"], client["display_name"], "city", "Zug", "waits for a plan", "bot", "asked for"):
        assert word in queue
    page = visitor.post(f"{PLACE}/plan", {"reason": "from the queue"})
    shown = text_of(page)
    assert "1 change that cannot be written" in shown
    assert "did you mean city" in shown
    assert "from the queue" in shown
    digest = re.search(r'name="digest" value="(\w+)"', page.text).group(1)
    plan_id = page.url.path.rpartition("/")[2]
    visitor.post(f"/plans/{plan_id}/apply", {"digest": digest})
    assert server.clients()[client["id"]]["city"] == "Zug"
    left = text_of(visitor.get(PLACE))
    assert "did you mean city" in left
    assert "Withdraw it and queue a value that can be written" in left
    done = visitor.get(f"{PLACE}?group=taken")
    assert "written" in text_of(done)
    assert f'href="/plans/{plan_id}"' in done.text


def test_a_queue_with_nothing_to_change_makes_no_plan_and_says_so(visitor, client, insert):
    insert((client["id"], "city", client["city"]))
    page = visitor.post(f"{PLACE}/plan")
    assert "There is nothing to change, so there is no plan. 1 value there already." in text_of(page)
    assert page.url.path == PLACE


def test_changes_are_withdrawn_by_ticks_or_by_their_button(visitor, settings, client, insert):
    changes = insert(*((client["id"], field, "x") for field in ("city", "state", "phone")))
    assert "3 queued changes are in no plan" in text_of(visitor.get("/plans"))
    unticked = visitor.post(f"{PLACE}/sort?group=waiting", {"do": "withdraw"}, status=400)
    assert "Tick at least one change" in text_of(unticked)
    assert unticked.text.count('name="change"') == 3
    page = visitor.post(
        f"{PLACE}/sort", {"do": "withdraw", "change": [changes[f].change_id for f in ("city", "state")]}
    )
    assert "2 changes withdrawn" in text_of(page)
    page = visitor.post(f"{PLACE}/sort", {"withdraw": changes["phone"].change_id})
    assert "1 change withdrawn" in text_of(page)
    assert queued_changes(settings) == []
    gone = {"do": "withdraw", "change": changes["city"].change_id}
    assert "There is no change" in text_of(visitor.post(f"{PLACE}/sort", gone, status=400))


def test_changes_of_a_rejected_plan_are_queued_again(visitor, settings, client, insert):
    insert((client["id"], "city", "Zug"))
    page = visitor.post(f"{PLACE}/plan")
    reject_digest(settings, re.search(r'name="digest" value="(\w+)"', page.text).group(1), "not yet")
    queue = text_of(visitor.get(PLACE))
    assert "its plan was rejected" in queue
    assert re.search(r"by \S+: not yet", queue)
    plan = visitor.get(page.url.path)
    assert "asked for (bot)" in text_of(plan)
    assert "1 queued change of this plan waits for a decision" in text_of(plan)
    assert 'href="/plans/queued?group=rejected"' in plan.text
    shown = visitor.get(f"/clients/main/{client['id']}")
    assert "1 change of a rejected plan" in text_of(shown)
    assert re.search(r"by \S+: not yet", text_of(shown))
    assert "1 queued change of a rejected plan" in text_of(visitor.get("/"))
    (change,) = queued_changes(settings)
    again = visitor.post(f"{PLACE}/sort", {"do": "requeue", "change": change.change_id})
    assert "1 change queued again" in text_of(again)
    assert [one.state for one in queued_changes(settings)] == ["waiting"]


def test_texts_of_others_do_no_harm(visitor, client, insert):
    insert((client["id"], "city", HOSTILE), (HOSTILE, HOSTILE, HOSTILE), author=HOSTILE, reason=HOSTILE)
    insert((client["id"], "city", "x"), source="<b>nowhere")
    for path in (PLACE, f"{PLACE}?group=%3Cscript%3E", f"{PLACE}?group=waiting&page=7"):
        page = visitor.get(path)
        assert "<script>" not in page.text
        assert "<b>nowhere" not in page.text
        assert "\u202e" not in page.text
    planned = visitor.post(f"{PLACE}/plan")
    assert "<script>" not in planned.text


def test_a_desk_for_reading_shows_the_queue_and_changes_nothing(settings, client, insert):
    changes = insert((client["id"], "city", "Zug"))
    with answering(settings, read_only=True) as opened:
        visitor = Visitor(opened)
        page = visitor.get(PLACE)
        assert "Zug" in text_of(page)
        assert "Withdraw" not in page.text
        visitor.post(f"{PLACE}/plan", status=403)
        visitor.post(f"{PLACE}/sort", {"withdraw": changes["city"].change_id}, status=403)
    assert [one.state for one in queued_changes(settings)] == ["waiting"]
