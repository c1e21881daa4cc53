"""Corrections at the desk: from an uploaded file to a stored plan, with whatever files people have."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace
from openpyxl import load_workbook

from flows.ask.ask import reading
from flows.ask.rights import check_sees_all
from flows.configuration.load import place_of
from flows.desk.pages.corrections import LARGE, MOST_FILES
from flows.push.corrections import KNOWN
from flows.session.ready import open_ready
from flows.sheets.recognise import recognise
from schemas.errors import SettingsError
from tests.flows.conftest import pull_from
from tests.flows.desk.conftest import Visitor, answering, text_of
from tests.postgres import PASSWORD
from tests.workbooks import workbook
from warehouse.opened.open import open_place

READS_THE_COMPANY = "POST /api/v1/companies/current?"


class Fields(HTMLParser):
    """What a browser would send with a page's forms: inputs, text areas, chosen options."""

    def __init__(self, html):
        super().__init__()
        self.values, self.select, self.area = {}, "", ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        name = attrs.get("name", "")
        if tag == "input" and attrs.get("type") in {"radio", "checkbox"}:
            if "checked" in attrs:
                self.values[name] = attrs.get("value", "on")
        elif tag == "input":
            self.values[name] = attrs.get("value", "")
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and ("selected" in attrs or self.select not in self.values):
            self.values[self.select] = attrs["value"]
        elif tag == "textarea":
            self.area, self.values[name] = name, ""

    def handle_data(self, data):
        if self.area:
            self.values[self.area] += data

    def handle_endtag(self, tag):
        if tag == "textarea":
            self.values[self.area] = self.values[self.area].removeprefix("\n").replace("\n", "\r\n")
            self.area = ""


def fields_of(answer):
    found = Fields(answer.text).values
    found.pop("file", None)
    return found


def uploaded(visitor, content, name="changes.csv", status=200):
    content = content.encode() if isinstance(content, str) else content
    return visitor.post("/corrections", files={"file": (name, content)}, status=status)


def key_of(answer):
    return re.match(r"/corrections/([^/?]+)", answer.url.path)[1]


def checked(visitor, content, **choices):
    """The grid of a file, with its columns as suggested or chosen."""
    page = uploaded(visitor, content)
    return visitor.post(f"{page.url.path}/columns", fields_of(page) | choices)


@pytest.fixture
def clients(server):
    """The server's active clients with a number, a city and a currency of their own, in order of their numbers."""
    fit = [
        c for c in server.clients(status="active").values()
        if c["number"] and c["city"] and c["settings"].get("currency_id") and c["country_id"]
    ]  # fmt: skip
    return sorted(fit, key=lambda client: client["number"])


def test_a_file_goes_all_the_way_to_a_plan(visitor, server, clients, query):
    one, two, three = clients[:3]
    server.requests()
    page = uploaded(
        visitor,
        f"Number;Town;Cuntry\r\n{one['number']};Zürich Süd;Switzerland\r\n{two['number']};{two['city']};Atlantis\r\n"
        f"{three['number']};Neustadt;\r\n".encode("cp1252"),
    )
    text = text_of(page)
    for words in ("semicolon", "Windows-1252", "headings are in line 1", "3 rows", "Zürich Süd", "please check"):
        assert words in text
    grid = visitor.post(f"{page.url.path}/columns", fields_of(page))
    text = text_of(grid)
    assert "3 values of 2 clients will change, 1 refused, 1 already so" in text
    assert f"{one['city']} → Zürich Süd" in text
    assert "→ Switzerland (756)" in text
    assert "refused: is not one of the server's countries" in text
    assert query("select count(*) from control.plans") == [(0,)]
    plan = visitor.http.post(
        grid.url.path.replace("/changes", "/plan"), data=fields_of(grid) | {"reason": "moved"},
        headers={"Origin": visitor.origin},
    )  # fmt: skip
    plan = visitor.wait(plan)
    ((plan_id, reason, author),) = query("select plan_id, reason, author from control.plans")
    assert (plan.url.path, reason) == (f"/plans/{plan_id}", "moved")
    assert author.startswith("Anna")
    assert {request for request in server.requests() if not request.startswith("GET")} <= {READS_THE_COMPANY}
    assert "changes.csv is still on the page Corrections, with its refused rows" in text_of(plan)
    assert f'href="{grid.url.path}"' in plan.text
    files = visitor.get("/corrections")
    assert f"changes.csv (3 rows, 1 refused): plan {plan_id}" in text_of(files)
    kept = visitor.get(grid.url.path)
    assert "refused: is not one of the server's countries" in text_of(kept)
    assert "Atlantis" in visitor.get(f"{grid.url.path.removesuffix('/changes')}/refused.csv").text
    again = visitor.post(grid.url.path, fields_of(kept) | {"c3-2": "Switzerland", "go": "check"})
    assert "0 refused" in text_of(again)


