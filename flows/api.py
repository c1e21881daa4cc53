"""`open_client`: an Invoice Ninja server to read from and write to, by the settings; each write is in the journal.

from connector import clients
from flows.api import open_client

with open_client() as api:
    for client in clients.list_clients(api, clients.Filter(status={"active"})):
        print(client.number, client.balance)
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from connector.api import Api
from connector.door import Door
from connector.password import Password
from connector.secret import Secret
from connector.verbs import current_company
from flows.job import SYSTEM_CLOCK, Clock, open_ready
from flows.password import password_reader
from flows.settings import Settings, base_url_of, choose_source, load_settings, open_door
from schemas.journal import Call, Journal, Outcome
from warehouse.control import Binding, check_binding, read_state
from warehouse.journal import WarehouseJournal


class CheckedJournal:
    """A journal before whose first note something is checked: that this is the right company, and that all is settled.

    Reading needs no warehouse and no check; the first write makes the warehouse where there is none.
    """

    def __init__(self, journal: Journal, check: Callable[[Call], None]) -> None:
        self._journal, self._check = journal, check

    def intend(self, call: Call) -> str:
        """Check, and note that a call is about to be sent."""
        self._check(call)
        return self._journal.intend(call)

    def settle(self, call_id: str, outcomes: Sequence[tuple[str, Outcome]], message: str = "") -> None:
        """Note what became of a call."""
        self._journal.settle(call_id, outcomes, message)


@contextmanager
def open_client(
    source: str | None = None,
    *,
    config: Path | None = None,
    settings: Settings | None = None,
    password: Callable[[], Secret] | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> Iterator[Api]:
    """The server of a source, open for the verbs of `connector.clients`. The password is forgotten at the end.

    Raises SettingsError where it is not clear which source is meant, or how it is reached. Before the first write, the
    token's company is compared with the one that the warehouse has bound to this source (another one is refused).
    """
    settings = settings or load_settings(config)
    name = choose_source(settings, source)
    held = Password(password or password_reader(settings.sources[name]))
    with open_door(settings.sources[name]) as door:
        try:
            yield Api(door, journal_of(settings, name, door, clock), held)
        finally:
            held.drop()


def journal_of(settings: Settings, name: str, door: Door, clock: Clock = SYSTEM_CLOCK) -> CheckedJournal:
    """The journal of a source in its warehouse, which checks once that the door leads to the company bound to it."""
    journal = WarehouseJournal(name, lambda: open_ready(settings, clock), operator=operator(), now=clock.now)
    checked = False

    def check(_call: Call) -> None:
        nonlocal checked
        if not checked:
            check_company(settings, name, door, clock)
        checked = True

    return CheckedJournal(journal, check)


def check_company(settings: Settings, name: str, door: Door, clock: Clock = SYSTEM_CLOCK) -> None:
    """Raises SettingsError where the token leads to another company than the one that is bound to the source."""
    with open_ready(settings, clock) as warehouse:
        known = read_state(warehouse, name).binding
    if known is not None:
        company = current_company(door)
        check_binding(name, known, Binding(base_url_of(settings.sources[name]), company.id, company.fingerprint))


def operator() -> str:
    """Who does it, for the journal: the user of this machine, and the machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
