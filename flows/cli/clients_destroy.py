"""The commands after which a client is gone for good: purge and merge."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.show.confirm import confirm_name
from flows.show.show import say, show_json, show_records, show_table

if TYPE_CHECKING:
    from connector.clients import PreparedMerge
    from connector.door.secret import Secret
    from flows.configuration.values import Settings
    from schemas.client import Client

Confirm = Annotated[
    str | None, typer.Option("--confirm", metavar="NAME", help="The name of the client that will be gone, unasked.")
]
BackupFile = Annotated[
    Path | None, typer.Option("--backup", metavar="FILE", help="Where the backup goes; else beside the warehouse.")
]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="Has the password; else NINJA_SYNC_PASSWORD, or a prompt."),
]
SIDE_BY_SIDE = (
    "display_name", "number", "status", "balance", "paid_to_date", "credit_balance", "payment_balance", "vat_number",
    "id_number", "country_id", "city", "group_settings_id", "private_notes", "public_notes", "custom_value1",
    "custom_value2", "custom_value3", "custom_value4", "created_at",
)  # fmt: skip


def register(clients: typer.Typer) -> None:
    """Add the commands of this module."""
    clients.command()(purge)
    clients.command()(merge)


def purge(
    client_id: Annotated[str, typer.Argument(metavar="ID", help="The client's id, as in mart.clients.")],
    confirm: Confirm = None,
    backup: BackupFile = None,
    erase: Annotated[
        bool | None, typer.Option("--erase/--no-erase", help="Erase it from the warehouse too, or not; else asked.")
    ] = None,
    password_file: PasswordFile = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Remove a client for good, with all that is its own.

    Invoices, payments, credits, quotes, projects, tasks and documents go with it. Its name is to be typed. A backup of
    what the API shows of it (no files, no links, no keys) is written first. It is sent once, and read back. `delete`
    only marks a client as deleted.
    """
    from connector import clients  # noqa: PLC0415 - each command loads what it needs
    from flows.session.api import open_api  # noqa: PLC0415
    from flows.session.backups import backup_file  # noqa: PLC0415
    from flows.session.clock import SYSTEM_CLOCK  # noqa: PLC0415

    settings, name, password = _chosen(source, config, password_file)
    with open_api(name, settings=settings, password=password) as api:
        client = clients.show(api, client_id)
        if not as_json:
            told = _told(client)
            show_records("What will be purged", list(told), [list(told.values())])
        confirm_name("It cannot be undone.", called(client), confirm)
        file = backup or backup_file(settings, name, "purge", [client.id], SYSTEM_CLOCK.now())
        clients.purge(api, client.id, backup=file)
    say(f"Purged, and read back: client {client.id}. The backup is in {file}.")
    erased = _erased(settings, name, client.id, erase, as_json=as_json)
    kept = file.exists()
    if erased and kept:
        say(f"The backup still holds the client: remove {file} when it is no longer needed.")
    elif erased:
        say("Its backup went with it.")
    if as_json:
        found = str(file) if kept else None
        show_json({"client_id": client.id, "purged": True, "backup": found, "erased_rows": erased})


