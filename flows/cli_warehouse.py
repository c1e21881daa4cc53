"""The commands that read the warehouse: status, balances, sql, publish."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.options import AsJson, ConfigFile, SourceName
from flows.show import say, show_json, show_table

MOST_ROWS = 200


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (status, balances, sql, publish):
        app.command()(command)


def status(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """How fresh each source's mirror is, how much it holds, and what needs a look."""
    from flows.ask import asked  # noqa: PLC0415 - each command loads what it needs
    from flows.settings import load_settings  # noqa: PLC0415

    settings = load_settings(config)
    found = asked(settings, "status", {}, newest=True)
    quarantine = asked(settings, "open_quarantine", {}, newest=True)
    if as_json:
        show_json({"sources": found.records(), "quarantine": quarantine.records()})
        return
    if not found.rows:
        say("Nothing has been pulled yet: `ninja-sync pull`.")
    for record in found.records():
        show_table(f"Source {record.pop('source')}", ("", ""), [(k.replace("_", " "), v) for k, v in record.items()])
    if quarantine.rows:
        show_table("In quarantine", quarantine.columns, quarantine.rows)


def balances(
    top: Annotated[int, typer.Option(min=1, help="How many debtors of each currency to show.")] = 10,
    plot: Annotated[Path | None, typer.Option(help="Draw the picture into this file (.png, .svg, .pdf).")] = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """What clients owe: by currency, by country, and the top debtors. Amounts of two currencies are never added."""
    from flows.balances import read_balances, tell_balances  # noqa: PLC0415
    from flows.settings import load_settings  # noqa: PLC0415

    found = read_balances(load_settings(config), source, top=top)
    if plot is not None:
        from flows.plot import plot_balances  # noqa: PLC0415 - matplotlib

        plot_balances(found, plot)
    if as_json:
        show_json({name: result.records() for name, result in found.items()})
        return
    tell_balances(found)
    if plot is not None:
        say(f"The picture is in {plot}.")


def sql(
    query: Annotated[str, typer.Argument(help='Such as: "select * from mart.clients where balance > 1000".')],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Ask the warehouse in SQL. It is read-only: `mart` has the views for people, `ninja` the mirror as it came.

    Reads the published copy, so it never waits for a pull.
    """
    from flows.ask import ask  # noqa: PLC0415
    from flows.settings import load_settings  # noqa: PLC0415

    found = ask(load_settings(config), query)
    if as_json:
        show_json(found.records())
        return
    more = len(found.rows) - MOST_ROWS
    note = f"and {more:,} more rows; --json gives all" if more > 0 else f"{len(found.rows):,} rows"
    show_table("", found.columns, found.rows[:MOST_ROWS], note=note)


def publish(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Publish now, as each pull with changes does: a copy for readers and Parquet files of the marts."""
    from flows.pull import open_ready  # noqa: PLC0415
    from flows.settings import load_settings  # noqa: PLC0415
    from warehouse.publish import publish as write  # noqa: PLC0415

    with open_ready(load_settings(config)) as warehouse:
        folder = write(warehouse)
    files = sorted(path.name for path in folder.iterdir())
    if as_json:
        show_json({"folder": str(folder), "files": files})
    else:
        say(f"Published in {folder}: {', '.join(files)}")
