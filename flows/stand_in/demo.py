"""`ninja-sync demo`: run the main job once, on our own sandbox server. It leaves a warehouse and no process."""

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from connector.door.address import is_loopback, server_address
from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from flows.ask.aging import read_aging, tell_aging
from flows.ask.balances import read_balances, tell_balances
from flows.configuration.values import Settings, Source
from flows.pull.job import Job, Pulled
from flows.pull.pull import pull
from flows.pull.report import tell_pulled
from flows.show.counted import counted
from flows.show.show import progress_bar, say, show_table
from sandbox.office import Deed, tidy_up, work_a_little
from sandbox.server import Sandbox, running
from schemas.errors import SettingsError, WarehouseError
from warehouse.engine.duckdb import open_warehouse
from warehouse.engine.duckdb_file import remove_warehouse
from warehouse.engine.place import reader_of

SEED = 7
SOURCE = "demo"
NEXT = """
Next steps (the sandbox has stopped, the warehouse stays):

  export NINJA_SYNC_WAREHOUSE={warehouse}
  {command} status
  {command} {balances}
  {command} aging
  {command} sql "select display_name, balance from mart.clients where currency_code = 'EUR' order by 2 desc limit 5"
  {command} sql "select display_name, kind, current_name, evidence from mart.client_redirects"
  {command} sandbox                 a server of your own to change and pull from, until Ctrl-C
  {command} init                    your own Invoice Ninja
"""


def run_demo(folder: Path, *, clients: int) -> None:
    """Start a sandbox, pull, look, change the server, pull again, show what changed, stop the sandbox."""
    path = folder / "warehouse.duckdb"
    remove_earlier_demo(path)
    say(f"Starting a stand-in Invoice Ninja with {counted(clients, 'invented client')} ...")
    with running(clients=clients, seed=SEED) as box:
        settings = Settings(warehouse=str(path), sources={SOURCE: Source(url=box.url, requests_per_second=100)})
        say(f"It answers at {box.url}.\n\n1. The first pull reads everything, into {path}.\n")
        tell_pulled(_pull(settings, box))
        say("\n2. Balances, from the warehouse.\n")
        tell_balances(read_balances(settings, SOURCE, top=3))
        say("3. How long that has been overdue, by the invoices.\n")
        tell_aging(read_aging(settings, SOURCE, by="currency"))
        say("\n4. Meanwhile, people work on the server.\n")
        _show_done(work_a_little(box))
        say("5. The second pull reads what has changed since, and shows exactly that.\n")
        tell_pulled(_pull(settings, box))
        say("6. Then they tidy up: they merge duplicates and purge a client. Three clients leave the server's list.\n")
        _show_done(tidy_up(box))
        say("7. The third pull finds out which clients are gone, and where they went.\n")
        tell_pulled(_pull(settings, box))
        say("8. A fourth pull finds nothing to do.\n")
        tell_pulled(_pull(settings, box))
    balances = f"balances --plot {folder}/balances.png" if find_spec("matplotlib") else "balances"
    say(NEXT.format(warehouse=path, balances=balances, command=_command()))


def _show_done(deeds: list[Deed]) -> None:
    show_table("Done on the server", ("client", "what"), [(deed.client, deed.done) for deed in deeds])


def remove_earlier_demo(path: Path) -> None:
    """Remove the warehouse of an earlier demo. Raises SettingsError for any other, and leaves it unchanged."""
    for file in filter(Path.exists, (path, reader_of(path))):
        try:
            with open_warehouse(file, read_only=True, wait=0) as warehouse:
                rows = warehouse.rows("select source, base_url from control.sources")
        except WarehouseError as problem:
            raise _refused(path, f"which is not a demo's: {problem}") from None
        if any(source != SOURCE or not is_loopback(server_address(str(url)).host) for source, url in rows):
            raise _refused(path, "which holds your sources.")
    remove_warehouse(path)


def _refused(path: Path, why: str) -> SettingsError:
    return SettingsError(
        f"The demo would replace {path}, but there is a warehouse already, {why} Name another folder: "
        f"ninja-sync demo --folder {path.parent}-2"
    )


def _command() -> str:
    """Return the name or path of this program, so that the commands to try next can be copied."""
    called = Path(sys.argv[0])
    return called.name if shutil.which(called.name) else str(called)


def _pull(settings: Settings, box: Sandbox) -> Pulled:
    door_settings = DoorSettings(box.url, requests_per_second=settings.sources[SOURCE].requests_per_second)
    with Door(door_settings, Secret(box.token)) as door, progress_bar(SOURCE, quiet=False) as progress:
        return pull(Job(settings, SOURCE, door, progress=progress))
