"""Show results: rich tables for people, JSON for machines. Foreign text is made harmless before it is printed."""

from __future__ import annotations

import json
import math
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Final, Literal

from schemas.money import decimals_of

if TYPE_CHECKING:
    from rich.console import Console

    from flows.session.progress import Progress

Row = Sequence[object]

WIDTH_OF_FILES = 140  # characters per line without a terminal
WORDS = (24, 20, 16, 12)  # the longest words to keep in one piece, as room allows
LAST_WORDS = (12, 8)  # the same, if columns stand only one blank apart
CURRENCY: Final = ("currency_code", "currency", "cur")  # a column with the currency of a row's amounts
MOST_RECORDS = 20  # rows to show one below the other, if a table is too wide


def console(*, stderr: bool = False) -> Console:
    """Return the console for people. It is wide enough for tables even without a terminal."""
    from rich.console import Console  # noqa: PLC0415 - 0.1 s, not needed for --json

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, soft_wrap=False, width=None if stream.isatty() else WIDTH_OF_FILES)


def say(text: str) -> None:
    """Print one line for people on standard error: standard output is for results."""
    sys.stderr.write(harmless(text) + "\n")


def harmless(text: str) -> str:
    """Return text without control, escape and direction characters: a client's name must not steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def show_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    most: int = 0,
    note: str = "",
    spare: Sequence[str] = (),
    currency: str | None = None,
    stderr: bool = False,
) -> None:
    """Print a table of at most `most` rows (0: all), with numbers on the right, thousands separators, and times in UTC.

    `currency` is that of all amounts, where no column says it.
    If the terminal is too narrow, texts are wrapped; then `spare` columns are left out, one by one, and named below;
    then columns stand closer together; then the rows are shown one below the other instead.
    """
    from rich import box  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above; unlike a string, it has no markup

    out = console(stderr=stderr)
    fitting = _fitting(columns, rows[: most or None], spare, out.width, currency)
    if fitting is None:
        shown = len(rows) if spare else MOST_RECORDS  # an overview is complete
        show_records(title, columns, rows, most=min(most or shown, shown), note=note, currency=currency, stderr=stderr)
        return
    kept, texts, numeric, widths, gap = fitting
    hidden = [name for name in columns if name not in kept]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, gap - 1, 0, 0))
    for name, is_number, width in zip(kept, numeric, widths, strict=True):
        side: Literal["left", "right"] = "right" if is_number else "left"
        table.add_column(Text(harmless(name)), justify=side, overflow="fold", min_width=width, no_wrap=is_number)
    for row in texts:
        table.add_row(*map(Text, row))
    if title:
        out.print(Text(harmless(title), style="italic"))
    out.print(table)
    _print_note(out, note, len(rows) - len(texts), hidden)


def fits(columns: Sequence[str], rows: Sequence[Row], *, currency: str | None = None) -> bool:
    """Whether the terminal has room for a table with all columns."""
    return _fitting(columns, rows, (), console().width, currency) is not None


def show_records(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    most: int = 0,
    note: str = "",
    currency: str | None = None,
    stderr: bool = False,
) -> None:
    """Print each row as lines of name and value, if a table would be too wide."""
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    out, shown = console(stderr=stderr), rows[: most or None]
    for number, row in enumerate(shown, start=1):
        heading = " ".join(filter(None, (harmless(title), f"{number}." if len(rows) > 1 else "")))
        if heading:
            out.print(Text(heading, style="italic"))
        lines = Table.grid(padding=(0, 2, 0, 0))
        lines.add_column(no_wrap=True)
        lines.add_column(overflow="fold")
        for name, text in zip(columns, _texts(columns, row, currency), strict=True):
            lines.add_row(Text(f"  {harmless(name)}"), Text(text))
        out.print(lines)
        out.print()
    _print_note(out, note, len(rows) - len(shown))


def cell(value: object) -> str:  # noqa: PLR0911 - one form for each kind
    """Return a value as text for people."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return _in_utc(value).strftime("%Y-%m-%d %H:%M:%S")
        case Decimal():
            return amount(value)
        case int():
            return f"{value:,}"
        case bytes():
            return value.hex()
        case list() | tuple() | dict():
            return json.dumps(plain(value), ensure_ascii=False)
    return str(value)


def amount(value: Decimal, currency: str | None = None) -> str:
    """Return money as text, with its currency's decimals, else two; never rounded: 1,234.50, 0.000001, 1,234 (JPY)."""
    if not value.is_finite():
        return str(value)
    whole, _, part = f"{value:,f}".partition(".")
    part = part.rstrip("0").ljust(decimals_of(currency), "0")
    return f"{whole}.{part}" if part else whole


def show_json(value: object) -> None:
    """Print one JSON document, with values as in `plain`; in ASCII if the terminal or file is not UTF-8."""
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    sys.stdout.write(_document(plain(value), ascii_only=ascii_only) + "\n")


