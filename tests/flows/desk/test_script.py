"""The script of the desk in a real browser, on pages of our own: keys, parts of a page, and work under way."""

from __future__ import annotations

import threading

import pytest
from playwright.sync_api import expect
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from flows.desk.app import STATIC
from tests.browser import check_accessible, check_width, opened_page, tab_through
from tests.served import served

FORM = """<form method="post" action="/send" data-part="part"><label>Text <input name="action" value="old"></label>
<button data-key="s" name="choice" value="same">The same</button></form>"""


def page_of(main, title="A page"):
    head = (
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/static/desk.css">'
        '<script src="/static/desk.js" defer></script>'
    )
    body = f'<header id="around">around</header><main id="main" tabindex="-1">{main}</main>'
    return f'<!doctype html><html lang="en"><head><title>{title}</title>{head}</head><body>{body}</body></html>'


class Site:
    """What it shows by path (a page, or an answer made at each request), and what was sent to it."""

    def __init__(self):
        self.shown, self.sent, self.asked = {}, [], []

    async def answer(self, request):
        self.asked.append(f"{request.method} {request.url.path}")
        if request.method == "POST":
            self.sent.append(dict(await request.form()))
        shown = self.shown[f"{request.method} {request.url.path}"]
        shown = shown() if callable(shown) else shown
        return HTMLResponse(shown) if isinstance(shown, str) else shown


@pytest.fixture(scope="module")
def everything():
    """The site of this file."""
    site = Site()
    routes = [
        Mount("/static", StaticFiles(directory=STATIC)),
        Route("/{path:path}", site.answer, methods=["GET", "POST"]),
    ]
    with served(lambda _: Starlette(routes=routes)) as url:
        site.url = url
        yield site


@pytest.fixture
def site(everything):
    everything.shown, everything.sent, everything.asked = {}, [], []
    return everything


@pytest.fixture
def page(browser, site):
    """A page that may be answered with a conflict, or with nothing."""
    with opened_page(browser, site.url, expected=[0, 409]) as opened:
        yield opened


def changed(page):
    """Write onto the page outside of its parts: what stands there says that it is still the same page."""
    page.evaluate("() => { document.getElementById('around').textContent = 'the same page' }")


def is_same(page):
    return page.locator("#around").text_content() == "the same page"


def test_a_key_presses_the_button_that_names_it_and_its_form_replaces_its_part_only(page, site):
    site.shown["GET /"] = page_of(f'<h1>One</h1><div id="part"><p>before</p>{FORM}</div>')
    site.shown["POST /send"] = lambda: RedirectResponse("/next", 303)
    site.shown["GET /next"] = page_of(
        f'<h1>Two</h1><div id="part"><p tabindex="-1" data-focus>after</p>{FORM}</div>', "Next"
    )
    page.goto("/")
    changed(page)
    page.keyboard.press("s")
    expect(page.locator("#part p")).to_have_text("after")
    expect(page.locator("#part p")).to_be_focused()
    assert site.sent == [{"action": "old", "choice": "same"}]
    assert (page.locator("h1").text_content(), page.title(), page.url) == ("One", "Next", f"{site.url}/next")
    assert is_same(page)


@pytest.mark.parametrize("press", ["Control+s", "Alt+s", "Meta+s", "x"])
def test_other_keys_press_nothing(page, site, press):
    site.shown["GET /"] = page_of('<button data-key="s" type="button">x</button><p id="times">0</p>')
    page.goto("/")
    page.evaluate("() => document.querySelector('button').addEventListener('click', () => { times.textContent = '1' })")
    page.keyboard.press(press)
    assert page.locator("#times").text_content() == "0"
    page.keyboard.press("s")
    assert page.locator("#times").text_content() == "1"


def test_a_person_who_types_presses_no_button(page, site):
    site.shown["GET /"] = page_of(f'<div id="part">{FORM}</div>')
    page.goto("/")
    page.locator("input").fill("")
    page.locator("input").press_sequentially("sss")
    assert page.locator("input").input_value() == "sss"
    assert site.sent == []


def test_a_form_that_is_answered_with_an_error_shows_it(page, site):
    """The address of a form answers no GET: so the page is not asked for again."""
    site.shown["GET /"] = page_of(f'<div id="part">{FORM}</div>')
    site.shown["POST /send"] = lambda: HTMLResponse(page_of("<p>This does not work</p>", "No"), 409)
    page.goto("/")
    page.keyboard.press("s")
    expect(page.locator("main p")).to_have_text("This does not work")
    assert (page.title(), page.url) == ("No", f"{site.url}/")
    assert site.asked == ["GET /", "POST /send"]


