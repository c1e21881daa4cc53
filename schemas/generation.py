"""Versions of Invoice Ninja, from the header X-APP-VERSION, and the differences between them."""

from __future__ import annotations

import re
from typing import Final

TELLS_OF_MERGES: Final = (5, 12)
"""From this version on (5.12.22), the activities feed shows merges and purges."""
COMPUTED_ANEW: Final = (5, 13)
"""From this version on a merge computes all figures again from invoices, payments and credits."""
NO_LEDGER_NOTE: Final = (5, 13)
"""From this version on a merge need not leave a ledger row."""

_VERSION = re.compile(r"v?(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4})(?:\..*)?)?(?:[-+~ a-z].*)?", re.ASCII | re.IGNORECASE)


def numbers_of(version: str | None) -> tuple[int, ...]:
    """A version as up to three numbers: `v5.13.0-rc1` is (5, 13, 0). () for an unreadable one.

    () is older than all, so such a server counts as the oldest. A pre-release counts as the release itself.
    """
    parsed = _VERSION.fullmatch((version or "").strip())
    return tuple(int(number) for number in parsed.groups() if number) if parsed else ()
