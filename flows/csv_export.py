"""Answers as CSV, safe to open in a spreadsheet: a text that begins like a formula is not one."""

from __future__ import annotations

import csv

from flows.ask import Result
from flows.output import write_output
from flows.show import plain

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell must not begin with (OWASP, "CSV Injection"); an apostrophe in front makes it a text."""


def as_csv(result: Result) -> str:
    """The result as CSV with CRLF and a head line; numbers and times stay what they are, NULL is empty."""
    import io  # noqa: PLC0415

    sink = io.StringIO(newline="")
    writer = csv.writer(sink)
    writer.writerow([_safe(name) for name in result.columns])
    for row in result.rows:
        writer.writerow(["" if value is None else _safe(value) for value in row])
    return sink.getvalue()


def write_csv(result: Result, target: str) -> None:
    """Write the result into a file (0600), or to standard output for `-`."""
    write_output(target, as_csv(result).encode("utf-8"))


def _safe(value: object) -> object:
    if isinstance(value, str):
        return "'" + value if value.startswith(FORMULA) else value
    return plain(value)
