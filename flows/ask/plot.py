"""Draw balances with matplotlib, one panel for each currency: amounts of two currencies share no axis."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flows.ask.ask import Result
from flows.ask.fonts import families_for, warning_of
from flows.show.output import write_output
from flows.show.show import amount, harmless
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Row = dict[str, object]

MOST_PANELS: Final = 6
MOST_BARS: Final = 10
LONGEST_NAME: Final = 40
FORMATS: Final = (".png", ".svg", ".pdf")
DOTS: Final = 100  # per inch, so that a picture with all panels has 1,600 by 900 pixels


def plot_balances(tables: dict[str, Result], file: Path, heading: str) -> list[str]:
    """Draw the top debtors of the currencies with most owed, as bars; return notes for people.

    The picture names the currencies that it leaves out. Raises SettingsError if matplotlib is missing, if no client
    owes anything, or for an unknown format.
    """
    if file.suffix.lower() not in FORMATS:
        raise SettingsError(f"{file.name!r} is not a picture: end the name with one of {', '.join(FORMATS)}.")
    try:
        import matplotlib as mpl  # noqa: PLC0415 - a second, for pictures only
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ModuleNotFoundError:
        raise SettingsError("Pictures need matplotlib: pip install 'ninja-sync[plot]'") from None
    panels = _panels(tables)
    if not panels:
        raise SettingsError("There is nothing to draw: no client owes anything.")
    notes, drawn = _left_out(tables, panels), panels[:MOST_PANELS]
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


def _panels(tables: dict[str, Result]) -> list[tuple[Row, list[Row]]]:
    """Return each source and currency with debtors, and its debtors, most owed first."""
    debtors: dict[tuple[object, object], list[Row]] = {}
    for row in tables["top_debtors"].records():
        debtors.setdefault((row["source"], row["currency"]), []).append(row)
    sums = sorted(tables["by_currency"].records(), key=lambda row: -Decimal(str(row["owed"])))
    several = len({row["source"] for row in sums}) > 1
    return [
        (row | {"label": _currency(row, several=several)}, debtors[row["source"], row["currency"]])
        for row in sums
        if (row["source"], row["currency"]) in debtors
    ]


def _left_out(tables: dict[str, Result], panels: Sequence[tuple[Row, list[Row]]]) -> list[str]:
    """Return sentences about the currencies that the picture does not show."""
    several = len({row["source"] for row in tables["by_currency"].records()}) > 1
    drawn = {(row["source"], row["currency"]) for row, _ in panels}
    nobody = [
        _currency(row, several=several)
        for row in tables["by_currency"].records()
        if (row["source"], row["currency"]) not in drawn
    ]
    less = [str(row["label"]) for row, _ in panels[MOST_PANELS:]]
    notes = []
    if less:
        notes.append(f"Not drawn: {', '.join(less)}. `ninja-sync balances` lists all currencies.")
    if nobody:
        notes.append(f"Nobody owes anything in {', '.join(nobody)}.")
    return notes


def _draw(figure: Figure, columns: int, rows: int, drawn: Sequence[tuple[Row, list[Row]]]) -> None:
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    for axis, (sums, debtors) in zip(axes, drawn, strict=False):
        _draw_panel(axis, sums, debtors[:MOST_BARS])
    for empty in axes[len(drawn) :]:
        empty.set_visible(False)


def _draw_panel(panel: Axes, sums: Row, debtors: Sequence[Row]) -> None:
    rows = list(reversed(debtors))
    bars = panel.barh(
        range(len(rows)), [float(str(d["balance"])) for d in rows], color="#2f6f9f"
    )  # floats only for the picture
    panel.set_yticks(range(len(rows)), [_literal(_name(d)) for d in rows], fontsize=8)
    panel.set_ylim(-0.6, max(len(rows), 3) - 0.4)
    panel.bar_label(bars, [_money(d["balance"], d["currency"]) for d in rows], fontsize=8, padding=3)
    panel.set_title(_literal(_title(sums)), fontsize=10, loc="left")
    panel.xaxis.set_major_formatter("{x:,.0f}")
    panel.tick_params(axis="x", labelsize=8)
    panel.margins(x=0.15)
    panel.spines[["top", "right"]].set_visible(False)


def _title(sums: Row) -> str:
    """Return a panel's title: the amount owed, and the amount overpaid."""
    clients = "1 client" if sums["debtors"] == 1 else f"{sums['debtors']:,} clients"
    owed = f"{sums['label']}: {_money(sums['owed'], sums['currency'])} owed by {clients}"
    overpaid = f"; {_money(sums['overpaid'], sums['currency'])} overpaid by {sums['creditors']:,}"
    return owed + (overpaid if sums["creditors"] else "")


def _currency(row: Row, *, several: bool) -> str:
    code = str(row["currency"] or "no currency")
    return f"{code} ({row['source']})" if several else code


def _money(value: object, currency: object) -> str:
    return amount(Decimal(str(value)), str(currency))


def _name(debtor: Row) -> str:
    name = " ".join(harmless(str(debtor["client"])).split())
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def _literal(text: str) -> str:
    """Return a text that matplotlib draws literally: between two dollar signs it would see a formula."""
    return text.replace("$", r"\$")
