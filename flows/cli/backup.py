"""The commands that back up and restore the whole warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import AsJson, ConfigFile
from flows.configuration.load import load_settings
from flows.show.counted import counted
from flows.show.show import say, show_json
from flows.upkeep.backup import back_up
from flows.upkeep.backup import restore as restore_warehouse


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; an earlier backup is replaced.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Write the whole warehouse into one file.

    The file holds everything: mirror, history, decisions, plans, approvals, queued changes, journal. It holds your
    clients' data, but no token, and only you can read it. `ninja-sync restore` reads it on DuckDB and on Postgres.
    """
    made = back_up(load_settings(config), file)
    rows = sum(table.rows for table in made.tables.values())
    if as_json:
        show_json({"file": str(file.absolute()), "made_at": made.made_at, "sources": made.sources, "rows": rows})
    else:
        say(f"Backed up: {counted(rows, 'row')} of {', '.join(made.sources) or 'no source'}, in {file}.")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup written by `ninja-sync backup`.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Recreate the warehouse from a backup.

    The configured warehouse must not exist yet: use a new DuckDB file, or an empty Postgres database. The backup may
    come from the other engine. Afterwards, pull to load the changes since the backup.
    """
    done = restore_warehouse(load_settings(config), file)
    made = done.made
    if as_json:
        show_json({"made_at": made.made_at, "sources": made.sources, "erased_again": done.erased})
        return
    say(f"Restored: the warehouse as it was at {made.made_at:%Y-%m-%d %H:%M:%S %Z}. Next: ninja-sync pull")
    if done.erased:
        say(f"Clients erased after the backup, and erased here again: {done.erased}.")
    say("Clients erased on another machine after the backup must be erased here again.")
