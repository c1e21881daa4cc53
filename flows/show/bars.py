"""The places of the parts of a bar for a picture that a page draws: whole pixels, and no part is lost."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal


def stacked(amounts: Sequence[Decimal], width: int) -> list[tuple[int, int]]:
    """Return the start and the width of each part of a bar, which together fill `width` pixels.

    A part that is not 0 has at least one pixel, if there is room for all. Without any amount, all parts are empty.
    Amounts below 0 count as 0.
    """
    parts = [max(amount, Decimal(0)) for amount in amounts]
    total = sum(parts, Decimal(0))
    if not total:
        return [(0, 0) for _ in parts]
    widths = [max(int(part * width / total), 1 if part else 0) for part in parts]
    widest = max(range(len(widths)), key=widths.__getitem__)
    widths[widest] += width - sum(widths)
    return [(sum(widths[:number]), max(own, 0)) for number, own in enumerate(widths)]
