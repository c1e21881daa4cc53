"""The pages of duplicates: the list with the server's money, a review by one and by two people, hostile names."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec
import pytest

from flows.dedupe.review import cases
from flows.session.ready import open_ready
from tests.engines import address
from tests.flows.desk.conftest import Visitor, answering, text_of

LONG = "Langer Name " + "x" * 10_000
HOSTILE = ("<script>alert(1)</script> Böse", "\u202eeslaf Verkehrt", "\"><img src=x onerror='alert(1)'> Zitat")


@pytest.fixture
def settings(settings, place):
    """Settings with a warehouse on each engine."""
    return msgspec.structs.replace(settings, warehouse=address(place))


@pytest.fixture
def twins(server):
    """Pairs of clients that are one; the names of some of them are hostile."""
    made = []
    for number, name in enumerate(["Tannhof Gartenbau", *HOSTILE]):
        base = {
            "name": name, "address1": f"Lindenweg {number}", "city": "Freiburg", "postal_code": "79098",
            "country_id": "276", "phone": f"0761 44556{number}",
        }  # fmt: skip
        made.append([server.call("POST", "/api/v1/clients", base)["data"]["id"] for _ in "ab"])
    return made


@pytest.fixture
def found(twins, opened, visitor):
    """The page of the list after a search from the page."""
    return visitor.post("/duplicates/find")


def begin(visitor, by="uncertain"):
    """Begin a review; its first page, and the address of the review."""
    page = visitor.post("/duplicates/review", {"by": by})
    return page, page.url.path.rpartition("/")[0]


def form_of(page):
    """The values that the form of a group sends by itself."""
    return {name: re.search(rf'name="{name}" value="([^"]*)"', page.text)[1] for name in ("seen", "proposed")}


def decide(visitor, page, decision, **more):
    """Press a button of a group's page; the page that follows."""
    return visitor.post(page.url.path, form_of(page) | {"decision": decision} | more)


def state_of(visitor, page):
    """The group that a page shows, as it is stored."""
    ids = set(re.findall(r'name="kept" value="([^"]*)"', page.text))
    return next(case for case in cases(visitor.desk.settings, "main", everything=True) if set(case.ids) == ids)


def test_before_a_search_the_page_says_how_to_begin(visitor):
    page = visitor.get("/duplicates")
    assert "No search has found any duplicates yet" in text_of(page)
    assert "Review" not in text_of(page)
    assert "every group is decided" in text_of(visitor.post("/duplicates/review")).lower()


def test_the_list_shows_each_group_with_the_servers_figures(found, visitor, server):
    text = text_of(visitor.get("/duplicates?state=all&by=money"))
    clients = server.clients()
    groups = cases(visitor.desk.settings, "main", everything=True)
    assert f"{len(groups)} groups, all" in text
    for case in groups:
        for client_id in case.ids:
            client = clients[client_id]
            assert client["number"] in text
            owed = Decimal(str(client["balance"]))
            if len(case.ids) == 2 and owed > 0 == sum(Decimal(str(clients[i]["balance"])) for i in case.ids) - owed:
                assert f"{owed:,.2f}" in text
    assert f"Found: {len(groups)} groups of duplicates ({len(groups)} new) among" in text_of(found)


def test_groups_and_single_pairs_are_counted_apart(found, visitor, twins):
    low, high = sorted((twins[0][0], twins[1][0]))
    with open_ready(visitor.desk.settings) as warehouse:
        warehouse.execute(
            "insert into control.duplicate_pairs "
            "values ('main', $low, $high, 0.6, 'name', '[\"same name\"]', '[]', now(), false)",
            {"low": low, "high": high},
        )
    text = text_of(visitor.get("/duplicates"))
    (groups,) = re.findall(r"(\d+) groups, to decide", text)
    (pairs,) = re.findall(r"(\d+ single pairs?), to decide", text)
    assert f"Review {groups} groups and {pairs}" in text
    assert f"to decide ({groups} groups and {pairs})" in text


