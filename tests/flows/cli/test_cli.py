"""The command line as a person and a program use it: exit codes, JSON, words that say what to do next."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys

import pytest

from flows.cli.commands import GROUPS, NAME
from flows.cli.start import TOO_EARLY
from tests.forked import COMMAND

pytestmark = pytest.mark.slow

HEAVY = ("prefect", "pandas", "pyarrow", "splink", "matplotlib", "numpy", "starlette", "sqlalchemy")
EVERY = [command.name for command in GROUPS[NAME].commands()]


def test_a_first_session(server, program):
    code, out, err = program("pull")
    assert (code, out) == (0, "")
    assert "120 new" in err
    code, out, _ = program("sql", "select count(*) as clients from mart.clients")
    assert code == 0
    assert "120" in out
    server.edit(next(iter(server.clients(status="active").values())), city="Zürich")
    code, out, _ = program("pull")
    assert code == 0
    assert "Zürich" in out
    assert "city" in out


def test_json_is_one_document_with_money_as_exact_text(server, command):
    first = next(iter(server.clients(status="active").values()))
    server.call("POST", f"/_sandbox/clients/{first['id']}/balances", {"balance": "12345678.100001"})
    code, out, _ = command("pull", "--json")
    report = json.loads(out)["main"]
    assert (code, report["run"]["inserted"], report["quarantined"]) == (0, 120, [])
    query = f"select balance from ninja.clients where id = '{first['id']}'"
    assert json.loads(command("sql", query, "--json")[1]) == [{"balance": "12345678.100001"}]
    server.edit(first, city="Zürich")
    (change,) = json.loads(command("pull", "--json")[1])["main"]["changes"]
    assert {"field": "city", "before": first["city"], "after": "Zürich"} in change["fields"]
    status = json.loads(command("status", "--json")[1])
    assert status["sources"][0]["clients"] == 120
    balances = json.loads(command("balances", "--json")[1])
    assert set(balances) == {"by_currency", "by_country", "top_debtors"}
    assert isinstance(balances["by_currency"][0]["net"], str)
    assert {c["state"] for c in json.loads(command("doctor", "--json")[1])["main"]} == {"good"}


@pytest.mark.parametrize(
    ("environ", "args", "code", "words"),
    [
        ({"NINJA_SYNC_URL": ""}, ["pull"], 2, "NINJA_SYNC_URL and NINJA_SYNC_TOKEN, or run `ninja-sync init`"),
        ({"NINJA_SYNC_TOKEN": ""}, ["pull"], 2, "NINJA_SYNC_TOKEN"),
        ({"NINJA_SYNC_URL": "http://ninja.example"}, ["pull"], 2, "https://"),
        ({"NINJA_SYNC_TOKEN": "wrong"}, ["pull"], 5, "token is not accepted"),
        ({"NINJA_SYNC_URL": "http://127.0.0.1:9"}, ["doctor"], 5, ""),
        ({}, ["pull", "--source", "other"], 2, "main"),
        ({}, ["--config", "x", "pull"], 2, "No such option"),
        ({}, ["pull", "--config", "nowhere.toml"], 2, "nowhere.toml"),
        ({}, ["status"], 6, "ninja-sync pull"),
        ({}, ["sql", "select"], 6, "ninja-sync pull"),
        ({"NINJA_SYNC_WAREHOUSE": "mysql://x"}, ["status"], 2, "postgresql://"),
        ({}, ["balances", "--plot", "picture.gif"], 2, ".png, .svg, .pdf"),
        ({}, ["nonsense"], 2, "nonsense"),
        ({}, ["sql", " ; "], 2, "query is empty"),
        ({}, ["init"], 2, "--url"),
    ],
)
def test_bad_input_gets_a_clear_error_and_its_exit_code(command, environ, args, code, words):
    found, out, err = command(*args, environ=environ)
    assert (found, out == "" or args == ["doctor"]) == (code, True), err
    assert words in err
    assert "Traceback" not in err


def test_a_server_that_is_not_there_is_said_so(command):
    environ = {"NINJA_SYNC_URL": "http://127.0.0.1:9", "NINJA_SYNC_CONFIG": ""}
    code, _, err = command("doctor", environ=environ)
    assert code == 5
    assert "Traceback" not in err


def test_quarantine_ends_with_exit_code_7_and_is_told(server, command):
    broken = next(iter(server.clients(status="active").values()))
    server.call("POST", f"/_sandbox/clients/{broken['id']}/balances", {"balance": "123456789012345678"})
    code, out, _ = command("pull")
    assert code == 7
    assert broken["id"] in out
    assert "balance" in out
    assert "14 digits" in out
    code, out, _ = command("status")
    assert (code, broken["id"] in out) == (0, True)


def test_sources_of_a_configuration_file_are_pulled_one_after_the_other(server, command, tmp_path):
    (tmp_path / "token").write_text(server.box.token + "\n")
    (tmp_path / "token").chmod(0o600)
    (tmp_path / "ninja-sync.toml").write_text(
        f'warehouse = "both.duckdb"\n[sources.a]\nurl = "{server.box.url}"\ntoken_file = "token"\n'
        f'[sources.b]\nurl = "{server.box.url}"\ntoken_env = "OTHER"\n[sources.broken]\nurl = "{server.box.url}"\n'
        'token_env = "NOT_THERE"\n'
    )
    environ = {"NINJA_SYNC_URL": "", "NINJA_SYNC_WAREHOUSE": "", "OTHER": server.box.other_token}
    code, _, err = command("pull", environ=environ)
    assert code == 2
    assert "NOT_THERE" in err
    code, out, _ = command("status", "--json", environ=environ)
    assert [s["source"] for s in json.loads(out)["sources"]] == ["a", "b"]
    assert command("pull", "--source", "a", environ=environ)[0] == 0


def test_names_of_clients_do_not_steer_the_terminal(server, command):
    server.edit(next(iter(server.clients(status="active").values())), name="\x1b[31mred\x1b[0m [bold]x[/bold]")
    command("pull")
    code, out, _ = command("sql", "select name from mart.clients where name like '%red%'")
    assert code == 0
    assert "\x1b[31m" not in out
    assert "[bold]x[/bold]" in out


def test_init_writes_a_file_that_works_and_never_overwrites(server, command, tmp_path):
    args = ["init", "--url", server.box.url, "--name", "shop", "--token-env", "SHOP_TOKEN"]
    assert command(*args)[0] == 0
    environ = {"NINJA_SYNC_URL": "", "NINJA_SYNC_WAREHOUSE": "", "SHOP_TOKEN": server.box.token}
    assert command("pull", environ=environ)[0] == 0
    assert (tmp_path / "warehouse.duckdb").exists()
    code, _, err = command(*args)
    assert (code, "exists and has the source" in err) == (2, True)


def test_rebind_goes_through_a_moved_server_and_asks_first(server, command):
    assert command("pull")[0] == 0
    moved = {"NINJA_SYNC_URL": server.box.url.replace("127.0.0.1", "localhost")}
    assert command("pull", environ=moved)[0] == 2
    code, out, err = command("source", "rebind", "main", environ=moved)
    assert (code != 0, out.strip(), "localhost" in err) == (True, "", True)
    code, out, _ = command("source", "rebind", "main", "--yes", "--json", environ=moved)
    assert (code, json.loads(out)["base_url"]) == (0, moved["NINJA_SYNC_URL"])
    assert command("pull", environ=moved)[0] == 0
    other = {"NINJA_SYNC_TOKEN": server.box.other_token}
    assert command("source", "rebind", "main", "--yes", environ=other)[0] == 2


@pytest.mark.quick(where=lambda what: what == "idle")
@pytest.mark.parametrize("what", ["idle", "sql", "status"])
def test_light_commands_import_nothing_heavy(server, tmp_path, what):
    heavy = [*HEAVY, *["schemas.normalise"] * (what != "idle")]  # which reads records of the server
    code = (
        "import sys; from flows.cli.app import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, [m for m in "
        f"{heavy} if m in sys.modules])"
    )
    environ = {
        "NINJA_SYNC_URL": server.box.url, "NINJA_SYNC_TOKEN": server.box.token, "HOME": str(tmp_path),
        "NINJA_SYNC_WAREHOUSE": str(tmp_path / "w.duckdb"), "NINJA_SYNC_ENTITIES": "clients",
    }  # fmt: skip

    def run(*args):
        done = subprocess.run(
            [sys.executable, "-c", code, *args], capture_output=True, text=True, cwd=tmp_path, env=environ, check=True
        )
        return done.stdout.splitlines()[-1]

    for key in server.clients():
        server.stamp(key, 1_700_000_000)  # long before the look-back, so that the second pull is idle
    run("pull")
    args = {"idle": ["pull"], "sql": ["sql", "select 1", "--json"], "status": ["status", "--json"]}[what]
    assert run(*args) == "0 []"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_pull_that_is_stopped_ends_cleanly_and_the_next_one_is_exact(server, tmp_path, how):
    server.switch(latency_ms=400)
    environ = {
        "NINJA_SYNC_URL": server.box.url, "NINJA_SYNC_TOKEN": server.box.token, "HOME": str(tmp_path),
        "NINJA_SYNC_WAREHOUSE": str(tmp_path / "w.duckdb"),
    }  # fmt: skip
    process = subprocess.Popen([str(COMMAND), "pull"], env=environ, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while not server.requests():
        assert process.poll() is None
    process.send_signal(how)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + how
    assert err == "ninja-sync: stopped; all stored data is complete, and the next run continues from there.\n"
    server.switch(latency_ms=0)
    done = subprocess.run(
        [str(COMMAND), "pull"], env=environ, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "120 new" in done.stderr


CONFIGURATION = """
warehouse = "all.duckdb"
[sources.away]
url = "http://127.0.0.1:9"
token_env = "NINJA_SYNC_TOKEN"
retry_budget = 0.1
[sources.here]
url = "{url}"
token_env = "NINJA_SYNC_TOKEN"
"""


@pytest.fixture
def several(server, command, tmp_path):
    """Run a command with two sources: `away`, whose server does not answer, and `here`."""
    (tmp_path / "ninja-sync.toml").write_text(CONFIGURATION.format(url=server.box.url))
    return lambda *args: command(*args, environ={"NINJA_SYNC_URL": "", "NINJA_SYNC_WAREHOUSE": ""})


def test_a_source_that_fails_has_its_error_and_exit_code_in_the_json(several):
    code, out, err = several("pull", "--json")
    found = json.loads(out)
    assert (code, list(found)) == (5, ["away", "here"])
    assert set(found["away"]) == {"error", "exit_code"}
    assert found["away"]["exit_code"] == 5
    assert found["away"]["error"] in err
    assert found["here"]["run"]["inserted"] == 120


UNEXPECTED = """
import os, signal, time
import flows.pull.pull
from flows.cli.app import main
real = flows.pull.pull.pull
def pull(job):
    if job.name == "away":
        {happens}
    return real(job)
