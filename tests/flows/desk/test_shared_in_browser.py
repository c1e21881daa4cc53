"""The entrance, and the pages that all share, in a real browser."""

from __future__ import annotations

import threading

import pytest
from playwright.sync_api import expect

from flows.configuration.values import Settings, Source
from flows.session.ready import make_ready
from tests.browser import check_accessible, check_width, opened_page, tab_through
from tests.flows.desk.conftest import answering, entered


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A desk whose server nobody reaches: these pages do not need it."""
    place = tmp_path_factory.mktemp("shared") / "warehouse.duckdb"
    settings = Settings(warehouse=str(place), sources={"main": Source(url="http://127.0.0.1:1")})
    with answering(settings) as opened:
        yield opened


def check(page):
    check_width(page, 360)
    check_accessible(page)
    tab_through(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_enters_by_a_link_with_one_button(opened, browser, scripts):
    with opened_page(browser, opened.desk.url, expected=[401], java_script_enabled=scripts) as page:
        page.goto(opened.link_for("Ben"))
        page.get_by_role("button", name="Enter").click()
        page.goto("/people")
        expect(page.get_by_role("banner")).to_contain_text("Ben")
        page.get_by_role("button", name="Leave").click()
        expect(page.get_by_role("main")).to_contain_text("You are not signed in here")


@pytest.mark.parametrize(("path", "status"), [("/people", 401), ("/enter/used", 410), ("/nothing", 404)])
def test_a_stranger_reads_what_to_do(opened, browser, path, status):
    with opened_page(browser, opened.desk.url, expected=[status]) as page:
        assert page.goto(path).status == status
        check(page)


def test_a_link_for_a_colleague_is_shown_and_works(opened, browser):
    with entered(browser, opened) as page:
        page.goto("/people")
        page.get_by_label("Name of the colleague").fill("Cleo")
        page.keyboard.press("Enter")
        link = page.locator("code.link").text_content()
        check(page)
    with opened_page(browser, opened.desk.url) as other:
        other.goto(link)
        expect(other.get_by_role("button", name="Enter")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("ends", ["well", "badly"])
def test_long_work_shows_how_far_it_is_and_then_its_result(opened, browser, scripts, ends):
    gate = threading.Event()

    def work(progress):
        progress("Reading clients", 1_000, 4_000)
        assert gate.wait(60)
        assert ends == "well"

    with entered(browser, opened, expected=[409], java_script_enabled=scripts) as page:
        (cookie,) = page.context.cookies()
        job = opened.desk.jobs.start(cookie["value"], "Looking for duplicates", work, lambda _: "/people")
        page.goto(f"/jobs/{job.key}#now")  # a form may lead to a place on its page
        expect(page.get_by_role("status")).to_contain_text("Reading clients: 1,000 of 4,000")
        if scripts:
            check(page)
        gate.set()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "A link for a colleague" if ends == "well" else "Looking for duplicates"
        )
        if ends == "badly":
            expect(page.get_by_role("alert")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_page_for_one_company_asks_for_it_and_is_shown_once_it_is_chosen(tmp_path, browser, scripts):
    sources = {name: Source(url="http://127.0.0.1:1") for name in ("north", "south")}
    settings = Settings(warehouse=str(tmp_path / "warehouse.duckdb"), sources=sources)
    make_ready(settings)
    with (
        answering(settings) as opened,
        entered(browser, opened, expected=[400], java_script_enabled=scripts) as page,
    ):
        page.goto("/corrections/clients.xlsx")
        expect(page.get_by_role("alert")).to_have_text("Choose one company at the top of the page, then try again.")
        page.get_by_label("Company").select_option("south")
        if not scripts:
            page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Corrections")
        expect(page.get_by_label("Company")).to_have_value("south")