def test_names_do_no_harm_and_are_shown_as_they_are(found, visitor):
    page = visitor.get("/duplicates?state=all")
    assert "<script>alert" not in page.text
    assert "<img" not in page.text
    assert "\u202e" not in page.text
    assert "\\u202eeslaf Verkehrt" in page.text
    for key in re.findall(r'href="/duplicates/group/([^"]+)"', page.text):
        shown = visitor.get(f"/duplicates/group/{key}")
        assert "<script>alert" not in shown.text
        assert "<img" not in shown.text
        assert "\u202e" not in shown.text
        assert key not in text_of(shown)


def test_a_review_decides_moves_on_undoes_and_ends_with_the_next_step(found, visitor):
    page, review = begin(visitor)
    count = int(re.search(r"1 of (\d+)", text_of(page))[1])
    assert count == len(cases(visitor.desk.settings, "main"))
    first = state_of(visitor, page)
    other = next(client_id for client_id in first.ids if client_id != first.kept)
    page = decide(visitor, page, "same_as", kept=other)
    assert page.url.path == f"{review}/2"
    (decided,) = [case for case in cases(visitor.desk.settings, "main", everything=True) if case.ids == first.ids]
    assert (decided.state, decided.kept, decided.why) == ("same", other, "chosen by a person")
    page = visitor.post(f"{review}/undo")
    assert page.url.path == f"{review}/1"
    assert "taken back" in text_of(page)
    again = state_of(visitor, page)
    assert (again.state, again.kept, again.why) == ("undecided", first.kept, first.why)
    for place in range(count):
        page = decide(visitor, page, ("same_as", "never_merge", "later")[place % 3], kept=form_of(page)["proposed"])
    assert page.url.path == f"{review}/end"
    thirds = [len(range(start, count, 3)) for start in range(3)]
    text = text_of(page)
    assert f"the same {thirds[0]} not the same {thirds[1]} left for later {thirds[2]} not decided 0" in text
    assert page.text.count('href="/merges/plan"') == 1
    with open_ready(visitor.desk.settings) as warehouse:
        assert warehouse.rows("select count(*) from control.chosen_survivors") == [(0,)]
        assert {author.partition("@")[0] for (author,) in warehouse.rows(
            "select author from control.duplicate_decisions")} == {"Anna"}  # fmt: skip
    page = visitor.post(f"{review}/undo")
    assert page.url.path == f"{review}/{count}"


def test_a_colleagues_decision_is_shown_and_never_overwritten_unseen(found, visitor, opened):
    page, _ = begin(visitor)
    ben = Visitor(opened, "Ben")
    bens, _ = begin(ben)
    decide(ben, bens, "never_merge")
    page = decide(visitor, page, "same_as", kept=form_of(page)["proposed"])
    text = text_of(page)
    assert "Your decision was not noted" in text
    assert "Decided: not the same, by Ben@" in text
    assert state_of(visitor, page).state == "not_same"
    decide(visitor, page, "same_as", kept=form_of(page)["proposed"])
    assert state_of(visitor, page).state == "same"


def test_a_second_click_is_no_conflict(found, visitor):
    page, review = begin(visitor)
    once = decide(visitor, page, "later")
    twice = decide(visitor, page, "later")
    assert once.url.path == twice.url.path == f"{review}/2"
    assert "not noted" not in text_of(twice)


def test_a_stale_page_does_not_pass_a_colleagues_newer_decision_without_a_word(found, visitor, opened):
    page, review = begin(visitor)
    decide(visitor, page, "same_as", kept=form_of(page)["proposed"])
    ben = Visitor(opened, "Ben")
    (case,) = [one for one in cases(visitor.desk.settings, "main", everything=True) if one.state == "same"]
    decide(ben, ben.get(f"/duplicates/group/{case.ids[0]}"), "never_merge")
    stale = decide(visitor, page, "same_as", kept=form_of(page)["proposed"])
    assert stale.url.path == f"{review}/1"
    assert "Your decision was not noted" in text_of(stale)
    assert "Decided: not the same, by Ben@" in text_of(stale)
    assert state_of(visitor, stale).state == "not_same"


