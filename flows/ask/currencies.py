"""Choose currencies: tables, files and pictures then hold only these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flows.ask.ask import Result
from schemas.errors import SettingsError


def codes_of(texts: Iterable[str] | None) -> tuple[str, ...]:
    """Return the codes in texts such as `EUR` and `EUR,usd`, each once, in capitals.

    Raises SettingsError if one is empty.
    """
    codes = [code.strip().upper() for text in texts or () for code in text.split(",")]
    if not all(codes):
        raise SettingsError("--currency takes a code, or several: EUR,USD.")
    return tuple(dict.fromkeys(codes))


def check_codes(codes: Sequence[str], known: Iterable[object]) -> None:
    """Raises SettingsError if there are currencies, but not all of those with these codes."""
    present = sorted({str(code) for code in known if code})
    missing = [code for code in codes if code not in present]
    if missing and present:
        raise SettingsError(f"There is no {' or '.join(missing)} here. Currencies: {', '.join(present)}.")


def heading_of(title: str, source: object, currency: object, *, several: bool) -> str:
    """Return the heading of a table of one currency: its code first, and before it the source if there are several."""
    code = str(currency) if currency else "Without a currency"
    return " ".join(filter(None, (str(source) * several, f"{code}:", title[:1].lower() + title[1:])))


def only(result: Result, codes: Sequence[str]) -> Result:
    """Return the rows in these currencies; all rows if no code is given."""
    if not codes:
        return result
    place = list(result.columns).index("currency")
    return Result(result.columns, [row for row in result.rows if row[place] in codes])
