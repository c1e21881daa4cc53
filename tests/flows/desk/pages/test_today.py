"""Today at the desk: the server's figures, the changes since yesterday, what waits, and the button that fetches."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from flows.ask import aging_page
from flows.ask.kept import Kept
from flows.configuration.load import place_of
from flows.configuration.values import Settings, Source
from flows.desk.pages import today
from flows.desk.visit import Desk, Visit
from flows.show.show import amount
from schemas.errors import Busy
from tests.engines import address
from tests.flows.desk.conftest import Visitor, answering, text_of
from tests.postgres import PASSWORD
from warehouse.opened.open import open_place
from warehouse.schema.grants import ANALYST, ANALYST_WITH_PERSONAL_DATA, grant

HOSTILE = ("<script>alert(1)</script>", "\u202egnp.exe", 'x" onmouseover="alert(1)', "Ä" * 250)


@pytest.fixture
def kept(settings, place, server, monkeypatch):
    """Settings of the server's source, with an empty warehouse of each engine."""
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    return msgspec.structs.replace(settings, warehouse=address(place))


@pytest.fixture
def opened(kept, pulls):
    pulls(using=kept)
    with answering(kept) as opened:
        yield opened


def run(settings, sql, **params):
    with open_place(place_of(settings)) as warehouse:
        warehouse.execute(sql, params)


def test_the_sums_of_each_currency_are_the_servers(visitor, server):
    codes = {c["id"]: c["code"] for c in server.call("GET", "/api/v1/statics")["currencies"]}
    owed, overpaid = defaultdict(Decimal), defaultdict(Decimal)
    for client in server.clients().values():
        if own := codes.get(client["settings"].get("currency_id")):
            owed[own] += max(client["balance"], Decimal(0)) * (not client["is_deleted"])
            overpaid[own] += max(-client["balance"], Decimal(0)) * (not client["is_deleted"])
    shown = text_of(visitor.get("/"))
    inherited = {"EUR", "USD"}  # those of the company and of a group: other clients have them without saying so
    compared = owed.keys() - inherited
    assert len(compared) > 3
    for code in compared:
        sides = (owed[code], overpaid[code], owed[code] - overpaid[code])
        assert " ".join(f"{amount(side, code)} {code}" for side in sides) in shown


def test_a_second_company_is_not_fetched_in_silence_by_the_fetch_of_another(tmp_path, monkeypatch):
    gate, pulled = threading.Event(), []

    def slow(_settings, names, **_how):
        pulled.append(names)
        gate.wait(60)
        return {}

    monkeypatch.setattr(today, "pull_each", slow)
    sources = {name: Source(url="http://127.0.0.1:9") for name in ("main", "other")}
    desk = Desk(Settings(warehouse=str(tmp_path / "w"), sources=sources))
    visit = Visit(desk, desk.sessions.enter(desk.sessions.invite("Anna")[0]))
    visit.session.source = "main"
    assert today.fetch(visit) == today.fetch(visit)
    for chosen in ("other", None):
        visit.session.source = chosen
        with pytest.raises(Busy, match="under way: Fetching changes"):
            today.fetch(visit)
    gate.set()
    desk.jobs.wait()
    assert pulled == [["main"]]


def test_the_button_fetches_changes_and_shows_them_with_their_names_harmless(visitor, server):
    for client, name in zip(server.clients(status="active").values(), HOSTILE, strict=False):
        server.edit(client, name=name)
    debtor = next(c for c in list(server.clients(status="active").values())[10:] if c["balance"] > 0)
    server.call("POST", f"/_sandbox/clients/{debtor['id']}/balances", {"balance": "777.25"})
    server.edit(debtor, city="Kiel")  # a balance alone moves no stamp
    page = visitor.post("/today/fetch")
    shown = text_of(page)
    assert "main: 0 new, 5 changed" in shown
    assert "Changed clients: 5" in shown
    assert "777.25" in shown
    assert amount(debtor["balance"], "EUR").split()[0] in shown
    assert f'href="/clients/main/{debtor["id"]}"' in page.text
    for raw in (*HOSTILE[:3], "\u202e"):
        assert raw not in page.text
    assert "\\u202egnp.exe" in shown
    assert "more characters)" in shown
    everything = visitor.get("/today/changed")
    assert "5 clients, the newest change first" in text_of(everything)
    assert HOSTILE[0] not in everything.text


class Noting(Kept):
    """Kept answers that note whether each was there when it was asked for."""

    def __init__(self):
        super().__init__()
        self.there = []

    def table(self, *args, **more):
        self.there.append(self.has(*args, **more))
        return super().table(*args, **more)


@pytest.fixture
def noting(monkeypatch):
    noting = Noting()
    monkeypatch.setattr(aging_page, "KEPT", noting)
    return noting


def test_after_a_fetch_nobody_waits_for_the_receivables(visitor, server, noting):
    server.edit(next(iter(server.clients(status="active").values())), city="Kiel")
    visitor.post("/today/fetch")
    assert noting.there
    noting.there.clear()
    visitor.get("/receivables")
    assert noting.there
    assert all(noting.there)


