"""SQL files keep their own rules: one statement a file, its promise first, each of them used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from warehouse.engine.sql import ROOT

FILES = sorted(ROOT.rglob("*.sql"))
PYTHON = [path for room in ("warehouse", "flows") for path in (ROOT.parent.parent / room).rglob("*.py")]
CODE = "".join(path.read_text() for path in PYTHON)


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))
def test_a_file_is_one_statement_with_its_promise_in_the_first_line(file: Path):
    first, *rest = file.read_text().splitlines()
    assert re.fullmatch(r"-- [A-Z].*[^ ]", first)
    assert ";" not in "\n".join(rest)


# Migrations are run in their order and views by their names: both folders as a whole.
STEPS = [file for file in FILES if file.parent.name not in ("control", "mart")]


def test_the_code_is_all_of_it():
    assert len(PYTHON) > 150
    assert len(STEPS) > 150


@pytest.mark.parametrize("file", STEPS, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_each_statement_is_used(file: Path):
    names = (f'"{file.parent.name}/{file.stem}"', f'"{file.stem}"')
    assert any(name in CODE for name in names)


def test_migrations_are_numbered_without_a_gap():
    numbers = [int(f.stem.split("_")[0]) for f in FILES if f.parent.name == "control"]
    assert numbers == list(range(1, len(numbers) + 1))


def test_no_statement_is_glued_together_from_values():
    for path in PYTHON:
        assert not re.search(r"""(execute|rows)\(\s*f["'][^"']*=\s*'?\{""", path.read_text()), path