def test_a_form_that_leads_to_another_page_goes_there_once(page, site):
    """A note is shown on one page only: a second look would lose it."""
    site.shown["GET /"] = page_of(f'<div id="part">{FORM}</div>')
    site.shown["POST /send"] = lambda: RedirectResponse("/done", 303)
    site.shown["GET /done"] = page_of("<p>All is done</p>")
    page.goto("/")
    page.keyboard.press("s")
    expect(page.locator("main p")).to_have_text("All is done")
    assert page.url == f"{site.url}/done"
    assert site.asked == ["GET /", "POST /send", "GET /done"]


def test_a_second_press_sends_nothing_while_the_first_is_under_way(page, site):
    gate = threading.Event()

    def wait():
        gate.set()
        return RedirectResponse("/", 303)

    site.shown["GET /"] = page_of(f'<div id="part">{FORM}</div>')
    site.shown["POST /send"] = wait
    page.goto("/")
    page.evaluate("() => { for (let i = 0; i < 5; i++) document.querySelector('button').click() }")
    assert gate.wait(60)
    expect(page.locator("[data-busy]")).to_have_count(0)
    assert len(site.sent) == 1


def test_what_a_desk_does_not_answer_is_not_sent_again(page, site):
    """It may have arrived. The person sees the page as it is now."""
    site.shown["GET /"] = lambda: page_of(f'<p>{len(site.asked)}</p><div id="part">{FORM}</div>')
    page.route("**/send", lambda route: (site.sent.append("once"), route.abort("connectionaborted")))
    page.goto("/")
    page.keyboard.press("s")
    expect(page.locator("main > p")).to_have_text("2")
    assert site.sent == ["once"]


def test_a_choice_sends_its_form(page, site):
    site.shown["GET /"] = page_of(
        '<form method="post" action="/send"><select name="a" data-submit><option>1<option>2</select></form>'
    )
    site.shown["POST /send"] = page_of("<p>sent</p>")
    page.goto("/")
    page.locator("select").select_option("2")
    expect(page.locator("main p")).to_have_text("sent")
    assert site.sent == [{"a": "2"}]


def test_a_form_that_begins_long_work_shows_it_until_its_end(page, site):
    ended = iter([False, False, True])
    site.shown["GET /"] = page_of(f'<div id="part">{FORM}</div>')
    site.shown["POST /send"] = lambda: RedirectResponse("/jobs/1", 303)
    site.shown["GET /jobs/1"] = lambda: page_of(
        "<p>All is done</p>" if next(ended) else '<div id="progress" data-refresh="10"></div>'
    )
    page.goto("/")
    page.keyboard.press("s")
    expect(page.locator("main p")).to_have_text("All is done")
    assert len(site.sent) == 1


@pytest.mark.parametrize("status", [200, 409])
def test_work_under_way_is_looked_at_until_its_result_is_there(page, site, status):
    """Its result may hold a note that is shown once."""
    left = [1, 2, 3]

    def work():
        left.pop()
        return page_of(f'<div id="progress" data-refresh="10">{len(left)}</div>')

    def next_look():
        return work() if left else RedirectResponse("/done", 303)

    site.shown["GET /jobs/1"] = next_look
    site.shown["GET /done"] = lambda: HTMLResponse(page_of("<p>All is done</p>"), status)
    page.goto("/jobs/1")
    expect(page.locator("main p")).to_have_text("All is done")
    assert page.url == f"{site.url}/done"
    assert site.asked == ["GET /jobs/1"] * 4 + ["GET /done"]


def test_a_page_says_so_when_the_desk_does_not_answer(page, site):
    words = '<p id="words" data-silent hidden>The desk does not answer.</p>'
    site.shown["GET /"] = page_of(f'<div id="progress" data-refresh="10">1</div>{words}')
    page.goto("/")
    expect(page.locator("#words")).to_be_hidden()
    page.route("**/", lambda route: route.abort())
    expect(page.locator("#words")).to_be_visible()
    page.unroute("**/")
    expect(page.locator("#words")).to_be_hidden()


TABLE = """<h1>A page</h1><div class="wide"><table><thead><tr>
<th scope="col">Client</th><th scope="col">Owed</th></tr></thead>
<tbody><tr><th scope="row"><bdi>{}</bdi></th><td class="number">1,234,567,890.00 EUR</td></tr></tbody></table></div>"""


@pytest.mark.parametrize("name", ["Maschinenbauunternehmung Wolfenbüttel", "W" * 10_000])
def test_a_wide_table_scrolls_in_its_own_box_by_keys_too(page, site, name):
    site.shown["GET /"] = page_of(TABLE.format(name))
    page.goto("/")
    check_width(page, 360)
    check_accessible(page)
    assert tab_through(page) == 1
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.wide').scrollLeft > 0")


def test_a_table_that_fits_is_no_stop_of_the_tab_key_and_breaks_no_word(page, site):
    site.shown["GET /"] = page_of(TABLE.format("Maschinenbauunternehmung"))
    page.goto("/")
    check_width(page, 1000)
    assert tab_through(page) == 0
    assert page.evaluate("document.querySelector('bdi').getClientRects().length") == 1
