"""Draw amounts over time as an inline SVG: a line of steps, broken by gaps, with the days and amounts at its axes.

It is for pages, so it needs no library. Colours and fonts come from the style sheet of the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from html import escape
from typing import Final

from flows.show.show import amount

WIDTH: Final = 720
HEIGHT: Final = 200
LEFT: Final = 130
RIGHT: Final = 12
TOP: Final = 12
BOTTOM: Final = 28


@dataclass(frozen=True, slots=True)
class Step:
    """An amount, and the time for which it held."""

    since: datetime
    until: datetime
    value: Decimal


def line_of(steps: Sequence[Step], currency: str | None, title: str) -> str:
    """Return the SVG of the steps in the order of time; '' without steps. The title is its text for screen readers."""
    if not steps:
        return ""
    first, last = steps[0].since, max(step.until for step in steps)
    high, low = max(Decimal(0), *(step.value for step in steps)), min(Decimal(0), *(step.value for step in steps))
    seconds, span = max((last - first).total_seconds(), 1), high - low or Decimal(1)

    def across(moment: datetime) -> str:
        return f"{LEFT + (moment - first).total_seconds() / seconds * (WIDTH - LEFT - RIGHT):.1f}"

    def down(value: Decimal) -> str:
        return f"{TOP + (high - value) / span * (HEIGHT - TOP - BOTTOM):.1f}"

    path, end = [], None
    for step in steps:
        path.append(f"{'L' if step.since == end else 'M'}{across(step.since)} {down(step.value)}H{across(step.until)}")
        end = step.until
    return "".join([
        f'<svg class="line" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
        f"<title>{escape(title)}</title>",
        *(_mark(value, down(value), currency) for value in dict.fromkeys((high, Decimal(0), low))),
        f'<path class="steps" d="{"".join(path)}"/>',
        f'<text x="{LEFT}" y="{HEIGHT - 8}">{first:%Y-%m-%d}</text>',
        f'<text class="end" x="{WIDTH - RIGHT}" y="{HEIGHT - 8}">{last:%Y-%m-%d}</text></svg>',
    ])  # fmt: skip


def _mark(value: Decimal, y: str, currency: str | None) -> str:
    """Return an amount at the left, and its line across."""
    label = escape(f"{amount(value, currency)} {currency or ''}".strip())
    return (
        f'<path class="mark" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>'
        f'<text class="end" x="{LEFT - 8}" y="{y}" dy="4">{label}</text>'
    )
