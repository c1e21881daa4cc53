"""The commands that read the warehouse: status, balances, sql, publish."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import AsJson, ConfigFile, DecimalSign, Separator, SourceName
from flows.show.show import say, show_json, show_records, show_table
from schemas.errors import SettingsError

MOST_ROWS = 200


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (status, balances, sql, publish, grant):
        app.command()(command)


def status(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """How fresh and how full each mirror is, and what needs a look."""
    from flows.ask.ask import asked  # noqa: PLC0415 - each command loads what it needs
    from flows.configuration.load import load_settings  # noqa: PLC0415

    settings = load_settings(config)
    found = asked(settings, "read/status", {}, newest=True)
    quarantine = asked(settings, "read/open_quarantine", {}, newest=True)
    if as_json:
        show_json({"sources": found.records(), "quarantine": quarantine.records()})
        return
    if not found.rows:
        say("Nothing has been pulled yet: `ninja-sync pull`.")
    for name, *row in found.rows:
        show_records(f"Source {name}", [column.replace("_", " ") for column in found.columns[1:]], [row])
    if quarantine.rows:
        show_table("In quarantine", quarantine.columns, quarantine.rows)


def balances(
    top: Annotated[int, typer.Option(min=1, help="How many debtors of each currency to show.")] = 10,
    plot: Annotated[Path | None, typer.Option(help="Draw the picture into this file (.png, .svg, .pdf).")] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="MOMENT", help="As they were then: 2026-12-31 (the end of that day, UTC), or a time."),
    ] = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """What clients owe and have overpaid, and who owes most.

    Amounts of two currencies are never added, and what some have overpaid is not taken off what others owe. With --at,
    the versions count that held at that moment, by the server's stamps; nothing is known before the first pull.
    """
    from flows.ask.balances import moment, read_balances, read_heading, tell_balances  # noqa: PLC0415
    from flows.configuration.load import load_settings  # noqa: PLC0415

    settings, notes = load_settings(config), []
    then = None if at is None else moment(at)
    found = read_balances(settings, source, top=top, at=then)
    if plot is not None:
        from flows.ask.plot import plot_balances  # noqa: PLC0415 - matplotlib

        notes = plot_balances(found, plot, read_heading(settings, source, at=then))
    if as_json:
        show_json({name: result.records() for name, result in found.items()})
    else:
        tell_balances(found, then)
    if plot is not None:
        say(" ".join([f"The picture is in {plot}.", *notes]))


def sql(
    query: Annotated[str, typer.Argument(help='Such as: "select * from mart.clients where balance > 1000".')],
    csv: Annotated[str | None, typer.Option(metavar="FILE", help="Write the answer as CSV; - is the output.")] = None,
    xlsx: Annotated[str | None, typer.Option(metavar="FILE", help="Write the answer as a workbook of Excel.")] = None,
    separator: Separator = None,
    decimal: DecimalSign = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Ask the warehouse in SQL.

    It is read-only: `mart` has the views for people, `ninja` the mirror as it came. The published copy is read, so a
    query does not wait for a pull. A CSV is safe to open in a spreadsheet: texts that look like formulas get an
    apostrophe. For Excel in most of Europe: --csv FILE --separator semicolon --decimal , (or --xlsx FILE, which keeps
    texts such as 0015 as they are). With --json, columns of one name are numbered (a, a_1); NaN and infinity are null.
    """
    from flows.ask.ask import ask  # noqa: PLC0415
    from flows.configuration.load import load_settings  # noqa: PLC0415

    if csv is None and (separator or decimal):
        raise SettingsError("--separator and --decimal go with --csv FILE.")
    found = ask(load_settings(config), query)
    if csv is not None or xlsx is not None:
        from flows.ask.csv_export import write_csv, write_workbook  # noqa: PLC0415

        if csv is not None:
            write_csv(found, csv, separator=separator or "comma", decimal=decimal or ".")
        if xlsx is not None:
            write_workbook(found, xlsx)
        return
    if as_json:
        show_json(found.records())
        return
    note = f"{len(found.rows):,} row{'s' * (len(found.rows) != 1)}"
    show_table("", found.columns, found.rows, most=MOST_ROWS, note=note)


def publish(
    to: Annotated[Path | None, typer.Option(help="Into this folder, by source; another disk will do.")] = None,
    without_personal_data: Annotated[
        bool, typer.Option("--without-personal-data", help="With --to: leave out what points to a person.")
    ] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Write the published copies now, as each pull with changes does.

    They are a copy of the warehouse for readers, and Parquet files of the views of `mart`. With --to, they are written
    elsewhere, from Postgres too: Parquet by source, and a DuckDB file with the views as tables.
    """
    from flows.configuration.load import load_settings, place_of  # noqa: PLC0415
    from flows.session.ready import open_ready  # noqa: PLC0415
    from warehouse.engine.place import is_there  # noqa: PLC0415
    from warehouse.publish.publish import publish as write  # noqa: PLC0415

    settings = load_settings(config)
    if without_personal_data and to is None:
        raise SettingsError("--without-personal-data goes with --to FOLDER: the copies beside the warehouse are whole.")
    if not is_there(place_of(settings)):
        raise SettingsError(f"There is no warehouse at {settings.warehouse} yet: `ninja-sync pull` makes it.")
    with open_ready(settings) as warehouse:
        if to is None:
            folder = write(warehouse)
            files = sorted(path.name for path in folder.iterdir())
        else:
            from warehouse.publish.export import export  # noqa: PLC0415

            folder = to.absolute()
            files = [
                str(file.relative_to(folder)) for file in export(warehouse, folder, personal=not without_personal_data)
            ]
    if as_json:
        show_json({"folder": str(folder), "files": files})
    else:
        say(f"Published in {folder}: {', '.join(files)}")


def grant(
    role: Annotated[
        str, typer.Option(help="The role of Postgres; it is made, without a login, where it is not there.")
    ],
    with_personal_data: Annotated[
        bool, typer.Option("--with-personal-data", help="Names, addresses, notes and the like too.")
    ] = False,
    wishes: Annotated[
        bool, typer.Option("--wishes", help="Not to read: to add rows to control.outbox, and nothing else.")
    ] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take away what was granted.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Let a role of Postgres read the views of `mart`.

    Columns that may point to a person are left out unless told: name the others, as `select *` is refused where one is
    left out. The rights outlast upgrades. An administrator makes log-ins:
    create role ann login password '...' in role analysts
    """
    from datetime import UTC, datetime  # noqa: PLC0415

    from flows.configuration.load import load_settings  # noqa: PLC0415
    from flows.session.ready import open_ready  # noqa: PLC0415
    from warehouse.schema import grants  # noqa: PLC0415

    if with_personal_data + wishes + revoke > 1:
        raise SettingsError("--with-personal-data, --wishes and --revoke exclude each other.")
    kind = grants.WRITER if wishes else grants.ANALYST_WITH_PERSONAL_DATA if with_personal_data else grants.ANALYST
    with open_ready(load_settings(config)) as warehouse:
        if revoke:
            grants.revoke(warehouse, role)
            views = []
        else:
            views = grants.grant(warehouse, role, kind, now=datetime.now(UTC))
    if as_json:
        show_json({"role": role, "kind": None if revoke else kind, "views": views})
    else:
        what = "may add rows to control.outbox" if wishes else f"may read {', '.join(views)}"
        say(f"The role {role} {'has no rights here any more' if revoke else what}.")
