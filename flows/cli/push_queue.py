"""The commands for queued changes, which wait in the outbox for a plan: `ninja-sync push add`, `queue` and others."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.configuration.load import choose_source, load_settings
from flows.push.outbox import SHORT, queued_changes, requeue_changes, withdraw_changes
from flows.push.undo import add_wishes
from flows.session.door import open_door
from flows.show.show import say, show_json, show_table
from schemas.errors import SettingsError

Reason = Annotated[str, typer.Option(help="The reason, for people who read the plan later.")]


def add(
    client_id: Annotated[str, typer.Argument(metavar="ID", help="The client's id, as in mart.clients.")],
    fields: Annotated[
        list[str], typer.Argument(metavar="FIELD=VALUE", help="The new value; FIELD= empties the field.")
    ],
    reason: Reason = "",
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Queue a change of a client.

    The next `push plan --outbox` includes it. Until then `push queue` shows it, and `push withdraw` removes it. Others
    can queue changes with SQL, as rows of control.outbox; `ninja-sync grant --wishes` gives a role that right.
    """
    settings = load_settings(config)
    name = choose_source(settings, source)
    values: dict[str, object] = {}
    for change in fields:
        field, equals, value = change.partition("=")
        if not equals:
            raise SettingsError(f"A change is FIELD=VALUE, not {change!r}.")
        values[field] = value
    with open_door(settings, name) as door:
        add_wishes(settings, name, door, client_id, values, reason=reason)
    if as_json:
        show_json({"source": name, "id": client_id, "fields": sorted(values)})
    else:
        say(f"Queued: {', '.join(values)} of {client_id}. Next: ninja-sync push plan --outbox")


def queue(
    everything: Annotated[bool, typer.Option("--all", help="Also changes that are in a plan.")] = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List queued changes that wait or were refused.

    Shows the reason of each. The changes of rejected plans are among them.
    """
    changes = queued_changes(load_settings(config), source, everything=everything)
    if as_json:
        show_json([asdict(change) for change in changes])
    elif not changes:
        say("No change is queued.")
    else:
        columns = ("change", "source", "client", "field", "value", "by", "state", "why")
        rows = [
            (c.change_id[:SHORT], c.source, c.client_id, c.column, c.value, c.author, c.state, c.why) for c in changes
        ]
        show_table("Queued changes", columns, rows, note="To remove one: ninja-sync push withdraw CHANGE")


def requeue(
    changes: Annotated[list[str], typer.Argument(metavar="CHANGE", help="Ids, as `push queue` shows them.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Queue changes again that were refused, or whose plan was rejected.

    The next plan includes them; until then it leaves them out.
    """
    again = requeue_changes(load_settings(config), changes)
    if as_json:
        show_json([change.change_id for change in again])
    else:
        say(f"Queued again: {', '.join(f'{change.column} of {change.client_id}' for change in again)}.")


def withdraw(
    changes: Annotated[list[str], typer.Argument(metavar="CHANGE", help="Ids, as `push queue` shows them.")],
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Remove queued changes that are in no plan yet.

    To withdraw a change that is in a plan, close the plan first.
    """
    gone = withdraw_changes(load_settings(config), changes)
    if as_json:
        show_json([change.change_id for change in gone])
    else:
        say(f"Withdrawn: {', '.join(f'{change.column} of {change.client_id}' for change in gone)}.")
