"""`ninja-sync sandbox`: run the stand-in server in the foreground, and explain how to use it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from flows.show.counted import counted
from flows.show.show import say
from sandbox.people.seed import INVOICED
from sandbox.people.stock import Filled, Stock
from sandbox.server import Sandbox, serve
from sandbox.store.database import OldDatabaseError
from sandbox.store.generation import GENERATIONS
from schemas.errors import SettingsError


def run_sandbox(
    *,
    clients: int,
    port: int,
    seed: int,
    host: str,
    database: Path | None,
    behaves_like: str,
    as_json: bool,
    invoiced: int | None = None,
    stock: Stock | None = None,
    masked: bool = True,
) -> None:
    """Serve until Ctrl-C or SIGTERM; print how to reach the server as soon as it answers.

    The first `invoiced` of the clients, INVOICED by default, have invoices and payments. A `stock` fills it instead of
    `clients` invented ones. `masked` says whether the stock is masked already.
    """

    def announce(running: Sandbox, filled: Filled | None) -> None:
        if as_json:
            sys.stdout.write(json.dumps(asdict(running)) + "\n")
            sys.stdout.flush()
            return
        what = f"{counted(filled.clients, 'client')} of your mirror" if filled else counted(clients, "invented client")
        say(f"A stand-in Invoice Ninja {behaves_like} with {what}")
        _show_access(running, rehearsal=filled is not None)
        if filled:
            _show_filled(filled, masked=masked)

    _check(behaves_like, database, stock)
    try:
        serve(
            clients=clients,
            invoiced=INVOICED if invoiced is None else invoiced,
            seed=seed,
            host=host,
            port=port,
            database=database,
            behaves_like=behaves_like,
            announce=announce,
            stock=stock,
        )
    except OldDatabaseError as problem:
        raise SettingsError(f"{problem}.") from None
    except OSError as problem:
        why = os.strerror(problem.errno) if problem.errno and problem.errno > 0 else problem.strerror
        raise SettingsError(
            f"The sandbox cannot listen at {host}, port {port}: {why}. Name another --port, or 0 for a free one."
        ) from None
    if not as_json:
        say("\nStopped." + (" Its clients are gone." if database is None else f" Its clients are in {database}."))


def _check(behaves_like: str, database: Path | None, stock: Stock | None) -> None:
    """Raises SettingsError if these options cannot be served."""
    if behaves_like not in GENERATIONS:
        raise SettingsError(f"There is no generation {behaves_like}. Choose one of {', '.join(GENERATIONS)}.")
    if database is not None and not database.absolute().parent.is_dir():
        folder = database.absolute().parent
        raise SettingsError(f"There is no folder {folder} for the sandbox's database: create it first.")
    if stock is not None and database is not None and database.exists():
        raise SettingsError(f"{database} exists already: a rehearsal needs a new file, or none.")


def _show_access(running: Sandbox, *, rehearsal: bool) -> None:
    say(f"answers at {running.url} until Ctrl-C.\n")
    say(f"  token of its owner       {running.token}")
    say(f"  token of a viewer        {running.viewer_token}")
    say(f"  token without rights     {running.none_token}")
    say(f"  another company's token  {running.other_token}")
    say(f"  the owner's password     {running.password}\n")
    say("In another terminal:\n")
    say(f"  export NINJA_SYNC_URL={running.url}")
    say(f"  export NINJA_SYNC_TOKEN={running.token}")
    file = "rehearsal.duckdb" if rehearsal else "sandbox.duckdb"
    say(f"  export NINJA_SYNC_WAREHOUSE={file}    # not yours: that one stays with your books")
    say(f"  export NINJA_SYNC_PASSWORD={running.password}    # merging and purging ask for it")
    say("  ninja-sync pull && ninja-sync balances")


def _show_filled(filled: Filled, *, masked: bool) -> None:
    """Print which parts of the books were masked or replaced."""
    if masked:
        say("\nMasked: names, mails, phones, addresses, notes, tax and register numbers, custom values, websites and")
        say("names of files. Equal values stay equal. Ids, numbers, money, dates and states are those of your books.")
    else:
        say("\nNothing is masked: anyone with a token of this server can see your clients' personal data.")
    say("Contact keys and links are invented; there are no gateway tokens.")
    if filled.new_ids:
        say(f"Replaced here, because they have a salt: {counted(filled.new_ids, 'id')}.")
