"""Draw what clients owed and had overpaid over time: one panel per currency, with gaps where nothing is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flows.ask.history import History, Series, Span, lines_about
from flows.ask.plots.page import Page, Panel, draw_page, label_of, money, write_amounts
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS: Final = 6
LINES: Final[dict[str, dict[str, Any]]] = {
    "owed": {"color": "#1f4e79", "linewidth": 1.5, "solid_capstyle": "butt"},
    "overpaid": {"color": "#d9731a", "linewidth": 1.3, "linestyle": (0, (4, 1.5))},
}
POINT: Final = {"owed": "o", "overpaid": "s"}
UNKNOWN: Final[dict[str, Any]] = {"facecolor": "#ececec", "edgecolor": "none"}
DAY: Final = timedelta(days=1)
NOON: Final = time(12)
FEW: Final = 10  # days, each with its date on the axis
DAYS: Final = {49: (1, 8, 15, 22), 120: (1, 15)}
"""The days of each month that the axis names, by the most days on it."""
MONTHS: Final = {240: 1, 480: 2, 730: 3, 1460: 6}
"""The months from one label to the next, by the most days on the axis."""


def plot_history(history: History, file: Path) -> list[str]:
    """Draw the sums owed and overpaid at the end of each known day; return notes for the person.

    A line ends where a gap begins, and a known day between two gaps is a point. Raises SettingsError for an unknown
    format, without matplotlib, or if no day is known.
    """
    days = sorted({day for span in history.spans.values() for day in span.days})
    several = len(history.spans) > 1
    panels, never = [], []
    for series in _in_turn(history.series):
        span = history.spans[series.source]
        sums = [series.at(day) for day in span.known()]
        label = label_of({"currency": series.currency, "source": series.source}, several=several)
        if not any(day["owed"] or day["overpaid"] for day in sums):
            never.append(label)
            continue
        panels.append(_panel(label, series, span, (days[0], days[-1])))
    if not panels:
        raise SettingsError("There is nothing to draw: on no known day did a client owe or have overpaid anything.")
    heading = f"{history.companies}, " + (f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}")
    gaps = any(span.unknown for span in history.spans.values())
    page = Page(
        "Owed and overpaid at the end of each day, by currency", heading, MOST_PANELS,
        lambda: _legend(gaps=gaps),
    )  # fmt: skip
    notes = [f"Nothing was owed or overpaid in {', '.join(never)}."] if never else []
    return draw_page(page, panels, [*notes, *lines_about(history)], file)


def _in_turn(series: Sequence[Series]) -> list[Series]:
    """Return the first currency of each source, then the second one of each, so that no source is left out."""
    places: dict[str, int] = {}
    ranked = []
    for each in series:
        places[each.source] = place = places.get(each.source, 0) + 1
        ranked.append((place, each))
    return [each for _, each in sorted(ranked, key=lambda pair: pair[0])]


def _panel(label: str, series: Series, span: Span, ends: tuple[date, date]) -> Panel:
    """Return the panel of a currency: its title has the last known sums."""
    last = span.known()[-1]
    sums = series.at(last)
    owed, overpaid = (money(sums[name], series.currency) for name in ("owed", "overpaid"))
    title = f"{label}: {owed} owed, {overpaid} overpaid on {last}"
    return Panel(label, title, "", lambda axis: draw_days(axis, series, span, ends))


def draw_days(panel: Axes, series: Series, span: Span, ends: tuple[date, date]) -> None:
    """Draw both lines, and shade the unknown days. Each day is as wide as itself, its lines as high as at its end.

    An unknown day is NaN in both. A lone day has a point too, because its lines are too short to be seen.
    """
    days = list(span.days)
    alone = [day for day in span.known() if not {day - DAY, day + DAY} & (set(days) - set(span.unknown))]
    sums = {day: series.at(day) for day in span.known()}
    most = 0.0
    for name, style in LINES.items():
        amounts = [float(str(sums[day][name])) if day in sums else nan for day in days]  # floats only for drawing
        panel.plot([*days, days[-1] + DAY], [*amounts, amounts[-1]], drawstyle="steps-post", label=name, **style)  # type: ignore[arg-type]
        if alone:
            points = [float(str(sums[day][name])) for day in alone]
            noons = [datetime.combine(day, NOON) for day in alone]
            panel.plot(noons, points, POINT[name], markersize=3.5, color=style["color"], clip_on=False)  # type: ignore[arg-type]
        most = max([most, *(amount for amount in amounts if amount == amount)])  # noqa: PLR0124 - NaN is not itself
    for first, last, _ in span.gaps():
        panel.axvspan(first, last + DAY, **UNKNOWN, zorder=0)  # type: ignore[arg-type]
    panel.set_ylim(0, most * 1.1 or 1)
    write_amounts(panel.yaxis, most)
    _write_dates(panel, *ends)
    panel.grid(axis="y", color="#e3e3e3", linewidth=0.6)


def _write_dates(panel: Axes, first: date, last: date) -> None:
    """Label the axis of days, which all panels share. A label of a few days stands under the middle of its day."""
    few = (last - first).days < FEW
    ticks = ticks_of(first, last)
    panel.set_xticks([datetime.combine(day, NOON if few else time()) for day, _ in ticks], [text for _, text in ticks])  # type: ignore[arg-type]
    margin = DAY if few else (last - first) / 60
    panel.set_xlim(first - margin, last + DAY + margin)  # type: ignore[arg-type]


def ticks_of(first: date, last: date) -> list[tuple[date, str]]:
    """Return at most eight days to label: days as `8 Aug`, first days of months as `Mar 2026`, of years as `2026`."""
    days = [first + DAY * n for n in range((last - first).days + 1)]
    if len(days) <= FEW:
        return [(day, _day(day)) for day in days[:: 1 + (len(days) - 1) // 5]]
    for most, starts in DAYS.items():
        if len(days) <= most:
            return [(day, _day(day)) for day in days if day.day in starts]
    for most, months in MONTHS.items():
        if len(days) <= most:
            return [(day, f"{day:%b %Y}") for day in days if day.day == 1 and (day.month - 1) % months == 0]
    years = [day for day in days if (day.month, day.day) == (1, 1)]
    return [(day, f"{day:%Y}") for day in years[:: 1 + (len(years) - 1) // 8]]


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def _legend(*, gaps: bool) -> list[Any]:
    from matplotlib.lines import Line2D  # noqa: PLC0415 - for pictures only
    from matplotlib.patches import Patch  # noqa: PLC0415

    lines: list[Any] = [Line2D([], [], label=name, **style) for name, style in LINES.items()]
    return [*lines, Patch(label="not known", **UNKNOWN)] if gaps else lines
