"""While a plan is applied on DuckDB, the warehouse is not free: nothing that a person has typed at the desk is lost."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from flows.plans.applying import find_plan
from flows.push.plan import plan_push
from flows.push.wishes import WishedRow
from flows.session.door import open_door
from flows.session.ready import open_ready
from tests.flows.desk.conftest import text_of
from tests.flows.desk.pages.test_duplicates import form_of

COMMENT = 'Wrong "town",\r\nsays <b>Ben</b>'


class Again(HTMLParser):
    """The form of a page that sends again what was typed: its address and its texts."""

    def __init__(self, page):
        super().__init__()
        self.to, self.texts = None, {}
        self.feed(re.search(r"<main.*</main>", page.text, re.DOTALL)[0])

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "form":
            self.to = values["action"]
        elif tag == "input":
            self.texts[values["name"]] = values["value"]


@pytest.fixture
def settings(settings):
    """Those of the other tests, without patience."""
    return replace(settings, wait=0.1)


@pytest.fixture
def plan(settings, server, opened):
    """A plan that waits for an answer."""
    client = next(one for one in server.clients().values() if not one["is_deleted"] and not one["archived_at"])
    with open_door(settings, "main") as door:
        return plan_push(settings, "main", door, [WishedRow("row 1", "id", client["id"], {"city": "Zug"})]).plan


def test_a_comment_is_kept_and_one_click_sends_it_again(visitor, settings, plan):
    sent = {"digest": plan.digest, "decision": "reject", "comment": COMMENT}
    with open_ready(settings):
        page = visitor.post(f"/plans/{plan.plan_id}/approve", sent, status=503)
    assert "what you entered is still here" in text_of(page)
    assert "says <b>Ben</b>" in text_of(page)
    again = Again(page)
    assert again.texts == {"csrf": visitor.session.csrf, **sent}
    assert find_plan(settings, "push", plan.plan_id).state == "planned"
    done = visitor.post(again.to, again.texts)
    assert "You have rejected the plan" in text_of(done)
    assert find_plan(settings, "push", plan.plan_id).rejection.comment == COMMENT


def test_a_decision_of_a_review_is_kept_and_one_click_sends_it_again(visitor, settings, server, pulls):
    twin = {"name": "Tannhof Gartenbau", "city": "Bremen", "postal_code": "28195", "phone": "0421 556677"}
    for _ in "ab":
        server.call("POST", "/api/v1/clients", twin)
    pulls()
    visitor.post("/duplicates/find")
    page = visitor.post("/duplicates/review", {"by": "uncertain"})
    sent = form_of(page) | {"decision": "never_merge", "kept": form_of(page)["proposed"]}
    with open_ready(settings):
        busy = visitor.post(page.url.path, sent, status=503)
    again = Again(busy)
    assert (again.to, again.texts) == (page.url.path, {"csrf": visitor.session.csrf, **sent})
    visitor.post(again.to, again.texts)
    with open_ready(settings) as warehouse:
        assert warehouse.rows("select distinct decision from control.duplicate_decisions") == [("never_merge",)]


def test_no_page_holds_a_password_or_a_file(visitor, settings, plan):
    with open_ready(settings):
        for more in ({"data": {"password": "secret"}}, {"files": {"sheet": ("a.csv", b"number,city")}}):
            page = visitor.post(f"/plans/{plan.plan_id}/approve", status=503, **more)
            assert Again(page).to is None
            assert "secret" not in page.text
