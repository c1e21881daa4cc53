"""Asking a person before something is sent: yes or no, or the name of who is meant."""

from __future__ import annotations

import sys
import unicodedata

import typer

from flows.show.show import harmless
from schemas.errors import SettingsError

NOBODY = "Nothing was sent: nobody is there to be asked."


def confirm(question: str, *, yes: bool, as_json: bool) -> None:
    """Ask whether to go on. Where nobody is there to be asked, `--yes` has to say so: SettingsError."""
    if yes:
        return
    if as_json or not sys.stdin.isatty():
        raise SettingsError(f"{NOBODY} Add --yes.")
    if not typer.confirm(question, err=True):
        raise typer.Abort


def confirm_name(warning: str, name: str, told: str | None) -> None:
    """Have the name typed of the client that cannot be had back, or compare it with the one that was told.

    Raises SettingsError where it is another one, or nobody types one. Blanks and ways to write an accent do not count.
    """
    if told is None:
        try:
            told = str(typer.prompt(f"{warning} Type the name of the client ({harmless(name)})", err=True))
        except typer.Abort:
            raise SettingsError(f'{NOBODY} Add --confirm "NAME", with the name of the client.') from None
    if _plain(told) != _plain(name):
        raise SettingsError("That is another name; nothing was sent.")


def _plain(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).split())
