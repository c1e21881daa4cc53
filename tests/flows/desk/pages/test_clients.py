"""Clients at the desk: the list, one client, and proposed changes, with the server's figures and with hostile names."""

from __future__ import annotations

import csv
import io
import re
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from html import escape, unescape
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from openpyxl import load_workbook

from flows.configuration.load import place_of
from flows.configuration.values import Settings, Source
from flows.push.outbox import queued_changes
from flows.show.show import amount, harmless
from sandbox.server import running
from schemas.server_form import WRITABLE
from tests.engines import address
from tests.flows.conftest import Server, pull_from
from tests.flows.desk.conftest import PERSON, Visitor, answering, text_of
from tests.postgres import PASSWORD
from warehouse.opened.migrate import open_migrated
from warehouse.opened.open import open_place
from warehouse.schema.grants import ANALYST, ANALYST_WITH_PERSONAL_DATA, grant

ENTITIES = ("clients", "invoices", "payments", "credits")
HOSTILE = ("a < b & \"c\" 'd' & {{ 7 * 7 }}", "\u202egnp.exe\u202c \x1b[31m", "=1+1'; drop table x; --", "Ä" * 190)
LONG = "x" * 10_000


class Books:
    """A pulled server and a person at the desk."""

    def __init__(self, server, settings, opened, clients):
        self.server, self.settings, self.opened = server, settings, opened
        self.visitor = Visitor(opened)
        self.first, self.other, self.hostile = clients

    def rows(self, sql, **params):
        with open_place(place_of(self.settings), read_only=True) as warehouse:
            return warehouse.rows(sql, params)


@contextmanager
def books_at(place, clients=130):
    """A desk before books of two pulls: a client was changed and took another one in, others have hostile names."""
    with running(clients=clients, seed=5) as box:
        server = Server(box)
        with open_migrated(place, now=datetime.now(UTC)):
            pass
        source = Source(url=box.url, page_size=100, requests_per_second=10_000, look_back=0, entities=ENTITIES)
        settings = Settings(warehouse=address(place), publish=False, sources={"main": source})
        pull_from(server, settings)
        server.switch(clock={"advance": 3600})
        active = [c for c in server.clients(status="active").values() if c["balance"] > 0 and c["name"]]
        (first, other), hostile = active[:2], active[2 : 2 + len(HOSTILE)]
        server.edit(first, city="Bern", custom_value1="Ann Key")
        server.merge(first["id"], other["id"])
        for client, name in zip(hostile, HOSTILE, strict=True):
            server.edit(
                client, name=name, private_notes=f"<script>alert(1)</script>{LONG}", website="javascript:alert(1)"
            )
        pull_from(server, settings)
        with pytest.MonkeyPatch.context() as patch, answering(settings) as opened:
            patch.setenv("NINJA_SYNC_TOKEN", box.token)
            yield Books(server, settings, opened, (first, other, hostile))


@pytest.fixture(scope="module")
def books(engine, tmp_path_factory):
    place = engine.new(tmp_path_factory.mktemp("clients"))
    with books_at(place) as made:
        yield made
    engine.drop(place)


def page_of(client):
    return f"/clients/main/{client['id']}"


def form_of(answer):
    """The values of a form as a browser would send them."""
    sent = {}
    for tag in re.findall(r"<input[^>]*>", answer.text):
        if (name := re.search(r' name="([^"]*)"', tag)) and name[1] not in {"text", "csrf"}:
            sent[name[1]] = unescape(re.search(r' value="([^"]*)"', tag)[1]) if " value=" in tag else ""
    for name, inner in re.findall(r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', answer.text, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', inner)
        first = re.search(r'<option value="([^"]*)"', inner)
        sent[name] = unescape((chosen or first)[1])
    for name, inner in re.findall(r'<textarea[^>]* name="([^"]*)"[^>]*>\n?(.*?)</textarea>', answer.text, re.DOTALL):
        sent[name] = unescape(inner)
    return sent


def test_the_list_has_the_sums_of_the_server_side_by_side(books):
    shown = text_of(books.visitor.get("/clients"))
    currencies = dict(books.rows("select id, currency_code from mart.clients"))
    sums = {}
    for client in books.server.clients().values():
        if not client["is_deleted"]:
            sides = sums.setdefault(currencies[client["id"]], [Decimal(0), Decimal(0)])
            sides[client["balance"] < 0] += abs(Decimal(str(client["balance"])))
    assert len(sums) > 2
    for code, (owed, overpaid) in sums.items():
        for value in (owed, overpaid, owed - overpaid):
            assert f"{amount(value, code)} {code}" in shown


