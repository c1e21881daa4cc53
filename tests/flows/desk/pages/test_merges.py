"""Merges at the desk: planned, looked at, done once with a password, and taken back by a sheet; on each engine.

The figures are the server's own.
"""

from __future__ import annotations

import gc
import re
import threading
from decimal import Decimal

import msgspec
import pytest

from flows.configuration.load import place_of
from flows.configuration.values import Source
from flows.dedupe.decide import decide_pairs
from flows.dedupe.find import find_duplicates
from flows.dedupe.rules import Rules
from flows.desk.pages import merge_plan
from flows.desk.visit import Form
from flows.merge import step as steps
from flows.merge.stored import read_merges
from flows.session.writing import one_writer_at_a_time
from flows.show.show import amount
from schemas.errors import SettingsError
from tests.connector.clients.conftest import Box
from tests.engines import address
from tests.flows.conftest import pull_from
from tests.flows.desk.conftest import Visitor, answering, text_of
from warehouse.engine.duckdb import open_warehouse

HOSTILE = "<script>alert(1)</script>\u202eevil "
ANN = {"first_name": "Ann", "email": "ann@m.test", "phone": "1"}
BOB = {"first_name": "Bob", "email": "bob@m.test"}


@pytest.fixture
def settings(settings, place):
    return msgspec.structs.replace(settings, warehouse=address(place), wait=0)


@pytest.fixture
def box(server):
    return Box(server.box)


@pytest.fixture
def opened(settings, server, monkeypatch):
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    pull_from(server, settings)
    with answering(settings) as opened:
        yield opened


@pytest.fixture
def make(box):
    def made(name, balance="0", **more):
        client = box.make(name, **{"settings": {"currency_id": "1"}, "country_id": "756", **more})
        box.balances(client, balance=balance, paid_to_date="3")
        return box.show(client["id"])

    return made


def planned(visitor, kept, merged, **more):
    """The page of a plan for one pair."""
    form = {"of": "pair", "kept": kept["number"], "merged": merged["number"], "rescue": "yes", **more}
    return visitor.post("/merges/plan", form)


def path_of(answer):
    return answer.url.path


def digest_of(answer):
    return re.search(r'name="digest" value="(\w+)"', answer.text)[1]


def merged(visitor, answer, password, status=200, **typed):
    """Type the words of a plan's page, and press its button."""
    return visitor.post(
        f"{path_of(answer)}/merge", {"digest": digest_of(answer), "password": password, **typed}, status=status
    )


def merges(server):
    return len([asked for asked in server.requests() if asked.startswith("POST") and "/merge?" in asked])


def test_a_pair_is_looked_at_merged_once_and_shown_with_the_servers_figures(visitor, server, box, make):
    one = make("Kept Ltd", "100.50", contacts=[ANN], private_notes="mine")
    other = make("Twin Ltd", "-50.25", contacts=[{**ANN, "phone": "2"}, BOB], city="Zug", public_notes="for them")
    page = planned(visitor, one, other)
    text = text_of(page)
    for words in (
        "100.50 USD", "-50.25 USD", "50.25 USD", "overpaid", "owed", "Zug", "already there", "your customer sees this",
        "for them", "moves", "Nothing was merged yet",
    ):  # fmt: skip
        assert words in text, words
    server.requests()
    wrong = merged(visitor, page, "", status=422, text="Another Ltd")
    assert "This is not the name of the client kept" in text_of(wrong)
    assert "Enter your Invoice Ninja password" in text_of(wrong)
    refused = merged(visitor, page, "not the password", text="kept ltd")
    assert "Nothing was merged. Look at what you typed" in text_of(refused)
    assert re.search(r'id="p-password">Invoice Ninja does not accept this password. Nothing was sent', refused.text)
    assert 'value="kept ltd"' in refused.text
    assert merges(server) == 0
    done = merged(visitor, page, server.box.password, text=" kept  LTD")
    after = box.show(one["id"])
    assert after["balance"] == Decimal("50.25")
    assert f"{amount(after['balance'], 'USD')} USD" in text_of(done)
    assert "Checked right after the merge" in text_of(done)
    assert "The figures read from the server since then are the planned ones" in text_of(done)
    assert merges(server) == 1
    again = merged(visitor, page, server.box.password, text="Kept Ltd")
    assert "is applied; a plan is applied once" in text_of(again)
    assert merges(server) == 0
    listed = text_of(visitor.get("/merges"))
    assert "done" in listed
    assert "1 of 1" in listed


