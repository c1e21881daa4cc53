"""The list of duplicates: groups and single pairs with their money and warnings, and the button to look for more."""

from __future__ import annotations

from typing import Final

from flows.ask.ask import reading
from flows.dedupe.explain import in_words, shown
from flows.dedupe.find import Found, find_duplicates
from flows.dedupe.groups import OPEN, ORDERS, UNCERTAIN, found_at, page_of_groups
from flows.dedupe.rules import load_rules
from flows.desk.answers import Answer, Page, See, get, post
from flows.desk.pages.paging import page_number
from flows.desk.visit import Visit
from flows.session.progress import Progress

GROUPS: Final = 25
PAIRS: Final = 10
"""The groups and the single pairs on one page."""
ORDER_NAMES: Final = {"uncertain": "the most uncertain", "probable": "the most probable", "money": "the most money"}
STATE_NAMES: Final = {
    "open": "to decide", "undecided": "undecided", "later": "left for later", "same": "the same",
    "not_same": "not the same", "all": "all",
}  # fmt: skip


def show(visit: Visit) -> Answer:
    """Show a page of groups, and a page of single pairs below them."""
    name = visit.one_source()
    by = visit.query.get("by", UNCERTAIN)
    by = by if by in ORDERS else UNCERTAIN
    state = visit.query.get("state", OPEN)
    state = state if state in STATE_NAMES else OPEN
    page, pairs = page_number(visit.query.get("page", "")), page_number(visit.query.get("pairs", ""))
    wanted = None if state == "all" else state
    with reading(visit.settings, newest=True) as warehouse:
        searched = found_at(warehouse, name)
        found = page_of_groups(
            warehouse, name, by=by, state=wanted,
            groups=((page - 1) * GROUPS, GROUPS), pairs=((pairs - 1) * PAIRS, PAIRS),
        )  # fmt: skip
    values = {
        "searched": searched, "found": found, "by": by, "state": state, "page": page, "pairs": pairs,
        "pages_of_groups": _pages(found.count(single=False, state=wanted), GROUPS),
        "pages_of_pairs": _pages(found.count(single=True, state=wanted), PAIRS),
        "orders": ORDER_NAMES, "states": STATE_NAMES, "shown": shown, "in_words": in_words,
    }  # fmt: skip
    return Page("duplicates/list.html", values, "Duplicates")


def find(visit: Visit) -> Answer:
    """Look for duplicates in the background."""
    name, settings = visit.one_source(), visit.settings

    def work(progress: Progress) -> Found:
        return find_duplicates(settings, name, load_rules(), progress=progress)

    def then(found: Found) -> str:
        visit.note(f"Found: {found.in_words}.")
        return "/duplicates"

    return visit.start("Looking for duplicates", work, then, once=f"find {name}")


def see_list(_visit: Visit) -> Answer:
    """Go to the list, for a person who reloads the page after a search."""
    return See("/duplicates")


def _pages(count: int, size: int) -> int:
    return -(-count // size)


ROUTES: Final = (
    get("/duplicates", show),
    get("/duplicates/find", see_list),
    post("/duplicates/find", find, writes=True),
)
