"""The commands that share the warehouse: publish, grant."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import AsJson, ConfigFile
from flows.configuration.load import load_settings, place_of
from flows.session.ready import open_ready
from flows.show.show import say, show_json
from schemas.errors import SettingsError
from warehouse.engine.place import is_there
from warehouse.publish.publish import publish as write
from warehouse.schema import grants


def publish(
    to: Annotated[Path | None, typer.Option(help="Write into this folder instead, one subfolder per source.")] = None,
    without_personal_data: Annotated[
        bool, typer.Option("--without-personal-data", help="With --to: leave out columns that identify a person.")
    ] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Write the copies for readers now.

    Each pull that changed something does this too. It writes a copy of the warehouse and Parquet files of the views of
    `mart`. With --to, it writes elsewhere, also from Postgres: Parquet files for each source, and a DuckDB file with
    the views as tables. Without personal data, these are the views of `mart_public`.
    """
    settings = load_settings(config)
    if without_personal_data and to is None:
        raise SettingsError(
            "--without-personal-data goes with --to FOLDER: the copies beside the warehouse are complete."
        )
    if not is_there(place_of(settings)):
        raise SettingsError(f"There is no warehouse at {settings.warehouse} yet: `ninja-sync pull` creates it.")
    with open_ready(settings) as warehouse:
        if to is None:
            folder = write(warehouse)
            files = sorted(path.name for path in folder.iterdir())
        else:
            from warehouse.publish.export import export  # noqa: PLC0415 - pyarrow, for --to only

            folder = to.absolute()
            files = [
                str(file.relative_to(folder)) for file in export(warehouse, folder, personal=not without_personal_data)
            ]
    if as_json:
        show_json({"folder": str(folder), "files": files})
    else:
        say(f"Published in {folder}: {', '.join(files)}")


def grant(
    role: Annotated[str, typer.Option(help="The Postgres role; created without a login if it does not exist.")],
    with_personal_data: Annotated[
        bool, typer.Option("--with-personal-data", help="Also names, addresses, notes and other personal data.")
    ] = False,
    wishes: Annotated[
        bool, typer.Option("--wishes", help="Let it add rows to control.outbox, and nothing else.")
    ] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take the granted rights away.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Let a Postgres role read the views for people.

    The role reads `mart_public`, whose views have no column that may identify a person. With --with-personal-data, it
    also reads `mart`. The rights outlast upgrades. An administrator creates log-ins:
    create role ann login password '...' in role analysts
    """
    if with_personal_data + wishes + revoke > 1:
        raise SettingsError("Use only one of --with-personal-data, --wishes and --revoke.")
    kind = grants.WRITER if wishes else grants.ANALYST_WITH_PERSONAL_DATA if with_personal_data else grants.ANALYST
    with open_ready(load_settings(config)) as warehouse:
        if revoke:
            grants.revoke(warehouse, role)
            schemas = []
        else:
            schemas = grants.grant(warehouse, role, kind, now=datetime.now(UTC))
    if as_json:
        show_json({"role": role, "kind": None if revoke else kind, "schemas": schemas})
    else:
        what = "may add rows to control.outbox" if wishes else f"may read the views of {' and '.join(schemas)}"
        say(f"The role {role} {'has no rights here any more' if revoke else what}.")
