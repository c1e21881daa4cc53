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
    shortened,
)
from flows.show.counted import counted
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    Record = Mapping[str, object]

MOST_PANELS: Final = {"client": 6, "country": 6, "currency": 9}
MOST_BARS: Final = 8
LONGEST_NAME: Final = 36
COLOURS: Final = ("#dfe8ef", "#fec44f", "#ee7f2f", "#bf3a20", "#5e0b1e")
"""From not due to over 90 days. Each is darker than the one before, so a grey print keeps their order, and the pairs
differ for people who see no red or no green."""
OVERPAID: Final = "#4f9d94"
EDGE: Final[dict[str, Any]] = {"edgecolor": "#7a7a7a", "linewidth": 0.4}
HATCH: Final = "////"
DAYS: Final = {"not due": "not due", "over 90": "over 90 days"}


def plot_aging(
    tables: dict[str, Result], file: Path, companies: str, *, by: str = "client", basis: str = DUE
) -> list[str]:
    """Draw the amounts owed by age, a bar for each client or country, or for each age; return notes for the person.

    Overpaid amounts are bars of their own. The picture says what it leaves out. Raises SettingsError for an unknown
    format, without matplotlib, or if no client owes anything or has overpaid.
    """
    sums = sorted(tables["by_currency"].records(), key=lambda row: -Decimal(str(row["owed"])))
    several = len({row["source"] for row in sums}) > 1
    panels, nothing = [], []
    for row in sums:
        if not (row["owed"] or row["overpaid"]):
            nothing.append(label_of(row, several=several))
        elif by == "currency":
            panels.append(_panel_of_ages(row, basis, several=several))
        else:
            panels.append(_panel_of_names(row, tables[f"by_{by}"], by, basis, several=several))
    if not panels:
        raise SettingsError("There is nothing to draw: no client owes or has overpaid anything.")
    days = sorted({str(row["day"]) for row in sums})
    what = "days overdue" if basis == DUE else "days since the invoice"
    page = Page(
        f"Owed by {what}, by {by}",
        f"{companies}, at the end of {' and '.join(days)}",
        MOST_PANELS[by],
        "`ninja-sync aging --by currency` lists all currencies.",
        None if by == "currency" else lambda: _legend(basis),
        narrow=by == "currency",
    )
    notes = [f"Nobody owes or has overpaid anything in {', '.join(nothing)}."] if nothing else []
    return draw_page(page, panels, [*notes, *_left_out(tables["left_out"])], file)


def _left_out(result: Result) -> list[str]:
    deleted = [
        f"{money(row['owed'], row['currency'])} owed and {money(row['overpaid'], row['currency'])} overpaid "
        f"{row['currency'] or 'without a currency'}"
        for row in result.records()
    ]
    return [f"Left out: open invoices of deleted clients, {', '.join(deleted)}."] if deleted else []


def _title(row: Record, *, several: bool) -> str:
    """Return a panel's title: the sums owed and overpaid, beside each other."""
    overpaid = f", {money(row['overpaid'], row['currency'])} overpaid" if row["overpaid"] else ""
    return f"{label_of(dict(row), several=several)}: {money(row['owed'], row['currency'])} owed{overpaid}"


def _panel_of_ages(row: Record, basis: str, *, several: bool) -> Panel:
    """Return the panel of a currency with a bar for each age, and one for what is overpaid."""
    texts = [*(_days(bucket) for bucket in BUCKETS[basis]), "overpaid"]
    label, clients = label_of(dict(row), several=several), counted(int(str(row["clients"])), "client")
    title, bars = _title(row, several=several), len(texts) + 1  # one is the room before overpaid
    return Panel(label, title, clients, lambda axis: _draw_ages(axis, row, basis), texts, bars)


