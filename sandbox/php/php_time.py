"""Reads a moment as `Carbon::parse` does, in the forms that API callers use: dates, times, offsets, relative words.

The result is wall-clock figures without a zone. The server binds just these figures into its SQL, so it drops an offset
in the text (recorded: `2026-01-02T05:04:06+02:00` compares as 05:04:06).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from sandbox.php.text import is_numeric, to_int

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LAST_DAY = 31
UNITS = {"sec": "seconds", "min": "minutes", "hour": "hours", "day": "days", "week": "weeks", "fortnight": "fortnights"}
_MONTH = r"(?P<m>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATES = (
    r"(?P<Y>\d{4})-(?P<M>\d{1,2})-(?P<D>\d{1,2})",
    r"(?P<Y>\d{4})/(?P<M>\d{1,2})/(?P<D>\d{1,2})",
    r"(?P<Y>\d{4})(?P<M>\d{2})(?P<D>\d{2})",
    r"(?P<M>\d{1,2})/(?P<D>\d{1,2})/(?P<Y>\d{4})",
    r"(?P<D>\d{1,2})[.-](?P<M>\d{1,2})[.-](?P<Y>\d{4})",
    rf"(?P<D>\d{{1,2}})(?:st|nd|rd|th)?[ -]{_MONTH}[ -](?P<Y>\d{{4}})",
    rf"{_MONTH} (?P<D>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<Y>\d{{4}})",
    r"(?P<Y>\d{4})-(?P<M>\d{1,2})",
    rf"{_MONTH} (?P<Y>\d{{4}})",
)
_TIME = r"(?:[t ]*(?P<h>\d{1,2}):(?P<i>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?(?: ?(?P<half>[ap])\.?m\.?)?)"
_ZONE = r" ?(?:z|utc|gmt|e[sd]t|c[sde]t|m[sd]t|p[sd]t|(?:gmt|utc)?[+-]\d{1,2}:?(?:\d{2})?|[a-ik-y])"
_DATE_FORMS = tuple(re.compile(f"{date}(?P<rest>.*)") for date in _DATES)
_CLOCK = re.compile(_TIME)
_ZONE_FORM = re.compile(_ZONE)
_RELATIVE = re.compile(r"([+-]*) ?(\d+|next|last|previous|this|an?) ?([a-z]+?)s?( ago)?(?![a-z])")
_SHORTHANDS = {
    "now": (0, False),
    "today": (0, True),
    "midnight": (0, True),
    "tomorrow": (1, True),
    "yesterday": (-1, True),
}


def bound_moment(text: str, now: float, zone: tzinfo) -> datetime | None:
    """The wall-clock figures that QueryFilters binds for this parameter; None where it gives up and filters nothing.

    Seconds are read as UTC (`Carbon::createFromTimestamp`), anything else in the server's own zone (`Carbon::parse`).
    """
    if is_numeric(text):
        return _from_seconds(to_int(text))
    return parse(text, datetime.fromtimestamp(now, zone).replace(tzinfo=None))


def _from_seconds(seconds: int) -> datetime | None:
    """UTC figures; None beyond the year 9999, the result of milliseconds (recorded: everything is shown)."""
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return None


def parse(text: str, now: datetime) -> datetime | None:
    """The moment that an English or ISO text means, seen from `now`; None if it means none."""
    rest = text.strip().lower()
    if re.fullmatch(r"@-?\d+", rest):
        return _from_seconds(int(rest[1:]))
    try:
        moment, rest = _dated(rest, now)
        moment, rest = _timed(moment, rest)
        return _moved(moment, rest)
    except (ValueError, OverflowError):
        return None


def _dated(text: str, now: datetime) -> tuple[datetime, str]:
    for form in _DATE_FORMS:
        if match := form.match(text):
            parts = match.groupdict()
            month = MONTHS.index(parts["m"]) + 1 if parts.get("m") else int(parts["M"])
            if (day := int(parts.get("D") or 1)) > LAST_DAY:
                raise ValueError(text)
            first = datetime(int(parts["Y"]), month, 1)  # noqa: DTZ001 - figures on a wall have no zone
            return first + timedelta(days=day - 1), parts["rest"]  # PHP reads 31 February as 3 March
    for word, (days, midnight) in _SHORTHANDS.items():
        if re.match(rf"{word}\b", text):
            start = now.replace(hour=0, minute=0, second=0, microsecond=0) if midnight else now
            return start + timedelta(days=days), text.removeprefix(word)
    return now, text


def _timed(moment: datetime, text: str) -> tuple[datetime, str]:
    """The moment with the time of day at the start of the text, and its zone, which changes nothing."""
    if match := _CLOCK.match(text):
        parts, text = match.groupdict(), text[match.end() :]
        hour = int(parts["h"])
        if parts["half"]:
            hour = hour % 12 + (12 if parts["half"] == "p" else 0)
        micros = int((parts["f"] or "0")[:6].ljust(6, "0"))
        moment = moment.replace(hour=hour, minute=int(parts["i"]), second=int(parts["s"] or 0), microsecond=micros)
    if (zone := _ZONE_FORM.match(text)) and not text[zone.end() :].strip():
        text = ""
    return moment, text


def _moved(moment: datetime, text: str) -> datetime:
    """The moment moved by the rest of the text: `-1 day`, `+1 week 2 hours`, `next month`; else ValueError."""
    text = text.strip()
    while text:
        if match := _RELATIVE.match(text):
            moment = _step(moment, match)
        elif (match := re.match(r"[a-z]+", text)) and (weekday := _weekday(match[0])) is not None:
            moment = _on_weekday(moment, weekday, same=True)
        else:
            raise ValueError(text)
        text = text[match.end() :].strip(" ,")
    return moment


def _step(moment: datetime, match: re.Match[str]) -> datetime:
    signs, count, unit, ago = match.groups()
    words = {"next": 1, "last": -1, "previous": -1, "this": 0, "a": 1, "an": 1}
    if count in words and (weekday := _weekday(unit)) is not None:
        ahead = _on_weekday(moment, weekday, same=False)
        return ahead - timedelta(days=7 if words[count] < 0 else 0)
    number = words[count] if count in words else int(count)
    number *= (-1) ** (signs.count("-") + bool(ago))
    return _shifted(moment, number, unit)


def _shifted(moment: datetime, number: int, unit: str) -> datetime:
    if unit.startswith(("month", "year")):
        months = moment.year * 12 + moment.month - 1 + number * (12 if unit == "year" else 1)
        first = moment.replace(year=months // 12, month=months % 12 + 1, day=1)
        return first + timedelta(days=moment.day - 1)
    for start, name in UNITS.items():
        if (
            unit == start
            or unit == name.removesuffix("s")
            or (start in {"sec", "min"} and unit == name[:6].rstrip("s"))
        ):
            return moment + (timedelta(weeks=2 * number) if name == "fortnights" else timedelta(**{name: number}))
    raise ValueError(unit)


def _weekday(word: str) -> int | None:
    return next((i for i, day in enumerate(DAYS) if word in {day, day[:3]}), None)


def _on_weekday(moment: datetime, weekday: int, *, same: bool) -> datetime:
    """Midnight of the next such weekday; today counts if `same`."""
    days = (weekday - moment.weekday()) % 7 or (0 if same else 7)
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)
