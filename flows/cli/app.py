"""The command line `ninja-sync`: its name, its help, and the way it starts and ends."""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import Annotated, NoReturn

import typer

from flows.cli.commands import GROUPS, NAME
from flows.cli.ending import STOPPED, STOPPED_BY, listen_to, stop, unraisable
from flows.cli.lazy import LazyGroup, list_commands
from flows.show.describe import TRACEBACK, describe
from flows.show.show import say
from schemas.errors import EXIT_CODES, SyncError

app = typer.Typer(
    name=NAME,
    cls=LazyGroup,
    context_settings={"max_content_width": 100},
    help=GROUPS[NAME].help,
    epilog="\n".join(["\b", "Exit codes:", *(f"  {code:<15}{meaning}" for code, meaning in EXIT_CODES.items())]),
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they print local variables, which hold people's data
    rich_markup_mode=None,
)
list_commands(app, GROUPS[NAME])


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - 0.02 s, for this option only

        sys.stdout.write(f"{NAME} {version(NAME)}\n")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options before any command."""


def main() -> NoReturn:
    """Run one command; turn an error into one line and an exit code."""
    os.umask(0o077)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8 gets escapes, not an error
    listen_to(stop)
    sys.unraisablehook = unraisable
    message, code = "", 0
    try:
        app()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    except Exception as problem:
        if os.environ.get(TRACEBACK) and not isinstance(problem, SyncError):
            raise
        message, code = describe(problem)
    listen_to(signal.SIG_IGN)  # only the last message is left to print
    if STOPPED_BY:
        message, code = STOPPED, 128 + STOPPED_BY[0]
    if message:
        say(f"{NAME}: {message}")
    sys.exit(code)
