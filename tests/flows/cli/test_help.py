"""The help of every command: its table, its width, and the modules imported for it."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

import flows.cli
from flows.cli.app import app
from flows.cli.commands import GROUPS, NAME
from flows.cli.lazy import load_command
from flows.cli.options import ConfigFile
from schemas.errors import EXIT_CODES, SyncError

REPOSITORY = Path(__file__).parents[3]
COMMANDS = [(group, command) for group, table in GROUPS.items() for command in table.commands()]
PATHS = [()] + [(command.name,) if group == NAME else (group, command.name) for group, command in COMMANDS]
HEAVY = (
    "_duckdb", "duckdb", "httpx", "matplotlib", "msgspec", "pandas", "prefect", "pyarrow", "pydantic", "rich", "splink",
    "sqlalchemy",
)  # fmt: skip


def shown(*path):
    done = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "80"}, prog_name=NAME)
    assert done.exit_code == 0
    return done.stdout


def errors(kind=SyncError):
    return [kind, *(error for child in kind.__subclasses__() for error in errors(child))]


@pytest.mark.parametrize(("group", "command"), COMMANDS, ids=[f"{group} {command.name}" for group, command in COMMANDS])
def test_a_summary_in_the_table_is_the_first_line_of_the_commands_help(group, command):
    loaded = load_command(group, command.name)
    assert loaded.name == command.name
    assert loaded.help.split("\n")[0] == command.summary


def test_every_function_that_reads_the_configuration_is_a_command_of_the_table():
    listed = {command.function for _, command in COMMANDS} | {table.function for table in GROUPS.values()}
    folder = Path(flows.cli.__file__).parent
    for file in folder.rglob("*.py"):
        module = import_module(".".join(("flows.cli", *file.relative_to(folder).with_suffix("").parts)))
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                annotations = inspect.get_annotations(function, eval_str=False)
                if annotations.get("config") == "ConfigFile":
                    assert f"{module.__name__}:{name}" in listed
    assert ConfigFile


@pytest.mark.parametrize("path", PATHS, ids=map(" ".join, PATHS))
def test_help_fits_into_80_columns_and_shows_every_summary_whole(path):
    text = shown(*path)
    assert [line for line in text.splitlines() if len(line) > 80] == []
    group = path[-1] if path else NAME
    if len(path) < 2 and group in GROUPS:
        for command in GROUPS[group].commands():
            assert re.search(rf"^  {command.name} +{re.escape(command.summary)}$", text, re.MULTILINE)


def test_help_of_the_whole_imports_no_command_and_no_heavy_library():
    assert imported("--help") == []
    assert imported("--version") == []


def test_completion_imports_only_the_command_whose_options_it_completes():
    assert imported(completing="ninja-sync p") == []
    assert imported(completing="ninja-sync push re") == []
    assert "flows.cli.push" in imported(completing="ninja-sync push plan --n")


def imported(*args, completing=""):
    """The heavy libraries and modules of commands that a call of the command line imports."""
    program = (
        "import json, sys\nfrom flows.cli.app import app\ntry:\n    app(sys.argv[1:], prog_name='ninja-sync')\n"
        "finally:\n    print('\\n' + json.dumps(sorted(sys.modules)))"
    )
    environ = {"_NINJA_SYNC_COMPLETE": "complete_bash", "COMP_WORDS": completing, "COMP_CWORD": "9"}
    words = completing.split()
    environ["COMP_CWORD"] = str(len(words) - 1)
    done = subprocess.run(
        [sys.executable, "-c", program, *args], env=environ if completing else {}, cwd=REPOSITORY, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    modules = json.loads(done.stdout.splitlines()[-1])
    mine = {command.function.partition(":")[0] for _, command in COMMANDS if command.function}
    return [name for name in modules if name in mine or name in HEAVY]


def test_completion_lists_commands_with_their_summaries():
    environ = {"_NINJA_SYNC_COMPLETE": "complete_fish", "_TYPER_COMPLETE_ARGS": "ninja-sync pu",
               "_TYPER_COMPLETE_FISH_ACTION": "get-args"}  # fmt: skip
    done = CliRunner().invoke(app, [], env=environ, prog_name=NAME)
    lines = [line.split("\t") for line in done.stdout.strip().splitlines()]
    assert [name for name, _ in lines] == ["pull", "push", "publish"]
    assert dict(lines)["push"] == "Change many clients, as plans you review first."


def test_a_mistyped_command_is_answered_with_the_one_that_was_meant():
    done = CliRunner().invoke(app, ["push", "aply"])
    assert (done.exit_code, "Did you mean 'apply'" in done.stderr) == (2, True)


def test_help_names_every_exit_code_that_an_error_has():
    text = shown()
    assert {error.exit_code for error in errors()} < set(EXIT_CODES)
    for code, meaning in EXIT_CODES.items():
        assert re.search(rf"^    {code} +{re.escape(meaning)}$", text, re.MULTILINE)


def test_the_docs_list_the_exit_codes_that_help_lists():
    files = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
    parts = [part for file in files for part in re.split(r"^#+ ", file.read_text("utf-8"), flags=re.MULTILINE)]
    tables = [part for part in parts if re.match(r"[^\n]*exit codes", part, re.IGNORECASE) and "\n| 2 |" in part]
    assert tables
    for table in tables:
        assert re.findall(r"^\| ([0-9][0-9, ]*?) \|", table, re.MULTILINE) == [str(code) for code in EXIT_CODES]
