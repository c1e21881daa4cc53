"""Settle a source's open calls: by asking the server, or by a person's word."""

from __future__ import annotations

from connector.api.api import Api
from connector.door.door import Door
from flows.configuration.values import Settings
from flows.session.api import check_company
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.operator import operator
from flows.session.ready import open_ready
from flows.session.writing import Settling, one_writer_at_a_time, settle_calls
from schemas.errors import SettingsError
from schemas.journal import Outcome
from warehouse.control.journal import OpenCall, WarehouseJournal, open_calls

BY_WORD = "by a person's word"


def settle_by_asking(
    settings: Settings, name: str, door: Door, *, call_id: str | None = None, clock: Clock = SYSTEM_CLOCK
) -> list[Settling]:
    """Ask the server for the outcome of a source's open calls, or of one; return each call with its outcome.

    It may be repeated. Raises SettingsError for a call that is not open, ApiError if the server cannot be asked, Busy
    while another run is writing.
    """
    with one_writer_at_a_time(settings, name):
        check_company(settings, name, door, clock)
        calls = _open(settings, name, call_id, clock)
        return settle_calls(Api(door, _journal(settings, name, clock)), calls, now=clock.now)


def settle_by_word(
    settings: Settings, name: str, call_id: str, outcome: Outcome, *, clock: Clock = SYSTEM_CLOCK
) -> Settling:
    """Note the outcome of an open call for all its clients, as a person states it. The server is not asked."""
    with one_writer_at_a_time(settings, name):
        (open_call,) = _open(settings, name, call_id, clock)
        outcomes = [(edit.client_id, outcome) for edit in open_call.call.edits]
        _journal(settings, name, clock).settle(call_id, outcomes, BY_WORD)
    return Settling(open_call, outcomes)


def _open(settings: Settings, name: str, call_id: str | None, clock: Clock) -> list[OpenCall]:
    with open_ready(settings, clock) as warehouse:
        calls = [open_call for open_call in open_calls(warehouse, name) if call_id in (None, open_call.call_id)]
    if call_id is not None and not calls:
        raise SettingsError(f"There is no open call {call_id!r} of {name!r}: `ninja-sync journal --open` lists them.")
    return calls


def _journal(settings: Settings, name: str, clock: Clock) -> WarehouseJournal:
    return WarehouseJournal(name, lambda: open_ready(settings, clock), operator=operator(), now=clock.now)
