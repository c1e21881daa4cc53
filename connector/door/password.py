"""The password of the token's user, which Invoice Ninja asks for when a client is purged or merged."""

from __future__ import annotations

from collections.abc import Callable

from connector.door.secret import Secret
from schemas.errors import SettingsError


class Password:
    """Read when it is first needed, held until it is dropped: at the end, or where the server does not accept it (412).

    The server's own memory of a password (it lets later calls pass without one, for a time) is never relied upon:
    every call that needs one sends it.
    """

    def __init__(self, read: Callable[[], Secret]) -> None:
        self._read, self._held = read, None  # type: tuple[Callable[[], Secret], Secret | None]

    def lend(self) -> Secret:
        """The password, for one call. Raises SettingsError where there is none."""
        if self._held is None:
            self._held = self._read()
        return self._held

    def drop(self) -> None:
        """Forget it; the next call reads it anew."""
        self._held = None


def no_password() -> Secret:
    """What reads the password where nobody said how: SettingsError."""
    raise SettingsError("This needs the password of the token's user: set NINJA_SYNC_PASSWORD, or --password-file.")
