"""The server's clock beside this machine's: how far to trust a stored moment of the server's clock.

A clock that was ahead and was corrected leaves moments behind that lie in its future: later changes have stamps before
them. Two readings of both clocks show by how much the server's has gone back in between.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

JITTER = 60
"""Seconds by which the clocks of several web servers behind one address may differ."""
ABSURD = 86400
"""Seconds by which the server's clock and this machine's may differ before one of them must be wrong."""


class Clocks(msgspec.Struct, frozen=True):
    """Both clocks at one moment, in unix seconds.

    For a stored moment, `here` was read before the request; for the present one, after the answer. So a slow answer
    makes `gone_back` larger, never smaller.
    """

    server: int
    here: int | None

    def gone_back(self, now: Clocks) -> int:
        """By how many seconds the server's clock has gone back from this moment to `now`; 0 where it has not.

        Every change in between has a stamp of at least `server - gone_back`. The trap: where both clocks are one
        machine's and both were set back, only a moment in the future shows it.
        """
        back = self.server - now.server
        if self.here is not None and now.here is not None:
            back = max(back, (self.server - self.here) - (now.server - now.here))
        return max(0, back)

    def is_ahead_of(self, now: Clocks) -> bool:
        """Whether this past moment lies in the future by the server's present clock."""
        return self.server > now.server + JITTER


def clocks(server: datetime, here: datetime | None) -> Clocks:
    """The clocks of a stored moment."""
    return Clocks(int(server.timestamp()), None if here is None else int(here.timestamp()))
