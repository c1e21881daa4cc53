"""`open_api`: an Invoice Ninja server to read from and write to, by the settings; each write is in the journal.

from connector import clients
from flows.api import open_api

with open_api() as api:
    for client in clients.list_clients(api, clients.Filter(status={"active"})):
        print(client.number, client.balance)
"""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock

from connector.api.api import Api
from connector.api.verbs import Company, current_company
from connector.door.door import Door
from connector.door.password import Password
from connector.door.secret import Secret
from flows.configuration.load import choose_source, load_settings
from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.door import base_url_of, open_door
from flows.session.password import password_reader
from flows.session.ready import open_ready
from flows.session.writing import STILL_AT_IT, check_open, one_writer_at_a_time, settle_calls
from schemas.journal import Call, Journal, Outcome
from warehouse.control.journal import OpenCall, WarehouseJournal, open_calls
from warehouse.control.state import Binding, check_binding, read_state


class CheckedJournal:
    """A journal before whose first note all is settled that was open, and which refuses what may not be written then.

    `settled` settles what can be told, all but the calls that it is given, and returns what stays unknown. It is asked
    again after a call was left open. Reading needs no warehouse and no check; the first write makes
    the warehouse where there is none. Any number of threads may write.
    """

    def __init__(self, journal: Journal, settled: Callable[[Collection[str]], Sequence[OpenCall]]) -> None:
        self._journal, self._settled = journal, settled
        self._left: Sequence[OpenCall] | None = None
        self._under_way: set[str] = set()
        self._lock = Lock()

    def intend(self, call: Call) -> str:
        """Check, and note that a call is about to be sent. Raises UnsafePlan where an unknown outcome forbids it."""
        with self._lock:
            if self._left is None:
                self._left = self._settled(frozenset(self._under_way))
            check_open(self._left, [edit.client_id for edit in call.edits])
            call_id = self._journal.intend(call)
            self._under_way.add(call_id)
            return call_id

    def settle(self, call_id: str, outcomes: Sequence[tuple[str, Outcome]], message: str = "") -> None:
        """Note what became of a call."""
        with self._lock:
            self._journal.settle(call_id, outcomes, message)
            self._under_way.discard(call_id)

    def leave(self, call_id: str) -> None:
        """The call stays open: before the next write, whoever's, it is asked for."""
        with self._lock:
            self._under_way.discard(call_id)
            self._left = None


@contextmanager
def open_api(
    source: str | None = None,
    *,
    config: Path | None = None,
    settings: Settings | None = None,
    password: Callable[[], Secret] | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> Iterator[Api]:
    """The server of a source, open for the verbs of `connector.clients`. The password is forgotten at the end.

    Raises SettingsError where it is not clear which source is meant, or how it is reached. Before the first write, the
    token's company is compared with the one that the warehouse has bound to this source (another one is refused), and
    what became of calls that were cut off is asked (UnsafePlan where an unknown outcome forbids to write). From then on
    nobody else writes to the source until this ends (Busy).
    """
    settings = settings or load_settings(config)
    name = choose_source(settings, source)
    held = Password(password or password_reader(settings.sources[name]))
    with open_door(settings, name) as door, ExitStack() as until_the_end:
        try:
            yield Api(door, journal_of(settings, name, door, until_the_end, clock), held)
        finally:
            held.drop()


def journal_of(
    settings: Settings, name: str, door: Door, until_the_end: ExitStack, clock: Clock = SYSTEM_CLOCK
) -> CheckedJournal:
    """The journal of a source in its warehouse. The right to write is had with the first note, and held by the stack.

    Then it is checked that the door leads to the company bound to the source, and open calls are settled.
    """
    journal = WarehouseJournal(name, lambda: open_ready(settings, clock), operator=operator(), now=clock.now)
    still_at_it, held = STILL_AT_IT, False

    def settled(under_way: Collection[str]) -> list[OpenCall]:
        nonlocal still_at_it, held
        if still_at_it:
            check_company(settings, name, door, clock)
        if not held:
            until_the_end.enter_context(one_writer_at_a_time(settings, name))
            held = True
        with open_ready(settings, clock) as warehouse:
            calls = [one for one in open_calls(warehouse, name) if one.call_id not in under_way]
        asked = settle_calls(Api(door, journal), calls, still_at_it=still_at_it, now=clock.now)
        still_at_it = 0.0  # what is left open from now on was waited for where it was sent
        return [one.open for one in asked if one.outcomes is None]

    return CheckedJournal(journal, settled)


def check_company(settings: Settings, name: str, door: Door, clock: Clock = SYSTEM_CLOCK) -> Company:
    """The company that the token leads to now.

    Raises SettingsError where it is another company than the one that is bound to the source.
    """
    with open_ready(settings, clock) as warehouse:
        known = read_state(warehouse, name).binding
    company = current_company(door)
    check_binding(name, known, Binding(base_url_of(settings.sources[name]), company.id, company.fingerprint))
    return company


def operator() -> str:
    """Who does it, for the journal: the user of this machine, and the machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in containers
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
