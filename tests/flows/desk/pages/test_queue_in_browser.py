"""Queued changes in a real browser: the Enter key does no harm."""

from __future__ import annotations

from playwright.sync_api import expect

from flows.plans.approvals import reject_digest
from flows.push.outbox import queued_changes
from flows.push.plan import plan_push
from flows.session.door import open_door
from flows.session.ready import open_ready
from tests.flows.desk.conftest import entered


def test_enter_in_the_list_queues_the_ticked_ones_again_and_withdraws_none(settings, server, opened, browser):
    client = next(one for one in server.clients().values() if not one["is_deleted"] and not one["archived_at"])
    with open_ready(settings) as warehouse:
        warehouse.execute(
            "insert into control.outbox (source, id, field, value, author, reason) "
            "values ('main', $id, 'city', 'Zug', 'bot', 'moved')",
            {"id": client["id"]},
        )
    with open_door(settings, "main") as door:
        plan = plan_push(settings, "main", door, None).plan
    reject_digest(settings, plan.digest, "not yet")
    with entered(browser, opened) as page:
        page.goto("/plans/queued")
        tick = page.get_by_role("checkbox")
        tick.check()
        tick.press("Enter")
        expect(page.get_by_text("1 change queued again")).to_be_visible()
    assert [one.state for one in queued_changes(settings)] == ["waiting"]
