"""Add rates of exchange from a person's file: a CSV or an Excel workbook with the columns day, currency, rate."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final

from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from flows.sheets.spreadsheets import AS_IT_IS, Reading, Sheet, read_sheet
from schemas.errors import SettingsError
from warehouse.control.exchange_rates import FILE, MOST, PLACES, Rate, company_currency, note_rates
from warehouse.publish.publish import Postponed, publish_if_due

COLUMNS: Final = ("day", "currency", "rate")
_CODE = re.compile(r"[A-Z]{3}")
_NUMBER = re.compile(r"[0-9]+([.,][0-9]+)?")


@dataclass(frozen=True, slots=True)
class RefusedRate:
    """A row that was not added, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Added:
    """The rates that were added, the company's currency, and the rows that were not added."""

    rates: Sequence[Rate]
    into: str
    refused: Sequence[RefusedRate] = ()
    notes: Sequence[str] = ()


def add_rates(
    settings: Settings, source: str, file: Path, how: Reading = AS_IT_IS, clock: Clock = SYSTEM_CLOCK
) -> Added:
    """Add the rates of a file to a source, each in place of one that a file brought for the same day.

    A rate is the value of one unit of the currency in the company's currency. Rows that do not fit are refused, and the
    others added. Raises SettingsError if the file cannot be read, or before the first pull.
    """
    sheet = read_sheet(file, COLUMNS, how)
    with open_ready(settings, clock) as warehouse:
        into = company_currency(warehouse, source)
        if into is None:
            raise SettingsError(f"The currency of the company {source!r} is not known yet: `ninja-sync pull` reads it.")
        rates, refused = _rates(sheet, into, how.decimal)
        with warehouse.transaction():
            warehouse.hold(f"loads of {source}")
            note_rates(warehouse, source, rates, into=into, origin=FILE, now=clock.now())
            warehouse.execute("delete from control.published")  # the copies lack these rates
        done = publish_if_due(warehouse, now=clock.now()) if settings.publish else None
    return Added(rates, into, refused, [*sheet.notes, *([str(done)] if isinstance(done, Postponed) else [])])


def _rates(sheet: Sheet, into: str, decimal: str | None) -> tuple[list[Rate], list[RefusedRate]]:
    rates: dict[tuple[dt.date, str], Rate] = {}
    refused: list[RefusedRate] = []
    for row, (day, code, number) in zip(sheet.rows, sheet.texts(*COLUMNS), strict=True):
        try:
            rate = Rate(_day(day), _code(code, into), _number(number, decimal))
        except ValueError as problem:
            refused.append(RefusedRate(row.line, str(problem)))
            continue
        if (rate.day, rate.currency_code) in rates:
            refused.append(RefusedRate(row.line, f"a second rate of {rate.currency_code} for {rate.day}"))
        else:
            rates[rate.day, rate.currency_code] = rate
    return list(rates.values()), refused


def _day(text: str) -> dt.date:
    try:
        return dt.datetime.fromisoformat(text).date()  # a workbook gives a time too
    except ValueError:
        raise ValueError(f"{text!r} is not a day: write 2026-12-31") from None


def _code(text: str, into: str) -> str:
    code = text.upper()
    if not _CODE.fullmatch(code):
        raise ValueError(f"{text!r} is not a currency code of three letters, such as USD")
    if code == into:
        raise ValueError(f"{code} is the company's own currency: its rate is always 1")
    return code


def _number(text: str, decimal: str | None) -> Decimal:
    wrong = ValueError(f"{text!r} is not a rate: write 0.9215, without thousands separators")
    other = {".": ",", ",": "."}.get(decimal or "")
    if not _NUMBER.fullmatch(text) or (other and other in text):
        raise wrong
    try:
        rate = Decimal(text.replace(",", "."))
        exact = rate.quantize(PLACES)
    except InvalidOperation:
        raise wrong from None
    if not 0 < rate < MOST or exact != rate:
        raise ValueError(f"{text!r} must be above 0, with at most ten digits before the point and eight after it")
    return exact
