"""The words that a person types before a merge, because it cannot be undone: a brake against a quick click."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from flows.merge.stored import StoredMerge

LONGEST: Final = 60
"""Characters of a name that people can be asked to type."""
ANYWAY: Final = "merge"
"""The word to type if no client kept has a name or a number that can be typed."""
_ON_A_KEYBOARD: Final = re.compile(r"[A-Za-z0-9 .,:;&+/()'_-]*[A-Za-z0-9][A-Za-z0-9 .,:;&+/()'_-]*")
"""Texts that people can type on any keyboard."""


@dataclass(frozen=True, slots=True)
class Assent:
    """What to type: the number of merges if there are several, and a client kept, by default that of the last one.

    `what` says what `text` is: its name, its number, or a word. `merge` is the number of its merge.
    """

    merges: int
    what: str
    text: str = field(repr=False)
    merge: int

    @property
    def is_counted(self) -> bool:
        """Whether the number of merges is asked for."""
        return self.merges > 1


def assent_for(merges: Sequence[StoredMerge]) -> Assent:
    """Return what a person types before these merges. It is at the end of the list, so that the list is read.

    If neither the name nor the number of that client can be typed on any keyboard, it is of the merge before it.
    """
    for number, merge in reversed(list(enumerate(merges, start=1))):
        client = merge.preview.survivor
        for what, text in (("name", client.display_name), ("number", client.number)):
            if text and len(text) <= LONGEST and _ON_A_KEYBOARD.fullmatch(text):
                return Assent(len(merges), what, text, number)
    return Assent(len(merges), "word", ANYWAY, len(merges))


def faults(assent: Assent, typed_count: str, typed_text: str) -> dict[str, str]:
    """Return what is wrong with the typed words, by field: `count` and `text`. Case and blanks do not matter."""
    wrong: dict[str, str] = {}
    if assent.is_counted and typed_count.strip() != str(assent.merges):
        wrong["count"] = "This is not the number of merges in the plan. Nothing was sent."
    if _plain(typed_text) != _plain(assent.text):
        kind = {"name": "name", "number": "number"}.get(assent.what)
        wrong["text"] = (
            f"This is not the {kind} of the client kept. Nothing was sent."
            if kind else f"Type the word {assent.text}. Nothing was sent."
        )  # fmt: skip
    return wrong


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
