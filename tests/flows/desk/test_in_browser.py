"""A book-keeper's two jobs in a real browser, from the first page to what is on the server afterwards."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.browser import check_accessible, check_width
from tests.flows.desk.conftest import entered
from tests.flows.desk.journeys import approve_and_apply, correct, find_duplicates, make_twins, merge, review
from tests.flows.desk.stage import staged

WITHOUT_SCRIPTS = pytest.param(False, marks=pytest.mark.proof, id="without scripts")
pytestmark = [pytest.mark.slow, pytest.mark.parametrize("scripts", [pytest.param(True, id="scripts"), WITHOUT_SCRIPTS])]


@pytest.fixture
def stage(tmp_path):
    with staged(tmp_path, clients=40) as stage:
        yield stage


@pytest.fixture
def page(stage, browser, scripts):
    with entered(browser, stage.opened, java_script_enabled=scripts) as page:
        yield page


@pytest.fixture
def look(page, scripts):
    """Check each page on the way; without scripts, axe cannot run either."""

    def check(_name):
        if scripts:
            check_width(page, 1000)
            check_accessible(page)

    return check


@pytest.fixture
def press(page, scripts):
    """Press a key; where no script runs, the button or the link that names it."""
    return page.keyboard.press if scripts else lambda key: page.locator(f'[data-key~="{key}"]').click()


def test_duplicates_are_found_reviewed_by_keys_planned_and_merged(stage, page, press, look):
    kept, gone = make_twins(stage.server)
    stage.pull()
    before = stage.server.clients()
    find_duplicates(page, look)
    review(page, press, look)
    merge(page, stage.server.box.password, look)
    after = stage.server.clients(with_trashed="true")
    assert gone not in after
    assert after[kept]["balance"] == before[kept]["balance"] + before[gone]["balance"] == Decimal("123.75")
    figures = page.get_by_role("row", name="balance", exact=False).filter(has_text="100.25").first
    assert "123.75" in figures.get_by_role("cell").last.text_content()


def test_an_excel_file_is_uploaded_mapped_compared_approved_and_applied(stage, page, look):
    first, second, *_ = stage.server.clients().values()
    rows = [("Customer", "Town", "Remark"), (first["number"], "Genève", "x"), (second["number"], "東京", "y")]
    correct(page, rows, {"Customer": "key:number", "Town": "city", "Remark": ""}, look)
    approve_and_apply(page, look)
    after = stage.server.clients()
    assert (after[first["id"]]["city"], after[second["id"]]["city"]) == ("Genève", "東京")
    changed = {k for k, v in after[first["id"]].items() if v != first[k]}
    assert changed <= {"city", "updated_at", "last_login"}
