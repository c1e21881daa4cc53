"""Draw balances with matplotlib, one panel per currency: amounts in two currencies never share an axis."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flows.ask.ask import Result
from flows.ask.fonts import families_for, warning_of
from flows.show.counted import counted
from flows.show.output import write_output
from flows.show.show import amount, harmless
from schemas.errors import SettingsError
from schemas.extras import needs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Record = dict[str, object]

MOST_PANELS: Final = 6
MOST_BARS: Final = 10
LONGEST_NAME: Final = 40
FORMATS: Final = (".png", ".svg", ".pdf")
DOTS: Final = 100  # per inch: a picture with all panels has 1,600 by 900 pixels


def plot_balances(results: dict[str, Result], file: Path, heading: str) -> list[str]:
    """Draw the top debtors of the currencies with the most debt, as bars; return notes for the person.

    The picture says what it leaves out. Raises SettingsError for an unknown format, without matplotlib, or if no client
    owes anything.
    """
    if file.suffix.lower() not in FORMATS:
        raise SettingsError(f"A picture is one of {', '.join(FORMATS)}, not {file.name!r}.")
    with needs("plot"):
        import matplotlib as mpl  # noqa: PLC0415 - a second, for pictures only
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    panels = _panels(results)
    if not panels:
        raise SettingsError("There is nothing to draw: no client owes anything.")
    notes, drawn = _left_out(results, panels), panels[:MOST_PANELS]
    names = [_name(debtor) for _, debtors in drawn for debtor in debtors]
    families, missing = families_for("".join([heading, *notes, *names]))
    with mpl.rc_context({"font.family": families}), warnings.catch_warnings():
        if missing:
            warnings.filterwarnings("ignore", "Glyph .* missing")  # it is reported below, with advice
        columns = 1 if len(drawn) == 1 else 2
        rows = -(-len(drawn) // columns)
        figure = Figure(figsize=(8 * columns, 0.9 + 2.7 * rows), dpi=DOTS, layout="constrained")
        FigureCanvasAgg(figure)
        _draw(figure, columns, rows, drawn)
        figure.suptitle(_literal(f"Who owes most, by currency: {heading}"), fontsize=13)
        figure.supxlabel(_literal("\n".join(notes)), fontsize=9)
        picture = BytesIO()
        figure.savefig(picture, format=file.suffix.lower().removeprefix("."))
    file.absolute().parent.mkdir(parents=True, exist_ok=True)
    write_output(file, picture.getvalue())
    return [*notes, *([warning_of(missing)] if missing else [])]


def _panels(results: dict[str, Result]) -> list[tuple[Record, list[Record]]]:
    """Return each source and currency with debts, and its debtors; the largest sum comes first."""
    debtors: dict[tuple[object, object], list[Record]] = {}
    for row in results["top_debtors"].records():
        debtors.setdefault((row["source"], row["currency"]), []).append(row)
    sums = sorted(results["by_currency"].records(), key=lambda row: -Decimal(str(row["owed"])))
    several = len({row["source"] for row in sums}) > 1
    return [
        (row | {"label": _currency(row, several=several)}, debtors[row["source"], row["currency"]])
        for row in sums
        if (row["source"], row["currency"]) in debtors
    ]


def _left_out(results: dict[str, Result], panels: Sequence[tuple[Record, list[Record]]]) -> list[str]:
    """Return sentences about what the picture leaves out."""
    several = len({row["source"] for row in results["by_currency"].records()}) > 1
    drawn = {(row["source"], row["currency"]) for row, _ in panels}
    nobody = [
        _currency(row, several=several)
        for row in results["by_currency"].records()
        if (row["source"], row["currency"]) not in drawn
    ]
    less = [str(row["label"]) for row, _ in panels[MOST_PANELS:]]
    notes = []
    if less:
        notes.append(f"Not drawn: {', '.join(less)}. `ninja-sync balances` lists all currencies.")
    if nobody:
        notes.append(f"Nobody owes anything in {', '.join(nobody)}.")
    return notes


def _draw(figure: Figure, columns: int, rows: int, drawn: Sequence[tuple[Record, list[Record]]]) -> None:
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for axis, (sums, debtors) in zip(axes, drawn, strict=False):
        _draw_panel(axis, sums, debtors[:MOST_BARS])
    for empty in axes[len(drawn) :]:
        empty.set_visible(False)


def _draw_panel(panel: Axes, sums: Record, debtors: Sequence[Record]) -> None:
    rows = list(reversed(debtors))
    bars = panel.barh(
        range(len(rows)), [float(str(d["balance"])) for d in rows], color="#2f6f9f"
    )  # floats only for drawing
    panel.set_yticks(range(len(rows)), [_literal(_name(d)) for d in rows], fontsize=8)
    panel.set_ylim(-0.6, max(len(rows), 3) - 0.4)
    panel.bar_label(bars, [_money(d["balance"], d["currency"]) for d in rows], fontsize=8, padding=3)
    panel.set_title(_literal(_panel_title(sums)), fontsize=10, loc="left")
    panel.xaxis.set_major_formatter("{x:,.0f}")
    panel.tick_params(axis="x", labelsize=8)
    panel.margins(x=0.15)
    panel.spines[["top", "right"]].set_visible(False)


def _panel_title(sums: Record) -> str:
    """Return a panel's title: the sums owed and overpaid."""
    clients = counted(int(str(sums["debtors"])), "client")
    title = f"{sums['label']}: {_money(sums['owed'], sums['currency'])} owed by {clients}"
    overpaid = f"; {_money(sums['overpaid'], sums['currency'])} overpaid by {sums['creditors']:,}"
    return title + (overpaid if sums["creditors"] else "")


def _currency(row: Record, *, several: bool) -> str:
    code = str(row["currency"] or "no currency")
    return f"{code} ({row['source']})" if several else code


def _money(value: object, currency: object) -> str:
    return amount(Decimal(str(value)), str(currency))


def _name(debtor: Record) -> str:
    name = " ".join(harmless(str(debtor["client"])).split())
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _literal(text: str) -> str:
    """Return a text escaped for matplotlib, which takes text between two dollar signs for a formula."""
    return text.replace("$", r"\$")