def test_a_search_is_kept_on_the_server_and_its_text_is_in_no_url(books):
    name = books.first["name"]
    answer = books.visitor.post("/clients/search", {"text": name.upper(), "state": "all", "order": "number"})
    assert page_of(books.first) in answer.text
    assert f'value="{escape(name.upper())}"' in answer.text
    assert set(parse_qs(answer.url.query.decode())) == {"q", "state", "order"}
    for word in (word for word in name.split() if len(word) > 3):
        assert word.casefold() not in str(answer.url).casefold()
        assert all(
            word.casefold() not in link.casefold() for link in re.findall(r'(?:href|action)="([^"]*)"', answer.text)
        )
    assert "No clients match." in text_of(books.visitor.post("/clients/search", {"text": "there is nobody"}))


def test_the_pages_hold_the_filters(books):
    answer = books.visitor.get("/clients?order=number&state=all")
    following = unescape(re.search(r'href="([^"]*)" rel="next"', answer.text)[1])
    assert parse_qs(urlsplit(following).query) == {"order": ["number"], "state": ["all"], "page": ["2"]}
    rows = [re.findall(r'<th scope="row"><a href="(/clients/main/[^"]+)"', page.text)
            for page in (answer, books.visitor.get(following))]  # fmt: skip
    assert [len(set(page)) for page in rows] == [50, 50]
    assert not set(rows[0]) & set(rows[1])
    for page in ("0", "-1", "x", "9" * 400, "٣"):
        assert "Page" in text_of(books.visitor.get(f"/clients?page={page}")) or page == "9" * 400


@pytest.mark.parametrize("filters", ["", "?problem=overpaid", "?state=vanished", "?order=owed&country=DE"])
def test_the_files_have_exactly_the_clients_of_the_list(books, filters):
    whole = []
    answer = books.visitor.get(f"/clients{filters}")
    while True:
        whole += re.findall(r'<th scope="row"><a href="/clients/main/([^"]+)"', answer.text)
        following = re.search(r'href="([^"]*)" rel="next"', answer.text)
        if following is None:
            break
        answer = books.visitor.get(unescape(following[1]))
    assert whole
    sheet = books.visitor.get(f"/clients/list.csv{filters}")
    rows = list(csv.DictReader(io.StringIO(sheet.content.decode("utf-8-sig"))))
    assert [row["id"] for row in rows] == whole
    assert {"Account manager", "owed", "overpaid", "net"} <= set(rows[0])
    book = load_workbook(io.BytesIO(books.visitor.get(f"/clients/list.xlsx{filters}").content)).active
    heads, *lines = book.iter_rows(values_only=True)
    assert [line[heads.index("id")] for line in lines] == whole
    assert all(not str(value).startswith("=") for row in rows for value in row.values())


def test_a_client_is_shown_with_its_figures_labels_history_and_what_was_merged_into_it(books):
    now = books.server.clients()[books.first["id"]]
    answer = books.visitor.get(page_of(books.first))
    shown = text_of(answer)
    assert f"<title>Client {now['number']} · " in answer.text  # a browser keeps titles in its history
    ((code,),) = books.rows("select currency_code from mart.clients where id = $id", id=now["id"])
    for figure in ("balance", "paid_to_date", "credit_balance"):
        assert f"{amount(Decimal(str(now[figure])), code)} {code}" in shown
    assert "Account manager Ann Key" in shown
    assert f"city {books.first['city']} Bern" in shown
    assert "Clients merged into it" in shown
    assert page_of(books.other) in answer.text
    for contact in now["contacts"]:
        assert contact["email"] in shown
    for (number,) in books.rows("select number from mart.open_items where client_id = $id", id=now["id"]):
        assert str(number) in shown
    assert f'href="{books.server.box.url}/#/clients/{now["id"]}"' in answer.text
    assert '<svg class="line" role="img"' in answer.text
    assert "<title>Balance from " in answer.text


def test_a_client_that_was_merged_links_to_the_one_it_is_part_of(books):
    answer = books.visitor.get(page_of(books.other))
    assert "is now part of" in text_of(answer)
    assert page_of(books.first) in answer.text
    assert "Propose a change" not in answer.text
    books.visitor.get(page_of(books.other) + "/change", status=400)


def test_an_unknown_client_is_a_message_and_no_error_of_the_program(books):
    for path in ("/clients/main/none", "/clients/nobody/none", "/clients/main/%27%3B--", "/clients?q=gone"):
        assert "bug" not in text_of(books.visitor.get(path, status=400))


def test_hostile_names_do_no_harm_on_any_page(books):
    for client, name in zip(books.hostile, HOSTILE, strict=True):
        for path in ("/clients?page=1", page_of(client), page_of(client) + "/change"):
            answer = books.visitor.get(path)
            assert "<script>alert" not in answer.text
            assert "49" not in re.sub(r"\d{3,}", "", text_of(answer)) or "{{ 7 * 7 }}" in unescape(answer.text)
            assert 'href="javascript' not in answer.text
            if not path.endswith("/change"):
                assert not set("\u202e\u202c\x1b") & set(answer.text)
        assert harmless(name)[:60] in text_of(books.visitor.get(page_of(client)))
        found = books.visitor.post("/clients/search", {"text": name, "state": "all"})
        assert page_of(client) in found.text


