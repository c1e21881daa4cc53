"""VAT and register numbers in the form of each country, with valid check digits."""

from __future__ import annotations

import random
from collections.abc import Callable

from stdnum import luhn
from stdnum.at import uid as austria
from stdnum.ch import uid as switzerland
from stdnum.es import cif as spain
from stdnum.iso7064 import mod_11_10

NIP = (6, 5, 7, 2, 3, 4, 5, 6, 7)
"""The weights of the digits of a Polish tax number."""


def vat_number_of(chance: random.Random, land: str) -> str | None:
    """Return a VAT number; None for a country without them."""
    make = MAKERS.get(land)
    return make(chance) if make else None


def siren(chance: random.Random) -> str:
    """Return the number of a French company."""
    return _checked(_digits(chance, 8), luhn.calc_check_digit)


def _german(chance: random.Random) -> str:
    return "DE" + _checked(_digits(chance, 8), mod_11_10.calc_check_digit)


def _austrian(chance: random.Random) -> str:
    return "AT" + _checked("U" + _digits(chance, 7), austria.calc_check_digit)


def _british(chance: random.Random) -> str:
    digits = _digits(chance, 7)
    return f"GB{digits}{97 - sum((8 - at) * int(digit) for at, digit in enumerate(digits)) % 97:02}"


def _french(chance: random.Random) -> str:
    number = siren(chance)
    return f"FR{(12 + 3 * (int(number) % 97)) % 97:02}{number}"


def _swiss(chance: random.Random) -> str:
    digits = _digits(chance, 8)
    while len(switzerland.calc_check_digit(digits)) > 1:
        digits = _digits(chance, 8)
    digits = _checked(digits, switzerland.calc_check_digit)
    return f"CHE-{digits[:3]}.{digits[3:6]}.{digits[6:]} MWST"


def _italian(chance: random.Random) -> str:
    return "IT" + _checked(f"{_digits(chance, 7)}{chance.randint(1, 99):03}", luhn.calc_check_digit)


def _spanish(chance: random.Random) -> str:
    digits = _digits(chance, 7)
    return f"ESB{digits}{spain.calc_check_digits('B' + digits)[0]}"


def _dutch(chance: random.Random) -> str:
    while True:
        digits = _digits(chance, 8)
        check = sum((9 - at) * int(digit) for at, digit in enumerate(digits)) % 11
        if check < 10:
            return f"NL{digits}{check}B01"


def _polish(chance: random.Random) -> str:
    while True:
        digits = _digits(chance, 9)
        check = sum(weight * int(digit) for weight, digit in zip(NIP, digits, strict=True)) % 11
        if check < 10:
            return f"PL{digits}{check}"


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "DE": _german, "AT": _austrian, "GB": _british, "FR": _french, "CH": _swiss, "IT": _italian, "ES": _spanish,
    "NL": _dutch, "PL": _polish,
}  # fmt: skip


def _digits(chance: random.Random, length: int) -> str:
    return f"{chance.randrange(10 ** (length - 1), 10**length)}"


def _checked(digits: str, check: Callable[[str], str]) -> str:
    return digits + check(digits)
