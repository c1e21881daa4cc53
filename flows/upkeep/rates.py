"""Add and remove rates of exchange of a person's file: a CSV or an Excel workbook with day, currency and rate."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Final

from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from flows.sheets.csv_text import heading
from flows.sheets.spreadsheets import AS_IT_IS, Reading, Sheet, read_sheet
from schemas.errors import SettingsError
from warehouse.control.exchange_rates import FILE, MOST, PLACES, Rate, company_currency, note_rates
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement
from warehouse.publish.publish import Postponed, publish_if_due

COLUMNS: Final = ("day", "currency", "rate")
_NUMBER = re.compile(r"[0-9]+([.][0-9]+)?")


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

    A rate is the value of one unit of the currency in the company's currency, rounded to eight decimals. Rows that do
    not fit are refused, and the others added. Raises SettingsError if the file cannot be read, lacks a column, or has
    two decimal signs; and before the first pull.
    """
    sheet = read_sheet(file, COLUMNS, how)
    places = _places(sheet)
    sign, notes = _decimal_sign(sheet, places["rate"], how.decimal)
    with open_ready(settings, clock) as warehouse:
        into = company_currency(warehouse, source)
        if into is None:
            raise SettingsError(f"The currency of the company {source!r} is not known yet: `ninja-sync pull` reads it.")
        codes = {str(code) for (code,) in warehouse.rows(statement("rates/codes"), {"source": source})}
        rates, refused = _rates(sheet, places, into, codes, sign)
        with warehouse.transaction():
            warehouse.hold(f"loads of {source}")
            note_rates(warehouse, source, rates, into=into, origin=FILE, now=clock.now())
        notes += _published(settings, warehouse, clock)
    return Added(rates, into, refused, [*sheet.notes, *notes])


def remove_rate(
    settings: Settings, source: str, day: dt.date, currency: str, clock: Clock = SYSTEM_CLOCK
) -> Sequence[str]:
    """Remove the rate that a file brought for a day; return notes. Raises SettingsError if there is none."""
    code = currency.upper()
    values = {"source": source, "day": day, "currency_code": code, "origin": FILE}
    with open_ready(settings, clock) as warehouse:
        with warehouse.transaction():
            warehouse.hold(f"loads of {source}")
            if not warehouse.rows(statement("rates/there"), values):
                raise SettingsError(f"No file brought a rate of {code} for {day}: `ninja-sync rates` lists all.")
            warehouse.execute(statement("rates/remove_of_file"), values)
        return _published(settings, warehouse, clock)


def _published(settings: Settings, warehouse: Warehouse, clock: Clock) -> list[str]:
    """Write the copies for readers, which lack the change; return a note if that waits."""
    warehouse.execute("delete from control.published")
    done = publish_if_due(warehouse, now=clock.now()) if settings.publish else None
    return [str(done)] if isinstance(done, Postponed) else []


def _places(sheet: Sheet) -> dict[str, int]:
    """Return the place of each column. Raises SettingsError for a column that is missing."""
    names = [heading(column) for column in sheet.columns]
    if missing := [name for name in COLUMNS if name not in names]:
        raise SettingsError(f"The file has no column {' and no column '.join(missing)}. It needs {', '.join(COLUMNS)}.")
    return {name: names.index(name) for name in COLUMNS}


def _decimal_sign(sheet: Sheet, place: int, chosen: str | None) -> tuple[str, list[str]]:
    """Return the decimal sign of the rates. Raises SettingsError if a file has both signs and none was chosen."""
    texts = [str(row.cells[place]) for row in sheet.rows if not row.wrong]
    signs = {sign for text in texts for sign in ".," if sign in text}
    if chosen is None and len(signs) > 1:
        raise SettingsError("The rates have points and commas: say with --decimal which is before the decimals.")
    sign = chosen or next(iter(signs), ".")
    return sign, ["A comma is read as the decimal sign."] if chosen is None and sign == "," else []


def _rates(
    sheet: Sheet, places: Mapping[str, int], into: str, codes: Collection[str], sign: str
) -> tuple[list[Rate], list[RefusedRate]]:
    rates: dict[tuple[dt.date, str], Rate] = {}
    refused: list[RefusedRate] = []
    for row in sheet.rows:
        if row.wrong:
            refused.append(RefusedRate(row.line, row.wrong))
            continue
        cells = (row.cells[places[name]] for name in COLUMNS)
        day, code, number = ("" if cell is None else str(cell).strip() for cell in cells)
        try:
            rate = Rate(_day(day), _code(code, into, codes), _number(number, sign))
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


def _code(text: str, into: str, codes: Collection[str]) -> str:
    code = text.upper()
    if code == into:
        raise ValueError(f"{code} is the company's own currency: its rate is always 1")
    if code not in codes:
        raise ValueError(f"{text!r} is not a currency code that the server knows, such as EUR")
    return code


def _number(text: str, sign: str) -> Decimal:
    plain = text.replace(sign, ".") if sign == "," else text
    if not _NUMBER.fullmatch(plain) or ("." in text and sign == ","):
        raise ValueError(f"{text!r} is not a rate: write 0.9215, without thousands separators")
    rate = Decimal(plain)
    if not 0 < rate < MOST:
        raise ValueError(f"{text!r} is not a rate: it must be above 0 and below {MOST:,}")
    return rate.quantize(PLACES, ROUND_HALF_EVEN)
