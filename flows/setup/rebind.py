"""Bind a source again on purpose, after its server has moved or was restored."""

from __future__ import annotations

from connector.api.verbs import current_company
from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.door import base_url_of, check_server, open_door, secrets_of
from flows.session.ready import open_ready
from schemas.errors import SettingsError
from warehouse.control.state import Binding, bind, read_state
from warehouse.load.staging import Staging
from warehouse.locks.lock import one_run_at_a_time
from warehouse.opened.secret_hosts import note_hosts


def new_server(settings: Settings, name: str) -> str:
    """Return why a person must allow sending the token to the settings' server; '' if it was used there before."""
    try:
        check_server(settings, name)
    except SettingsError as problem:
        return str(problem)
    return ""


def find_company(settings: Settings, name: str) -> tuple[Binding, str]:
    """Return the company behind a source's URL and token, and its name. A person must have allowed the server."""
    with open_door(settings, name, allowed=True) as door:
        company = current_company(door)
    return Binding(base_url_of(settings.sources[name]), company.id, company.fingerprint), company.name


def rebind(settings: Settings, name: str, binding: Binding, clock: Clock = SYSTEM_CLOCK) -> None:
    """Bind the source, and forget its watermark and staged pages, so that the next pull reads everything.

    Raises SettingsError for another company: its clients would mix with those of the bound one.
    """
    path = place_of(settings)
    with one_run_at_a_time(path, name, wait=settings.wait), open_ready(settings, clock) as warehouse:
        known = read_state(warehouse, name).binding
        if known is not None and known.company_fingerprint != binding.company_fingerprint:
            raise SettingsError(
                f"URL and token of {name!r} lead to company {binding.company_id}, but the clients here are of company "
                f"{known.company_id}. Nothing was changed: give the other company its own source name."
            )
        with warehouse.transaction():
            bind(warehouse, name, binding, version=None, now=clock.now())
            note_hosts(warehouse, binding.base_url, secrets_of(settings.sources[name]), clock.now())
            warehouse.execute("delete from control.watermarks where source = $source", {"source": name})
        Staging.of(path, name).clear_source()
