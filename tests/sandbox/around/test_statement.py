"""The statement of a client: what stands in the PDF, and what is refused."""

from __future__ import annotations

import re

import pytest

from sandbox.around.pdf import Line, pdf_of
from sandbox.store.world import MICROS

SEPTEMBER = 1_790_000_000  # the 21st, 2026
PERIOD = {"start_date": "2026-09-01", "end_date": "2026-09-30"}


def texts(pdf: bytes) -> list[str]:
    """The lines of an uncompressed PDF, after a look at its skeleton: each object stands where the table says."""
    table = int(re.search(rb"startxref\n(\d+)\n%%EOF", pdf)[1])
    assert pdf[table:].startswith(b"xref\n0 ")
    offsets = [int(x) for x in re.findall(rb"^(\d{10}) \d{5} n", pdf[table:], re.MULTILINE)]
    assert all(re.match(rb"%d 0 obj" % number, pdf[at:]) for number, at in enumerate(offsets, 1))
    found = re.findall(rb"^\((.*)\) Tj$", pdf, re.MULTILINE)
    return [re.sub(rb"\\(.)", rb"\1", text).decode("cp1252") for text in found]


def enter(api, client, days: int, amount: str, notes: str) -> None:
    """One row of the ledger, so many days from the 21st."""
    stamp = (SEPTEMBER + days * 86_400) * MICROS
    (number,) = api.world.db.execute(
        "SELECT id FROM clients WHERE client_hash = ?", (client["client_hash"],)
    ).fetchone()
    row = {"company_id": 1, "client_id": number, "activity_id": 61, "adjustment": amount, "balance": "0"}
    row |= {"notes": notes, "created_at": stamp, "updated_at": stamp}
    marks = ", ".join("?" * len(row))
    api.world.db.execute(f"INSERT INTO ledger ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))


def statement(api, client, **more) -> list[str]:
    answer = api.post("/api/v1/client_statement", json={"client_id": client["id"], **PERIOD, **more})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    return texts(answer.content)


def words(line: str) -> list[str]:
    return re.split(r"\s{2,}", line.strip())


@pytest.fixture
def client(api):
    """Owes 170: 100 from August, 50 and 40 charged in September, 20 paid then; 500 were charged in October."""
    client = api.make("Größe & Söhne (東京) \\")
    for days, amount, notes in (
        (-40, "100", "August"),
        (-10, "50", "Early"),
        (0, "-20.5", "Paid"),
        (9, "40.5", "Last day"),
        (10, "500", "October"),
    ):
        enter(api, client, days, amount, notes)
    api.balances(client, balance="670", credit_balance="7.25")
    return client


def test_it_names_the_client_and_the_period(api, client):
    found = statement(api, client)
    assert "Größe & Söhne (??) \\" in found  # the font knows no Japanese
    assert "From 2026-09-01 to 2026-09-30" in found
    assert any("USD" in line for line in found)


def test_the_account_runs_from_the_opening_to_the_closing_balance(api, client):
    found = [words(line) for line in statement(api, client)]
    assert found[found.index(["Account"]) + 1 :] == [
        ["Opening balance", "100.00"],
        ["2026-09-11 Early", "50.00", "150.00"],
        ["2026-09-21 Paid", "-20.50", "129.50"],
        ["2026-09-30 Last day", "40.50", "170.00"],
        ["Closing balance", "170.00"],
    ]


def test_tables_are_there_only_where_asked(api, client):
    titles = {"show_payments_table": "Payments", "show_aging_table": "Aging", "show_credits_table": "Credits"}
    assert not set(titles.values()) & set(statement(api, client))
    for parameter, title in titles.items():
        assert set(titles.values()) & set(statement(api, client, **{parameter: True})) == {title}
        assert title not in statement(api, client, **{parameter: "0"})
        assert title in statement(api, client, **{parameter: "false"})  # PHP's boolval of a text


def test_what_is_owed_stands_under_its_age(api, client):
    found = [words(line) for line in statement(api, client, show_aging_table=True)]
    assert found[-2:] == [
        ["0 - 30", "31 - 60", "61 - 90", "91 - 120", "120+"],
        ["90.50", "79.50", "0.00", "0.00", "0.00"],
    ]


def test_payments_and_credits_have_their_figures(api, client):
    found = [words(line) for line in statement(api, client, show_payments_table=True, show_credits_table=True)]
    assert ["2026-09-21 Paid", "-20.50"] in found
    assert found[-1] == ["Closing balance", "7.25"]


def test_the_currency_is_the_clients_or_its_groups(api):
    group = api.post("/api/v1/group_settings", json={"name": "G", "settings": {"currency_id": "3"}}).json()["data"]
    euro = api.make("Euro", settings={"currency_id": "3"})
    grouped = api.make("Grouped", group_settings_id=group["id"])
    assert any(line.endswith("in EUR") for line in statement(api, euro))
    assert any(line.endswith("in EUR") for line in statement(api, grouped))


def test_long_statements_have_several_pages():
    pdf = pdf_of("Long", [Line(f"line {n}") for n in range(200)])
    assert texts(pdf) == [f"line {n}" for n in range(200)]
    assert b"/Count 4" in pdf


@pytest.mark.parametrize("year", ["0000", "0001", "9999"])
def test_every_year_of_php_is_a_year(api, client, year):
    assert statement(api, client, start_date=f"{year}-02-28", end_date=f"{year}-12-31", show_aging_table=True)


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"start_date": "2026-9-1"}, "start_date"),
        ({"start_date": "2026-02-30"}, "start_date"),
        ({"end_date": 20260930}, "end_date"),
        ({"end_date": ["2026-09-30"]}, "end_date"),
        ({"end_date": "2026-09-30\n1"}, "end_date"),
        ({"status": 5}, "status"),
        ({"template": ["x"]}, "template"),
    ],
)
def test_mistakes_are_told_by_field(api, client, sent, field):
    answer = api.post("/api/v1/client_statement", json={"client_id": client["id"], **PERIOD, **sent})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


@pytest.mark.parametrize("wrong", [None, "", "zzzzzzzzzz", "1", 999, ["x"], {"a": 1}, 1.5])
def test_who_is_not_there_may_not_be_seen_even_with_bad_dates(api, client, wrong):
    answer = api.post("/api/v1/client_statement", json={"client_id": wrong, "start_date": "x"})
    assert answer.status_code == 401


def test_a_viewer_may_have_it_in_any_state_of_the_client(api, client):
    api.bulk("delete", client["id"])
    sent = {"client_id": client["id"], **PERIOD}
    answer = api.post("/api/v1/client_statement", json=sent, headers={"X-API-TOKEN": api.sandbox.viewer_token})
    assert answer.content.startswith(b"%PDF")


def test_it_may_be_sent_by_mail_instead(api, client):
    sent = {"client_id": client["id"], **PERIOD}
    for query, body in (("?send_email=true", sent), ("", sent | {"send_email": True})):
        answer = api.post("/api/v1/client_statement" + query, json=body)
        assert (answer.status_code, list(answer.json())) == (200, ["message"])
    assert statement(api, client, send_email="false")
