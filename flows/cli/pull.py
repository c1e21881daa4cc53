"""The commands that load the warehouse: pull, sweep."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from flows.cli.ending import STOPPED_BY
from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.configuration.load import choose_sources, load_settings
from flows.pull.by_name import pull_source
from flows.pull.report import exit_code_of, pulled_as_json, tell_pulled
from flows.show.describe import TRACEBACK, describe
from flows.show.show import progress_bar, say, show_json
from schemas.errors import LOADED_WITH_FINDINGS, SettingsError, SyncError


def pull(
    full: Annotated[bool, typer.Option("--full", help="Read all records, not only changed ones.")] = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Bring the warehouse up to date.

    Reads the records that changed on the server since the last pull. If nothing has changed, this usually takes one
    request for each kind of record. Without --source, all configured sources are pulled in turn; a failure of one does
    not stop the others.
    """
    _pull_all(source, config, full=full, at_most=None, as_json=as_json)


def sweep(
    at_most: Annotated[
        int | None, typer.Option(min=0, help="The most vanished records to remove of each kind, if above the limit.")
    ] = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Read everything, and find records that have vanished.

    Purged and merged clients leave no trace in Invoice Ninja's lists. So each missing client is requested by its id. If
    the server no longer has it, it leaves the mirror, but stays in the history and in mart.client_redirects, with the
    client it was merged into if there is evidence. The same holds for invoices and all other records, which vanish with
    their client. A pull does the same when the totals disagree, and every sweep_days.

    Of each kind, a run removes at most 3 records, or one in a hundred if that is more. Records whose client is gone do
    not count. To remove more, use --at-most; without it the exit code is 3. The same limit holds for records that are
    missing on a server restored from a backup.
    """
    _pull_all(source, config, full=True, at_most=at_most, as_json=as_json)


def _pull_all(source: str | None, config: Path | None, *, full: bool, at_most: int | None, as_json: bool) -> NoReturn:
    """Pull one source after the other; exit with the first failure's code, else with the highest one."""
    settings = load_settings(config)
    results: dict[str, dict[str, object]] = {}
    codes = []
    names = choose_sources(settings, source)
    if at_most is not None and len(names) > 1:
        raise SettingsError(f"--at-most is for one source: --source {' | '.join(names)}")
    for name in names:
        try:
            with progress_bar(name, quiet=as_json) as progress:
                report = pull_source(settings, name, full=full, at_most=at_most, progress=progress)
            results[name] = pulled_as_json(report)
            codes.append(exit_code_of(report))
            if not as_json:
                tell_pulled(report)
        except Exception as problem:  # the other sources are still pulled
            if STOPPED_BY or (os.environ.get(TRACEBACK) and not isinstance(problem, SyncError)):
                raise
            message, code = describe(problem)
            results[name] = {"error": message, "exit_code": code}
            codes.append(code)
            say(f"ninja-sync: {name}: {message}")
    if as_json:
        show_json(results)
    failures = [code for code in codes if code not in {0, LOADED_WITH_FINDINGS}]
    raise typer.Exit(failures[0] if failures else max(codes))