def test_an_edit_in_the_grid_is_checked_before_it_goes_into_a_plan(visitor, clients, query):
    one, two = clients[:2]
    grid = checked(visitor, f"Number;City;Country\n{one['number']};Genf;Atlantis\nnobody;Thun;\n")
    assert "1 value of 1 client will change, 2 refused, 0 already so" in text_of(grid)
    edits = {"c2-2": "Switzerland", "c3-0": two["number"]}
    again = visitor.post(grid.url.path.replace("/changes", "/plan"), fields_of(grid) | edits)
    text = text_of(again)
    assert "You have changed values since the last check" in text
    assert "3 values of 2 clients will change, 0 refused" in text
    assert fields_of(again)["c2-2"] == "Switzerland"
    assert query("select count(*) from control.plans") == [(0,)]
    out = visitor.post(again.url.path, fields_of(again) | {"out-2": "yes", "go": "check"})
    assert "1 value of 1 client will change" in text_of(out)
    assert fields_of(visitor.get(f"{out.url.path}?only=out"))["out-2"] == "yes"


def test_a_column_for_the_currency_is_added_where_a_client_has_none_of_its_own(visitor, server):
    bare = next(
        client for client in server.clients(status="active").values()
        if client["number"] and client["country_id"] and not client["settings"].get("currency_id")
    )  # fmt: skip
    grid = checked(visitor, f"Number;City\n{bare['number']};Neustadt\n")
    assert "1 row: the client has no currency of its own" in text_of(grid)
    again = visitor.post(grid.url.path.replace("/changes", "/column"), fields_of(grid) | {"add": "currency_id"})
    assert "2 values of 1 client will change, 0 refused" in text_of(again)
    assert "of its own" not in text_of(again)
    visitor.post(grid.url.path.replace("/changes", "/column"), fields_of(again) | {"add": "city"}, status=400)


def test_a_large_file_is_paged_its_edits_are_kept_and_the_refused_rows_are_found(visitor, clients):
    lines = [f"{client['number']};Ort {n}" for n, client in enumerate(clients[:40])]
    lines += [f"unknown-{n};Genf" for n in range(5000 - len(lines))]
    lines[2500] = f"{clients[40]['number']};Thun"
    text = "Number;City;Remark\n" + "\n".join(f"{line};{'x' * 300}" for line in lines)
    assert len(text) > LARGE  # so that it is read in the background
    grid = checked(visitor, text)
    assert "41 values of 41 clients will change, 4,959 refused, 0 already so" in text_of(grid)
    assert "Page 1 of 50" in text_of(grid)
    fields = fields_of(grid)
    assert sum(name.endswith("-1") and name.startswith("c") for name in fields) == 100
    second = visitor.post(grid.url.path, fields | {"c2-1": "Andermatt", "go": "page-26"})
    assert "Page 26 of 50" in text_of(second)
    assert "Thun" in second.text
    assert "Check again to see" in text_of(second)
    first = visitor.post(second.url.path, fields_of(second) | {"go": "page-1"})
    assert fields_of(first)["c2-1"] == "Andermatt"
    refused = visitor.post(first.url.path, fields_of(first) | {"only": "refused", "go": "page-1"})
    assert "Page 1 of 50" in text_of(refused)
    assert "c2-1" not in fields_of(refused)
    assert fields_of(refused)["c42-1"] == "Genf"
    changing = visitor.get(f"{grid.url.path}?only=changes")
    assert "Chosen rows 1 to 41" in text_of(changing)


def test_refused_rows_can_be_downloaded_corrected_and_uploaded_again(visitor, clients):
    one, two = clients[:2]
    grid = checked(visitor, f"Number;City;Country;Remark\n{one['number']};Genf;Atlantis;=1+1\n{two['number']};Thun;;\n")
    base = grid.url.path.removesuffix("/changes")
    answer = visitor.get(f"{base}/refused.csv")
    assert "attachment" in answer.headers["content-disposition"]
    assert ";'=1+1;" in answer.text
    sheet = load_workbook(io.BytesIO(visitor.get(f"{base}/refused.xlsx").content)).active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == ["Number", "City", "Country", "Remark", "reason"]
    assert [row[0] for row in rows[1:]] == [one["number"]]
    assert {cell.data_type for cell in sheet[2]} <= {"s", "n"}
    corrected = checked(visitor, answer.text.replace("Atlantis", "Switzerland"))
    assert "2 values of 1 client will change, 0 refused" in text_of(corrected)


