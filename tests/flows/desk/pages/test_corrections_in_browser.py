"""Corrections in a real browser: from a chosen file to a plan, with and without scripts, at any width."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import check_accessible, check_width, tab_through
from tests.flows.desk.conftest import entered

HOSTILE = "<img src=x onerror=alert(1)>\u202e" + "x" * 10_000


@pytest.fixture
def number(server):
    """The number of a client that a plan can change."""
    return next(
        client["number"] for client in server.clients(status="active").values()
        if client["number"] and client["settings"].get("currency_id") and client["country_id"]
    )  # fmt: skip


def check(page):
    for width in (360, 1600):
        check_width(page, width)
    check_accessible(page)


def upload(page, content, name="changes.csv"):
    page.goto("/corrections")
    page.get_by_label("Excel or CSV file").set_input_files({"name": name, "mimeType": "", "buffer": content.encode()})
    page.get_by_role("button", name="Read the file").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_corrects_a_value_in_the_grid_and_makes_a_plan(opened, browser, number, scripts):
    with entered(browser, opened, java_script_enabled=scripts) as page:
        upload(page, f"Number;Town;Country\n{number};Neustadt;Atlantis\n")
        if scripts:
            check(page)
            tab_through(page)
        page.get_by_role("button", name="Compare with Invoice Ninja").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Before and after")
        expect(page.get_by_text("refused: is not one of the server's countries")).to_be_visible()
        if scripts:
            check(page)
            page.reload()  # so that the Tab key begins at the top
            tab_through(page)
        page.get_by_label("Country of line 2").fill("Iceland")
        page.keyboard.press("Enter")
        expect(page.get_by_text("2 values of 1 client will change, 0 refused, 0 already so")).to_be_visible()
        page.get_by_label("Reason").fill("moved")
        page.get_by_role("button", name="Make a plan").click()
        expect(page).to_have_url(re.compile("/plans/push-"))


def test_hostile_texts_do_no_harm(opened, browser, number):
    with entered(browser, opened, expected=[400]) as page:
        upload(page, f'Number,City,"{HOSTILE}"\n{number},"{HOSTILE}",x\n', f"{HOSTILE[:100]}.csv")
        check(page)
        page.get_by_role("button", name="Compare with Invoice Ninja").click()
        expect(page.get_by_text("refused: is longer than")).to_be_visible()
        check(page)
        upload(page, "")
        expect(page.get_by_role("alert")).to_contain_text("is empty")
        check(page)
