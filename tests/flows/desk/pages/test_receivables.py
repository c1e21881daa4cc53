"""Receivables at the desk: the figures of the server's lists, today and earlier, with hostile names."""

from __future__ import annotations

import csv
import io
import re
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from openpyxl import load_workbook

from flows.ask import aging_page
from flows.configuration.load import place_of
from flows.configuration.values import Settings, Source
from flows.desk.pages import receivables
from flows.show.show import amount
from sandbox.server import running
from tests.engines import address
from tests.flows.conftest import Server, pull_from
from tests.flows.desk.conftest import Visitor, answering, text_of
from tests.postgres import PASSWORD
from tests.receivables.book_keeper import BUCKETS, age
from tests.receivables.clerk import Clerk
from warehouse.opened.migrate import open_migrated
from warehouse.opened.open import open_place
from warehouse.schema.grants import ANALYST, ANALYST_WITH_PERSONAL_DATA, grant

ENTITIES = ("clients", "invoices", "payments", "credits")
HOSTILE = ("<script>alert(1)</script>", "\u202egnp.exe\u202c \x1b[31m", "'; drop table x; --", "Ä" * 250)
SIDES = ("owed", "overpaid", "net", "unapplied_payments", "open_credits")


class Books:
    """A pulled server, its lists, and a person at the desk."""

    def __init__(self, server, settings, opened):
        self.server, self.visitor, self.settings = server, Visitor(opened), settings
        with open_place(place_of(settings), read_only=True) as warehouse:
            ((self.zone,),) = warehouse.rows("select time_zone from mart.companies")
            self.currencies = dict(warehouse.rows("select id, currency_code from mart.clients"))
        self.lists = Clerk(server.box, 0).lists(str(self.zone))
        self.today = datetime.now(UTC).astimezone(ZoneInfo(str(self.zone))).date()

    def figures(self, day=None):
        """The book-keeper's figures of each client."""
        return age(self.lists, day or self.today, self.today)


@pytest.fixture(scope="module")
def books(engine, tmp_path_factory):
    folder, place = tmp_path_factory.mktemp("books"), None
    with running(clients=14, seed=3, behaves_like="5.12") as box:
        clerk, server = Clerk(box, 3).work(160, 300), Server(box)
        assert len(clerk.done) > 5
        for (key, client), name in zip(server.clients(status="active").items(), HOSTILE, strict=False):
            server.edit(client, name=name)
            assert key
        others = list(server.clients(status="active").values())[len(HOSTILE) :][:3]
        for client in others:
            server.edit(client | {"settings": client["settings"] | {"currency_id": "17"}})
        place = engine.new(folder)
        with open_migrated(place, now=datetime.now(UTC)):
            pass
        source = Source(url=box.url, page_size=50, requests_per_second=10_000, look_back=0, entities=ENTITIES)
        settings = Settings(warehouse=address(place), publish=False, sources={"main": source})
        pull_from(server, settings)
        with pytest.MonkeyPatch.context() as patch, answering(settings) as opened:
            patch.setenv("NINJA_SYNC_TOKEN", box.token)
            yield Books(server, settings, opened)
    engine.drop(place)


def shown_amount(value, code):
    """An amount as pages show it."""
    return f"{amount(Decimal(str(value)), code)} {code}"


def rows_of(books, query=""):
    """The rows of the file with all clients."""
    answer = books.visitor.get(f"/receivables/file.csv?all=1{query}")
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.mark.parametrize("ago", [0, 30, 200])
def test_the_files_hold_the_figures_of_the_servers_lists(books, ago):
    day = books.today - timedelta(days=ago)
    theirs, found = books.figures(day), rows_of(books, f"&day={day}" if ago else "")
    assert sorted([Decimal(row[name]) for name in (*BUCKETS, *SIDES)] for row in found) == sorted(
        [Decimal(str(row[name])) for name in (*BUCKETS, *SIDES)] for row in theirs.values()
    )
    assert found


@pytest.mark.parametrize("ago", [0, 45])
def test_the_page_shows_the_sums_of_each_currency_and_each_client_of_one(books, ago):
    day = books.today - timedelta(days=ago)
    query = f"day={day}&" if ago else ""
    theirs = books.figures(day)
    codes = {books.currencies[key] for key in theirs}
    assert len(codes) > 1
    for code in codes:
        answer = books.visitor.get(f"/receivables?{query}currency={code}")
        html = answer.text
        own = {key: row for key, row in theirs.items() if books.currencies[key] == code}
        for name in ("owed", "overpaid", "net"):
            total = sum(Decimal(str(row[name])) for row in own.values())
            assert shown_amount(total, code) in text_of(answer)
        for key in own:
            assert f"/clients/main/{key}" in html
            assert f'/receivables/main/{key}{f"?day={day}" if ago else ""}"' in html
        assert f"{len(own)} client" in html
        assert ("What an earlier day cannot know" in html) == bool(ago)


