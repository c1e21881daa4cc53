"""`open_api`: an Invoice Ninja server to read from and write to, by the settings; each write is in the journal.

from connector import clients
from flows import open_api

with open_api() as api:
    for client in clients.list_clients(api, clients.Filter(status={"active"})):
        print(client.number, client.balance)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock

from connector.api.api import Api
from connector.api.verbs import Company, current_company
from connector.door.door import Door
from connector.door.halt import rest
from connector.door.password import Password
from connector.door.secret import Secret
from flows.configuration.load import choose_source, load_settings
from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.door import base_url_of, open_door
from flows.session.operator import operator
from flows.session.password import password_reader
from flows.session.ready import open_ready
from flows.session.writing import check_open, one_writer_at_a_time, settle_calls
from schemas.journal import Call, Journal, Outcome
from warehouse.control.journal import OpenCall, WarehouseJournal, open_calls
from warehouse.control.state import Binding, check_binding, read_state

Settled = Callable[[Collection[str], Collection[str]], Sequence[OpenCall]]


class CheckedJournal:
    """A journal that settles open calls before its first note, and refuses writes that an unknown outcome forbids.

    `settled` settles all open calls except the ones under way, and returns those that stay unknown. It gets the ids of
    the calls under way, and of those that the server was waited for. It runs again after a call was left open. Reading
    needs no warehouse and no check; the first write creates a missing warehouse. Any number of threads may write.
    """

    def __init__(self, journal: Journal, settled: Settled) -> None:
        self._journal, self._settled = journal, settled
        self._left: Sequence[OpenCall] | None = None
        self._under_way: set[str] = set()
        self._waited: set[str] = set()
        self._lock = Lock()

    def intend(self, call: Call) -> str:
        """Check, and note that a call is about to be sent. Raises UnsafePlan if an unknown outcome forbids it."""
        with self._lock:
            if self._left is None:
                self._left = self._settled(frozenset(self._under_way), frozenset(self._waited))
            check_open(self._left, [edit.client_id for edit in call.edits])
            call_id = self._journal.intend(call)
            self._under_way.add(call_id)
            return call_id

    def settle(self, call_id: str, outcomes: Sequence[tuple[str, Outcome]], message: str = "") -> None:
        """Note the outcome of a call."""
        with self._lock:
            self._journal.settle(call_id, outcomes, message)
            self._under_way.discard(call_id)

    def leave(self, call_id: str, *, waited: bool = False) -> None:
        """Leave a call open; the next write looks up its outcome first, and waits for the server if nobody has."""
        with self._lock:
            self._under_way.discard(call_id)
            if waited:
                self._waited.add(call_id)
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
    """Open the server of a source for the verbs of `connector.clients`. The password is forgotten at the end.

    Raises SettingsError if it is not clear which source is meant, or how to reach it. The first write checks that the
    token's company is the one bound to this source, and looks up the outcomes of calls that were cut off (UnsafePlan
    if an unknown outcome forbids writing). From then on nobody else can write to the source until the end (Busy).
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
    settings: Settings,
    name: str,
    door: Door,
    until_the_end: ExitStack,
    clock: Clock = SYSTEM_CLOCK,
    sleep: Callable[[float], None] = rest,
) -> CheckedJournal:
    """Return the journal of a source. Its first note takes the right to write, which the stack then holds.

    The first note also checks that the door leads to the company bound to the source, and settles open calls.
    """
    right: Callable[[], bool] | None = None
    journal = WarehouseJournal(
        name, lambda: open_ready(settings, clock), operator=operator(), now=clock.now,
        still_held=lambda: right is not None and right(),
    )  # fmt: skip

    def settled(under_way: Collection[str], waited: Collection[str]) -> list[OpenCall]:
        nonlocal right
        if right is None:
            check_company(settings, name, door, clock)
            right = until_the_end.enter_context(one_writer_at_a_time(settings, name))
        with open_ready(settings, clock) as warehouse:
            calls = [call for call in open_calls(warehouse, name) if call.call_id not in under_way]
        asked = settle_calls(Api(door, journal), calls, waited=waited, now=clock.now, sleep=sleep)
        return [settled_call.open for settled_call in asked if settled_call.outcomes is None]

    return CheckedJournal(journal, settled)


def check_company(settings: Settings, name: str, door: Door, clock: Clock = SYSTEM_CLOCK) -> Company:
    """The company that the token leads to now.

    Raises SettingsError if it is not the company bound to the source.
    """
    with open_ready(settings, clock) as warehouse:
        known = read_state(warehouse, name).binding
    return check_bound(settings, name, door, known)


def check_bound(settings: Settings, name: str, door: Door, known: Binding | None) -> Company:
    """Return the company that the token leads to now. Raises SettingsError if it is not the one bound, if one is."""
    company = current_company(door)
    check_binding(name, known, Binding(base_url_of(settings.sources[name]), company.id, company.fingerprint))
    return company
