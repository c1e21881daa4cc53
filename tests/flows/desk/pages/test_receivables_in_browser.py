"""Receivables and statements in a real browser: narrow and wide, by keyboard, and to the ZIP file."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from flows.configuration.values import Settings, Source
from sandbox.server import running
from tests.browser import check_accessible, check_width, tab_through
from tests.flows.conftest import Server, pull_from
from tests.flows.desk.conftest import answering, entered
from tests.receivables.clerk import Clerk
from warehouse.opened.migrate import open_migrated

ENTITIES = ("clients", "invoices", "payments", "credits")


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    folder = tmp_path_factory.mktemp("receivables")
    with running(clients=14, seed=3, behaves_like="5.12") as box, pytest.MonkeyPatch.context() as patch:
        Clerk(box, 3).work(120, 300)
        with open_migrated(folder / "warehouse.duckdb", now=datetime.now(UTC)):
            pass
        source = Source(url=box.url, page_size=50, requests_per_second=10_000, look_back=0, entities=ENTITIES)
        settings = Settings(warehouse=str(folder / "warehouse.duckdb"), publish=False, sources={"main": source})
        prefect = msgspec.structs.replace(settings.prefect, statements_folder=str(folder / "statements"))
        settings = msgspec.structs.replace(settings, prefect=prefect)
        pull_from(Server(box), settings)
        patch.setenv("NINJA_SYNC_TOKEN", box.token)
        with answering(settings) as opened:
            yield opened


def check(page):
    """Nothing is too wide on a telephone or a large screen, and everything can be used by everybody."""
    for width in (1600, 360):
        check_width(page, width)
    check_accessible(page)
    tab_through(page)


@pytest.mark.parametrize("ago", [None, 45])
def test_the_pages_of_receivables_fit_and_can_be_used(opened, browser, ago):
    day = f"?day={datetime.now(UTC).date() - timedelta(days=ago)}" if ago else ""
    with entered(browser, opened) as page:
        page.goto(f"/receivables{day}")
        check(page)
        page.locator("td a[href^='/receivables/main/']").first.click()
        page.get_by_role("heading", name="Open items").wait_for()
        check(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_statements_are_chosen_looked_at_and_downloaded(opened, browser, scripts, tmp_path):
    with entered(browser, opened, java_script_enabled=scripts) as page:
        page.goto("/statements")
        if scripts:
            check(page)
        page.get_by_role("button", name="Show the debtors").click()
        page.get_by_role("heading", name="What to do").wait_for()
        if scripts:
            check(page)
        boxes = page.get_by_role("checkbox", name="gets a statement")
        number = boxes.count()
        boxes.first.uncheck()
        page.get_by_role("button", name="Fetch as a ZIP file").click()
        page.wait_for_url("**/statements/result/*")
        if scripts:
            page.reload()  # the Tab key begins where the last page was clicked
            check(page)
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the ZIP file").click()
        download.value.save_as(tmp_path / "statements.zip")
        with zipfile.ZipFile(tmp_path / "statements.zip") as archive:
            assert len(archive.namelist()) == number - 1 > 2


def test_the_question_before_mails_can_be_used(opened, browser):
    with entered(browser, opened) as page:
        page.goto("/statements")
        page.get_by_role("button", name="Show the debtors").click()
        for name in ("Fetch into the folder …", "Mail …"):
            page.get_by_role("button", name=name).click()
            page.get_by_role("link", name="Back to the list").wait_for()
            check(page)
            page.get_by_role("link", name="Back to the list").click()


def test_a_statement_opens_in_a_tab_of_its_own(opened, browser):
    with entered(browser, opened) as page:
        page.goto("/statements")
        page.get_by_role("button", name="Show the debtors").click()
        link = page.get_by_role("link", name="Look at it").first
        assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener")
        answer = page.request.get(link.get_attribute("href"))
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.body().startswith(b"%PDF-")