def test_the_way_a_file_is_read_can_be_changed(visitor):
    content = workbook(First=[["Number", "City"], [15, "Bern"]], Second=[["Title"], ["Kunde", "Ort"], ["0001", "Thun"]])
    page = uploaded(visitor, content, "two.xlsx")
    assert "Several sheets have values" in text_of(page)
    base = page.url.path
    page = visitor.post(f"{base}/file", fields_of(page) | {"sheet": "Second"})
    assert "headings are in line 2" in text_of(page)
    assert "Thun" in text_of(page)
    page = visitor.post(f"{base}/file", fields_of(page) | {"heading_line": "3"})
    assert "0 rows" in text_of(page)
    for line, words in (("x", "is a number"), ("77", "behind the end")):
        page = visitor.post(f"{base}/file", fields_of(page) | {"heading_line": line}, status=400)
        assert words in text_of(page)
    page = visitor.post(f"{base}/columns", fields_of(page) | {"column-0": "key:number", "column-1": "city"}, status=400)
    assert "There are no changes" in text_of(page)


def test_a_doubt_is_a_choice_on_the_page(visitor, clients):
    page = uploaded(visitor, f"Number;Hourly rate;City\n{clients[0]['number']};1.234;NULL\n")
    path = f"{page.url.path}/columns"
    page = visitor.post(path, fields_of(page), status=400)
    assert "Choose the decimal sign" in text_of(page)
    page = visitor.post(path, fields_of(page) | {"decimal": ","}, status=400)
    assert "Choose whether that is a text or a blank" in text_of(page)
    grid = visitor.post(path, fields_of(page) | {"decimal": ",", "null_words": "blank"})
    assert "→ 1234" in text_of(grid)
    assert f"stays {clients[0]['city']}" in text_of(grid)


def test_two_columns_for_one_field_are_refused_and_the_choices_stay(visitor):
    page = uploaded(visitor, "Number;Town;Ort\n1;Bern;Thun\n")
    page = visitor.post(f"{page.url.path}/columns", fields_of(page) | {"column-2": "city"}, status=400)
    assert "The columns “Town” and “Ort” are both “City”" in text_of(page)
    assert (fields_of(page)["column-1"], fields_of(page)["column-2"]) == ("city", "city")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "is empty"),
        ("a.xlsx", b"PK\x03\x04 nonsense", "cannot be read as a workbook"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 50, "old format of Excel"),
        ("a.csv", ",".join(f"c{n}" for n in range(10_000)).encode() + b"\n1\n", "10,000 columns; at most 500"),
        ("a.csv", b'Number,City\n1,"Bern', "quotation mark is not closed"),
        ("<script>alert(1)</script>\u202e.csv", b"", "is empty"),
    ],
)
def test_a_file_that_is_no_table_shows_the_form_again_with_advice(visitor, name, content, words):
    page = uploaded(visitor, content, name, status=400)
    assert words in text_of(page)
    assert 'type="file"' in page.text
    assert "<script>alert" not in page.text
    assert "\u202e" not in page.text


def test_without_a_file_the_form_says_so(visitor):
    assert "Choose a file first" in text_of(visitor.post("/corrections", {}, status=400))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_letters_of_every_usual_encoding_arrive(visitor, encoding):
    page = uploaded(visitor, "Number;City\n1;Zürich\n".encode(encoding))
    assert "Zürich" in text_of(page)


def test_hostile_texts_do_no_harm_and_come_back_as_they_were(visitor, clients):
    evil = "<img src=x onerror=alert(1)>"
    long = "x" * 10_000
    text = f'Number;City;"{evil}";Private notes\n{clients[0]["number"]};{evil}\u202e;a;"=1+1 ""two""\nlines {long}"\n'
    grid = checked(visitor, text)
    assert "<img" not in grid.text
    fields = fields_of(grid)
    assert fields["c2-1"] == f"{evil}\u202e"
    again = visitor.post(grid.url.path, fields | {"go": "page-1"})
    assert "Check again to see" not in text_of(again)
    assert "\\u202e" in text_of(grid)


def test_the_sheet_of_clients_can_be_uploaded_as_it_is(visitor, server):
    content = visitor.get("/corrections/clients.xlsx").content
    active = server.clients(status="active")
    read = recognise("clients.xlsx", content, known=KNOWN)
    assert {row.cells[-1] for row in read.table.rows} == set(active)
    page = uploaded(visitor, content, "clients.xlsx")
    grid = visitor.post(f"{page.url.path}/columns", fields_of(page))
    assert "0 values of 0 clients will change, 0 refused" in text_of(grid)
    assert "disabled" in grid.text


