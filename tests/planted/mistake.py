"""What a planted mistake is: lines of the real code as they are, and as they would be if somebody got them wrong."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Edit:
    """A text of one file, which stands there exactly once, and the wrong one in its place."""

    file: str
    right: str
    wrong: str

    def applied(self, text: str) -> str:
        """The file's text with the mistake in it. Raises ValueError where this edit no longer fits the code."""
        if text.count(self.right) != 1:
            raise ValueError(f"{self.file} has {text.count(self.right)} times, not once: {self.right}")
        return text.replace(self.right, self.wrong)


@dataclass(frozen=True, slots=True)
class Mistake:
    """The ordinary tests that must catch it, and its edits."""

    caught_by: Sequence[str]
    edits: Sequence[Edit]


def mistake(*edits: Edit, by: str | Sequence[str]) -> Mistake:
    """A mistake that is caught by these tests, given as pytest's node ids."""
    return Mistake([by] if isinstance(by, str) else by, edits)


def with_mistake(one: Mistake, file: str) -> str:
    """The text of a file of this project with the mistake in it, as far as it is in this file."""
    text = (ROOT / file).read_text(encoding="utf-8")
    for edit in one.edits:
        text = edit.applied(text) if edit.file == file else text
    return text


def all_of(mistakes: Mapping[str, Mistake]) -> list[object]:
    """Their names, as parameters: `make test` plants the first one, and all in files that this branch has changed."""
    first = next(iter(mistakes))
    return [
        pytest.param(name, marks=() if name == first or changed(one) else pytest.mark.proof)
        for name, one in mistakes.items()
    ]


def changed(one: Mistake) -> bool:
    """Whether one of its files differs from the branch `main`."""
    return any(edit.file in _changed_files() for edit in one.edits)


@cache
def _changed_files() -> frozenset[str]:
    command = ["git", "diff", "--name-only", "--merge-base", "main"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return frozenset(done.stdout.splitlines())  # none where there is no git, or no such branch
