"""Draw who owes how much for how long: one panel per currency, in colours that darken with the days overdue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flows.ask.aging import BUCKETS, DUE, SHORT
from flows.ask.ask import Result
from flows.ask.plots.page import (
    GREY,
    LABEL,
    Page,
    Panel,
    draw_page,
    label_of,
    literal,
    make_room,
    money,
    most_bars,
    name_of,
    nobody_owes,
    owing,
    sums_of,
)
from flows.show.counted import counted
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    Record = Mapping[str, object]

MOST_PANELS: Final = {"client": 6, "country": 6, "currency": 9}
LONGEST_NAME: Final = 36
COLOURS: Final = ("#dfe8ef", "#fec44f", "#ee7f2f", "#bf3a20", "#5e0b1e")
"""From not due to over 90 days. Each is darker than the one before, so a grey print keeps their order, and the pairs
differ for people who see no red or no green."""
EDGE: Final[dict[str, Any]] = {"edgecolor": "#7a7a7a", "linewidth": 0.4}
DAYS: Final = {"not due": "not due", "over 90": "over 90 days"}


def plot_aging(
    tables: dict[str, Result], file: Path, heading: str, *, by: str = "client", basis: str = DUE, top: int = 20
) -> list[str]:
    """Draw the amounts owed by age, a bar for each of the `top` clients or countries, or for each age; return notes.

    Amounts overpaid and those of deleted clients are written above the bars: one of them may be larger than all debts.
    The picture says what it leaves out. Raises SettingsError for an unknown format, without matplotlib, or if no client
    owes anything.
    """
    sums = sorted(tables["by_currency"].records(), key=lambda row: -_exact(row["owed"]))
    several = len({row["source"] for row in sums}) > 1
    owed = [row for row in sums if row["owed"]]
    if not owed:
        raise SettingsError("There is nothing to draw: no client owes anything.")
    deleted = {(row["source"], row["currency"]): row for row in tables["left_out"].records()}
    most = min(top, most_bars(min(len(owed), MOST_PANELS[by])))
    panels = []
    for row in owed:
        left_out = _left_out(deleted.get((row["source"], row["currency"])))
        if by == "currency":
            panels.append(_panel_of_ages(row, left_out, basis, several=several))
        else:
            panels.append(_panel_of_names(row, left_out, tables[f"by_{by}"], by, basis, most, several=several))
    what = "days overdue" if basis == DUE else "days since the invoice"
    page = Page(
        f"Owed by {what}, by {by}",
        heading,
        MOST_PANELS[by],
        None if by == "currency" else lambda: _legend(basis),
        narrow=by == "currency",
    )
    return draw_page(page, panels, _notes(sums, list(deleted.values()), several=several), file)


def _notes(sums: Sequence[Record], deleted: Sequence[Record], *, several: bool) -> list[str]:
    """Return sentences about the currencies without debts."""
    known = {(row["source"], row["currency"]) for row in sums}
    only = [label_of(row, several=several) for row in deleted if (row["source"], row["currency"]) not in known]
    notes = nobody_owes([row for row in sums if not row["owed"]], several=several)
    return [*notes, *([f"Only deleted clients, left out, have open invoices in {', '.join(only)}."] if only else [])]


def _left_out(row: Record | None) -> list[str]:
    """Return the grey line about the deleted clients of a currency, if they have open invoices."""
    sums = [f"{money(row[name], row['currency'])} {name}" for name in ("owed", "overpaid") if row[name]] if row else []
    return [f"deleted clients, left out: {', '.join(sums)}"] if sums else []


def _panel_of_ages(row: Record, left_out: Sequence[str], basis: str, *, several: bool) -> Panel:
    """Return the panel of a currency with a bar for each age."""
    texts = [_days(bucket) for bucket in BUCKETS[basis]]
    label, beneath = label_of(row, several=several), "\n".join([owing(row), *left_out])
    return Panel(
        label, f"{label}: {sums_of(row)}", beneath,
        lambda axis: _draw_ages(axis, row, basis), texts, len(texts),
    )  # fmt: skip


def _draw_ages(panel: Axes, row: Record, basis: str) -> None:
    names = BUCKETS[basis]
    amounts = [_float(row[name]) for name in names]
    bars = panel.barh(range(len(names)), amounts, color=_colours(basis), height=0.75, **EDGE)
    panel.set_yticks(range(len(names)), [_days(name) for name in names], fontsize=LABEL)
    labels = [money(row[name], row["currency"]) for name in names]
    panel.bar_label(bars, labels, fontsize=LABEL, padding=3)
    make_room(panel, 0, max(amounts), labels)
    _plain(panel)


def _panel_of_names(
    row: Record, left_out: Sequence[str], result: Result, by: str, basis: str, most: int, *, several: bool
) -> Panel:
    """Return the panel of a currency with a stacked bar for each client or country that owes most."""
    label, key = label_of(row, several=several), (row["source"], row["currency"])
    theirs = [record for record in result.records() if (record["source"], record["currency"]) == key]
    owed = sorted((record for record in theirs if record["owed"]), key=lambda record: -_exact(record["owed"]))
    drawn = owed[:most]
    names = [name_of(record, by, LONGEST_NAME) for record in drawn]
    late = ", ".join(f"{money(amount, row['currency'])} {words}" for words, amount in _late(row, basis))
    some = [f"{len(drawn)} of {counted(len(owed), by)} drawn"] if len(drawn) < len(owed) else []
    lines = ["; ".join([owing(row), late, *some]), *_most_overpaid(theirs, by), *left_out]
    return Panel(
        label, f"{label}: {sums_of(row)}", "\n".join(lines),
        lambda axis: _draw_names(axis, names, drawn, basis), names, len(names),
    )  # fmt: skip


def _most_overpaid(records: Sequence[Record], by: str) -> list[str]:
    """Return the grey line about the client or country that has overpaid most, if there is one."""
    most = max(records, key=lambda record: _exact(record["overpaid"]))
    return (
        [f"most overpaid: {name_of(most, by, LONGEST_NAME)} {money(most['overpaid'], most['currency'])}"]
        if most["overpaid"]
        else []
    )


def _late(row: Record, basis: str) -> list[tuple[str, Decimal]]:
    """Return the sums that a reader looks for first, with their words."""
    later = BUCKETS[basis][1:]
    overdue = sum((_exact(row[name]) for name in later), Decimal(0))
    words = "overdue" if basis == DUE else "older than 30 days"
    return [(words, overdue), ("over 90 days", _exact(row[later[-1]]))]


def _draw_names(panel: Axes, names: Sequence[str], records: Sequence[Record], basis: str) -> None:
    places = range(len(records))
    left = [0.0] * len(records)
    for bucket, colour in zip(BUCKETS[basis], _colours(basis), strict=True):
        widths = [_float(record[bucket]) for record in records]
        panel.barh(places, widths, left=left, color=colour, height=0.72, **EDGE)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    labels = [money(record["owed"], record["currency"]) for record in records]
    for place, label, end in zip(places, labels, left, strict=True):
        panel.annotate(label, (end, place), (3, 0), textcoords="offset points", va="center", size=LABEL)
    panel.set_yticks(places, [literal(name) for name in names], fontsize=LABEL)
    make_room(panel, 0, max(left), labels)
    panel.vlines(0, -0.5, len(records) - 0.5, color=GREY, linewidth=0.8)
    _plain(panel)


def _plain(panel: Axes) -> None:
    """Take away the axis of amounts: each bar has its own."""
    panel.set_xticks([])
    panel.tick_params(axis="y", length=0)
    panel.spines[["bottom", "left"]].set_visible(False)


def _legend(basis: str) -> list[Any]:
    from matplotlib.patches import Patch  # noqa: PLC0415 - for pictures only

    return [
        Patch(facecolor=colour, label=_days(name), **EDGE)
        for name, colour in zip(BUCKETS[basis], _colours(basis), strict=True)
    ]


def _colours(basis: str) -> tuple[str, ...]:
    return COLOURS[len(COLOURS) - len(BUCKETS[basis]) :]


def _days(bucket: str) -> str:
    name = SHORT.get(bucket, bucket)
    return DAYS.get(name, f"{name} days").replace("-", "\N{EN DASH}")


def _exact(value: object) -> Decimal:
    return Decimal(str(value))


def _float(value: object) -> float:
    return float(str(value))  # for drawing only
