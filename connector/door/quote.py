"""Foreign text in our own messages: on one short line, and without a secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connector.door.secret import Secret

QUOTED: Final = 200  # characters of the server's own words that are shown
_LOOKED_AT: Final = 20_000  # characters that are searched for secrets, which are longer than what is put in their place


def quote(text: str, secrets: Sequence[Secret] = ()) -> str:
    """Foreign text on one short line: secrets as `***`, control, escape and direction characters as codes."""
    text = text[:_LOOKED_AT]
    for secret in secrets:  # before it is cut: half a token is too much
        text = secret.hidden_in(text)
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: QUOTED + 1])
    return shown if len(shown) <= QUOTED else shown[: QUOTED - 1] + "…"
