"""Row numbers as the server writes them in JSON: hashids with an empty salt and at least ten characters.

The server's `MakesHash.php:58-63` runs `vinkla/hashids`. The salt is the default of `HASH_SALT`, so id 1 is
`VolejRejNm` here, as on most real servers.
"""

from __future__ import annotations

from functools import lru_cache

from hashids import Hashids

MAX_ID = 2**63 - 1
_HASHIDS = Hashids(salt="", min_length=10)
_LONGEST = len(_HASHIDS.encode(MAX_ID))


@lru_cache(maxsize=1 << 18)
def encode(number: int) -> str:
    """The hashed id of a row number; `''` for a negative one, which no row has."""
    return str(_HASHIDS.encode(number))


def decode(text: object) -> int | None:
    """The row number of a hashed id; None if `encode` makes exactly this text from no number."""
    return _number(text) if isinstance(text, str) and len(text) <= _LONGEST else None


@lru_cache(maxsize=1 << 14)
def _number(text: str) -> int | None:
    numbers = _HASHIDS.decode(text)
    return int(numbers[0]) if len(numbers) == 1 and numbers[0] <= MAX_ID else None