def test_while_figures_are_computed_their_page_tries_again_and_others_are_there(visitor, noting, monkeypatch):
    visitor.get("/receivables")
    monkeypatch.setattr("flows.desk.app.PATIENCE", 0.01)
    for slot in noting._slots.values():
        slot.made = None
        slot.lock.acquire()
    waits = visitor.get("/receivables", status=503)
    assert "The figures are being computed" in text_of(waits)
    assert "This page tries again in a few seconds." in text_of(waits)
    assert 'http-equiv="refresh"' in waits.text
    visitor.get("/")
    for slot in noting._slots.values():
        slot.lock.release()
    visitor.get("/receivables")


def test_a_list_of_changes_has_pages(visitor, server):
    for client in list(server.clients(status="active").values())[:55]:
        server.edit(client, city="Kiel")
    visitor.post("/today/fetch")
    first, second = (visitor.get(f"/today/changed?page={page}").text for page in (1, 2))
    assert (first.count("/clients/main/"), second.count("/clients/main/")) == (50, 5)
    assert 'rel="next"' in first
    for odd in ("0", "-1", "x", "9" * 30):
        assert visitor.get(f"/today/changed?page={odd}").status_code == 200
    visitor.get("/today/odd", status=400)


def test_a_fetch_that_fails_says_why_there_and_on_today(visitor, monkeypatch):
    monkeypatch.setenv("NINJA_SYNC_TOKEN", "wrong-token-of-a-test")
    failed = visitor.post("/today/fetch", status=409)
    assert "token" in text_of(failed)
    assert 'action="/today/fetch"' in failed.text
    assert "Try again Back to Today" in text_of(failed)
    shown = text_of(visitor.get("/"))
    assert "The last pull failed just now" in shown
    assert 'class="badge bad">failed' in visitor.get("/").text
    assert "wrong-token-of-a-test" not in shown


def test_what_waits_leads_to_its_page(visitor, kept, server):
    client = next(iter(server.clients()))
    assert "Nothing waits for you." in text_of(visitor.get("/"))
    for plan in (None, "refused: no such field"):
        run(
            kept,
            "insert into control.outbox (source, id, field, value, plan_id) values ('main', $id, 'city', 'x', $plan)",
            id=client, plan=plan,
        )  # fmt: skip
    run(
        kept,
        "insert into control.unlisted (source, id, why, since_run_id) values ('main', $id, 'held', 'r')",
        id=client,
    )
    page = visitor.get("/")
    assert '<a href="/plans/queued?group=refused">1 queued change refused</a>' in page.text
    assert '<a href="/plans/queued?group=waiting">1 queued change in no plan yet</a>' in page.text
    for url in re.findall(r'<li><a href="([^"#]*)', page.text):
        visitor.get(url)
    assert '<a href="/health#brake">1 client that the server no longer lists' in page.text


def test_a_desk_for_looking_only_fetches_nothing(kept, pulls):
    pulls(using=kept)
    with answering(kept, read_only=True) as opened:
        visitor = Visitor(opened)
        assert "/today/fetch" not in visitor.get("/").text
        visitor.post("/today/fetch", status=403)


def test_the_first_fetch_fills_an_empty_warehouse(kept, server):
    with answering(kept) as opened:
        visitor = Visitor(opened)
        assert "Nothing has been pulled yet." in text_of(visitor.get("/"))
        assert "No run has ended yet." in text_of(visitor.get("/health"))
        assert f"main: {len(server.clients())} new" in text_of(visitor.post("/today/fetch"))


@pytest.mark.parametrize("names", [True, False])
def test_a_role_that_may_only_read_sees_what_its_views_have(settings, database, postgres, pulls, server, names):
    owner = msgspec.structs.replace(settings, warehouse=database.url)
    pulls(using=owner)
    client = next(iter(server.clients(status="active").values()))
    server.edit(client, name="Renamed Ltd")
    pulls(using=owner)
    role = f"reader_{database.url.rpartition('/')[2]}"
    with postgres.admin() as admin:
        admin.execute(f"create role {role} login password '{PASSWORD}'")
    with open_place(place_of(owner)) as warehouse:
        kind = ANALYST_WITH_PERSONAL_DATA if names else ANALYST
        grant(warehouse, role, kind, now=datetime.now(UTC))
    reader = msgspec.structs.replace(settings, warehouse=postgres.url(database.url.rpartition("/")[2], role))
    with answering(reader, read_only=True) as opened:
        visitor = Visitor(opened)
        shown = text_of(visitor.get("/"))
        assert "Your role may read the views only." in shown
        assert ("Renamed Ltd" in shown) == names
        assert ("Nor does it see names." in shown) == (not names)
        assert "Changed clients: 1" in shown
        assert ("Renamed Ltd" in text_of(visitor.get("/today/changed"))) == names
        assert "Your role may read the views only." in text_of(visitor.get("/health"))
