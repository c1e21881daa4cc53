"""Read the password of the token's user from a file, an environment variable or a prompt, never from an argument."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from connector.door.password import no_password
from connector.door.secret import Secret
from flows.configuration.values import Source

PASSWORD_VARIABLE = "NINJA_SYNC_PASSWORD"  # noqa: S105 - the name of a variable, not a password


def password_reader(
    source: Source, *, file: Path | None = None, variable: str = "", environ: Mapping[str, str] | None = None
) -> Callable[[], Secret]:
    """Return a function that reads the password when it is first needed.

    It looks in this order: `file`, `variable`, the source's `password_file`, `password_block` and `password_env`,
    NINJA_SYNC_PASSWORD, and a prompt if a person is there. It raises SettingsError if none of these has the password.
    """

    def read() -> Secret:
        named = variable or source.password_env or PASSWORD_VARIABLE
        if file is not None:
            return Secret.from_file(file)
        if source.password_file and not variable:
            return Secret.from_file(source.password_file)
        if source.password_block and not variable:
            from flows.session.blocks import secret_of_block  # noqa: PLC0415 - Prefect, only for blocks

            return secret_of_block(source.password_block)
        if variable or source.password_env or named in (os.environ if environ is None else environ):
            return Secret.from_environment(named, environ)
        if sys.stdin.isatty():
            return Secret(getpass.getpass("Your Invoice Ninja password: ", sys.stderr), name="The password")
        return no_password()

    return read
