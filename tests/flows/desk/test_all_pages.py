"""Every page of the desk in a real browser: each width, the keyboard alone, accessibility, and hostile names."""

from __future__ import annotations

from collections import Counter, deque
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from starlette.routing import compile_path

from flows.desk.pages import PAGES
from tests.browser import check_accessible, check_width, tab_through
from tests.flows.desk.conftest import entered
from tests.flows.desk.journeys import LONG, approve_and_apply, correct, find_duplicates, make_twins, merge, review
from tests.flows.desk.stage import staged

pytestmark = pytest.mark.proof
WIDTHS = (360, 1000, 1600)
MOST = 2
"""Pages of one route that are looked at."""
LINKS = "links => links.filter(a => a.origin === location.origin).map(a => a.pathname + a.search)"
ROUTES = {route.path: compile_path(route.path)[0] for route in PAGES if route.verb == "GET"}
ELSEWHERE = {
    "/duplicates/find",  # leads to the list, for a person who opens the address of the search
    "/health/held/{source}",  # and the next: only for very many records, in tests/flows/desk/pages/test_health.py
    "/health/quarantine",
    "/jobs/{key}",  # in test_shared_in_browser.py
    "/shown/{key}",  # in test_desk.py
    "/receivables-file/{key}",  # and the next: only for large files, in tests/flows/desk/pages/test_receivables.py
    "/receivables-file/{key}/download",
}
"""Pages that no link of a usual day leads to."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A desk with names that break pages, duplicates of them, and a day's work done."""
    with staged(tmp_path_factory.mktemp("all-pages"), hostile=True) as stage:
        make_twins(stage.server)
        stage.pull()
        yield stage


def route_of(url):
    """The route of a page of the desk."""
    return next((path for path, pattern in ROUTES.items() if pattern.match(urlsplit(url).path)), None)


def check(page):
    """All that a page has to be."""
    for width in WIDTHS:
        check_width(page, width)
        check_accessible(page)
    check_width(page, 1000)
    tab_through(page)
    assert not page.evaluate("() => 'taken' in window"), f"a script of the data has run: {page.url}"


def is_file(page, url):
    """Whether a link leads to a file, which is asked for here; else to a page."""
    answer = page.context.request.get(url)
    assert answer.ok, f"{answer.status}: {url}"
    return "text/html" not in answer.headers["content-type"]


def walk(page, seen, start="/"):
    """Open the pages that links lead to, a few of each route; yield once each is shown. Files are asked for only."""
    waiting, known = deque([start]), {start}
    while waiting:
        url = waiting.popleft()
        route = route_of(url)
        if route is None or seen[route] >= MOST:
            continue
        seen[route] += 1
        if is_file(page, url):
            continue
        page.goto(url)
        page.wait_for_url(lambda shown: "/jobs/" not in shown, timeout=LONG)
        if route_of(page.url) != route:
            seen[route_of(page.url)] += 1
        yield
        links = page.eval_on_selector_all("a[href]", LINKS)
        waiting += [link for link in dict.fromkeys(links) if link not in known]
        known |= set(links)


def look_at_statements(page, look):
    """Choose who gets a statement, and look at each way to send them; fetch them as a file."""
    page.goto("/statements")
    page.get_by_role("button", name="Show the debtors").click()
    expect(page.get_by_role("button", name="Mail …")).to_be_visible()
    look("statements")
    address = page.url
    for button in ("Mail …", "Fetch into the folder …"):
        page.goto(address)
        page.get_by_role("button", name=button).click()
        expect(page.get_by_role("link", name="Back to the list")).to_be_visible()
        look(button)
    page.goto(address)
    page.get_by_role("button", name="Fetch as a ZIP file").click()
    expect(page.get_by_role("link", name="Download the ZIP file")).to_be_visible(timeout=LONG)
    look("result")


def test_every_page_fits_every_width_is_accessible_and_needs_no_mouse(stage, browser):
    with entered(browser, stage.opened) as page:
        shown, asked = set(), Counter()

        def look(_name=""):
            check(page)
            shown.add(route_of(page.url))
            for link in page.eval_on_selector_all("a[href]", LINKS):
                route = route_of(link)
                if route not in {None, *shown, *asked} and is_file(page, link):
                    asked[route] += 1

        find_duplicates(page, look)
        review(page, page.keyboard.press, look)
        merge(page, stage.server.box.password, look)
        first, *_ = stage.server.clients().values()
        rows = [("Customer", "Town"), (first["number"], "<script>window.taken = 1</script>"), ("no such", "Bern")]
        correct(page, rows, {"Customer": "key:number", "Town": "city"}, look)
        address = page.url
        for _ in walk(page, asked, "/corrections"):
            look()
        page.goto(address)
        approve_and_apply(page, look)
        look_at_statements(page, look)
        for start in (page.url, "/"):
            for _ in walk(page, asked, start):
                look()
        assert set(ROUTES) - shown - set(asked) == ELSEWHERE
