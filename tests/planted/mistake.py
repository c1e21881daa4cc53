"""What a planted mistake is: lines of the real code as they are, and as they would be if somebody got them wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