def test_the_sheet_has_names_links_and_boxes_to_tick_and_is_a_file_too(visitor, server, make):
    one, other = make("Kept Ltd", "10"), make("Twin Ltd", "5", contacts=[BOB], city="Zug")
    page = planned(visitor, one, other)
    done = merged(visitor, page, server.box.password, text="Kept Ltd")
    (link,) = re.findall(r'href="(/merges/[^"]+/undo)"', done.text)
    sheet = visitor.get(link)
    assert "Bob, bob@m.test" in text_of(sheet)
    assert "city: Zug" in text_of(sheet)
    assert "currency: USD" in text_of(sheet)
    assert "10.00 USD" in text_of(sheet)
    assert 'type="checkbox"' in sheet.text
    assert f"#/clients/{one['id']}" in sheet.text
    for hidden in (other["id"], one["id"], str(other["updated_at"])):
        assert hidden not in text_of(sheet)
    file = visitor.get(f"{link}.txt")
    assert file.headers["content-disposition"].startswith("attachment")
    assert "- [ ] city: Zug" in file.text
    assert "set it back to" in file.text or "it was blank" in file.text


def test_the_sheet_names_papers_by_their_numbers_and_own_dates(settings, server, box, monkeypatch):
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    settings.sources["main"] = msgspec.structs.replace(settings.sources["main"], entities=Source(url="").entities)
    pull_from(server, settings)
    invoices = server.call("GET", "/api/v1/invoices?per_page=500&include=client")["data"]
    papers = {}
    for invoice in invoices:
        if not invoice["is_deleted"]:
            papers.setdefault(invoice["client_id"], []).append(f"invoice {invoice['number']} of {invoice['date']}")
    known = server.clients()
    gone = next(known[key] for key in papers if key in known and not known[key]["is_deleted"])
    kept = box.make("Kept Ltd", settings=gone["settings"], country_id=gone["country_id"])
    with answering(settings) as opened:
        visitor = Visitor(opened)
        page = planned(visitor, kept, gone)
        done = merged(visitor, page, server.box.password, text="Kept Ltd")
        (link,) = re.findall(r'href="(/merges/[^"]+/undo)"', done.text)
        sheet = text_of(visitor.get(link))
    listed = [paper for paper in papers[gone["id"]] if paper in sheet]
    assert listed


def test_two_merges_into_one_client_of_a_decided_group(visitor, settings, server, box, make):
    trio = [make("Sternwald Optik", m, contacts=[BOB], website="https://sternwald.test") for m in ("1.10", "2", "3")]
    pull_from(server, settings)
    find_duplicates(settings, "main", Rules())
    pairs = [((a["id"], b["id"]), "same_as", "") for n, a in enumerate(trio) for b in trio[n + 1 :]]
    decide_pairs(settings, "main", pairs)
    assert "1 group is decided" in text_of(visitor.get("/merges/plan"))
    page = visitor.post("/merges/plan", {"of": "groups", "rescue": "yes"})
    assert "2 merges to look at" in text_of(page)
    assert "This is not the number of merges" in text_of(
        merged(visitor, page, server.box.password, status=422, count="3", text="Sternwald Optik")
    )
    done = merged(visitor, page, server.box.password, count="2", text="Sternwald Optik")
    (left,) = [c for c in trio if c["id"] in server.clients()]
    assert box.show(left["id"])["balance"] == Decimal("6.10")
    assert "6.10 USD" in text_of(done)
    assert "2 of 2 merges done" in text_of(done)
    for one in trio:  # the group has one client left, so it is none
        assert "/duplicates/group/" not in visitor.get(f"/clients/main/{one['id']}").text
    assert "No group is decided yet" in text_of(visitor.get("/merges/plan"))


