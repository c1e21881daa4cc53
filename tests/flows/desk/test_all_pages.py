"""Every page of the desk in a real browser: each width, the keyboard alone, accessibility, and hostile names."""

from __future__ import annotations

from collections import Counter, deque
from urllib.parse import urlsplit

import pytest
from starlette.routing import compile_path

from flows.desk.pages import PAGES
from tests.browser import check_accessible, check_width, tab_through
from tests.flows.desk.conftest import entered
from tests.flows.desk.stage import staged

pytestmark = pytest.mark.proof
WIDTHS = (360, 1000, 1600)
MOST = 3
"""Pages of one route that are looked at."""
LINKS = "links => links.filter(a => a.origin === location.origin).map(a => a.pathname + a.search)"
ROUTES = {route.path: compile_path(route.path)[0] for route in PAGES if route.verb == "GET"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    with staged(tmp_path_factory.mktemp("all-pages"), hostile=True) as stage:
        yield stage


def route_of(url):
    """The route of a page of the desk."""
    return next((path for path, pattern in ROUTES.items() if pattern.match(urlsplit(url).path)), None)


def walk(page, start="/"):
    """Open the pages that links lead to, a few of each route; yield the route of each, shown or downloaded."""
    waiting, known, seen = deque([start]), {start}, Counter()
    while waiting:
        url = waiting.popleft()
        route = route_of(url)
        if route is None or seen[route] >= MOST:
            continue
        seen[route] += 1
        is_page = "text/html" in page.context.request.get(url).headers["content-type"]
        if is_page:
            page.goto(url)
            links = page.eval_on_selector_all("a[href]", LINKS)
            waiting += [link for link in dict.fromkeys(links) if link not in known]
            known |= set(links)
        yield route, is_page


def test_every_page_fits_every_width_is_accessible_and_needs_no_mouse(stage, browser):
    with entered(browser, stage.opened) as page:
        seen = set()
        for route in walk(page):
            seen.add(route)
            for width in WIDTHS:
                check_width(page, width)
                check_accessible(page)
            tab_through(page)
            assert "taken over" not in page.title()
        assert seen == set(ROUTES)
