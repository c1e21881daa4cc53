"""The words that a person types before a merge, because it cannot be undone: a brake against a quick click."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from flows.merge.stored import StoredMerge
from flows.show.show import harmless

LONGEST: Final = 60
"""Characters of a name that people can be asked to type."""
ANYWAY: Final = "merge"
"""The word to type if the client kept has neither a name nor a number that can be typed."""


@dataclass(frozen=True, slots=True)
class Assent:
    """What to type: the number of merges if there are several, and the client kept in the last one.

    `what` says what `text` is: its name, its number, or a word.
    """

    merges: int
    what: str
    text: str = field(repr=False)

    @property
    def is_counted(self) -> bool:
        """Whether the number of merges is asked for."""
        return self.merges > 1


def assent_for(merges: Sequence[StoredMerge]) -> Assent:
    """Return what a person types before these merges. It is at the end of the list, so that the list is read."""
    client = merges[-1].preview.survivor
    for what, text in (("name", client.display_name), ("number", client.number)):
        if text and len(text) <= LONGEST and harmless(text) == text and "\n" not in text:
            return Assent(len(merges), what, text)
    return Assent(len(merges), "word", ANYWAY)


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