def _document(value: object, *, ascii_only: bool) -> str:
    """Return a JSON document. msgspec takes a tenth of the time of json, which matters for ten thousand pairs."""
    if not ascii_only:
        import msgspec  # noqa: PLC0415 - `--help` does without it

        with suppress(UnicodeEncodeError, OverflowError):  # half a surrogate pair, a number beyond 64 bits
            return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return json.dumps(value, ensure_ascii=ascii_only, allow_nan=False, indent=2)


def plain(value: object) -> object:  # noqa: PLR0911 - as above
    """Return a value for JSON: money as exact text, times in ISO 8601, bytes in hexadecimal, NaN as null."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case dict() | Mapping():
            return {str(plain(key)): plain(item) for key, item in value.items()}
        case Decimal():
            return f"{value:f}" if value.is_finite() else None
        case datetime():
            return _in_utc(value).isoformat()
        case date():
            return value.isoformat()
        case bytes():
            return value.hex()
    return str(value)


@contextmanager
def progress_bar(label: str, *, quiet: bool) -> Iterator[Progress]:
    """Show a progress bar from the first report on; nothing for machines or without a terminal.

    Until then the line is free: a command asks for a password before it reports anything.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda _doing, _done, _of: None
        return
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415 - as above
    from rich.progress import Progress as Bar  # noqa: PLC0415 - as above

    words = TextColumn("{task.description} {task.fields[count]}", markup=False)
    bar = Bar(words, BarColumn(), TimeElapsedColumn(), console=console(stderr=True), transient=True)
    task = bar.add_task(label, total=None, count="")

    def report(doing: str, done: int, of: int | None) -> None:
        bar.start()
        count = (f"{done:,} of {of:,}" if of and done <= of else f"{done:,}") if done else ""
        bar.update(task, description=f"{label}: {doing}", completed=done, total=of, count=count)

    try:
        yield report
    finally:
        bar.stop()


def _texts(columns: Sequence[str], row: Row, currency: str | None) -> list[str]:
    """Return the texts of a row, with amounts in the row's currency."""
    place = next((columns.index(name) for name in CURRENCY if name in columns), None)
    code = currency if place is None else row[place]
    own = code if isinstance(code, str) else None
    return [harmless(amount(value, own) if isinstance(value, Decimal) else cell(value)) for value in row]


def _escaped(character: str) -> str:
    if unicodedata.category(character) == "Zs":
        return " "  # also for a no-break space
    return character.encode("unicode_escape").decode()


def _fitting(
    columns: Sequence[str], rows: Sequence[Row], spare: Sequence[str], width: int, currency: str | None
) -> tuple[list[str], list[list[str]], list[bool], list[int], int] | None:
    """Return the columns that fit, with their texts, whether each holds numbers, their widths, and the blanks between.

    Few columns are left out. The blanks are two, or one if there is no room even without all `spare` columns.
    None if one is too many.
    """
    texts = [_texts(columns, row, currency) for row in rows]
    for gap, left_out in product((2, 1), range(len(spare) + 1)):
        places = [n for n, name in enumerate(columns) if name not in spare[:left_out]]
        names, kept = [columns[n] for n in places], [[row[n] for n in places] for row in texts]
        numeric = [any(_is_number(row[n]) for row in rows) for n in places]
        widths = _narrowest(names, kept, numeric, room=width - gap * len(places) - 1, tight=gap == 1)
        if widths is not None:
            return names, kept, numeric, widths, gap
    return None


def _narrowest(
    names: Sequence[str], texts: Sequence[Sequence[str]], numeric: Sequence[bool], *, room: int, tight: bool
) -> list[int] | None:
    """Return the least width of each column: names and numbers are not broken, nor are words as long as there is room.

    None if there is no room even for broken words.
    """
    from rich.cells import cell_len  # noqa: PLC0415 - as above

    headings = [cell_len(harmless(name)) for name in names]
    words = [max((cell_len(w) for row in texts for w in row[n].split()), default=0) for n in range(len(names))]
    for longest in LAST_WORDS if tight else WORDS:
        widths = [
            max(heading, word if is_number else min(word, longest))
            for heading, word, is_number in zip(headings, words, numeric, strict=True)
        ]
        if sum(widths) <= room:
            return widths
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _in_utc(value: datetime) -> datetime:
    """Return a time in UTC. A time without a zone stays unchanged: its zone is unknown."""
    return value if value.tzinfo is None else value.astimezone(UTC)


def _print_note(out: Console, note: str, left_out: int, hidden: Sequence[str] = ()) -> None:
    """Print the note, and name the columns that are not shown and the number of rows that are not."""
    from rich.text import Text  # noqa: PLC0415 - as above

    more = f"and {left_out:,} more; --json has all" if left_out > 0 else ""
    columns = f"no room for {', '.join(hidden)}{'' if more else ': --json has all columns'}" if hidden else ""
    line = "; ".join(filter(None, (note, columns, more)))
    if line:
        out.print(Text(harmless(line), style="dim italic"))
