"""Settling the calls of a source that are open: by asking the server, or by a person's word."""

from __future__ import annotations

from connector.api.api import Api
from connector.door.door import Door
from flows.configuration.values import Settings
from flows.session.api import check_company, operator
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from flows.session.writing import Settling, one_writer_at_a_time, settle_calls
from schemas.errors import SettingsError
from schemas.journal import Outcome
from warehouse.control.journal import OpenCall, WarehouseJournal, open_calls

BY_WORD = "by a person's word"


def settle_by_asking(
    settings: Settings, name: str, door: Door, *, call_id: str | None = None, clock: Clock = SYSTEM_CLOCK
) -> list[Settling]:
    """Ask the server what became of the open calls of a source, or of one; each with what became of it.

    May be repeated. Raises SettingsError for a call that is not open, ApiError where the server cannot be asked, Busy
    while somebody is writing.
    """
    with one_writer_at_a_time(settings, name):
        check_company(settings, name, door, clock)
        calls = _open(settings, name, call_id, clock)
        return settle_calls(Api(door, _journal(settings, name, clock)), calls, now=clock.now)


def settle_by_word(
    settings: Settings, name: str, call_id: str, outcome: Outcome, *, clock: Clock = SYSTEM_CLOCK
) -> Settling:
    """Note what a person says became of all clients of an open call. The server is not asked."""
    with one_writer_at_a_time(settings, name):
        (one,) = _open(settings, name, call_id, clock)
        outcomes = [(edit.client_id, outcome) for edit in one.call.edits]
        _journal(settings, name, clock).settle(call_id, outcomes, BY_WORD)
    return Settling(one, outcomes)


def _open(settings: Settings, name: str, call_id: str | None, clock: Clock) -> list[OpenCall]:
    with open_ready(settings, clock) as warehouse:
        found = [one for one in open_calls(warehouse, name) if call_id in (None, one.call_id)]
    if call_id is not None and not found:
        raise SettingsError(f"There is no open call {call_id!r} of {name!r}: `ninja-sync journal --open` lists them.")
    return found


def _journal(settings: Settings, name: str, clock: Clock) -> WarehouseJournal:
    return WarehouseJournal(name, lambda: open_ready(settings, clock), operator=operator(), now=clock.now)
