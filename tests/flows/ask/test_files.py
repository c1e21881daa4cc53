"""`--csv`, `--xlsx` and `--json` of the commands that list: the same rows, exactly, and nothing else in the file."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from connector import clients
from flows.ask.aging import read_aging
from flows.ask.ask import ask
from flows.ask.balances import read_balances
from flows.ask.files import check_outputs
from flows.cli.app import app
from flows.configuration.load import load_settings
from flows.session.api import open_api
from flows.sheets.spreadsheets import without_apostrophe
from flows.sheets.workbooks import as_workbook
from sandbox.server import running
from schemas.errors import SettingsError
from tests.engines import Files
from tests.flows.conftest import Server

QUERY = """select c.number, m.display_name, c.balance, m.currency_code, c.is_deleted, c.updated_at
    from ninja.clients as c join mart.clients as m on m.source = c.source and m.id = c.id order by c.id"""
FORMULA = "=1+1"
COMMANDS = {
    "sql": ["sql", QUERY], "balances": ["balances"], "aging": ["aging"], "clients list": ["clients", "list"],
    "balances --by country": ["balances", "--by", "country"], "aging --by currency": ["aging", "--by", "currency"],
}  # fmt: skip
LISTING = ("sql", "balances", "aging", "clients list")


@pytest.fixture(scope="module")
def server():
    with running(clients=60, seed=5) as box:
        opened = Server(box)
        opened.call("POST", "/api/v1/clients", {"name": FORMULA, "contacts": [{"email": "formula@files.test"}]})
        yield opened


@pytest.fixture(scope="module")
def run(server, tmp_path_factory, migrated_file):
    """Run a command on a pulled warehouse: exit code, the bytes of standard output, standard error."""
    folder = tmp_path_factory.mktemp("files")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "NINJA_SYNC_URL": server.box.url, "NINJA_SYNC_TOKEN": server.box.token, "HOME": str(folder),
            "NINJA_SYNC_WAREHOUSE": str(Files().copy(migrated_file, folder)),
        }.items():  # fmt: skip
            environment.setenv(name, value)
        environment.chdir(folder)

        def done(*args):
            result = CliRunner().invoke(app, [*map(str, args)], catch_exceptions=True)
            if result.exception and not isinstance(result.exception, SystemExit):
                raise result.exception
            return result.exit_code, result.stdout_bytes, result.stderr

        assert done("pull")[0] == 0
        yield done


def listed_on_server():
    """The rows of `clients list`, from the server itself."""
    with open_api() as api:
        listed = list(clients.list_clients(api, clients.parse_filter({}), sort="id|asc"))[:50]
    mails = [next((contact.email for contact in client.contacts if contact.email), None) for client in listed]
    return [
        {
            "id": c.id, "number": c.number, "display_name": c.display_name, "status": c.status, "balance": c.balance,
            "paid_to_date": c.paid_to_date, "credit_balance": c.credit_balance, "currency_id": c.currency_id,
            "email": mail, "updated_at": c.updated_at,
        }
        for c, mail in zip(listed, mails, strict=True)
    ]  # fmt: skip


def rows_of(name):
    """The rows that a command lists, from the functions beneath it."""
    settings = load_settings()
    match name:
        case "sql":
            return ask(settings, QUERY).records()
        case "clients list":
            return listed_on_server()
        case "aging" | "aging --by currency":
            return read_aging(settings, None)["by_client" if name == "aging" else "by_currency"].records()
    by = "client" if name == "balances" else "country"
    return read_balances(settings, None, top=1, by=by)[f"by_{by}"].records()


def from_csv(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def from_workbook(content):
    heading, *rows = load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    return [dict(zip(heading, row, strict=True)) for row in rows]


def same(read, value):
    """Whether a value read from a file is the value of the row, exactly."""
    if value is None:
        return read in (None, "")
    if isinstance(value, bool):
        return read in (value, str(value))
    if isinstance(value, Decimal):
        return Decimal(str(read)) == value
    if isinstance(value, datetime):
        found = datetime.fromisoformat(read) if isinstance(read, str) else read.replace(tzinfo=UTC)
        return found == value
    if isinstance(value, str):
        return without_apostrophe(str(read)) == value
    return str(read)[:10] == str(value)


@pytest.mark.parametrize("target", ["a file", "-"])
@pytest.mark.parametrize(
    ("option", "ending", "reader"), [("--csv", "csv", from_csv), ("--xlsx", "xlsx", from_workbook)]
)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_has_the_rows_of_the_command_exactly(run, tmp_path, name, option, ending, reader, target):
    file = tmp_path / f"rows.{ending}"
    code, out, _ = run(*COMMANDS[name], option, file if target == "a file" else "-")
    assert code == 0
    if target == "a file":
        assert out == b""
    read, wanted = reader(file.read_bytes() if target == "a file" else out), rows_of(name)
    assert len(read) == len(wanted) > 1
    for found, row in zip(read, wanted, strict=True):
        assert row.keys() <= found.keys()
        assert {column: found[column] for column, value in row.items() if not same(found[column], value)} == {}


@pytest.mark.parametrize("name", LISTING)
def test_the_json_of_a_command_has_the_same_rows(run, name):
    code, out, _ = run(*COMMANDS[name], "--json")
    document = json.loads(out)
    key = {"sql": None, "balances": "by_country", "aging": "by_client", "clients list": "clients"}[name]
    read = document if key is None else document[key]
    wanted = rows_of("balances --by country" if name == "balances" else name)
    assert (code, len(read)) == (0, len(wanted))
    for found, row in zip(read, wanted, strict=True):
        differing = {column for column, value in row.items() if column in found and not same(found[column], value)}
        assert differing == set()


def test_the_currency_of_each_listed_client_is_known_from_the_warehouse(run):
    _, out, err = run("clients", "list", "--csv", "-", "--limit", "40")
    codes = dict(ask(load_settings(), "select id, coalesce(currency_code, '') as code from mart.clients").rows)
    read = from_csv(out)
    assert {row["id"]: row["currency"] for row in read} == {row["id"]: codes[row["id"]] for row in read}
    assert len({row["currency"] for row in read} - {""}) > 1
    assert "40 clients, and 21 more: --limit 0" in err


def test_without_a_warehouse_the_listed_clients_have_the_ids_of_their_currencies(run, tmp_path, monkeypatch):
    monkeypatch.setenv("NINJA_SYNC_WAREHOUSE", str(tmp_path / "none.duckdb"))
    _, out, _ = run("clients", "list", "--csv", "-")
    assert {row["currency"] for row in from_csv(out)} == {""}
    assert len({row["currency_id"] for row in from_csv(out)}) > 2
    assert not (tmp_path / "none.duckdb").exists()


def test_a_file_of_balances_has_every_client_and_never_nets_a_debt(run):
    read = from_csv(run("balances", "--top", "1", "--csv", "-")[1])
    (count,) = ask(load_settings(), "select count(*) as n from mart.client_balances").records()
    assert len(read) == count["n"] > 30
    for row in read:
        balance, owed, overpaid = (Decimal(row[name]) for name in ("balance", "owed", "overpaid"))
        assert (owed - overpaid, owed * overpaid, min(owed, overpaid)) == (balance, 0, 0)
    assert any(Decimal(row["overpaid"]) for row in read)
    assert "'" + FORMULA in {row["client"] for row in read}


def test_notes_and_the_picture_go_beside_a_file_on_standard_output(run, tmp_path):
    code, out, err = run("balances", "--csv", "-", "--plot", tmp_path / "picture.png")
    assert (code, "The picture is in" in err) == (0, True)
    assert len(from_csv(out)) == len(from_csv(run("balances", "--csv", "-")[1]))
    assert (tmp_path / "picture.png").stat().st_size > 10_000


def test_balances_of_a_moment_are_written_too(run):
    began = ask(load_settings(), "select max(finished_at) as at from control.runs").records()[0]["at"]
    now, then = (from_csv(run("balances", "--csv", "-", *more)[1]) for more in ([], ["--at", began.isoformat()]))
    assert now == then


def test_each_grouping_of_balances_is_a_table_for_people(run):
    for by in ("client", "country", "currency"):
        code, out, _ = run("balances", "--by", by, "--top", "2")
        assert (code, "Balances by currency" in out.decode(), "Top debtors" in out.decode()) == (0, True, False)
        assert (f"balances by {by}" in out.decode()) is (by != "currency")
    with pytest.raises(SettingsError, match="client, country, currency"):
        run("balances", "--by", "shoe size")


@pytest.mark.parametrize("name", [*LISTING, "reconciliation"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--csv", "x.csv", "--json"], "--json"),
        (["--xlsx", "x.xlsx", "--json"], "--json"),
        (["--decimal", ","], "--csv FILE"),
        (["--xlsx", "x.xlsx", "--separator", "semicolon"], "--csv FILE"),
        (["--xlsx", "out/x.csv"], "call it out/x.xlsx."),
        (["--xlsx", "x.2026"], "call it x.2026.xlsx."),
        (["--csv", "-", "--xlsx", "-"], "Only one"),
    ],
)
def test_options_that_do_not_go_together_are_refused_before_anything_is_read(server, run, name, options, words):
    server.requests()
    with pytest.raises(SettingsError) as refusal:
        run(*COMMANDS.get(name, [name]), *options)
    assert words in str(refusal.value)
    assert server.requests() == []


@pytest.mark.parametrize("option", ["--csv", "--xlsx"])
def test_a_query_that_stands_where_the_file_should_is_explained(run, option):
    with pytest.raises(SettingsError, match=f"^{option} needs a FILE before the query: ninja-sync sql {option} answer"):
        run("sql", option, "select 1")
    with pytest.raises(SettingsError, match="query is empty"):
        run("sql")


@pytest.mark.parametrize(("option", "name"), [("--csv", "b.csv"), ("--xlsx", "b.xlsx"), ("--plot", "b.svg")])
def test_no_file_of_a_command_makes_a_folder(run, tmp_path, option, name):
    file = tmp_path / "none" / name
    with pytest.raises(SettingsError, match="cannot be written: No such file or directory"):
        run("balances", option, str(file))
    assert not file.parent.exists()


def test_a_workbook_is_not_written_to_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    check_outputs("-", None, separator=None, decimal=None, as_json=False)
    with pytest.raises(SettingsError, match="terminal"):
        check_outputs(None, "-", separator=None, decimal=None, as_json=False)


def test_a_workbook_can_be_read_at_once():
    rows = [["0015", "Ann " * 40, Decimal("1522.000000"), None], ["16", "Bo", Decimal("-1234567.145646"), None]]
    content = as_workbook(["number", "client_name", "balance", "a_long_heading_of_nothing"], rows)
    sheet = load_workbook(io.BytesIO(content)).active
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:D3")
    assert [cell.number_format for cell in sheet["C"]] == ["General", "#,##0.00####", "#,##0.00####"]
    assert [cell.value for cell in sheet["C"]] == ["balance", 1522, -1234567.145646]
    number, name, balance, heading = (sheet.column_dimensions[letter].width for letter in "ABCD")
    assert (
        number
        < len("-1,234,567.145646")
        < balance
        < len("a_long_heading_of_nothing")
        < heading
        < name
        < len(rows[0][1])
    )
    assert load_workbook(io.BytesIO(as_workbook([], []))).active.auto_filter.ref is None


def test_what_is_not_a_number_is_a_blank_cell_of_a_workbook():
    values = [float("nan"), Decimal("NaN"), float("inf"), Decimal("1.5"), 0.875]
    sheet = load_workbook(io.BytesIO(as_workbook(["value"], [[value] for value in values]))).active
    assert [cell.value for cell in sheet["A"]] == ["value", None, None, None, 1.5, 0.875]
