"""The command line `ninja-sync`: what it is called with, and which sentence of `flows` it runs."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from flows import cli_setup, cli_warehouse
from flows.options import AsJson, ConfigFile, SourceName
from flows.show import say, show_json
from schemas.errors import LOADED_WITH_FINDINGS, SyncError

app = typer.Typer(
    name="ninja-sync",
    help="Invoice Ninja clients, contacts and balances in SQL: always right, and safe to write back.\n\n"
    "Start with `ninja-sync demo`, or with `ninja-sync init` for your own server.",
    epilog="Exit codes: 0 good, 1 unexpected, 2 fix the configuration, 5 server or network, 6 warehouse busy or "
    "unusable, 7 loaded, but something needs a look (quarantine, unknown fields).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, which hold people's data
    rich_markup_mode=None,
)
cli_setup.register(app)
cli_warehouse.register(app)


@app.command()
def pull(
    full: Annotated[bool, typer.Option("--full", help="Read everything, not only what has changed.")] = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Bring the warehouse up to date: what has changed on the server since the last pull.

    Without --source, all configured sources one after the other. An idle pull makes one request.
    """
    from flows.pull import Job, pull  # noqa: PLC0415 - each command loads what it needs
    from flows.report import pulled_as_json, tell_pulled  # noqa: PLC0415
    from flows.settings import choose_source, load_settings, open_door  # noqa: PLC0415
    from flows.show import progress  # noqa: PLC0415

    settings = load_settings(config)
    names = [choose_source(settings, source)] if source or not settings.sources else list(settings.sources)
    reports = []
    for name in names:
        with open_door(settings.sources[name]) as door, progress(name, quiet=as_json) as tell:
            reports.append(pull(Job(settings, name, door, full=full, tell=tell)))
        if not as_json:
            tell_pulled(reports[-1])
    if as_json:
        show_json([pulled_as_json(report) for report in reports])
    if any(report.needs_a_look for report in reports):
        raise typer.Exit(LOADED_WITH_FINDINGS)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="Where the warehouse is made.")] = Path("demo"),
    clients: Annotated[int, typer.Option(min=1, help="How many clients the sandbox server gets.")] = 2000,
) -> None:
    """Go through everything once, against a sandbox server of our own, in under two minutes. Leaves nothing running."""
    from flows.demo import run_demo  # noqa: PLC0415

    run_demo(folder, clients=clients)


@app.command()
def sandbox(
    clients: Annotated[int, typer.Option(min=0, help="How many believable clients it starts with.")] = 500,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Its port; 0 takes a free one.")] = 8765,
    seed: Annotated[int, typer.Option(help="The same seed makes the same clients.")] = 1,
    host: Annotated[str, typer.Option(help="The address it listens on.")] = "127.0.0.1",
    database: Annotated[Path | None, typer.Option(help="Keep its SQLite database in this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a stand-in Invoice Ninja server for rehearsals, until Ctrl-C.

    It answers like 5.10.42 and holds invented clients. With --json, its address, tokens and password are one JSON
    object on the first line.
    """
    from flows.sandbox_command import run_sandbox  # noqa: PLC0415

    run_sandbox(clients=clients, port=port, seed=seed, host=host, database=database, as_json=as_json)


@app.command()
def serve(source: SourceName = None, config: ConfigFile = None) -> None:
    """Run the scheduled flows with Prefect, in this process, until Ctrl-C (needs `ninja-sync[prefect]`)."""
    from flows.settings import load_settings  # noqa: PLC0415

    settings = load_settings(config)
    try:
        from flows.serve import serve_flows  # noqa: PLC0415 - Prefect takes seconds to import
    except ModuleNotFoundError as missing:
        raise SyncError(
            f"`serve` needs Prefect ({missing.name} is missing): pip install 'ninja-sync[prefect]'"
        ) from None
    serve_flows(settings, source, config)


def main() -> NoReturn:
    """The entry point: runs one command, turns errors into one line and an exit code."""
    os.umask(0o077)
    signal.signal(signal.SIGTERM, _terminated)
    try:
        code = app(standalone_mode=False) or 0
    except SyncError as problem:
        say(f"ninja-sync: {problem}")
        code = problem.exit_code
    except typer.Abort:
        say("ninja-sync: stopped; nothing was left half done.")
        code = 130
    except Exception as problem:  # noqa: BLE001 - the last resort: a place, never a message that may hold people's data
        code = _unexpected(problem)
    sys.exit(code)


def _unexpected(problem: Exception) -> int:
    import click  # noqa: PLC0415 - typer's own; for its errors of usage

    if isinstance(problem, click.ClickException):
        problem.show()
        return problem.exit_code
    if os.environ.get("NINJA_SYNC_TRACEBACK"):
        raise problem
    frame = problem.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f"{Path(frame.tb_frame.f_code.co_filename).name}:{frame.tb_lineno}" if frame else "an unknown place"
    say(
        f"ninja-sync: unexpected {type(problem).__name__} at {place}. This is a bug; NINJA_SYNC_TRACEBACK=1 shows more "
        "(it may show data of clients)."
    )
    return 1


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    """End like Ctrl-C does: open transactions roll back, locks are given back."""
    raise SystemExit(143)
