"""Merges in a real browser: planned, looked at and done by keys, with and without scripts, at any width."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import check_accessible, check_width, tab_through
from tests.connector.clients.conftest import Box
from tests.flows.desk.conftest import entered

HOSTILE = "<img src=x onerror=alert(1)>" + "\u202e" + "y" * 200


@pytest.fixture
def pair(server, pulls, opened):
    """Two clients that the desk knows; the one merged in has long and hostile texts."""
    box = Box(server.box)
    kept = box.make("Kept Ltd", country_id="756", contacts=[{"first_name": "Ann", "email": "ann@m.test"}])
    gone = box.make(HOSTILE, country_id="756", public_notes=HOSTILE * 20, contacts=[{"first_name": HOSTILE[:100]}])
    pulls()
    return kept, gone


def check(page, scripts):
    """The page fits any width, and everybody can use it; axe needs scripts, and the page is the same without them."""
    if scripts:
        for width in (360, 1000, 1600):
            check_width(page, width)
        check_accessible(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_pair_is_planned_looked_at_and_merged(server, opened, browser, pair, scripts):
    kept, gone = pair
    with entered(browser, opened, java_script_enabled=scripts, expected=[422]) as page:
        page.goto("/merges/plan")
        check(page, scripts)
        page.get_by_label("One pair, by number").check()
        page.get_by_label("Number of the client kept").fill(kept["number"])
        page.get_by_label("Number of the client merged into it").fill(gone["number"])
        page.get_by_label("Add its public notes, too").check()
        page.get_by_role("button", name="Make the plan").click()
        page.wait_for_url(re.compile("/merges/merge-"))
        expect(page.get_by_text("your customer sees this")).to_be_visible()
        check(page, scripts)
        if scripts:
            page.reload()
            tab_through(page)
        page.get_by_label("Name of the client kept").fill("Another")
        page.get_by_label("Your Invoice Ninja password").fill("wrong")
        page.get_by_role("button", name="Merge 1 pair").click()
        expect(page.get_by_text("This is not the name of the client kept")).to_be_visible()
        expect(page.get_by_label("Your Invoice Ninja password")).to_have_value("")
        check(page, scripts)
        page.get_by_label("Name of the client kept").fill("Kept Ltd")
        page.get_by_label("Your Invoice Ninja password").fill(server.box.password)
        page.get_by_role("button", name="Merge 1 pair").click()
        page.wait_for_url(re.compile("/merges/merge-[^/]+$"))
        expect(page.get_by_role("heading", level=1)).to_have_text("1 of 1 merge done")
        check(page, scripts)
        page.get_by_role("link", name="How to undo this merge by hand").click()
        page.get_by_role("checkbox").first.check()
        check(page, scripts)
        page.goto("/merges")
        check(page, scripts)
    assert gone["id"] not in server.clients()