def test_a_merge_can_be_left_out_and_the_others_are_planned_again(visitor, settings, server, box, make):
    trio = [make("Sternwald Optik", m, contacts=[BOB], private_notes=m) for m in ("1.10", "2", "3")]
    pull_from(server, settings)
    find_duplicates(settings, "main", Rules())
    pairs = [((a["id"], b["id"]), "same_as", "") for n, a in enumerate(trio) for b in trio[n + 1 :]]
    decide_pairs(settings, "main", pairs)
    page = visitor.post("/merges/plan", {"of": "groups", "rescue": "yes"})
    assert "Tick the merges to leave out" in text_of(visitor.post(f"{path_of(page)}/again"))
    assert "You leave out all merges" in text_of(visitor.post(f"{path_of(page)}/again", {"without": ["0", "1"]}))
    left = set(server.clients())
    gone = server.clients()[read_merges(settings, path_of(page).rpartition("/")[2]).merges[0].step.mergeable_id]
    again = visitor.post(f"{path_of(page)}/again", {"without": "0"})
    assert set(server.clients()) == left
    assert path_of(again) != path_of(page)
    assert "1 merge to look at" in text_of(again)
    assert "takes the place of the one before" in text_of(again)
    assert "written" in text_of(again)
    assert "1 merge was left out" in text_of(again)
    assert f"{gone['number']} Sternwald Optik" in again.text.partition("Not in the plan")[2]
    assert "ended" in text_of(visitor.get(path_of(page)))
    assert len(server.clients()) == 123


def test_what_was_refused_and_left_out_is_still_shown_after_planning_again(visitor, settings, server, make):
    names = ("Sternwald Optik", "Bergkristall Verlag", "Morgenrot Reisen")
    places = ("276", "756", "756")
    pairs = [
        [make(name, "1", contacts=[BOB]), make(name, "2", contacts=[BOB], country_id=place)]
        for name, place in zip(names, places, strict=True)
    ]
    pull_from(server, settings)
    find_duplicates(settings, "main", Rules())
    decide_pairs(settings, "main", [((a["id"], b["id"]), "same_as", "") for a, b in pairs])
    page = visitor.post("/merges/plan", {"of": "groups", "rescue": "yes"})
    assert "1 merge was refused" in text_of(page)
    key = re.search(r'name="made" value="([^"]+)"', page.text)[1]
    again = visitor.post(f"{path_of(page)}/again", {"without": "0", "made": key})
    told = text_of(again).partition("Not in the plan")[2]
    assert "1 merge was refused. 1 merge was left out." in told
    assert "they are in different countries" in told
    assert "Sternwald Optik" in told


def test_a_refused_merge_says_why_and_what_to_do(visitor, make):
    one, other = make("Kept", "1"), make("Gone", "2", settings={"currency_id": "2"})
    page = planned(visitor, one, other)
    text = text_of(page)
    assert path_of(page) == "/merges/plan"
    assert "USD and GBP" in text
    assert "tick “different currencies”" in text
    assert "--allow" not in text
    assert one["id"] not in text
    allowed = planned(visitor, one, other, allow="currency")
    assert "DIFFERENT CURRENCIES: USD and GBP" in text_of(allowed)
    unknown = planned(visitor, one, {"number": "no such number"})
    assert "is not on the server" in text_of(unknown)
    empty = visitor.post("/merges/plan", {"of": "pair", "kept": "", "merged": "1"}, status=422)
    assert "Enter the numbers of both clients" in text_of(empty)


def test_a_client_that_changed_meanwhile_stops_the_plan_with_a_way_on(visitor, server, box, make):
    one, other = make("Kept Ltd", "1"), make("Twin Ltd", "2")
    page = planned(visitor, one, other)
    server.edit(box.show(other["id"]), city="Basel", address2="Box 12")
    answer = merged(visitor, page, server.box.password, text="Kept Ltd")
    stopped = text_of(answer)
    assert '<button class="main" name="rest" value="yes">Plan again</button>' in answer.text
    assert "has changed since the plan was made (address, line 2, city)" in stopped
    assert f"{other['number']} Twin Ltd" in stopped
    assert other["id"] not in stopped
    closed = visitor.post(f"{path_of(page)}/close")
    assert "The plan has ended" in text_of(closed)
    assert box.show(other["id"])["balance"] == 2
    assert '<button class="main" name="rest" value="yes">Plan again</button>' in closed.text
    again = visitor.post(f"{path_of(page)}/again", {"rest": "yes"})
    assert "1 merge to look at" in text_of(again)
    assert "Basel" in text_of(again)
    done = merged(visitor, again, server.box.password, text="Kept Ltd")
    assert ">Plan again<" not in done.text
    assert "All merges of this plan are done" in text_of(visitor.post(f"{path_of(again)}/again", {"rest": "yes"}))
    assert box.show(one["id"])["balance"] == 3


