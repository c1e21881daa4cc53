"""Versions of Invoice Ninja, from the header X-APP-VERSION, and the differences between them.

Only this module reads a version. All others compare the results of `numbers_of`.
"""

from __future__ import annotations

import re
from typing import Final

TELLS_OF_MERGES: Final = (5, 12, 22)
"""From this version on, activities record merges and purges."""
COMPUTED_ANEW: Final = (5, 13, 0)
"""From this version on, a merge computes all figures again from invoices, payments and credits."""
NO_LEDGER_NOTE: Final = (5, 13, 0)
"""From this version on, a merge need not leave a ledger row."""
TESTED: Final = ("5.10.42", "5.12.28")
"""The versions that were recorded, and against which this version of Ninja Sync was tested."""
OLDEST: Final[tuple[int, ...]] = ()
"""An unreadable version: older than all others."""

_VERSION = re.compile(r"v?(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4})(?:\..*)?)?(?:[-+~ a-z].*)?", re.ASCII | re.IGNORECASE)


def is_tested(version: str | None) -> bool:
    """Whether Ninja Sync was tested against a version."""
    return version in TESTED


def numbers_of(version: str | None) -> tuple[int, ...]:
    """A version as three numbers: `v5.13.0-rc1` is (5, 13, 0), and so is `5.13`. OLDEST for an unreadable one.

    A pre-release counts as the release itself.
    """
    read = _VERSION.fullmatch((version or "").strip())
    return tuple(int(number or 0) for number in read.groups()) if read else OLDEST
