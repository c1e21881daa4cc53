"""What a pull promises to see, by the stamp of each change and by the clocks that a pull can know.

A change is promised where it is stamped at most the look-back before the last load looked, and where the server's clock
has gone back since, that much earlier. Clocks that went back and forth between two pulls leave no trace: changes in
between are promised where their stamps say so. Where the last look lies ahead, everything is read, so all is promised.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from schemas.clocks import ABSURD, JITTER


@dataclass(frozen=True)
class Look:
    """The server's clock at a first request, as far as it is believed, and how far it was ahead of ours."""

    at: float
    ahead: float


class Promise:
    """The changes of one history: those that the next pull decides about, and those that are not promised."""

    def __init__(self, look_back: int) -> None:
        self.look_back = look_back
        self.unpromised: set[str] = set()
        self._since: list[Look] = []
        self._looks: list[Look] = []
        self._later: dict[str, float] = {}
        self._now: dict[str, float] = {}

    def changed(self, key: str, stamp: float | None) -> None:
        """A client has changed, with this stamp; None where it vanished."""
        self._now.pop(key, None)
        self._later.pop(key, None)
        if stamp is None:
            self.unpromised.discard(key)
        else:
            self._later[key] = stamp

    def hidden(self, key: str) -> None:
        """A client could not be read for a time, and nobody is told that it can be read again."""
        self._now.pop(key, None)
        self.unpromised.add(key)

    def looked(self, server: float, here: float) -> None:
        """A pull has asked for the newest record, for the first time or again."""
        if not self._looks:
            self._now |= self._later
            self._later.clear()
        at = server if abs(server - here) <= ABSURD else min(server, here)
        self._looks.append(Look(at, at - here))

    def pulled(self, *, loaded: bool) -> None:
        """A pull has come to its end; `loaded` unless it had nothing to do."""
        for key, stamp in self._now.items():
            if stamp >= max((self._oldest(look) for look in self._since), default=-inf):
                self.unpromised.discard(key)
            else:
                self.unpromised.add(key)
        self._now.clear()
        self._since = self._looks if loaded else [*self._since, *self._looks]
        self._looks = []

    def failed(self) -> None:
        """A pull has ended with an error: perhaps it stored something, perhaps not."""
        self._later = self._now | self._later
        self._now = {}
        self._since, self._looks = [*self._since, *self._looks], []

    def _oldest(self, look: Look) -> float:
        """The oldest stamp that is promised after a look, now that there is another one."""
        now = self._looks[0]
        if look.at > now.at + JITTER + 1:
            return -inf
        return look.at - self.look_back - max(0.0, look.ahead - now.ahead)
