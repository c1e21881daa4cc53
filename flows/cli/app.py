"""The command line `ninja-sync`: what it is called with, and which sentence of `flows` it runs."""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from flows.cli import (
    approve as cli_approve,
)
from flows.cli import (
    ask as cli_warehouse,
)
from flows.cli import (
    backup as cli_backup,
)
from flows.cli import (
    clients as cli_clients,
)
from flows.cli import (
    dedupe as cli_dedupe,
)
from flows.cli import (
    demo as cli_demo,
)
from flows.cli import (
    erase as cli_erase,
)
from flows.cli import (
    journal as cli_journal,
)
from flows.cli import (
    merge as cli_merge,
)
from flows.cli import (
    push as cli_push,
)
from flows.cli import (
    setup as cli_setup,
)
from flows.cli.ending import STOPPED, STOPPED_BY, TRACEBACK, listen_to, stop, told_of, unraisable
from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.show.show import say, show_json
from schemas.errors import LOADED_WITH_FINDINGS, SettingsError, SyncError
from schemas.extras import needs

app = typer.Typer(
    name="ninja-sync",
    context_settings={"max_content_width": 100},
    help="Invoice Ninja clients, contacts and balances in SQL: an exact mirror.\n\n"
    "Start with `ninja-sync demo`, or with `ninja-sync init` for your own server.",
    epilog="Exit codes: 0 done, 1 unexpected, 2 fix the call or the configuration, 3 loaded, but more clients are "
    "missing than one run removes, or a plan is not safe to apply, 4 sent, but not found as planned, or the outcome is "
    "unknown, 5 server or network, 6 warehouse busy or unusable, 7 done, but something needs attention (quarantine, "
    "unknown fields, unlisted clients, refused changes), 129, 130, 143 ended by SIGHUP, Ctrl-C, SIGTERM.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, which hold people's data
    rich_markup_mode=None,
)
cli_setup.register(app)
cli_demo.register(app)
cli_warehouse.register(app)
cli_erase.register(app)
cli_backup.register(app)
cli_clients.register(app)
cli_journal.register(app)
cli_push.register(app)
cli_merge.register(app)
cli_approve.register(app)
cli_dedupe.register(app)


def _tell_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - each command loads what it needs

        sys.stdout.write(f"ninja-sync {version('ninja-sync')}\n")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version, and end.")
    ] = False,
) -> None:
    """What is asked before any command."""


@app.command()
def pull(
    full: Annotated[bool, typer.Option("--full", help="Read everything, not only what has changed.")] = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Bring the warehouse up to date.

    Reads what has changed on the server since the last pull; where nothing has, that usually takes one request. Without
    --source, all configured sources are pulled one after the other, and one that fails does not keep back the others.
    """
    _pull_all(source, config, full=full, at_most=None, as_json=as_json)


@app.command()
def sweep(
    at_most: Annotated[
        int | None, typer.Option(min=0, help="How many vanished clients may be taken out, where it is more than that.")
    ] = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Read everything, and find the clients that have vanished.

    Purged and merged clients leave no trace in Invoice Ninja's lists. Each one that is missing is asked for by its id;
    one that the server no longer knows is taken out, and stays in the history and in mart.client_redirects, with the
    client it was merged into where there is evidence. A pull does the same where the totals disagree, and every
    sweep_days. More than 3 clients, and more than one in a hundred, are taken out only if --at-most allows it (else
    exit code 3); so are clients that a server restored from a backup does not have.
    """
    _pull_all(source, config, full=True, at_most=at_most, as_json=as_json)


def _pull_all(source: str | None, config: Path | None, *, full: bool, at_most: int | None, as_json: bool) -> NoReturn:
    """Pull one source after the other; exits with the first failure's code, else with the highest one."""
    from flows.configuration.load import choose_sources, load_settings  # noqa: PLC0415
    from flows.pull.job import Job  # noqa: PLC0415 - each command loads what it needs
    from flows.pull.pull import pull  # noqa: PLC0415
    from flows.pull.report import exit_code_of, pulled_as_json, tell_pulled  # noqa: PLC0415
    from flows.session.door import open_door  # noqa: PLC0415
    from flows.show.show import progress  # noqa: PLC0415

    settings = load_settings(config)
    told: dict[str, dict[str, object]] = {}
    codes = []
    names = choose_sources(settings, source)
    if at_most is not None and len(names) > 1:
        raise SettingsError(f"--at-most is for one source: --source {' | '.join(names)}")
    for name in names:
        try:
            with open_door(settings, name) as door, progress(name, quiet=as_json) as tell:
                report = pull(Job(settings, name, door, full=full, at_most=at_most, tell=tell))
            told[name] = pulled_as_json(report)
            codes.append(exit_code_of(report))
            if not as_json:
                tell_pulled(report)
        except Exception as problem:  # the other sources are pulled all the same
            if STOPPED_BY or (os.environ.get(TRACEBACK) and not isinstance(problem, SyncError)):
                raise
            message, code = told_of(problem)
            told[name] = {"error": message, "exit_code": code}
            codes.append(code)
            say(f"ninja-sync: {name}: {message}")
    if as_json:
        show_json(told)
    failures = [code for code in codes if code not in {0, LOADED_WITH_FINDINGS}]
    raise typer.Exit(failures[0] if failures else max(codes))


@app.command()
def serve(source: SourceName = None, config: ConfigFile = None) -> None:
    """Run the flows on their schedules, with Prefect, until Ctrl-C.

    Needs `pip install 'ninja-sync[prefect]'` and a Prefect server; the schedules are [prefect.schedules] of the
    configuration. For many machines there are work pools: docs/operating.md.
    """
    from flows.configuration.load import load_settings  # noqa: PLC0415

    settings = load_settings(config)
    with needs("prefect"):
        from flows.scheduled.serve import serve_flows  # noqa: PLC0415 - Prefect takes seconds to import
    serve_flows(settings, source, config)


def main() -> NoReturn:
    """The entry point: runs one command, turns errors into one line and an exit code."""
    os.umask(0o077)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # where the terminal is not UTF-8: a name, not an error
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
        message, code = told_of(problem)
    listen_to(signal.SIG_IGN)  # what is left is to say how it ended
    if STOPPED_BY:
        message, code = STOPPED, 128 + STOPPED_BY[0]
    if message:
        say(f"ninja-sync: {message}")
    sys.exit(code)