def _draw_ages(panel: Axes, row: Record, basis: str) -> None:
    names = [*BUCKETS[basis], "overpaid"]
    places = [*range(len(names) - 1), len(names) - 0.6]  # overpaid stands apart
    bars = panel.barh(
        places, [_float(row[name]) for name in names], color=[*_colours(basis), OVERPAID], height=0.75, **EDGE
    )
    bars[-1].set_hatch(HATCH)
    panel.set_yticks(places, [_days(name) for name in names], fontsize=LABEL)
    labels = [money(row[name], row["currency"]) for name in names]
    panel.bar_label(bars, labels, fontsize=LABEL, padding=3)
    make_room(panel, 0, max(bar.get_width() for bar in bars), labels)
    _plain(panel)


def _panel_of_names(row: Record, result: Result, by: str, basis: str, *, several: bool) -> Panel:
    """Return the panel of a currency with a stacked bar for each client or country that owes or has overpaid most."""
    key = row["source"], row["currency"]
    theirs = [
        record
        for record in result.records()
        if (record["source"], record["currency"]) == key and (record["owed"] or record["overpaid"])
    ]
    largest = sorted(theirs, key=lambda record: -_largest(record))[:MOST_BARS]
    drawn = sorted(largest, key=lambda record: (-_exact(record["owed"]), _exact(record["overpaid"])))
    names = [
        shortened(record[by] or ("(no name)" if by == "client" else "(no country)"), LONGEST_NAME) for record in drawn
    ]
    late = [f"{money(amount, row['currency'])} {words}" for words, amount in _late(row, basis)]
    some = [f"{len(drawn)} of {counted(len(theirs), by)} drawn"] if len(drawn) < len(theirs) else []
    beneath = "; ".join([", ".join(late), *some])
    return Panel(
        label_of(dict(row), several=several), _title(row, several=several), beneath,
        lambda axis: _draw_names(axis, names, drawn, basis), names, len(names),
    )  # fmt: skip


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
    overpaid = [-_float(record["overpaid"]) for record in records]
    panel.barh(places, overpaid, color=OVERPAID, hatch=HATCH, height=0.72, **EDGE)
    for place, record, end, start in zip(places, records, left, overpaid, strict=True):
        if record["owed"] or not record["overpaid"]:
            _write(panel, money(record["owed"], record["currency"]), (end, place), "left")
        if record["overpaid"]:
            _write(panel, money(record["overpaid"], record["currency"]), (start, place), "right")
    panel.set_yticks(places, [literal(name) for name in names], fontsize=LABEL)
    labels = [money(record[name], record["currency"]) for record in records for name in ("owed", "overpaid")]
    make_room(panel, min(overpaid), max(left), labels)
    panel.vlines(0, -0.5, len(records) - 0.5, color=GREY, linewidth=0.8)
    _plain(panel)


def _write(panel: Axes, text: str, place: tuple[float, float], side: str) -> None:
    offset = (3, 0) if side == "left" else (-3, 0)
    panel.annotate(text, place, offset, textcoords="offset points", ha=side, va="center", size=LABEL)


def _plain(panel: Axes) -> None:
    """Take away the axis of amounts: each bar has its own."""
    panel.set_xticks([])
    panel.tick_params(axis="y", length=0)
    panel.spines[["bottom", "left"]].set_visible(False)


def _legend(basis: str) -> list[Any]:
    from matplotlib.patches import Patch  # noqa: PLC0415 - for pictures only

    ages = [
        Patch(facecolor=colour, label=_days(name), **EDGE)
        for name, colour in zip(BUCKETS[basis], _colours(basis), strict=True)
    ]
    return [*ages, Patch(facecolor=OVERPAID, hatch=HATCH, label="overpaid", **EDGE)]


def _colours(basis: str) -> tuple[str, ...]:
    return COLOURS[len(COLOURS) - len(BUCKETS[basis]) :]


def _days(bucket: str) -> str:
    name = SHORT.get(bucket, bucket)
    return DAYS.get(name, name if name == "overpaid" else f"{name} days").replace("-", "\N{EN DASH}")


def _largest(record: Record) -> Decimal:
    return max(_exact(record["owed"]), _exact(record["overpaid"]))


def _exact(value: object) -> Decimal:
    return Decimal(str(value))


def _float(value: object) -> float:
    return float(str(value))  # for drawing only