flows.pull.pull.pull = pull
main()
"""


def pulled_where(happens, server, tmp_path):
    """Pull two sources, where this happens in the pull of the first one."""
    (tmp_path / "ninja-sync.toml").write_text(CONFIGURATION.format(url=server.box.url))
    environ = {"NINJA_SYNC_TOKEN": server.box.token, "HOME": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "-c", UNEXPECTED.format(happens=happens), "pull", "--json"], cwd=tmp_path, env=environ,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


DURING_A_QUERY = """
        try:
            os.kill(os.getpid(), {number:d})
            time.sleep(60)
        except BaseException:
            raise RuntimeError("Query interrupted") from None  # as DuckDB does
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_a_query_stops_everything_with_one_line(server, tmp_path, number):
    done = pulled_where(DURING_A_QUERY.format(number=number), server, tmp_path)
    assert (done.returncode, done.stdout) == (128 + number, "")
    assert done.stderr == "ninja-sync: stopped; all stored data is complete, and the next run continues from there.\n"


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        ("raise KeyError('Jane Doe')", "unexpected KeyError at <string>:8. This is a bug."),
        ("raise MemoryError", "There is not enough memory."),
        ("raise OSError(12, 'Cannot allocate memory')", "There is not enough memory."),
        ("raise ImportError('libarrow.so: failed to map segment from shared object')", "There is not enough memory."),
        ("raise OSError(28, 'No space left on device', '/w/x.part')", "/w/x.part: the disk is full. Make room "),
    ],
)
def test_an_unexpected_error_of_one_source_is_told_by_type_and_place_and_the_others_are_pulled(
    server, tmp_path, happens, words
):
    done = pulled_where(happens, server, tmp_path)
    found = json.loads(done.stdout)
    assert (done.returncode, found["away"]["exit_code"], found["here"]["run"]["inserted"]) == (1, 1, 120)
    assert found["away"]["error"].startswith(words)
    assert words in done.stderr
    assert "Jane Doe" not in done.stdout + done.stderr


