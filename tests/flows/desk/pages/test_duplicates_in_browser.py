"""The review of duplicates in a real browser: by keys and by buttons, with and without scripts, at any width."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from flows.dedupe.find import find_duplicates
from flows.dedupe.review import cases
from flows.dedupe.rules import Rules
from tests.browser import check_accessible, check_width, tab_through
from tests.flows.desk.conftest import entered

ALIKE = {"address1": "Lindenweg 4", "city": "Freiburg", "postal_code": "79098", "country_id": "276"}


@pytest.fixture
def searched(server, opened, pulls):
    """A desk whose clients were compared."""
    for end in ("GmbH", "", "GmbH & Co"):
        server.call("POST", "/api/v1/clients", ALIKE | {"name": f"Tannhof Gartenbau {end}", "phone": "0761 4455667"})
    pulls()
    find_duplicates(opened.desk.settings, "main", Rules())
    return opened


def states(opened):
    return [case.state for case in cases(opened.desk.settings, "main", everything=True)]


def heading(page, place):
    expect(page.get_by_role("heading", level=2)).to_contain_text(f", {place} of")


def test_one_key_decides_each_group_and_never_while_typing(searched, browser):
    with entered(browser, searched, expected=[404]) as page:
        page.goto("/duplicates")
        page.get_by_role("button", name=re.compile("^Review")).click()
        heading(page, 1)
        for key in ("Control+s", "Alt+n", "Meta+l"):
            page.keyboard.press(key)
        assert set(states(searched)) == {"undecided"}
        page.keyboard.press("s")
        heading(page, 2)
        expect(page.get_by_role("heading", level=2)).to_be_focused()
        page.keyboard.press("n")
        heading(page, 3)
        page.keyboard.press("l")
        heading(page, 4)
        assert sorted(set(states(searched))) == ["later", "not_same", "same", "undecided"]
        for place in (3, 2, 1):
            page.keyboard.press("u")
            heading(page, place)
            expect(page.get_by_role("status")).to_contain_text("taken back")
        assert set(states(searched)) == {"undecided"}
        for key, place in (("f", 2), ("ArrowRight", 3), ("b", 2), ("ArrowLeft", 1)):
            page.keyboard.press(key)
            heading(page, place)
            page.wait_for_load_state()  # a link opens a page, whose script comes after its text
        other = page.get_by_role("radio", checked=False).first
        kept = other.get_attribute("value")
        other.check()
        page.keyboard.press("ArrowLeft")  # moves the choice, not the page
        heading(page, 1)
        page.locator(f'input[value="{kept}"]').check()
        page.keyboard.press("s")
        heading(page, 2)
        chosen = [case.kept for case in cases(searched.desk.settings, "main", everything=True) if case.state == "same"]
        assert chosen == [kept]


def test_the_whole_review_works_without_scripts(searched, browser):
    with entered(browser, searched, expected=[404], java_script_enabled=False) as page:
        page.goto("/duplicates")
        page.get_by_role("button", name=re.compile("^Review")).click()
        count = int(re.search(r"of (\d+)", page.get_by_role("heading", level=2).text_content())[1])
        for place in range(1, count + 1):
            heading(page, place)
            page.get_by_role("button", name=re.compile("^Not the same")).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("The end of the review")
        page.get_by_role("button", name=re.compile("^Undo")).click()
        heading(page, count)
    assert sorted(set(states(searched))) == ["not_same", "undecided"]


def test_everybody_can_use_the_pages_at_any_width(searched, browser):
    with entered(browser, searched, expected=[404]) as page:
        page.goto("/duplicates?state=all&by=money")
        for path in ("", None):
            if path is None:
                page.get_by_role("button", name=re.compile("^Review")).click()
                heading(page, 1)
            for width in (1600, 1000, 360):
                check_width(page, width)
            check_accessible(page)
            tab_through(page)
        address = page.url.rpartition("/")[0]
        page.goto(f"{address}/end")
        check_width(page, 360)
        check_accessible(page)
