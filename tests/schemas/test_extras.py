"""What is said where an extra is missing, and that nothing else is needed than what the package says it needs."""

from __future__ import annotations

import os

import pytest

from sandbox.server import running
from schemas.errors import SettingsError
from schemas.extras import NEEDED_BY, needs
from tests.without import COMMAND, EXTRAS, PROJECT, installed_with, modules, modules_of, named_in, run_without

PUBLIC = """
import flows
from schemas.errors import SettingsError
try:
    getattr(flows, sys.argv[1])(*sys.argv[2:])
except SettingsError as problem:
    sys.exit(f"ninja-sync: {problem}") if problem.exit_code == 2 else None
"""
BLOCK = '[sources.main]\nurl = "http://127.0.0.1:1"\ntoken_block = "token"\n'
WITHOUT = [
    ("sandbox", ["demo"]),
    ("sandbox", ["sandbox"]),
    ("plot", ["balances", "--plot", "balances.png"]),
    ("xlsx", ["sql", "select 1", "--xlsx", "answer.xlsx"]),
    ("xlsx", ["push", "plan", "--file", "changes.xlsx"]),
    ("dedupe", ["dedupe", "find"]),
    ("dedupe", ["dedupe", "list"]),
    ("prefect", ["serve"]),
    ("prefect", ["pull"]),
]


def environment(folder, warehouse):
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "NINJA_SYNC_WAREHOUSE": str(warehouse)}


def advice(extra):
    return f"pip install 'ninja-sync[{extra}]', or `make install` in a clone\n"


def test_every_extra_says_what_needs_it():
    assert set(NEEDED_BY) == set(EXTRAS)


@pytest.mark.parametrize(("extra", "arguments"), WITHOUT, ids=lambda value: value if isinstance(value, str) else None)
def test_a_command_without_its_extra_says_what_to_install(extra, arguments, tmp_path, migrated_file):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "ninja-sync.toml").write_text(BLOCK)
    (tmp_path / "changes.xlsx").write_bytes(b"PK\x03\x04")
    hidden = modules_of(named_in(EXTRAS[extra]))
    done = run_without(hidden, COMMAND, *arguments, cwd=tmp_path, env=environment(tmp_path, migrated_file))
    assert done.returncode == 2, done.stderr
    assert done.stderr.endswith(advice(extra))
    assert "needs packages that are not installed (" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["status", "pull", "doctor"])
def test_postgres_without_its_driver_is_no_bug(command, tmp_path):
    where = environment(tmp_path, "postgresql://nobody@127.0.0.1:1/nothing")
    where |= {"NINJA_SYNC_URL": "http://127.0.0.1:1", "NINJA_SYNC_TOKEN": "token"}
    done = run_without(modules_of(named_in(EXTRAS["postgres"])), COMMAND, command, cwd=tmp_path, env=where)
    assert done.returncode == 2, done.stderr
    shown = " ".join((done.stderr + done.stdout).split())  # doctor's table breaks lines
    assert advice("postgres").strip() in shown
    assert "bug" not in done.stderr + done.stdout


@pytest.mark.parametrize(("extra", "call"), [("pandas", ["frame", "clients"]), ("sqlalchemy", ["engine"])])
def test_a_function_without_its_extra_says_what_to_install(extra, call, tmp_path, migrated_file):
    where = environment(tmp_path, migrated_file)
    done = run_without(modules_of(named_in(EXTRAS[extra])), PUBLIC, *call, cwd=tmp_path, env=where)
    assert done.stderr.endswith(advice(extra))


def test_a_missing_module_of_our_own_is_a_bug():
    with pytest.raises(ModuleNotFoundError), needs("plot"):
        import flows.nothing_of_that_name  # noqa: F401, PLC0415


def test_a_library_that_finds_no_memory_is_not_missing():
    with pytest.raises(ImportError, match="failed to map"), needs("plot"):
        raise ImportError("libx.so: failed to map segment from shared object")


def test_a_driver_that_does_not_load_is_named_by_its_own_words():
    with pytest.raises(SettingsError, match=r"\(no pq wrapper available\.\): pip install"), needs("postgres"):
        raise ImportError("no pq wrapper available.\nAttempts made:\n- couldn't import psycopg 'c' implementation")


def everything_but(requirements):
    return set(modules()) - modules_of({*installed_with(requirements), PROJECT["name"]})


@pytest.mark.proof
def test_nothing_but_the_base_is_needed_for_pulls_and_questions(tmp_path):
    hidden = everything_but(PROJECT["dependencies"])
    assert {"pandas", "psycopg", "prefect", "starlette", "hashids", "numpy"} <= hidden
    with running(clients=20) as box:
        where = environment(tmp_path, tmp_path / "w.duckdb")
        where |= {"NINJA_SYNC_URL": box.url, "NINJA_SYNC_TOKEN": box.token}
        for command in ("pull", "doctor", "status", "balances", "sweep", "sql"):
            question = ["select * from mart.clients"] if command == "sql" else []
            done = run_without(hidden, COMMAND, command, *question, cwd=tmp_path, env=where)
            assert done.returncode == 0, (command, done.stderr)


@pytest.mark.proof
def test_nothing_but_the_sandbox_extra_is_needed_for_the_demo(tmp_path):
    hidden = everything_but([*PROJECT["dependencies"], *EXTRAS["sandbox"]])
    where = environment(tmp_path, tmp_path / "unused.duckdb")
    done = run_without(hidden, COMMAND, "demo", "--clients", "100", cwd=tmp_path, env=where)
    assert done.returncode == 0, done.stderr
