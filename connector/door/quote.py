"""Foreign text in our own messages: one short line, without a secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connector.door.secret import Secret

QUOTED: Final = 200  # characters shown of the server's own words
_LOOKED_AT: Final = 20_000  # characters searched for secrets; a secret is longer than the *** that replaces it


def quote(text: str, secrets: Sequence[Secret] = ()) -> str:
    """Foreign text on one short line: secrets as `***`, control, escape and direction characters as codes."""
    text = text[:_LOOKED_AT]
    for secret in secrets:  # before the cut: half a token is too much
        text = secret.hidden_in(text)
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[: QUOTED + 1])
    return shown if len(shown) <= QUOTED else shown[: QUOTED - 1] + "…"