def merge(
    survivor: Annotated[str, typer.Argument(metavar="SURVIVOR", help="The id of the client that stays.")],
    mergeable: Annotated[str, typer.Argument(metavar="MERGEABLE", help="The id of the client that goes into it.")],
    confirm: Confirm = None,
    backup: BackupFile = None,
    allow_other_currency: Annotated[
        bool, typer.Option("--allow-other-currency", help="Although amounts are added as they are.")
    ] = False,
    allow_inactive_survivor: Annotated[
        bool, typer.Option("--allow-inactive-survivor", help="Although the survivor is archived or deleted.")
    ] = False,
    password_file: PasswordFile = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Merge one client into another, for good.

    Invoices, payments, credits, documents and contacts go to the survivor; everything else of the client that is merged
    is lost: its number, notes, custom values, settings, ledger. Both are shown side by side, the name of the one that
    goes is to be typed, and a backup of both is written first. It is sent once and never repeated: what became of it is
    told by the clients and their figures. This is for one pair; duplicates in number go through
    plans: `ninja-sync merge`.
    """
    from connector import clients  # noqa: PLC0415 - as above
    from flows.session.api import open_api  # noqa: PLC0415
    from flows.session.backups import backup_file  # noqa: PLC0415
    from flows.session.clock import SYSTEM_CLOCK  # noqa: PLC0415
    from schemas.client import as_dict  # noqa: PLC0415

    settings, name, password = _chosen(source, config, password_file)
    with open_api(name, settings=settings, password=password) as api:
        prepared = clients.prepare_merge(
            api, survivor, mergeable, allow_other_currency=allow_other_currency,
            allow_inactive_survivor=allow_inactive_survivor,
        )  # fmt: skip
        if not as_json:
            _show_merge(prepared)
        confirm_name("It cannot be undone.", called(prepared.mergeable), confirm)
        file = backup or backup_file(settings, name, "merge", [survivor, mergeable], SYSTEM_CLOCK.now())
        merged = clients.apply_merge(api, prepared, backup=file)
    say(f"Merged, and read back: {mergeable} into {survivor}. The backup of both is in {file}.")
    if (merged.balance, merged.paid_to_date) != (prepared.balance, prepared.paid_to_date):
        say("The server has computed the figures anew, from invoices and payments: they are not the sum of before.")
    if as_json:
        show_json({"survivor": as_dict(merged), "merged": mergeable, "backup": str(file)})


def called(client: Client) -> str:
    """What a person types for a client: its name, else its number, else its id."""
    return (client.display_name or client.name or client.number or client.id).strip()


def _chosen(
    source: str | None, config: Path | None, password_file: Path | None
) -> tuple[Settings, str, Callable[[], Secret]]:
    """The settings, the source that is meant, and what reads the password."""
    from flows.configuration.load import choose_source, load_settings  # noqa: PLC0415
    from flows.session.password import password_reader  # noqa: PLC0415 - as above

    settings = load_settings(config)
    name = choose_source(settings, source)
    return settings, name, password_reader(settings.sources[name], file=password_file)


def _told(client: Client) -> dict[str, object]:
    """Who it is, and what it owes."""
    fields = ("display_name", "number", "status", "balance", "paid_to_date", "credit_balance", "updated_at")
    people = "; ".join(_person(one.first_name, one.last_name, one.email) for one in client.contacts)
    own = {name.replace("_", " "): getattr(client, name) for name in fields}
    return {**own, "contacts": people, "documents": len(client.documents)}


def _show_merge(prepared: PreparedMerge) -> None:
    """Both clients side by side, and what the survivor will have."""
    one, other = prepared.survivor, prepared.mergeable
    after = {"balance": prepared.balance, "paid_to_date": prepared.paid_to_date}
    rows: list[tuple[object, ...]] = [
        (name.replace("_", " "), getattr(one, name), getattr(other, name), after.get(name, ""))
        for name in SIDE_BY_SIDE
        if getattr(one, name) or getattr(other, name) or name in after
    ]
    rows.append(("currency (id)", prepared.survivor_currency, prepared.mergeable_currency, prepared.survivor_currency))
    rows.append(("documents", len(one.documents), len(other.documents), len(one.documents) + len(other.documents)))
    show_table("Side by side", ("", f"stays: {one.id}", f"goes: {other.id}", "afterwards"), rows)
    lost = {contact.id for contact in prepared.lost_contacts}
    people = [
        (client.id, _person(contact.first_name, contact.last_name, contact.email), "lost" * (contact.id in lost))
        for client in (one, other)
        for contact in client.contacts
    ]
    show_table("Contacts", ("client", "contact", ""), people)
    say("From 2026 on the server computes balance and paid to date anew, from invoices and payments.")


def _person(*parts: str | None) -> str:
    return " ".join(filter(None, parts))


def _erased(settings: Settings, name: str, client_id: str, wanted: bool | None, *, as_json: bool) -> int | None:
    """Rows that were erased from the warehouse, where that is wanted; None where it is not."""
    from flows.upkeep.erase import erase_client  # noqa: PLC0415 - as above

    if wanted is None:
        if as_json or not sys.stdin.isatty():
            say(f"The warehouse still has it: `ninja-sync erase --client {client_id}` erases it there too.")
            return None
        wanted = typer.confirm("Erase it from the warehouse and all its files too?", err=True)
    if not wanted:
        return None
    done = erase_client(settings, name, client_id, reason="purged on the server")
    say(f"Erased from the warehouse: {done.removed} rows. {done.remains}")
    return done.removed