def test_if_the_server_refuses_the_file_is_still_there_until_a_person_forgets_it(visitor, clients, monkeypatch):
    page = uploaded(visitor, f"Number;City\n{clients[0]['number']};Neustadt\n")
    with monkeypatch.context() as patched:
        patched.setenv("NINJA_SYNC_TOKEN", "wrong")
        visitor.post(f"{page.url.path}/columns", fields_of(page), status=409)
    assert "changes.csv" in text_of(visitor.get("/corrections"))
    grid = visitor.post(f"{page.url.path}/columns", fields_of(page))
    assert "1 value of 1 client will change" in text_of(grid)
    visitor.post(f"/corrections/{key_of(page)}/forget")
    assert "changes.csv" not in text_of(visitor.get("/corrections"))
    visitor.get(page.url.path, status=400)


def test_only_the_newest_files_of_a_session_are_kept(visitor):
    pages = [uploaded(visitor, "Number;City\n1;Bern\n", f"{n}.csv") for n in range(MOST_FILES + 1)]
    visitor.get(pages[0].url.path, status=400)
    for page in pages[1:]:
        visitor.get(page.url.path)


def test_another_person_does_not_see_the_file(visitor, opened):
    page = uploaded(visitor, "Number;City\n1;Bern\n")
    other = Visitor(opened, "Ben")
    assert "changes.csv" not in text_of(other.get("/corrections"))
    assert "no longer at hand" in text_of(other.get(page.url.path, status=400))


def test_with_several_companies_one_is_chosen_first_and_its_name_is_shown(settings, server, pulls, monkeypatch):
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    pulls()
    both = replace(settings, sources={**settings.sources, "other": settings.sources["main"]})
    with answering(both) as opened:
        visitor = Visitor(opened)
        assert "Choose one company" in text_of(visitor.get("/corrections"))
        assert "Choose one company" in text_of(uploaded(visitor, "Number;City\n1;Bern\n", status=400))
        visitor.post("/source", {"source": "main"})
        assert "changes.csv for main: 1 row" in text_of(uploaded(visitor, "Number;City\n1;Bern\n"))


def test_who_may_only_read_can_compare_but_not_plan(settings, server, pulls, monkeypatch, query):
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    pulls()
    number = next(client["number"] for client in server.clients(status="active").values() if client["number"])
    with answering(settings, read_only=True) as opened:
        visitor = Visitor(opened)
        grid = checked(visitor, f"Number;City\n{number};Neustadt\n")
        assert "will change" in text_of(grid)
        assert "Make a plan" not in text_of(grid)
        assert "may only read" in text_of(visitor.post(grid.url.path.replace("/changes", "/plan"), {}, status=403))
    assert query("select count(*) from control.plans") == [(0,)]


def test_who_may_only_read_compares_while_a_run_holds_the_warehouse(settings, server, pulls, monkeypatch):
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    copied = replace(settings, publish=True, wait=0)
    pulls(using=copied)
    number = next(client["number"] for client in server.clients(status="active").values() if client["number"])
    with answering(copied, read_only=True) as opened, open_ready(copied):
        assert "will change" in text_of(checked(Visitor(opened), f"Number;City\n{number};Neustadt\nnobody;Bern\n"))


@pytest.fixture
def reader(settings, database, postgres, server, monkeypatch):
    """Settings of a role of Postgres that has no rights yet, and a way to give it some."""
    monkeypatch.setenv("NINJA_SYNC_TOKEN", server.box.token)
    owner = replace(settings, warehouse=database.url)
    pull_from(server, owner)
    name = database.url.rpartition("/")[2]
    role = f"corrector_{name}"
    with postgres.admin() as admin:
        admin.execute(f"create role {role} login password '{PASSWORD}'")

    def allow(schemas):
        with open_place(place_of(owner)) as warehouse:
            for schema in schemas:
                warehouse.execute(f"grant usage on schema {schema} to {role}")
                warehouse.execute(f"grant select on all tables in schema {schema} to {role}")

    return replace(owner, warehouse=postgres.url(name, role)), allow


def test_a_role_that_may_read_everything_and_write_nothing_compares(reader, server):
    settings, allow = reader
    allow(("control", "ninja", "mart"))
    number = next(client["number"] for client in server.clients(status="active").values() if client["number"])
    with answering(settings, read_only=True) as opened:
        grid = checked(Visitor(opened), f"Number;City\n{number};Neustadt\nnobody;Bern\n")
        assert "will change" in text_of(grid)
        assert "no client has this number" in text_of(grid)


def test_a_role_that_may_read_the_views_only_is_told_before_it_uploads_anything(reader):
    settings, allow = reader
    allow(("mart",))
    with answering(settings, read_only=True) as opened:
        visitor = Visitor(opened)
        for page in (
            visitor.get("/corrections"),
            visitor.get("/corrections/clients.xlsx"),
            uploaded(visitor, "Number;City\n1;Bern\n"),
        ):
            assert "cannot be corrected" in text_of(page)
            assert 'type="file"' not in page.text
    with pytest.raises(SettingsError, match="only the views of `mart`"), reading(settings) as warehouse:
        check_sees_all(warehouse, "Corrections need")
