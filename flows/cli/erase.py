"""The command that erases a person's data: `ninja-sync erase`."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.configuration.load import choose_source, load_settings
from flows.show.counted import counted
from flows.show.show import say, show_json, show_table
from flows.upkeep.erase import erase_client, find_client
from schemas.errors import SettingsError


def erase(
    client: Annotated[str, typer.Option(help="The client's id, as in mart.clients.")],
    reason: Annotated[str, typer.Option(help="The reason, for the proof; do not write a name into it.")] = "asked for",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for the client's name.")] = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Erase a client from the warehouse and its files.

    The client leaves mirror, history, quarantine, staged pages and published copies. Nothing changes on the server;
    while the server still lists the client, pulls leave it out.

    With `keep_balances` in [erasure] of the settings, past balances stay under a pseudonym, so that earlier sums do not
    change. The proof is a row of control.erasures. If this command is interrupted, the next pull finishes it.
    """
    settings = load_settings(config)
    name = choose_source(settings, source)
    held = find_client(settings, name, client)
    if not yes:
        show_table("To be erased", ("what", "rows"), [(what, n) for what, n in held.rows.items() if n])
        wanted = held.name or client
        typed = typer.prompt(f"This cannot be undone. Type the name of the client ({wanted})", err=True)
        if typed.strip() != wanted.strip():
            raise SettingsError("The name does not match; nothing was erased.")
    done = erase_client(settings, name, client, reason=reason)
    if as_json:
        show_json({"removed_rows": done.removed, "kept_balances": done.kept_balances, "remains": done.remains})
    else:
        kept = " Figures stay under a pseudonym." * done.kept_balances
        rows = counted(done.removed, "row")
        say(f"Erased: {rows}. The warehouse's files on this machine are clean.{kept} {done.remains}")
