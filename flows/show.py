"""How results look: rich tables for people, JSON for machines. Foreign text never reaches the terminal as it is."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from flows.pull import Tell

Row = Sequence[object]


def console(*, stderr: bool = False) -> Console:
    """Where people read. Wide enough for tables even where there is no terminal."""
    from rich.console import Console  # noqa: PLC0415 - 0.1 s which --json does not spend

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, soft_wrap=False, width=None if stream.isatty() else 140)


def say(text: str) -> None:
    """One line for people on standard error, so that standard output stays a result."""
    sys.stderr.write(harmless(text) + "\n")


def harmless(text: str) -> str:
    """Text without control, escape and direction characters: a client's name must not steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\x{ord(c):02x}" for c in text)


def show_table(title: str, columns: Sequence[str], rows: Iterable[Row], *, note: str = "") -> None:
    """One table; numbers stand right, money with its thousands, times in UTC."""
    from rich import box  # noqa: PLC0415 - as above
    from rich.markup import escape  # noqa: PLC0415 - as above
    from rich.table import Table  # noqa: PLC0415 - as above

    rows = list(rows)
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, caption=escape(note) or None)
    table.caption_justify = "left"
    for place, name in enumerate(columns):
        numeric = any(isinstance(row[place], (int, Decimal)) and not isinstance(row[place], bool) for row in rows)
        table.add_column(escape(name), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(harmless(cell(value))) for value in row))
    console().print(table)


def cell(value: object) -> str:
    """One value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, Decimal):
        return amount(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def amount(value: Decimal) -> str:
    """Money with thousands and at least two decimals; never rounded: 1,234.50, 0.000001."""
    text = f"{value:,f}"
    whole, _, part = text.partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


def show_json(value: object) -> None:
    """One JSON document: money as exact text, times in ISO 8601."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain, indent=2) + "\n")


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)


@contextmanager
def progress(label: str, *, quiet: bool) -> Iterator[Tell]:
    """A progress bar for the time of a run; silent for machines and where nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield lambda _doing, _done, _of: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    look = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*look, console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda doing, done, of: bar.update(task, description=f"{label}: {doing}", completed=done, total=of)
