"""Draw who owes most: one panel per currency, because amounts in two currencies never share an axis."""

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
    shortened,
)
from flows.show.counted import counted
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    Record = dict[str, object]

MOST_PANELS: Final = 6
MOST_BARS: Final = 10
LONGEST_NAME: Final = 40
COLOUR: Final = "#2f6f9f"


def plot_balances(results: dict[str, Result], file: Path, heading: str) -> list[str]:
    """Draw the top debtors of the currencies with the most debt, as bars; return notes for the person.

    The picture says what it leaves out. Raises SettingsError for an unknown format, without matplotlib, or if no client
    owes anything.
    """
    panels, nobody = _panels(results)
    if not panels:
        raise SettingsError("There is nothing to draw: no client owes anything.")
    others = "`ninja-sync balances` lists all currencies."
    page = Page("Who owes most, by currency", heading, MOST_PANELS, others)
    return draw_page(page, panels, [f"Nobody owes anything in {', '.join(nobody)}."] if nobody else [], file)


def _panels(results: dict[str, Result]) -> tuple[list[Panel], list[str]]:
    """Return a panel for each source and currency with debts, the largest sum first, and the currencies without any."""
    debtors: dict[tuple[object, object], list[Record]] = {}
    for row in results["top_debtors"].records():
        debtors.setdefault((row["source"], row["currency"]), []).append(row)
    sums = sorted(results["by_currency"].records(), key=lambda row: -Decimal(str(row["owed"])))
    several = len({row["source"] for row in sums}) > 1
    panels, nobody = [], []
    for row in sums:
        label = label_of(row, several=several)
        if theirs := debtors.get((row["source"], row["currency"])):
            panels.append(_panel(label, row, theirs[:MOST_BARS]))
        else:
            nobody.append(label)
    return panels, nobody


def _panel(label: str, sums: Record, debtors: Sequence[Record]) -> Panel:
    """Return the panel of a currency: the sums owed and overpaid, and bars of its top debtors."""
    owing, currency = int(str(sums["debtors"])), sums["currency"]
    title = f"{label}: {money(sums['owed'], currency)} owed by {counted(owing, 'client')}"
    lines = [f"the {len(debtors)} largest debts are drawn"] if len(debtors) < owing else []
    if sums["creditors"]:
        lines.insert(
            0, f"{money(sums['overpaid'], currency)} overpaid by {counted(int(str(sums['creditors'])), 'client')}"
        )
    names = [shortened(debtor["client"], LONGEST_NAME) for debtor in debtors]
    return Panel(label, title, "; ".join(lines), lambda axis: _draw(axis, names, debtors), names, len(names))


def _draw(panel: Axes, names: Sequence[str], debtors: Sequence[Record]) -> None:
    amounts = [float(str(debtor["balance"])) for debtor in debtors]  # floats only for drawing
    bars = panel.barh(range(len(amounts)), amounts, color=COLOUR, height=0.72)
    panel.set_yticks(range(len(names)), [literal(name) for name in names], fontsize=LABEL)
    labels = [money(debtor["balance"], debtor["currency"]) for debtor in debtors]
    panel.bar_label(bars, labels, fontsize=LABEL, padding=3)
    make_room(panel, 0, max(amounts), labels)
    panel.set_xticks([])
    panel.spines["bottom"].set_visible(False)
    panel.tick_params(axis="y", length=0)
    panel.spines["left"].set(color=GREY, bounds=(-0.5, len(names) - 0.5))
