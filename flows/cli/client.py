"""The command that shows one client from the warehouse."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.ask.one_client import EVERYTHING, read_client
from flows.ask.tell_client import tell_client, tell_matches
from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.configuration.load import load_settings
from flows.show.show import show_json
from schemas.errors import SettingsError


def client(
    who: Annotated[
        list[str],
        typer.Argument(
            metavar="CLIENT", help="Its number, id, whole name (of several words too), or a contact's e-mail address."
        ),
    ],
    top: Annotated[int, typer.Option(min=1, help="The most rows to show of each kind; --json has all.")] = 5,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show all that the warehouse has on one client.

    Its balance and open items, documents, contacts, changes, merges, duplicates, and waiting plans. Clients that
    vanished are found too. A number is a text: 0012 is not 12. `ninja-sync clients get ID` asks the server instead.
    """
    answer = read_client(load_settings(config), " ".join(who), source, top=EVERYTHING if as_json else top)
    if as_json:
        show_json(answer.as_document())
    elif answer.client is not None:
        tell_client(answer.client, top=top)
    else:
        tell_matches(answer)
    if len(answer.matches) > 1:
        raise SettingsError("Several clients match: choose one by its id, or by --source NAME.")
    if not answer.matches:
        raise SettingsError(
            "No client has this number, id, name or e-mail address. `ninja-sync status` shows how fresh all is."
        )
