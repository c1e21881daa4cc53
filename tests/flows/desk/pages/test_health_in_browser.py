"""Today and Health in a real browser: narrow and wide, by keyboard, with and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from flows.configuration.load import place_of
from flows.session.ready import open_ready
from schemas.journal import Call, Edit
from tests.browser import check_accessible, check_width, tab_through
from tests.flows.desk.conftest import answering, entered
from warehouse.control.journal import WarehouseJournal
from warehouse.opened.open import open_place

LONG = "W" * 300


@pytest.fixture
def opened(settings, server, pulls, monkeypatch):
    """A desk with much to look at: changes, clients that are kept, an unknown outcome, a record in quarantine."""
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    pulls()
    first, second, *others = server.clients(status="active").values()
    server.edit(first, name=LONG)
    pulls()
    server.purge(*(client["id"] for client in others[:12]))
    pulls(full=True)
    edits = [Edit(second["id"], {"city": LONG}, {"city": "Kiel"})]
    WarehouseJournal("main", lambda: open_ready(settings), operator="Ben").intend(Call("update", edits, None))
    with open_place(place_of(settings)) as warehouse:
        warehouse.execute(
            "insert into control.quarantine (source, entity, id, field, reason, first_run_id, last_run_id) "
            "values ('main', 'clients', 'q1', 'balance', $reason, 'r', 'r')",
            {"reason": LONG},
        )
    with answering(settings) as opened:
        yield opened


def test_today_and_health_fit_and_can_be_used(opened, browser):
    with entered(browser, opened) as page:
        for path in ("/", "/today/changed", "/health", "/health/held/main", "/health/runs", "/health/journal",
                     "/health/quarantine"):  # fmt: skip
            page.goto(path)
            for width in (1600, 1000, 360):
                check_width(page, width)
            check_accessible(page)
            tab_through(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_fetches_changes_and_decides_with_the_keyboard(opened, browser, scripts):
    with entered(browser, opened, java_script_enabled=scripts, expected=[400]) as page:
        page.get_by_role("button", name="Fetch changes now").press("Enter")
        expect(page.get_by_role("heading", name="Today")).to_be_visible(timeout=60_000)
        page.get_by_role("link", name="12 clients that the server no longer lists").press("Enter")
        number = page.get_by_label("To remove them, type their number")
        number.fill("11")
        number.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Type 12")
        number.fill("12")
        number.press("Enter")
        expect(page.get_by_text("None is kept")).to_be_visible(timeout=60_000)
        page.get_by_text("The server does not show it").press("Enter")
        page.get_by_label("I have looked at these clients").press("Space")
        page.get_by_role("button", name="It was not applied").press("Enter")
        expect(page.get_by_text("the outcome of every call is known")).to_be_visible()