def test_filters_and_pages_are_in_the_links(books, monkeypatch):
    monkeypatch.setattr(aging_page, "PAGE", 1)
    monkeypatch.setattr("flows.desk.pages.receivables.PAGE", 1)
    theirs = books.figures()
    codes = [books.currencies[key] for key in theirs]
    code = max(codes, key=codes.count)
    owed = sorted(
        (Decimal(str(row["owed"])) for key, row in theirs.items() if books.currencies[key] == code), reverse=True
    )
    least = owed[1]
    page = books.visitor.get(f"/receivables?currency={code}&least={least}&order=oldest&overdue=1")
    assert f"least={least}" in page.text
    assert "order=oldest" in page.text
    first = books.visitor.get(f"/receivables?currency={code}&least={least}")
    assert f"{sum(one >= least for one in owed)} clients, owing at least" in text_of(first)
    assert f"least={least}&amp;page=2" in first.text
    second = books.visitor.get(f"/receivables?currency={code}&least={least}&page=2")
    assert shown_amount(owed[1], code) in text_of(second)
    assert 'rel="prev"' in second.text


def test_the_open_items_of_a_client_stand_on_its_page(books):
    open_now = [i for i in books.lists.invoices if Decimal(str(i["balance"])) > 0 and not i["is_deleted"]]
    kinds = {i["status_id"] for i in open_now}
    assert kinds
    shown = 0
    for key, row in books.figures().items():
        answer = books.visitor.get(f"/receivables/main/{key}")
        text = text_of(answer)
        for invoice in open_now:
            if invoice["client_id"] == key and invoice["status_id"] in ("2", "3"):
                assert str(invoice["number"]) in text
                shown += 1
        if row["owed"]:
            assert shown_amount(row["owed"], books.currencies[key]) in text
    assert shown > 3
    day = books.today - timedelta(days=90)
    for key, row in books.figures(day).items():
        text = text_of(books.visitor.get(f"/receivables/main/{key}?day={day}"))
        assert f"at the end of {day}" in text
        if row["owed"]:
            assert shown_amount(row["owed"], books.currencies[key]) in text


def test_the_workbook_has_the_rows_of_the_csv_and_no_formula(books):
    answer = books.visitor.get("/receivables/file.xlsx?all=1")
    sheet = load_workbook(io.BytesIO(answer.content)).active
    names = [cell.value for cell in next(sheet.iter_rows())]
    rows = list(sheet.iter_rows(min_row=2))
    csv_rows = rows_of(books)
    assert names == list(csv_rows[0])
    assert [row[names.index("number")].value for row in rows] == [row["number"] for row in csv_rows]
    assert {cell.data_type for row in rows for cell in row} <= {"s", "n", "d"}


def test_hostile_names_do_no_harm(books):
    names = {c["id"]: c["name"] for c in books.lists.clients}
    codes = {books.currencies[key] for key in books.figures()}
    pages = [books.visitor.get(f"/receivables?currency={code}").text for code in codes]
    pages += [books.visitor.get(f"/receivables/main/{key}").text for key in books.figures()]
    html = "".join(pages)
    assert "<script>alert" not in html
    assert "\u202e" not in html
    assert "\x1b" not in html
    met = [name for key, name in names.items() if key in books.figures() and name in HOSTILE]
    assert ("&lt;script&gt;" in html) == (HOSTILE[0] in met)
    assert met


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("day=tomorrow", "not a day"), ("day=2999-01-01", "has not come"), ("currency=XXX", "There is no XXX"),
        ("currency=%27%20or%201=1", "Currencies:"), ("least=1,5", "least amount"), ("least=-1", "least amount"),
        ("order=name", "order"),
    ],
)  # fmt: skip
def test_a_wrong_choice_is_said(books, query, words):
    assert words in text_of(books.visitor.get(f"/receivables?{query}", status=400))


@pytest.mark.parametrize("number", ["0", "-1", "x", "99999999999999999999", "٣"])
def test_an_odd_page_number_is_a_page(books, number):
    books.visitor.get(f"/receivables?page={number}")


def test_a_client_or_source_that_is_not_known_is_said(books):
    for path in ("main/nobody", "other/nobody", "main/%27%3B--"):
        books.visitor.get(f"/receivables/{path}", status=400)
    books.visitor.get("/receivables/file.pdf", status=400)


def test_an_earlier_day_of_large_books_is_computed_with_progress(books, monkeypatch):
    monkeypatch.setattr(aging_page, "MANY", 1)
    day = books.today - timedelta(days=77)
    answer = books.visitor.http.get(f"/receivables?day={day}&least=0.5")
    assert "/jobs/" in str(answer.url)
    page = books.visitor.wait(answer)
    assert f"day={day}" in str(page.url)
    assert "least=0.5" in str(page.url)
    assert "By currency" in text_of(page)


