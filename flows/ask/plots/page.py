"""A page of panels, as wide as A4 is long: title, company, legend, panels and notes, in fonts that have the letters."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flows.ask.plots.fonts import families_for, warning_of
from flows.show.counted import counted
from flows.show.output import write_output
from flows.show.show import amount, harmless
from schemas.errors import SettingsError
from schemas.extras import needs
from schemas.money import decimals_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS: Final = (".png", ".svg", ".pdf")
DOTS: Final = 150  # per inch: a page is 1,754 pixels wide
WIDTH: Final = 11.69
HIGH: Final = 8.27  # inches; the sides of A4
HEIGHTS: Final = {1: 3.6, 2: 2.6, 3: 2.1}
"""Inches of a panel, by rows of panels; less if the notes take their room."""
BARS: Final = {1: 0.27, 2: 0.22, 3: 0.185}
"""Inches of a bar, by rows of panels."""
LEAST: Final = 4  # bars for which there is room
MOST_BARS: Final = {1: 20, 2: 12, 3: 10}
"""Bars for which a panel has room, by rows of panels."""
LINE: Final = 0.19  # inches
ROOM: Final = 0.46  # inches between two panels, for a title and a grey line
GREY_LINE: Final = 0.13  # inches of each further grey line
TITLE, TEXT, LABEL, NOTE = 14, 9.5, 7.5, 7.5
"""Sizes of fonts in points."""
INK, GREY = "#1a1a1a", "#5f5f5f"
MILLION: Final = 10**6
FEW: Final = 4  # panels in two columns, although they are narrow


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: its title, the grey lines beneath it, how it is drawn, and the texts that the drawing adds."""

    label: str
    title: str
    beneath: str
    draw: Callable[[Axes], None]
    texts: Sequence[str] = ()
    bars: int = 0
    """The number of bars, each with a line of text beside it; 0 if it has none, but is as high as there is room."""


@dataclass(frozen=True, slots=True)
class Page:
    """The frame of all panels. At most `most` panels are drawn."""

    title: str
    heading: str
    most: int
    legend: Callable[[], Sequence[Any]] | None = None
    narrow: bool = False


def check_picture(file: Path | None) -> None:
    """Raises SettingsError if the name of a wanted picture has no known format, or without matplotlib."""
    if file is None:
        return
    if file.suffix.lower() not in FORMATS:
        raise SettingsError(f"A picture is one of {', '.join(FORMATS)}, not {file.name!r}.")
    with needs("plot"):
        import matplotlib  # noqa: F401, PLC0415 - a second, for pictures only


def draw_page(page: Page, panels: Sequence[Panel], notes: Sequence[str], file: Path) -> list[str]:
    """Draw the first panels and write the picture; return the notes below it, and a warning of missing fonts.

    The picture names the panels that it leaves out. Raises SettingsError for an unknown format, and without matplotlib.
    """
    check_picture(file)
    import matplotlib as mpl  # noqa: PLC0415 - as above

    drawn, left_out = panels[: page.most], [panel.label for panel in panels[page.most :]]
    said = [f"Not drawn: {', '.join(left_out)}. Draw others with --currency CODE."] if left_out else []
    said += notes
    families, missing = families_for("".join(_texts(page, drawn, said)))
    with mpl.rc_context({"font.family": families}), warnings.catch_warnings():
        if missing:
            warnings.filterwarnings("ignore", "Glyph .* missing")  # it is reported below, with advice
        picture = BytesIO()
        figure_of(page, drawn, said).savefig(picture, format=file.suffix.lower().removeprefix("."), dpi=DOTS)
    write_output(file, picture.getvalue())
    return [*said, *([warning_of(missing)] if missing else [])]


