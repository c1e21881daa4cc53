"""The password of the token's user, which Invoice Ninja wants for a purge or a merge."""

from __future__ import annotations

from collections.abc import Callable

from connector.door.secret import Secret
from schemas.errors import SettingsError


class Password:
    """Reads the password when it is first needed and holds it until `drop`, or until the server refuses it (412).

    The server remembers a password for a time and lets later calls pass without it. This class never relies on that:
    every call that needs the password sends it.
    """

    def __init__(self, read: Callable[[], Secret]) -> None:
        self._read, self._held = read, None  # type: tuple[Callable[[], Secret], Secret | None]

    def lend(self) -> Secret:
        """The password, for one call. Raises SettingsError where there is none."""
        if self._held is None:
            self._held = self._read()
        return self._held

    def drop(self) -> None:
        """Forget it; the next call reads it again."""
        self._held = None


def no_password() -> Secret:
    """Reader for a run that has no password source. Raises SettingsError."""
    raise SettingsError("This needs the password of the token's user: set NINJA_SYNC_PASSWORD, or --password-file.")
