"""The deliberate way through a moved address or a restored server: bind a source anew."""

from __future__ import annotations

from connector.verbs import current_company
from flows.pull import SYSTEM_CLOCK, Clock, open_ready
from flows.settings import Settings, base_url_of, open_door, warehouse_path
from warehouse.control import Binding, bind
from warehouse.lock import one_run_at_a_time


def find_company(settings: Settings, name: str) -> tuple[Binding, str]:
    """The company that URL and token of a source lead to now, and its name."""
    with open_door(settings.sources[name]) as door:
        company = current_company(door)
    return Binding(base_url_of(settings.sources[name]), company.id, company.fingerprint), company.name


def rebind(settings: Settings, name: str, binding: Binding, clock: Clock = SYSTEM_CLOCK) -> None:
    """Bind the source, and forget its watermark, so that the next pull reads everything."""
    with (
        one_run_at_a_time(warehouse_path(settings), name, wait=settings.wait),
        open_ready(settings, clock) as warehouse,
        warehouse.transaction(),
    ):
        bind(warehouse, name, binding, version=None, now=clock.now())
        warehouse.execute("delete from control.watermarks where source = $source", {"source": name})