def figure_of(page: Page, panels: Sequence[Panel], notes: Sequence[str]) -> Figure:
    """Return the page as a figure of matplotlib."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - as above
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above
    from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415 - as above

    columns = _columns(len(panels), narrow=page.narrow)
    rows = -(-len(panels) // columns)
    heading = _lines(page.heading, 110)
    noted = [line for note in notes for line in _lines(note, 180)]
    more = GREY_LINE * max(panel.beneath.count("\n") for panel in panels)
    room = ROOM + more
    top, bottom = 0.7 + more / 2 + LINE * (len(heading) + (page.legend is not None)), 0.05 + LINE * 0.85 * len(noted)
    highest = [max(panel.bars for panel in panels[row * columns :][:columns]) for row in range(rows)]
    heights = [room + (max(bars, LEAST) * BARS[rows] if bars else HEIGHTS[rows]) for bars in highest]
    height = top + bottom + _body(sum(heights), HIGH - top - bottom)
    space = (0.012, bottom / height, 0.976, 1 - (top + bottom) / height)
    figure = Figure(figsize=(WIDTH, height), layout=ConstrainedLayoutEngine(rect=space, w_pad=0.12, h_pad=room / 2))
    FigureCanvasAgg(figure)
    figure.text(0.02, 1 - 0.18 / height, literal(page.title), size=TITLE, va="top", color=INK)
    figure.text(0.02, 1 - 0.45 / height, literal("\n".join(heading)), size=TEXT, va="top", color=GREY)
    figure.text(0.02, 0.1 / height, literal("\n".join(noted)), size=NOTE, va="bottom", color=GREY)
    if page.legend is not None:
        place = (0.015, 1 - (0.46 + LINE * len(heading)) / height)
        figure.legend(
            handles=[*page.legend()], loc="upper left", bbox_to_anchor=place, ncols=9, fontsize=LABEL + 0.5,
            frameon=False, columnspacing=1.5, handlelength=1.6, borderpad=0,
        )  # fmt: skip
    axes = list(figure.subplots(rows, columns, squeeze=False, height_ratios=heights).flatten())
    for number, (axis, panel) in enumerate(zip(axes, panels, strict=False)):
        _frame(axis)
        panel.draw(axis)
        if panel.bars:  # one thickness for all bars
            axis.set_ylim(max(highest[number // columns], LEAST) - 0.4, -0.6)
    for empty in axes[len(panels) :]:
        empty.set_visible(False)
    figure.draw_without_rendering()  # it moves the panels to their places
    for column in range(columns):
        _write_titles(figure, axes[column : len(panels) : columns], panels[column::columns])
    return figure


def _body(wanted: float, room: float) -> float:
    """Return the height of all panels: as much as there is room for, but at least half a page if the notes are long."""
    return min(wanted, max(room, HIGH / 2))


def literal(text: str) -> str:
    """Return a text escaped for matplotlib, which takes text between two dollar signs for a formula."""
    return harmless(text).replace("$", r"\$")


def shortened(name: object, room: int) -> str:
    """Return a name on one line, as wide as `room` letters at most; a Chinese letter is as wide as two."""
    from rich.cells import cell_len  # noqa: PLC0415 - for pictures and tables only

    text = " ".join(harmless(str(name)).split())
    if cell_len(text) <= room:
        return text
    while cell_len(text) >= room:
        text = text[:-1]
    return text.rstrip() + "…"


def name_of(record: Mapping[str, object], by: str, room: int) -> str:
    """Return the name of a client or country for a bar, on one line as wide as `room` letters at most."""
    return shortened(record[by] or ("(no name)" if by == "client" else "(no country)"), room)


def money(value: object, currency: object) -> str:
    """Return an amount in the decimals of its currency, rounded: a picture is for orientation, a table is exact."""
    code = str(currency or "")
    place = Decimal(1).scaleb(-decimals_of(code))
    return amount(Decimal(str(value)).quantize(place, ROUND_HALF_UP), code)


def make_room(panel: Axes, least: float, most: float, labels: Sequence[str]) -> None:
    """Limit the axis of amounts so that labels fit beside bars from `least`, which is at most 0, up to `most`."""
    points = max(map(len, labels)) * LABEL * 0.65
    width = panel.get_window_extent().width / panel.figure.dpi * 72 * 0.55  # names take the rest
    share = min(points / width, 1 / 3)
    room = share * ((most - least) or 1) / (1 - share * (2 if least else 1))
    panel.set_xlim(least - room if least else 0, most + room)


def label_of(row: Mapping[str, object], *, several: bool) -> str:
    """Return the code of a row's currency for a title, with the source if there are several."""
    code = str(row["currency"] or "no currency")
    return f"{code} ({row['source']})" if several else code


