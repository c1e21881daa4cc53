"""The brake of a pull: records that the server no longer lists, kept until a person allows their removal."""

from __future__ import annotations

from flows.ask.health import held_records
from flows.configuration.values import Settings
from flows.pull.by_name import pull_source
from flows.pull.job import Pulled
from flows.session.progress import Progress, silent
from flows.show.counted import counted
from schemas.entities import CLIENTS
from schemas.errors import SettingsError


def remove_held(settings: Settings, source: str, typed: str, *, progress: Progress = silent) -> Pulled:
    """Do a full check that may remove the records that are kept, as `ninja-sync sweep --at-most` does.

    A person has typed their number. Raises SettingsError if it is another number now, or if nothing is kept.
    """
    check_number(settings, source, typed)
    return pull_source(settings, source, full=True, at_most=int(typed), progress=progress)


def check_number(settings: Settings, source: str, typed: str) -> None:
    """Raises SettingsError if a person did not type the number of records that are kept now."""
    kept = held_records(settings, source)
    if not kept:
        raise SettingsError("Nothing is kept any more: a pull has found these records again, or removed them.")
    (held,) = kept
    if typed.strip() != str(held.number):
        noun = "client" if CLIENTS.name in held.counts else "record"
        raise SettingsError(f"Type {held.number} to allow the removal of {counted(held.number, noun)}.")