def test_json_of_a_query_loses_no_column_and_is_always_json(command):
    command("pull")
    query = (
        "select 1 as a, 2 as a, 3 as a_1, 'nan'::double as n, ['inf'::float, 1.5::float] as l, "
        "timestamp '2026-01-02' as t"
    )
    code, out, _ = command("sql", query, "--json", environ={"TZ": "Asia/Tokyo"})
    assert code == 0
    assert json.loads(out, parse_constant=pytest.fail) == [
        {"a": 1, "a_2": 2, "a_1": 3, "n": None, "l": [None, 1.5], "t": "2026-01-02T00:00:00"}
    ]


def test_balances_of_a_source_that_nobody_knows_are_refused(several):
    several("pull")
    code, out, err = several("balances", "--source", "typo")
    assert (code, out) == (2, "")
    assert "'typo'" in err
    assert "away, here" in err
    code, out, err = several("balances", "--source", "away")
    assert (code, out, "ninja-sync pull" in err) == (0, "", True)
    code, out, _ = several("balances", "--source", "here", "--json")
    assert (code, len(json.loads(out)["by_currency"]) > 1) == (0, True)


def test_balances_of_a_source_that_only_the_warehouse_knows_are_shown(command, several, tmp_path):
    several("pull")
    (tmp_path / "other").mkdir()
    environ = {"NINJA_SYNC_WAREHOUSE": "../all.duckdb"}
    code, out, _ = command("balances", "--source", "here", environ=environ, cwd=tmp_path / "other")
    assert (code, "Top debtors" in out) == (0, True)