def sums_of(row: Mapping[str, object]) -> str:
    """Return the sums owed and overpaid, beside each other, for the title of a panel."""
    overpaid = f", {money(row['overpaid'], row['currency'])} overpaid" if row["overpaid"] else ""
    return f"{money(row['owed'], row['currency'])} owed{overpaid}"


def nobody_owes(rows: Sequence[Mapping[str, object]], *, several: bool) -> list[str]:
    """Return the sentence about the currencies without debts, if there are any: what is overpaid there is not drawn."""
    labels = [
        label_of(row, several=several)
        + (f" ({money(row['overpaid'], row['currency'])} overpaid)" if row["overpaid"] else "")
        for row in rows
    ]
    return [f"Nobody owes anything in {', '.join(labels)}."] if labels else []


def owing(row: Mapping[str, object]) -> str:
    """Return how many clients owe, and how many have overpaid, for the grey line of a panel."""
    overpaid = f", {row['creditors']:,} overpaid" if row["creditors"] else ""
    return f"{counted(int(str(row['debtors'])), 'client')} {'owes' if row['debtors'] == 1 else 'owe'}{overpaid}"


def most_bars(panels: int) -> int:
    """Return the number of bars for which each of so many panels has room. Panels with names have two columns."""
    rows = -(-panels // _columns(panels, narrow=False)) or 1
    return MOST_BARS[min(rows, max(MOST_BARS))]


def write_amounts(axis: Any, most: float) -> None:
    """Label an axis of amounts with few round numbers, large ones in millions; never in powers of ten."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator  # noqa: PLC0415 - as above

    def shown(value: float, _place: int | None = None) -> str:
        return f"{value / MILLION:,g} million" if most >= 10 * MILLION and value else f"{value:,.10g}"

    axis.set_major_locator(MaxNLocator(4, min_n_ticks=2))
    axis.set_major_formatter(FuncFormatter(shown))


def _frame(panel: Axes) -> None:
    """Take the frame of a panel away, and make its axes quiet."""
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color("#9a9a9a")
    panel.tick_params(labelsize=LABEL, color="#9a9a9a", labelcolor=INK)
    panel.set_axisbelow(True)


def _write_titles(figure: Figure, axes: Sequence[Axes], panels: Sequence[Panel]) -> None:
    """Write the titles of a column of panels above their names, not above their bars: there is more room."""
    width, height = figure.get_size_inches()
    left = min(axis.get_tightbbox().x0 for axis in axes) / figure.dpi / width  # type: ignore[union-attr]  # all are visible
    for axis, panel in zip(axes, panels, strict=True):
        top = axis.get_position().y1
        above = 0.24 + GREY_LINE * panel.beneath.count("\n") if panel.beneath else 0.12
        figure.text(left, top + above / height, literal(panel.title), size=TEXT, color=INK, in_layout=False)
        figure.text(left, top + 0.09 / height, literal(panel.beneath), size=LABEL, color=GREY, in_layout=False)


def _columns(panels: int, *, narrow: bool) -> int:
    if narrow and panels > FEW:
        return 3
    return 1 if panels == 1 else 2


def _texts(page: Page, panels: Sequence[Panel], notes: Sequence[str]) -> Iterator[str]:
    """Yield every text that is drawn."""
    yield from (page.title, page.heading, *notes)
    for panel in panels:
        yield from (panel.title, panel.beneath, *panel.texts)


def _lines(text: str, room: int) -> list[str]:
    """Return a text in lines, as wide as `room` letters at most."""
    from rich.cells import cell_len  # noqa: PLC0415 - as above

    lines: list[str] = []
    for word in harmless(text).split():
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(shortened(word, room))
    return lines
