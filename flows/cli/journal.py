"""The commands that show and settle the calls that wrote to the server: `ninja-sync journal`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from flows.ask.journal import newest_calls
from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.configuration.load import choose_source, load_settings
from flows.session.door import open_door
from flows.session.settle import settle_by_asking, settle_by_word
from flows.show.show import say, show_json, show_records, show_table
from schemas.errors import OutcomeUnknown, SettingsError
from schemas.journal import Outcome

if TYPE_CHECKING:
    from flows.session.writing import Settling

Top = Annotated[int, typer.Option(min=1, help="The number of calls to show.")]
COLUMNS = ("call_id", "noted_at", "operator", "verb", "clients", "outcome", "message", "plan_id")


class Word(Enum):
    """The outcome of a call, as a person states it."""

    APPLIED = "applied"
    NOT_APPLIED = "not-applied"


def list_calls(
    context: typer.Context,
    only_open: Annotated[bool, typer.Option("--open", help="Only calls with an unknown outcome.")] = False,
    top: Top = 20,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the newest calls, of all sources unless one is named."""
    if context.invoked_subcommand is not None:
        return

    settings = load_settings(config)
    name = choose_source(settings, source) if source else None
    calls = newest_calls(settings, name, top=top, only_open=only_open)
    if as_json:
        show_json({"calls": calls})
        return
    if not calls:
        say("No call is open." if only_open else "Nothing has been written yet.")
        return
    several = len({row["source"] for row in calls}) > 1
    columns = (("source",) * several) + COLUMNS
    rows = [[row[column] for column in columns] for row in calls]
    show_table("Calls", [column.replace("_", " ") for column in columns], rows)


def settle(
    call_id: Annotated[str | None, typer.Argument(metavar="CALL", help="One call; else all open calls.")] = None,
    word: Annotated[Word | None, typer.Option("--as", help="The outcome you know of; the server is not asked.")] = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Find out the outcome of open calls.

    Asks the server, and writes nothing to it. For a merge, purge, create or upload that may still be running, this
    takes up to two minutes. If the server's records do not show the outcome, look at the clients in Invoice Ninja, then
    state it: `journal settle CALL --as applied`, or `--as not-applied`. The exit code is 4 if an outcome stays unknown.
    """
    settings = load_settings(config)
    name = choose_source(settings, source)
    if word is not None:
        if call_id is None:
            raise SettingsError("Name the call: `ninja-sync journal --open` lists open calls.")
        outcome = Outcome.APPLIED if word is Word.APPLIED else Outcome.NOT_APPLIED
        settled = [settle_by_word(settings, name, call_id, outcome)]
    else:
        with open_door(settings, name) as door:
            settled = settle_by_asking(settings, name, door, call_id=call_id)
    _report(settled, as_json=as_json)
    left = [call.call_id for call in settled if call.outcomes is None]
    if left:
        raise OutcomeUnknown(
            f"The server's records do not show the outcome of {', '.join(left)}. Look at the clients in Invoice Ninja, "
            "then state it: `ninja-sync journal settle CALL --as applied`, or `--as not-applied`."
        )


def _report(settled: Sequence[Settling], *, as_json: bool) -> None:
    """Show the outcome of each call; for an unknown one, the changes it was meant to make."""
    calls = [
        {
            "call_id": settling.call_id, "verb": settling.open.call.verb, "noted_at": settling.open.at,
            "clients": [
                {"client_id": edit.client_id, "before": edit.before, "after": edit.after}
                for edit in settling.open.call.edits
            ],
            "outcomes": (
                None if settling.outcomes is None else {key: outcome.value for key, outcome in settling.outcomes}
            ),
        }
        for settling in settled
    ]  # fmt: skip
    if as_json:
        show_json({"calls": calls})
        return
    if not settled:
        say("No call is open.")
    for settling in settled:
        title = f"Call {settling.call_id}: {settling.open.call.verb}"
        if settling.outcomes is not None:
            rows = [(key, outcome.value) for key, outcome in settling.outcomes]
            show_table(title, ("client", "outcome"), rows, most=20)
        else:
            edits = [(edit.client_id, edit.before, edit.after) for edit in settling.open.call.edits]
            show_records(f"{title}, unknown", ("client", "before", "after"), edits, most=20)
