"""Turn values into HTML: the templates and their filters. Foreign text is escaped, and made harmless."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from flows.session.clock import SYSTEM_CLOCK
from flows.show import ages
from flows.show.counted import counted
from flows.show.show import amount, harmless

FOLDER: Final = Path(__file__).parent / "templates"
MOST: Final = 300
"""Characters of a foreign text that are shown; the rest is counted."""
DASH: Final = Markup('<span class="none">–</span>')


def plain(value: object, most: int = MOST) -> Markup:
    """Return a foreign text: its control and direction characters visible, and no effect on the text around it."""
    if value is None or value == "":
        return DASH
    text = harmless(str(value))
    rest = len(text) - most
    shown = escape(text[:most])
    more = Markup('… <span class="more">({:,} more characters)</span>').format(rest) if rest > 0 else ""
    return Markup("<bdi>{}{}</bdi>").format(shown, more)


def money(value: Decimal | None, code: str | None) -> Markup:
    """Return an amount with the code of its currency."""
    if value is None:
        return DASH
    return Markup('<span class="money">{} {}</span>').format(amount(value, code), code or "without a currency")


def figure(value: Decimal | None, code: str | None) -> Markup:
    """Return an amount for a row that shows its currency once: the code is there to be read aloud and to be copied."""
    if value is None:
        return DASH
    unseen = Markup('<span class="unseen"> {}</span>').format(code or "without a currency")
    return Markup('<span class="money">{}{}</span>').format(amount(value, code), unseen)


def when(value: datetime | None) -> Markup:
    """Return a moment, in UTC."""
    if value is None:
        return DASH
    moment = value.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(), f"{moment:%Y-%m-%d %H:%M} UTC")


def day(value: date | None) -> Markup:
    """Return a day."""
    if value is None:
        return DASH
    text = value.date().isoformat() if isinstance(value, datetime) else value.isoformat()
    return Markup('<time datetime="{0}">{0}</time>').format(text)


def ago(value: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago a moment was, in words."""
    return "never" if value is None else ages.ago(value, now or SYSTEM_CLOCK.now())


def cell(value: object, code: str | None = None) -> Markup:
    """Return a value of any kind for a table: an amount with its currency, a moment, a day, yes or no, or a text."""
    if isinstance(value, bool):
        return escape("yes" if value else "no")
    if isinstance(value, Decimal):
        return money(value, code)
    if isinstance(value, date):
        return when(value) if isinstance(value, datetime) else day(value)
    return plain(value)


@cache
def templates() -> Environment:
    """Return the templates, with autoescape; a name that no handler gave is an error."""
    made = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.filters |= {
        "plain": plain,
        "money": money,
        "figure": figure,
        "when": when,
        "day": day,
        "cell": cell,
        "ago": ago,
        "counted": counted,
    }
    return made


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return a template filled with values."""
    return templates().get_template(template).render(values)
