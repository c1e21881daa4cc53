"""The states of papers, under the server's numbers."""

from __future__ import annotations

from typing import Final

DRAFT: Final = 1
SENT: Final = 2
PARTIAL: Final = 3
PAID: Final = 4
"""An invoice that is paid; a credit that is used up."""
CANCELLED: Final = 5
REVERSED: Final = 6
OPEN = (SENT, PARTIAL)


class OfPayments:
    """The states of payments."""

    PENDING: Final = 1
    CANCELLED: Final = 2
    FAILED: Final = 3
    COMPLETED: Final = 4
    PARTIALLY_REFUNDED: Final = 5
    REFUNDED: Final = 6