def test_changed_fields_are_queued_with_author_and_reason_and_no_others(books):
    client = books.server.clients()[books.first["id"]]
    form = form_of(books.visitor.get(page_of(client) + "/change"))
    assert {name for name in form if name.startswith("was-")} == {f"was-{n}" for n in WRITABLE} - {
        "was-settings",
        "was-e_invoice",
    }
    assert (form["city"], form["name"], form["number"]) == ("Bern", client["name"], client["number"])
    answer = books.visitor.post(
        page_of(client) + "/change", form | {"city": "Basel", "private_notes": "two\r\nlines", "reason": "moved"}
    )
    assert answer.url.path == page_of(client)
    assert "Queued: 2 changes." in text_of(answer)
    assert 'href="/plans' in answer.text
    queued = {one.column: one for one in queued_changes(books.settings, "main") if one.client_id == client["id"]}
    assert {column: one.value for column, one in queued.items()} == {"city": "Basel", "private_notes": "two\nlines"}
    assert {(one.author.partition("@")[0], one.reason) for one in queued.values()} == {(PERSON, "moved")}


def test_a_refused_value_is_explained_at_its_field_and_nothing_is_queued(books):
    client = books.hostile[0]
    before = len(queued_changes(books.settings, "main"))
    form = form_of(books.visitor.get(page_of(client) + "/change"))
    typed = form | {"name": "<b>bold</b>", "payment_terms": "soon", "city": "Genf", "reason": "a try"}
    answer = books.visitor.post(page_of(client) + "/change", typed, status=400)
    shown = form_of(answer)
    assert {name: shown[name] for name in ("name", "payment_terms", "city", "reason")} == {
        name: typed[name] for name in ("name", "payment_terms", "city", "reason")
    }
    assert re.findall(r'id="p-([^"]*)"', answer.text) == ["name", "payment_terms"]
    assert "the server takes that for HTML" in text_of(answer)
    assert shown["was-city"] == form["was-city"]
    for wrong in ({"reason": "nothing"}, {"city": "Genf", "reason": " "}):
        books.visitor.post(page_of(client) + "/change", form | wrong, status=400)
    assert len(queued_changes(books.settings, "main")) == before


def test_a_value_that_a_browser_cannot_hold_in_one_line_is_no_change(books):
    client = books.hostile[1]
    form = form_of(books.visitor.get(page_of(client) + "/change"))
    sent = {name: text.replace("\n", "\r\n") if name.startswith("was-") else text for name, text in form.items()}
    answer = books.visitor.post(page_of(client) + "/change", sent | {"reason": "none"}, status=400)
    assert "Nothing is changed yet." in text_of(answer)


def test_an_input_outlives_a_server_that_is_away(books):
    client = books.hostile[2]
    form = form_of(books.visitor.get(page_of(client) + "/change"))
    away = msgspec.structs.replace(books.settings.sources["main"], url="http://127.0.0.1:9", retry_budget=0)
    settings = msgspec.structs.replace(books.settings, sources={"main": away})
    with answering(settings) as opened:
        answer = Visitor(opened).post(
            page_of(client) + "/change", form | {"country_id": "40", "reason": "r"}, status=400
        )
    assert form_of(answer)["country_id"] == "40"


def test_who_may_only_read_sees_no_form_and_queues_nothing(books):
    with answering(books.settings, read_only=True) as opened:
        visitor = Visitor(opened)
        assert "Propose a change" not in visitor.get(page_of(books.first)).text
        visitor.post(page_of(books.first) + "/change", {"city": "x", "reason": "y"}, status=403)


@pytest.mark.parametrize("kind", [ANALYST, ANALYST_WITH_PERSONAL_DATA])
def test_a_role_that_reads_only_views_is_told_what_it_cannot_see(settings, database, postgres, pulls, kind):
    owner = msgspec.structs.replace(settings, warehouse=database.url)
    pulls(using=owner)
    name = database.url.rpartition("/")[2]
    with postgres.admin() as admin:
        admin.execute(f"create role looker_{name} login password '{PASSWORD}'")
    with open_place(place_of(owner)) as warehouse:
        ((client_id,),) = warehouse.rows("select min(id) from ninja.clients")
        grant(warehouse, f"looker_{name}", kind, now=datetime.now(UTC))
    reader = msgspec.structs.replace(settings, warehouse=postgres.url(name, f"looker_{name}"))
    with answering(reader, read_only=True) as opened:
        visitor = Visitor(opened)
        for path in (
            "/clients",
            "/clients/list.csv",
            f"/clients/main/{client_id}",
            f"/clients/main/{client_id}/change",
        ):
            assert "not visible here" in text_of(visitor.get(path, status=HTTPStatus.OK))


def test_an_empty_warehouse_says_that_nothing_was_pulled(settings):
    with answering(settings) as opened:
        assert "No clients match." in text_of(Visitor(opened).get("/clients"))
