"""The commands for many clients at once: archive, restore, delete, assign-group, bulk-update."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector import clients
from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.session.api import open_api
from flows.show.confirm import confirm
from flows.show.counted import counted
from flows.show.show import say, show_json, show_table
from schemas.errors import NotVerified, SettingsError
from schemas.journal import AS_WANTED

if TYPE_CHECKING:
    from connector.api.api import Api
    from connector.clients import Result

MOST = 50
"""The most clients to show; failures come first."""
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID...", help="The clients' ids, as in mart.clients.")]
IdsFrom = Annotated[
    Path | None, typer.Option("--ids-from", metavar="FILE", help="More ids, one a line; - is standard input.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def archive(
    ids: Ids = None,
    ids_from: IdsFrom = None,
    yes: Yes = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Archive clients.

    Each client is read back and its outcome shown; the exit code is 4 if one is not archived. Deleted clients are left
    alone. You can run the same command again: it sends only clients that are not archived yet. `restore` undoes it.
    """
    wanted = _ids(ids, ids_from)
    _run("Archive", wanted, lambda api: clients.archive(api, wanted), yes, source, config, as_json=as_json)


def restore(
    ids: Ids = None,
    ids_from: IdsFrom = None,
    yes: Yes = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Restore archived and deleted clients.

    Each client is read back and its outcome shown, like with `archive`.
    """
    wanted = _ids(ids, ids_from)
    _run("Restore", wanted, lambda api: clients.restore(api, wanted), yes, source, config, as_json=as_json)


def delete(
    ids: Ids = None,
    ids_from: IdsFrom = None,
    yes: Yes = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Mark clients as deleted.

    They stay on the server, and `restore` brings them back. A `purge` removes them for good. Each client is read back
    and its outcome shown, like with `archive`.
    """
    wanted = _ids(ids, ids_from)

    def do(api: Api) -> list[Result]:
        return [clients.delete_one(api, wanted[0])] if len(wanted) == 1 else clients.delete(api, wanted)

    _run("Delete", wanted, do, yes, source, config, as_json=as_json)


def assign_group(
    group: Annotated[str, typer.Argument(metavar="GROUP", help="The group's id, as in ninja.group_settings.")],
    ids: Ids = None,
    ids_from: IdsFrom = None,
    yes: Yes = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Put clients into a group.

    The server does this for active clients only; others are left alone and named. Each client is read back and its
    outcome shown, like with `archive`.
    """
    wanted = _ids(ids, ids_from)

    def do(api: Api) -> list[Result]:
        return clients.assign_group(api, wanted, group)

    _run(f"Put into group {group}:", wanted, do, yes, source, config, as_json=as_json)


def bulk_update(
    ids: Ids = None,
    field: Annotated[
        str | None, typer.Option("--set", metavar="FIELD=VALUE", help="The field, and the value for all clients.")
    ] = None,
    empty: Annotated[str | None, typer.Option("--empty", metavar="FIELD", help="The field to empty instead.")] = None,
    ids_from: IdsFrom = None,
    yes: Yes = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Set one field of many clients to one value.

    The field is country_id, industry_id, size_id, public_notes, or custom_value1 to 4; `update` changes others. The
    value is checked before it is sent. Archived clients are changed too; deleted ones are left alone. Each client is
    read back and its outcome shown, like with `archive`.
    """
    wanted = _ids(ids, ids_from)
    name, equals, value = (field or "").partition("=")
    if bool(field) is bool(empty) or (field and not equals):
        raise SettingsError("Name one field to change: --set FIELD=VALUE, or --empty FIELD.")

    def do(api: Api) -> list[Result]:
        if empty:
            return clients.bulk_update(api, wanted, empty, None, clear=True)
        return clients.bulk_update(api, wanted, name.strip(), value)

    _run(f"Empty {empty} of" if empty else f"Set {name.strip()} of", wanted, do, yes, source, config, as_json=as_json)


def _ids(ids: Sequence[str] | None, file: Path | None) -> list[str]:
    """Return the ids on the command line and in a file, each once. Raises SettingsError if there are none."""
    named = list(ids or [])
    if file is not None:
        try:
            lines = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise SettingsError(f"{file} cannot be read ({type(problem).__name__}).") from None
        named += [line.strip() for line in lines.splitlines() if line.strip() and not line.startswith("#")]
    if not named:
        raise SettingsError("Name the clients: their ids, or --ids-from FILE.")
    return list(dict.fromkeys(named))


def _run(
    what: str,
    ids: Sequence[str],
    do: Callable[[Api], list[Result]],
    yes: bool,
    source: str | None,
    config: Path | None,
    *,
    as_json: bool,
) -> None:
    """Confirm, act, and show each client's outcome. Raises NotVerified if one failed."""
    confirm(f"{what} {counted(len(ids), 'client')}?", yes=yes, as_json=as_json)
    with open_api(source, config=config) as api:
        results = do(api)
    _report(results, as_json=as_json)


def _report(results: Sequence[Result], *, as_json: bool) -> None:

    counts = Counter(result.outcome.value for result in results)
    summary = ", ".join(f"{n:,} {outcome}" for outcome, n in counts.most_common())
    if as_json:
        clients = [
            {
                "client_id": result.client_id,
                "name": result.name,
                "outcome": result.outcome.value,
                "reason": result.reason,
            }
            for result in results
        ]
        show_json({"counts": counts, "clients": clients})
    else:
        rows = [
            (result.client_id, result.name, result.outcome.value, result.reason)
            for result in sorted(results, key=lambda result: result.outcome in AS_WANTED)
        ]
        show_table("", ("id", "client", "outcome", "why"), rows, most=MOST)
        say(f"Read back: {summary}.")
    left = sum(result.outcome not in AS_WANTED for result in results)
    if left:
        raise NotVerified(f"Not as wanted: {left:,} of {counted(len(results), 'client')} ({summary}).")