def test_the_order_of_a_review_stays_while_others_decide_and_search(found, visitor, opened):
    page, review = begin(visitor)
    ids = set(state_of(visitor, page).ids)
    ben = Visitor(opened, "Ben")
    bens, _ = begin(ben)
    decide(ben, bens, "never_merge")
    ben.post("/duplicates/find")
    assert set(re.findall(r'name="kept" value="([^"]*)"', visitor.get(f"{review}/1").text)) == ids


def test_a_group_shows_marks_reasons_bars_and_the_rule_in_words(found, visitor, server, twins):
    case = next(case for case in cases(visitor.desk.settings, "main") if set(case.ids) == set(twins[0]))
    text = text_of(visitor.get(f"/duplicates/group/{case.ids[0]}"))
    assert f"kept: {case.why}" in text
    assert "same phone speaks" in text
    page = visitor.get(f"/duplicates/group/{case.ids[0]}")
    assert page.text.count('class="bar for"') >= len(case.pairs[0].reasons) - 1
    assert "style=" not in page.text


def test_clients_merged_meanwhile_leave_nothing_to_decide(found, visitor, server, twins, pulls):
    case = next(case for case in cases(visitor.desk.settings, "main") if set(case.ids) == set(twins[0]))
    server.merge(*twins[0])
    pulls(using=visitor.desk.settings, full=True)
    page = visitor.get(f"/duplicates/group/{case.ids[0]}")
    assert "nothing to decide" in text_of(page)
    assert 'name="decision"' not in page.text


def test_a_desk_that_may_only_read_shows_everything_and_changes_nothing(found, visitor, opened):
    with answering(opened.desk.settings, read_only=True) as reading:
        looking = Visitor(reading)
        page = looking.get("/duplicates")
        assert 'action="/duplicates/find"' not in page.text
        page, review = begin(looking)
        assert 'name="decision"' not in page.text
        assert "side by side" in text_of(page)
        for path in (page.url.path, f"{review}/undo", "/duplicates/find"):
            looking.post(path, {"decision": "same_as"}, status=403)
    assert len(cases(visitor.desk.settings, "main")) == len(cases(visitor.desk.settings, "main", everything=True))


@pytest.mark.parametrize(
    "path", ["/duplicates?page=x&by=odd&state=odd", "/duplicates?page=99999999999", "/duplicates?page=-1"]
)
def test_an_odd_address_shows_a_list(found, visitor, path):
    assert "Groups" in text_of(visitor.get(path))


def test_an_address_of_no_group_or_review_says_so(found, visitor):
    _, review = begin(visitor)
    for path in (f"{review}/0", f"{review}/x", f"{review}/999", "/duplicates/review/none/1"):
        visitor.get(path, status=400)
    assert "nothing to decide" in text_of(visitor.get("/duplicates/group/none"))
    page = visitor.get(f"{review}/1")
    visitor.post(page.url.path, form_of(page) | {"decision": "odd"}, status=400)
    visitor.post(page.url.path, form_of(page) | {"decision": "same_as", "kept": "other"}, status=400)


def test_a_name_of_10_000_characters_keeps_the_page_small(server, visitor, pulls):
    for _ in "ab":
        client = {"name": "Langhof Optik", "private_notes": LONG, "phone": "0421 1112223", "city": "Bremen"}
        made = server.call("POST", "/api/v1/clients", client | {"country_id": "276", "postal_code": "28195"})["data"]
    pulls(using=visitor.desk.settings)
    visitor.post("/duplicates/find")
    with open_ready(visitor.desk.settings) as warehouse:
        warehouse.execute(
            "update ninja.clients set name = $name, display_name = $name where id = $id",
            {"name": LONG, "id": made["id"]},
        )
    for path in ("/duplicates?state=all", f"/duplicates/group/{made['id']}"):
        page = visitor.get(path)
        assert "Langer Name" in page.text
        assert "more characters" in page.text
        assert "x" * 1_000 not in page.text