def test_work_that_was_killed_after_a_merge_goes_on_and_merges_nobody_twice(visitor, server, box, make, monkeypatch):
    one, other = make("Kept Ltd", "1"), make("Twin Ltd", "2", id_number="G-77")
    page = planned(visitor, one, other)
    server.requests()
    with monkeypatch.context() as cut:
        cut.setattr(steps, "_finish", lambda *_: (_ for _ in ()).throw(MemoryError("killed")))
        visitor.post(
            f"{path_of(page)}/merge",
            {"digest": digest_of(page), "password": server.box.password, "text": "Kept Ltd"}, status=409,
        )  # fmt: skip
    stopped = visitor.get(path_of(page))
    assert "Go on, or end it" in text_of(stopped)
    done = visitor.post(f"{path_of(page)}/resume", {"password": server.box.password})
    assert "1 of 1 merge done" in text_of(done)
    assert merges(server) == 1
    after = box.show(one["id"])
    assert (after["balance"], after["id_number"]) == (3, "G-77")


def test_values_that_the_server_refuses_after_a_merge_can_be_left_out(visitor, server, box, make, monkeypatch):
    one, other = make("Kept Ltd", "1"), make("Twin Ltd", "2", id_number="G-78")
    page = planned(visitor, one, other)
    with monkeypatch.context() as refusing:
        refusing.setattr(steps, "_rescue_after", lambda *_: (_ for _ in ()).throw(SettingsError("It is taken.")))
        stopped = text_of(merged(visitor, page, server.box.password, text="Kept Ltd"))
    assert "is merged into" in stopped
    assert "the button “Go on” below" in stopped
    assert "the button “Finish without them” below" in stopped
    assert "`ninja-sync" not in stopped
    assert "1 of 1 merged. The plan can go on, or end" in stopped
    done = visitor.post(f"{path_of(page)}/resume", {"without_rescue": "yes"})
    assert "merged, without last values" in text_of(done)
    assert box.show(one["id"])["balance"] == 3


def test_a_second_click_and_a_colleague_merge_nothing_twice(opened, visitor, server, box, make, monkeypatch):
    one, other = make("Kept Ltd", "1"), make("Twin Ltd", "2")
    page = planned(visitor, one, other)
    begun, go = threading.Event(), threading.Event()
    real = merge_plan.apply_merges

    def slow(*args, **more):
        begun.set()
        assert go.wait(60)
        return real(*args, **more)

    monkeypatch.setattr(merge_plan, "apply_merges", slow)
    server.requests()
    form = {
        "digest": digest_of(page),
        "password": server.box.password,
        "text": "Kept Ltd",
        "csrf": visitor.session.csrf,
    }
    first = visitor.http.post(f"{path_of(page)}/merge", data=form, headers={"Origin": visitor.origin})
    assert begun.wait(60)
    gc.collect()
    forms = [form for form in gc.get_objects() if type(form) is Form]
    assert server.box.password not in repr([form.texts for form in forms])  # the work has the password, sealed
    second = visitor.http.post(f"{path_of(page)}/merge", data=form, headers={"Origin": visitor.origin})
    reloaded = visitor.http.get(path_of(page))
    assert first.url == second.url == reloaded.url
    colleague = Visitor(opened, "Bert")
    assert "works on this plan right now" in text_of(colleague.http.get(path_of(page)))
    sent = colleague.http.post(
        f"{path_of(page)}/merge", data=form | {"csrf": colleague.session.csrf}, headers={"Origin": colleague.origin}
    )
    assert "works on this plan right now" in text_of(sent)
    go.set()
    assert "1 of 1 merge done" in text_of(visitor.wait(first))
    assert merges(server) == 1
    assert box.show(one["id"])["balance"] == 3
    assert "1 of 1 merge done" in text_of(colleague.get(path_of(page)))


