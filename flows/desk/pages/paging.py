"""The number of a page of a list, as a URL or a button says it."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 9
"""Digits; a longer number is no page of any list."""


def page_number(text: str) -> int:
    """Return the number, from 1 on; the first page for any other text."""
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) <= LONGEST else 1