def test_every_command_but_those_that_serve_or_tour_has_json(command, tmp_path):
    for name in set(EVERY) - {"clients", "dedupe", "demo", "merge", "push", "serve", "source"}:
        assert "--json" in command(name, "--help")[1], name
    code, out, err = command("init", "--url", "https://ninja.example", "--json")
    assert (code, json.loads(out), err) == (0, {"file": "config/ninja-sync.toml", "source": "main"}, "")


def test_init_says_how_to_name_a_file_that_is_not_looked_for(command):
    _, _, err = command("init", "--url", "https://ninja.example", "--file", "my own.toml")
    assert "ninja-sync doctor --config 'my own.toml'" in err


def test_names_are_told_where_the_output_is_not_utf_8(server, program):
    server.edit(next(iter(server.clients(status="active").values())), name="Żółw →")
    environ = {"PYTHONIOENCODING": "ascii"}
    assert program("pull", environ=environ)[0] == 0
    query = "select name from mart.clients where name like '%w →'"
    code, out, _ = program("sql", query, environ=environ)
    assert (code, "\\u017b" in out) == (0, True)
    assert json.loads(program("sql", query, "--json", environ=environ)[1]) == [{"name": "Żółw →"}]


@pytest.mark.parametrize("folder", ["/sys", "/proc", "/dev/null"])
def test_a_folder_that_cannot_be_written_is_said_so(command, folder):
    code, _, err = command("pull", environ={"NINJA_SYNC_WAREHOUSE": f"{folder}/x/w.duckdb"})
    assert code == 6, err
    assert folder in err


def test_ctrl_c_while_the_program_is_still_being_imported_is_one_line():
    interrupted = "import sys\n"
    interrupted += "class Finder:\n"
    interrupted += "    def find_spec(self, name, *_):\n"
    interrupted += "        if name == 'typer': raise KeyboardInterrupt\n"
    interrupted += "sys.meta_path.insert(0, Finder())\n"
    interrupted += "from flows.cli.start import main\nmain()\n"
    done = subprocess.run([sys.executable, "-c", interrupted], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (130, TOO_EARLY)


def test_the_version_is_told(program):
    code, out, _ = program("--version")
    assert (code, out.split()[0]) == (0, "ninja-sync")
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", out.split(" ", 1)[1])


def test_publishing_makes_no_warehouse(command, tmp_path):
    code, _, err = command("publish")
    assert (code, "ninja-sync pull" in err) == (2, True)
    assert list(tmp_path.rglob("*.duckdb*")) == []


def test_a_damaged_copy_for_readers_says_what_mends_it(command, tmp_path):
    command("pull")
    (tmp_path / "cli" / "warehouse.duckdb.published" / "reader.duckdb").write_text("x")
    code, _, err = command("sql", "select 1")
    assert (code, "ninja-sync publish" in err) == (6, True)
    assert command("publish")[0] == 0
    assert command("sql", "select 1")[0] == 0