def test_another_question_about_the_day_waits_for_the_first_one(books, monkeypatch):
    gate, real = threading.Event(), receivables.read_page
    monkeypatch.setattr(aging_page, "MANY", 1)
    monkeypatch.setattr(receivables, "read_page", lambda *args: gate.wait(60) and real(*args))
    day = books.today - timedelta(days=78)
    first = books.visitor.http.get(f"/receivables?day={day}&least=0.5")
    other = books.visitor.get(f"/receivables?day={day}&overdue", status=503)
    assert f"under way: Receivables at the end of {day}" in text_of(other)
    assert "tries again" in text_of(other)
    gate.set()
    assert "least=0.5" in str(books.visitor.wait(first).url)
    assert "overdue" in str(books.visitor.wait(books.visitor.http.get(f"/receivables?day={day}&overdue")).url)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_large_file_is_written_with_progress_and_is_the_same(books, monkeypatch, kind):
    small = books.visitor.get(f"/receivables/file.{kind}?all=1")
    monkeypatch.setattr(aging_page, "MANY", 1)
    page = books.visitor.wait(books.visitor.http.get(f"/receivables/file.{kind}?all=1"))
    link = re.search(r'href="(/receivables-file/[\w-]+/download)"', page.text).group(1)
    large = books.visitor.get(link)
    assert large.headers["content-type"] == small.headers["content-type"]
    assert large.headers["content-disposition"] == small.headers["content-disposition"]
    if kind == "csv":
        assert large.content == small.content
    else:
        sheets = [load_workbook(io.BytesIO(answer.content)).active for answer in (small, large)]
        first, second = ([[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in sheets)
        assert first == second


@pytest.mark.parametrize("names", [True, False])
def test_a_role_that_may_only_read_sees_the_figures_its_views_have(settings, database, postgres, server, names):
    Clerk(server.box, 3).work(60, 100)
    source = msgspec.structs.replace(settings.sources["main"], entities=ENTITIES)
    owner = msgspec.structs.replace(settings, warehouse=database.url, sources={"main": source})
    pull_from(server, owner)
    role = f"reader_{database.url.rpartition('/')[2]}"
    with postgres.admin() as admin:
        admin.execute(f"create role {role} login password '{PASSWORD}'")
    with open_place(place_of(owner)) as warehouse:
        grant(warehouse, role, ANALYST_WITH_PERSONAL_DATA if names else ANALYST, now=datetime.now(UTC))
    reader = msgspec.structs.replace(owner, warehouse=postgres.url(database.url.rpartition("/")[2], role))
    day = (datetime.now(UTC) - timedelta(days=20)).date()
    with answering(owner) as opened, answering(reader, read_only=True) as other:
        whole, views = Visitor(opened), Visitor(other)
        for query in ("", f"?day={day}"):
            both = [visitor.get(f"/receivables{query}").text for visitor in (whole, views)]
            ours, theirs = (re.findall(r'<span class="money">([^<]+)<', html) for html in both)
            assert ours == theirs
            assert len(ours) > 20
            links = re.findall(r'href="(/receivables/main/[^"]+)"', both[1])
            assert links
            items = [re.findall(r'<span class="money">([^<]+)<', v.get(links[0]).text) for v in (whole, views)]
            assert items[0] == items[1]
        files = [list(csv.DictReader(io.StringIO(v.get("/receivables/file.csv?all=1").text))) for v in (whole, views)]
        assert [row["owed"] for row in files[0]] == [row["owed"] for row in files[1]]
        assert {bool(row["client"]) for row in files[1]} == {names}
        assert "Show the debtors" not in views.get("/statements").text


def test_an_empty_warehouse_says_so(tmp_path):
    settings = Settings(warehouse=str(tmp_path / "w"), sources={"main": Source(url="http://127.0.0.1:9")})
    with answering(settings) as opened:
        visitor = Visitor(opened)
        for path in ("/receivables", "/receivables/main/x", "/statements"):
            answer = visitor.http.get(path)
            assert answer.status_code < 500
            assert "pull" in text_of(answer)


def test_the_bars_have_a_text(books):
    html = books.visitor.get("/receivables").text
    assert 'role="img"' in html
    assert "owed: not due " in html
    assert "style=" not in html


def test_a_row_of_sums_names_its_currency_once_and_has_it_for_screen_readers_and_copies(books):
    html = books.visitor.get("/receivables").text
    table = html.partition("<caption>Sums")[2].partition("</table>")[0]
    for row in table.split("<tr>")[2:]:
        code = re.search(r">([A-Z]{3})</a></th>", row)[1]
        assert row.count(f'<span class="unseen"> {code}</span>') == row.count('<span class="money">') >= 8
        assert not re.search(rf'<span class="money">[^<]*{code}', row)
