"""Pictures of balances, with matplotlib, one panel a currency: amounts of two currencies share no axis."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from flows.ask import Result
from flows.output import write_output
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PANELS = 6
FORMATS = (".png", ".svg", ".pdf")


def plot_balances(found: dict[str, Result], file: Path) -> None:
    """Draw the top debtors of the currencies with most clients, as bars.

    Raises SettingsError where matplotlib, the format, or anybody who owes is missing.
    """
    if file.suffix.lower() not in FORMATS:
        raise SettingsError(f"A picture is one of {', '.join(FORMATS)}, not {file.name!r}.")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - a second, for pictures only
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ModuleNotFoundError:
        raise SettingsError("Pictures need matplotlib: pip install 'ninja-sync[plot]'") from None
    debtors = found["top_debtors"].records()
    owing = {str(d["currency"]) for d in debtors}
    by_clients = dict.fromkeys(str(row["currency"]) for row in found["by_currency"].records())
    currencies = [currency for currency in by_clients if currency in owing][:MOST_PANELS]
    if not currencies:
        raise SettingsError("There is nothing to draw: no client owes anything.")
    figure = Figure(figsize=(9, 1 + 2.6 * len(currencies)), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle("Who owes most, by currency")
    for panel, currency in zip(figure.subplots(len(currencies), squeeze=False)[:, 0], currencies, strict=True):
        _draw(panel, currency, [d for d in debtors if d["currency"] == currency])
    picture = BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a script that no installed font has: boxes are drawn
        figure.savefig(picture, format=file.suffix.lower().removeprefix("."))
    file.absolute().parent.mkdir(parents=True, exist_ok=True)
    write_output(file, picture.getvalue())


def _draw(panel: Axes, currency: str, debtors: list[dict[str, object]]) -> None:
    names = [str(d["client"])[:40].replace("$", r"\$") for d in reversed(debtors)]
    amounts = [float(str(d["balance"])) for d in reversed(debtors)]  # a float for the picture alone
    bars = panel.barh(range(len(names)), amounts, color="#2f6f9f")
    panel.set_yticks(range(len(names)), names, fontsize=8)
    panel.bar_label(bars, fmt="{:,.2f}", fontsize=8, padding=3)
    panel.set_xlabel(f"balance, {currency}")
    panel.xaxis.set_major_formatter("{x:,.0f}")
    panel.margins(x=0.15)
    panel.spines[["top", "right"]].set_visible(False)
