"""How to write an amount: with the decimals of its currency, and with more only where it has more."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

USUAL: Final = 2
_WITHOUT: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_WITH_THREE: Final = "BHD IQD JOD KWD LYD OMR TND"
_DECIMALS: Final = dict.fromkeys(_WITHOUT.split(), 0) | dict.fromkeys(_WITH_THREE.split(), 3)
"""ISO 4217, list one: the currencies without two decimals. The server's own list has fewer of them."""


def decimals_of(currency: str | None) -> int:
    """Decimals of an amount in this currency, by its ISO 4217 code; two where the code is unknown."""
    return _DECIMALS.get(currency or "", USUAL)


def in_own_decimals(value: Decimal, currency: str | None) -> Decimal:
    """The same value with the decimals of its currency: 5 JPY, 5.00 EUR; never rounded, so 5.000001 stays."""
    if not value.is_finite():
        return value
    _, _, part = f"{value:f}".partition(".")
    places = max(len(part.rstrip("0")), decimals_of(currency))
    whole = f"{value:f}".partition(".")[0]
    return Decimal(f"{whole}.{part[:places].ljust(places, '0')}" if places else whole)
