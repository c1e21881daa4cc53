"""What the tests of the desk rely on: a browser that notes every fault, and checks that find what they are for."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from tests.browser import (
    CHOICE,
    NoBrowser,
    check_accessible,
    check_width,
    opened_page,
    program,
    running_browser,
    tab_through,
)
from tests.served import served

START = '<!doctype html><html lang="en"><head><title>A page</title>'
GOOD = START + "</head><body><main><h1>A page</h1><p>Text</p></main></body></html>"


@pytest.fixture(scope="module")
def site():
    """A site on loopback: its address, and its pages by path, which tests fill."""
    pages = {"/good": GOOD}

    async def answer(request):
        page = pages.get(request.url.path)
        return HTMLResponse(page or GOOD, 200 if page else 404, {"Content-Security-Policy": "default-src 'self'"})

    with served(lambda _: Starlette(routes=[Route("/{path:path}", answer)])) as url:
        yield url, pages


@pytest.fixture(scope="module")
def browser():
    with running_browser() as started:
        yield started


@pytest.fixture
def shows(browser, site):
    """Open a page with this content, do something with it, and close it."""
    address, pages = site

    def run(body, then=lambda _: None):
        pages["/shown"] = f"{START}</head><body><main><h1>A page</h1>{body}</main></body></html>"
        with opened_page(browser, address) as page:
            page.goto("/shown")
            then(page)

    return run


def test_a_good_page_passes_every_check(browser, site):
    with opened_page(browser, site[0]) as page:
        page.goto("/good")
        check_accessible(page)
        check_width(page, 360)
        assert tab_through(page) == 0


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<script>1</script>", "Content Security Policy"),
        ('<p style="color: red">x</p>', "Content Security Policy"),
        ('<img alt="" src="/nothing.png">', "404: GET"),
        ('<img alt="" src="http://elsewhere.invalid/x.png">', "leaves this machine: http://elsewhere.invalid/x.png"),
    ],
)
def test_a_page_that_its_policy_blocks_or_whose_requests_fail_fails_the_test(body, fault, shows):
    with pytest.raises(AssertionError, match=fault):
        shows(body)


def test_an_error_of_a_script_fails_the_test(shows):
    with pytest.raises(AssertionError, match="error: a fault of ours"):
        shows(
            "",
            lambda page: page.evaluate(
                "new Promise(done => setTimeout(() => { done(); throw Error('a fault of ours') }))"
            ),
        )


def test_a_status_that_a_test_expects_is_no_fault(browser, site):
    with opened_page(browser, site[0], expected=[404]) as page:
        page.goto("/nothing")


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("<input>", "label"),
        ('<p><font color="#aaaaaa">pale</font></p>', "color-contrast"),
        ("<h4>too deep</h4>", "heading-order"),
    ],
)
def test_what_keeps_people_from_using_a_page_is_found(body, rule, shows):
    with pytest.raises(AssertionError, match=rule):
        shows(body, check_accessible)


WIDE = "<p>" + "w" * 200 + "</p>"


def test_a_page_that_scrolls_sideways_is_found(shows):
    with pytest.raises(AssertionError, match="scrolls sideways"):
        shows(WIDE, lambda page: check_width(page, 360))


def styled(css):
    """A script may set styles that no attribute may."""

    def check(page):
        page.evaluate(
            "css => { const own = new CSSStyleSheet(); own.replaceSync(css); document.adoptedStyleSheets = [own] }",
            css,
        )
        check_width(page, 360)

    return check


def test_a_box_may_scroll_but_not_cut_off(shows):
    shows(WIDE, styled("p { overflow-x: auto }"))
    with pytest.raises(AssertionError, match="is cut off: <p"):
        shows(WIDE, styled("p { overflow-x: hidden }"))


def test_the_tab_key_goes_to_all_that_can_be_used(shows):
    def check(page):
        assert tab_through(page) == 6

    shows(
        '<a href="/good">x</a><button>x</button><input type=date><input type=radio name=a><input type=radio name=a>'
        "<button disabled>x</button><select><option>x</select>"
        "<details><summary>x</summary><button>x</button></details>",
        check,
    )


def test_a_control_that_the_tab_key_does_not_reach_is_found(shows):
    def check(page):
        page.evaluate(
            "addEventListener('keydown', event => document.activeElement.id === 'last' && event.preventDefault())"
        )
        tab_through(page)

    with pytest.raises(AssertionError, match="does not reach <button>two"):
        shows("<button id=last>one</button><button>two</button>", check)


def test_a_focus_that_nobody_sees_is_found(shows):
    def check(page):
        styled("button { outline: none }")(page)
        tab_through(page)

    with pytest.raises(AssertionError, match="focus is not visible: <button"):
        shows("<button>x</button>", check)


def test_without_a_browser_it_is_said_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tests.browser.NAMES", ("chromium",))
    with pytest.raises(NoBrowser, match="apt-get install chromium"):
        program()
    (tmp_path / "mine").write_text("")
    (tmp_path / "mine").chmod(0o755)
    monkeypatch.setenv(CHOICE, str(tmp_path / "mine"))
    assert program() == str(tmp_path / "mine")
    monkeypatch.setenv(CHOICE, str(tmp_path / "gone"))
    with pytest.raises(NoBrowser, match=f"the value of {CHOICE}, is no program"):
        program()
