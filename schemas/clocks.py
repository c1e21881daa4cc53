"""The server's clock beside this machine's: how far a stored moment of the server's clock can still be trusted.

A clock that was ahead and was set right leaves moments behind that lie in its future: changes that are made afterwards
are stamped before them. The clocks of two runs tell by how much the server's has gone back between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

JITTER = 60
"""Seconds by which the clocks of several web servers behind one address may differ."""
ABSURD = 86400
"""Seconds by which the server's clock and this machine's may differ before one of them must be wrong."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """Both clocks at one moment, in unix seconds.

    Of a moment that is stored, `here` was read before the server was asked; of the present one, after its answer. So
    a slow answer makes `gone_back` larger and never smaller.
    """

    server: int
    here: int | None

    def gone_back(self, now: Clocks) -> int:
        """By how many seconds the server's clock has gone back from this moment to `now`; 0 where it has not.

        Everything that changed in between is stamped at least `server - gone_back`. The trap: where both clocks are of
        one machine and both were set back, only a moment that lies ahead shows it.
        """
        back = self.server - now.server
        if self.here is not None and now.here is not None:
            back = max(back, (self.server - self.here) - (now.server - now.here))
        return max(0, back)

    def is_ahead_of(self, now: Clocks) -> bool:
        """Whether this moment, which has passed, lies in the future by the server's present clock."""
        return self.server > now.server + JITTER


def clocks(server: datetime, here: datetime | None) -> Clocks:
    """The clocks of a moment that was stored."""
    return Clocks(int(server.timestamp()), None if here is None else int(here.timestamp()))
