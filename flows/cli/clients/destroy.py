"""The command that removes a client for good: purge."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector import clients
from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.configuration.load import choose_source, load_settings
from flows.session.api import open_api
from flows.session.backups import backup_file
from flows.session.clock import SYSTEM_CLOCK
from flows.session.password import password_reader
from flows.show.confirm import confirm_name
from flows.show.counted import counted
from flows.show.show import say, show_json, show_records
from flows.upkeep.erase import erase_client

if TYPE_CHECKING:
    from connector.door.secret import Secret
    from flows.configuration.values import Settings
    from schemas.client import Client

Confirm = Annotated[
    str | None,
    typer.Option("--confirm", metavar="NAME", help="The client's name, to confirm; else you type it."),
]
BackupFile = Annotated[
    Path | None,
    typer.Option("--backup", metavar="FILE", help="The file for the backup; else one beside the warehouse."),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file", metavar="FILE", help="The file with the password; else NINJA_SYNC_PASSWORD, or a prompt."
    ),
]


def purge(
    client_id: Annotated[str, typer.Argument(metavar="ID", help="The client's id, as in mart.clients.")],
    confirm: Confirm = None,
    backup: BackupFile = None,
    erase: Annotated[
        bool | None,
        typer.Option("--erase/--no-erase", help="Also erase it from the warehouse, or not; else you are asked."),
    ] = None,
    password_file: PasswordFile = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Remove a client and all its records for good.

    Invoices, payments, credits, quotes, projects, tasks and documents go with it. You confirm by typing its name.
    First, a backup of the client is written: everything the API shows, but no files, links or keys. The request is sent
    once, and the result read back. `delete` only marks a client as deleted.
    """
    settings, name, password = _chosen(source, config, password_file)
    with open_api(name, settings=settings, password=password) as api:
        client = clients.show(api, client_id)
        if not as_json:
            fields = _overview(client)
            show_records("To be purged", list(fields), [list(fields.values())])
        confirm_name("This cannot be undone.", called(client), confirm)
        file = backup or backup_file(settings, name, "purge", [client.id], SYSTEM_CLOCK.now())
        clients.purge(api, client.id, backup=file)
    say(f"Purged, and read back: client {client.id}. The backup is in {file}.")
    erased = _erased(settings, name, client.id, erase, as_json=as_json)
    kept = file.exists()
    if erased and kept:
        say(f"The backup still holds the client: remove {file} when it is no longer needed.")
    elif erased:
        say("Its backup was removed too.")
    if as_json:
        backup_left = str(file) if kept else None
        show_json({"client_id": client.id, "purged": True, "backup": backup_left, "erased_rows": erased})


def called(client: Client) -> str:
    """Return the text to type to confirm a client: its name, else its number, else its id."""
    return (client.display_name or client.name or client.number or client.id).strip()


def _chosen(
    source: str | None, config: Path | None, password_file: Path | None
) -> tuple[Settings, str, Callable[[], Secret]]:
    """Return the settings, the chosen source, and the reader of its password."""
    settings = load_settings(config)
    name = choose_source(settings, source)
    return settings, name, password_reader(settings.sources[name], file=password_file)


def _overview(client: Client) -> dict[str, object]:
    """Return the fields that identify a client, and its balances."""
    fields = ("display_name", "number", "status", "balance", "paid_to_date", "credit_balance", "updated_at")
    people = "; ".join(_person(contact.first_name, contact.last_name, contact.email) for contact in client.contacts)
    own = {name.replace("_", " "): getattr(client, name) for name in fields}
    return {**own, "contacts": people, "documents": len(client.documents)}


def _person(*parts: str | None) -> str:
    return " ".join(filter(None, parts))


def _erased(settings: Settings, name: str, client_id: str, wanted: bool | None, *, as_json: bool) -> int | None:
    """Erase the client from the warehouse if wanted; return the number of rows, or None if not wanted."""
    if wanted is None:
        if as_json or not sys.stdin.isatty():
            say(f"The warehouse still has it: `ninja-sync erase --client {client_id}` erases it there too.")
            return None
        wanted = typer.confirm("Erase it from the warehouse and all its files too?", err=True)
    if not wanted:
        return None
    done = erase_client(settings, name, client_id, reason="purged on the server")
    say(f"Erased from the warehouse: {counted(done.removed, 'row')}. {done.remains}")
    return done.removed
