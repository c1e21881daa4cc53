"""Bars of weights, drawn as SVG on the server: to the right what speaks for, to the left what speaks against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flows.dedupe.strengths import LEAST, Weighed

WIDTH: Final = 240
HEIGHT: Final = 14


@dataclass(frozen=True, slots=True)
class Bar:
    """One reason as a bar: its text, its strength in words and as a number, and where the bar is drawn."""

    text: str
    words: str
    number: str
    x: float
    width: float
    kind: str


def bars(weighed: Weighed) -> list[Bar]:
    """Return a bar for each reason of a pair. The longest one takes half of the width."""
    longest = max((abs(strength.weight) for strength in weighed.strengths), default=0.0) or 1.0
    made = []
    for strength in weighed.strengths:
        width = round(abs(strength.weight) / longest * WIDTH / 2, 1)
        against = strength.weight < 0
        made.append(
            Bar(
                strength.reason, strength.in_words, _number(strength.weight),
                round(WIDTH / 2 - width, 1) if against else WIDTH / 2, width, "against" if against else "for",
            )
        )  # fmt: skip
    return made


def _number(weight: float) -> str:
    """Return a weight with its sign; nothing for one that says nothing."""
    return f"{weight:+.1f}".replace("-", "\N{MINUS SIGN}") if abs(weight) >= LEAST else ""
