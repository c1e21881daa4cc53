"""Ask a person before something is sent: for a yes, or for the client's name."""

from __future__ import annotations

import sys
import unicodedata

import typer

from flows.show.show import harmless
from schemas.errors import SettingsError

NOBODY = "Nothing was sent: there is nobody to ask."


def confirm(question: str, *, yes: bool, as_json: bool) -> None:
    """Ask whether to continue, unless `yes`. Raises SettingsError if there is nobody to ask."""
    if yes:
        return
    if as_json or not sys.stdin.isatty():
        raise SettingsError(f"{NOBODY} Add --yes.")
    if not typer.confirm(question, err=True):
        raise typer.Abort


def confirm_name(warning: str, name: str, typed: str | None) -> None:
    """Have a person type the name of a client that cannot be restored; compare it with the client's name.

    `typed` is a name from the command line, so that nobody is asked. Raises SettingsError if the names differ, or if
    nobody types one. Runs of blanks and the encoding of accents do not count.
    """
    if typed is None:
        try:
            typed = str(typer.prompt(f"{warning} Type the name of the client ({harmless(name)})", err=True))
        except typer.Abort:
            raise SettingsError(f'{NOBODY} Add --confirm "NAME", with the name of the client.') from None
    if _plain(typed) != _plain(name):
        raise SettingsError("The name does not match; nothing was sent.")


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).split())
