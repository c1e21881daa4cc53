"""SQL files keep their own rules: named statements, a promise above each of them, each of them used."""

from __future__ import annotations

import re

import pytest

from warehouse.engine.sql import FOLDERS, ROOT, named, statement, statements_of

PYTHON = [path for room in ("warehouse", "flows") for path in (ROOT.parent.parent / room).rglob("*.py")]
CODE = "".join(path.read_text() for path in PYTHON)
SUBJECTS = sorted(path.stem for path in ROOT.glob("*.sql"))
NAMED = [f"{subject}/{name}" for subject in SUBJECTS for name in statements_of(subject)]
EVERY = [*NAMED, *(f"{folder}/{name}" for folder in FOLDERS for name in named(folder))]
GLUED = {
    "load": ("load/load.py", "load/merge.py", "load/activities.py", "load/vanished.py"),
    "vanished": ("load/vanished.py", "load/vanished_tables.py"),
    "rebuild": ("opened/rebuild.py",),
    "approvals": ("control/approvals.py",),
    "turns": ("locks/host_turns.py",),
    "client": ("../flows/ask/one_client.py",),
    "clients": ("../flows/ask/client_list.py",),
}
"""Subjects with modules that put the subject before a statement's name themselves: there the name alone is its use."""


def test_the_files_are_all_read():
    assert len(PYTHON) > 150
    assert len(NAMED) > 130
    assert len(EVERY) > 190


@pytest.mark.parametrize("name", EVERY)
def test_a_statement_is_one_and_begins_with_its_promise(name):
    first, *rest = statement(name).splitlines()
    assert re.fullmatch(r"-- [A-Z].*[^ ]", first)
    assert ";" not in "\n".join(rest)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_file_begins_with_its_subject_and_names_each_statement_once(subject):
    text = (ROOT / f"{subject}.sql").read_text()
    names = re.findall(r"^-- :name (\w+)$", text, re.MULTILINE)
    assert re.match(r"-- [A-Z].*\.\n\n-- :name ", text)
    assert len(names) == len(set(names)) == len(statements_of(subject)) == text.count(":name")


@pytest.mark.parametrize("name", NAMED)
def test_each_statement_is_used(name):
    subject, _, short = name.partition("/")
    here = "".join((ROOT.parent / file).read_text() for file in GLUED.get(subject, ()))
    assert f'"{name}"' in CODE or f'"{short}"' in here


def test_a_statement_that_is_not_there_is_an_error():
    with pytest.raises(KeyError):
        statement("load/nonsense")


def test_migrations_are_numbered_without_a_gap():
    numbers = [int(name.split("_")[0]) for name in named("control")]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT.parent.parent)))
def test_no_statement_is_glued_together_from_values(path):
    assert not re.search(r"""(execute|rows)\(\s*f["'][^"']*=\s*'?\{""", path.read_text())