def test_a_shell_that_writes_keeps_the_desk_out_with_a_message(visitor, settings, server, make):
    page = planned(visitor, make("Kept Ltd"), make("Twin Ltd"))
    with one_writer_at_a_time(settings, "main"):
        busy = merged(visitor, page, server.box.password, text="Kept Ltd")
    assert "writer of the source 'main'" in text_of(busy)
    assert "Nothing was merged yet" in text_of(busy)


def test_another_digest_than_the_one_shown_is_refused(visitor, server, make):
    page = planned(visitor, make("Kept Ltd"), make("Twin Ltd"))
    form = {"digest": "0" * 16, "password": server.box.password, "text": "Kept Ltd"}
    answer = visitor.post(f"{path_of(page)}/merge", form)
    assert "does not match" in text_of(answer)
    assert "ninja-sync" not in text_of(answer).replace("Ninja Sync", "")


def test_the_password_is_kept_nowhere(opened, visitor, server, make, caplog):
    page = planned(visitor, make("Kept Ltd"), make("Twin Ltd"))
    answers = [merged(visitor, page, server.box.password, status=422, text="Wrong")]
    answers.append(merged(visitor, page, "wrong-secret-word", text="Kept Ltd"))
    answers.append(merged(visitor, page, server.box.password, text="Kept Ltd"))
    answers += [visitor.get(path) for path in (path_of(page), "/merges")]
    gc.collect()
    for secret in (server.box.password, "wrong-secret-word"):
        assert not [answer.url for answer in answers if secret in answer.text]
        assert secret not in caplog.text
        kept = [visitor.session.kept_of(object), vars(visitor.session)]
        assert secret not in repr(kept)
        jobs = [vars(job) for job in opened.desk.jobs._jobs.values()]
        assert len(jobs) > 1
        assert secret not in repr(jobs)
        assert not [form for form in gc.get_objects() if type(form) is Form and secret in repr(form.texts)]


def test_hostile_names_do_no_harm(visitor, server, box, make):
    one = make(HOSTILE + "A", contacts=[{**ANN, "first_name": "<b>x</b>"}])
    other = make("B" * 250, public_notes="<img src=x onerror=1>" * 300, private_notes="x" * 10_000)
    page = planned(visitor, one, other)
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text
    assert "<b>x</b>" not in page.text
    assert "\u202e" not in page.text
    assert "Type the number of the client kept" in text_of(page)
    done = merged(visitor, page, server.box.password, text=one["number"])
    assert "1 of 1 merge done" in text_of(done)


def test_a_plan_is_seen_by_a_colleague_later_and_unknown_ones_are_not(opened, visitor, make):
    page = planned(visitor, make("Kept Ltd", "7"), make("Twin Ltd", "8"))
    seen = Visitor(opened, "Bert").get(path_of(page))
    assert "15.00 USD" in text_of(seen)
    assert "Anna@" in text_of(seen)
    visitor.get("/merges/merge-20200101-000000", status=400)


@pytest.mark.publishes
def test_a_new_plan_that_no_copy_has_yet_is_not_called_unknown(settings, server, make, monkeypatch):
    if not settings.warehouse.startswith("/"):
        pytest.skip("readers of Postgres need no copy")
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    settings = msgspec.structs.replace(settings, publish=True)
    one, other = make("Kept Ltd"), make("Twin Ltd")
    pull_from(server, settings)
    with answering(settings) as opened:
        visitor = Visitor(opened)
        page = planned(visitor, one, other)
        with open_warehouse(place_of(settings)):
            assert "is open in" in text_of(visitor.get(path_of(page), status=503))
        assert "1 merge to look at" in text_of(visitor.get(path_of(page)))


def test_a_desk_that_may_only_read_plans_and_merges_nothing(settings, server, make, monkeypatch):
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    pull_from(server, settings)
    with answering(settings, read_only=True) as opened:
        visitor = Visitor(opened)
        visitor.post("/merges/plan", {"of": "groups"}, status=403)
        visitor.post("/merges/merge-1/merge", {}, status=403)
        assert "may only read" in text_of(visitor.get("/merges/plan"))


def test_to_look_for_a_plan_that_is_not_there_opens_nothing_for_writing(visitor, monkeypatch):
    def refuse(*_args):
        raise AssertionError("opened for writing")

    monkeypatch.setattr("flows.plans.applying.open_ready", refuse)
    assert "There is no plan of merges" in text_of(visitor.get("/merges/none", status=400))
