"""Draw the largest debts: one panel per currency, because amounts in two currencies never share an axis."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

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

    Record = dict[str, object]

MOST_PANELS: Final = {"client": 6, "country": 6, "currency": 9}
LONGEST_NAME: Final = 40
COLOUR: Final = "#2f6f9f"
OVERPAID: Final = "#d9731a"
TITLES: Final = {
    "client": "Who owes most, by currency",
    "country": "Owed by country, in each currency",
    "currency": "Owed and overpaid, by currency",
}


def plot_balances(
    results: dict[str, Result], file: Path, heading: str, *, by: str = "client", top: int = 10
) -> list[str]:
    """Draw the `top` debtors or countries of the currencies with the most debt; return notes for the person.

    By currency, draw the sums owed and overpaid. The picture says what it leaves out. Raises SettingsError for an
    unknown format, without matplotlib, or if there is nothing to draw.
    """
    panels, nobody = _panels(results, by, top)
    if not panels:
        raise SettingsError("There is nothing to draw: no client owes anything.")
    page = Page(TITLES[by], heading, MOST_PANELS[by], narrow=by == "currency")
    return draw_page(page, panels, nobody, file)


def _panels(results: dict[str, Result], by: str, top: int) -> tuple[list[Panel], list[str]]:
    """Return a panel for each source and currency with debts, the largest sum first, and a note of those without."""
    sums = sorted(results["by_currency"].records(), key=lambda row: -Decimal(str(row["owed"])))
    several = len({row["source"] for row in sums}) > 1
    drawn = [row for row in sums if row["owed"] or (by == "currency" and row["overpaid"])]
    nobody = nobody_owes([row for row in sums if row not in drawn], several=several)
    if by == "currency":
        return [_panel_of_sums(label_of(row, several=several), row) for row in drawn], nobody
    owed: dict[tuple[object, object], list[tuple[str, object]]] = {}
    for row in results["by_country" if by == "country" else "top_debtors"].records():
        amount = row["owed" if by == "country" else "balance"]
        if amount:
            owed.setdefault((row["source"], row["currency"]), []).append((name_of(row, by, LONGEST_NAME), amount))
    most = min(top, most_bars(min(len(drawn), MOST_PANELS[by])))
    return [
        _panel(label_of(row, several=several), row, owed[row["source"], row["currency"]], by, most) for row in drawn
    ], nobody


def _panel(label: str, sums: Record, owed: Sequence[tuple[str, object]], by: str, most: int) -> Panel:
    """Return the panel of a currency: the sums owed and overpaid, and bars of its debtors or countries."""
    currency, shown = sums["currency"], owed[:most]
    of = int(str(sums["debtors"])) if by == "client" else len(owed)
    lines = [owing(sums), *([f"{len(shown)} of {counted(of, by)} drawn"] if len(shown) < of else [])]
    names, amounts = [name for name, _ in shown], [amount for _, amount in shown]
    return Panel(
        label, f"{label}: {sums_of(sums)}", "; ".join(lines),
        lambda axis: _draw(axis, names, amounts, currency, [COLOUR] * len(names)), names, len(names),
    )  # fmt: skip


def _panel_of_sums(label: str, row: Record) -> Panel:
    """Return the panel of a currency with a bar for what is owed and one for what is overpaid."""
    names = ["owed", "overpaid"]
    amounts = [row[name] for name in names]
    title = f"{label}: {money(row['net'], row['currency'])} net"
    return Panel(
        label, title, owing(row), lambda axis: _draw(axis, names, amounts, row["currency"], [COLOUR, OVERPAID]),
        names, len(names),
    )  # fmt: skip


def _draw(
    panel: Axes, names: Sequence[str], values: Sequence[object], currency: object, colours: Sequence[str]
) -> None:
    amounts = [float(str(value)) for value in values]  # floats only for drawing
    bars = panel.barh(range(len(amounts)), amounts, color=colours, height=0.72)
    panel.set_yticks(range(len(names)), [literal(name) for name in names], fontsize=LABEL)
    labels = [money(value, currency) for value in values]
    panel.bar_label(bars, labels, fontsize=LABEL, padding=3)
    make_room(panel, 0, max(amounts), labels)
    panel.set_xticks([])
    panel.spines["bottom"].set_visible(False)
    panel.tick_params(axis="y", length=0)
    panel.spines["left"].set(color=GREY, bounds=(-0.5, len(names) - 0.5))
