"""The commands with invented clients: `demo`, and `sandbox`, a stand-in server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.configuration.load import load_settings
from schemas.errors import SettingsError
from schemas.extras import needs


def demo(
    folder: Annotated[Path, typer.Option(help="The folder for the warehouse.")] = Path("demo"),
    clients: Annotated[int, typer.Option(min=100, help="The number of invented clients.")] = 2000,
) -> None:
    """Try everything once, against invented clients.

    Takes a few seconds. It starts a sandbox server, and stops it at the end; the warehouse stays for you to explore.
    """
    with needs("sandbox"):
        from flows.stand_in.demo import run_demo  # noqa: PLC0415 - an extra

    run_demo(folder, clients=clients)


def sandbox(
    clients: Annotated[
        int | None, typer.Option(min=0, help="The number of invented clients; 500 if not given.")
    ] = None,
    invoiced: Annotated[
        int | None, typer.Option(min=0, help="How many of these have invoices and payments; 5000 if not given.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8765,
    seed: Annotated[int, typer.Option(help="The same seed makes the same clients.")] = 1,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    database: Annotated[Path | None, typer.Option(help="Keep its SQLite database in this file.")] = None,
    behaves_like: Annotated[str, typer.Option(help="The server version to imitate: 5.10, 5.12 or 2026.")] = "5.10",
    from_warehouse: Annotated[
        bool, typer.Option("--from-warehouse", help="Fill it with your own mirror, personal data masked.")
    ] = False,
    source: SourceName = None,
    with_personal_data: Annotated[
        bool, typer.Option("--with-personal-data", help="With --from-warehouse: mask nothing.")
    ] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Run a stand-in Invoice Ninja server, until Ctrl-C.

    It answers like Invoice Ninja 5.10.42 and holds invented clients. With --from-warehouse it holds the clients of your
    mirror, so that you can try merges and purges. With --json, the first line is one JSON object with its address,
    tokens and password.
    """
    with needs("sandbox"):
        from flows.stand_in.command import run_sandbox  # noqa: PLC0415 - an extra

    if not from_warehouse and (source is not None or with_personal_data):
        raise SettingsError("--source and --with-personal-data go with --from-warehouse.")
    if from_warehouse and clients is not None:
        raise SettingsError("--clients invents clients, --from-warehouse takes yours: choose one of them.")
    stock = None
    if from_warehouse:
        from flows.stand_in.rehearsal import read_stock  # noqa: PLC0415 - as above

        stock = read_stock(load_settings(config), source, personal=with_personal_data)
    run_sandbox(
        clients=0 if from_warehouse else 500 if clients is None else clients,
        invoiced=invoiced,
        stock=stock,
        masked=not with_personal_data,
        port=port,
        seed=seed,
        host=host,
        database=database,
        behaves_like=behaves_like,
        as_json=as_json,
    )
