"""The clients that others may have changed since a plan was made, although a clock or a backup was set back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import ceil

from connector.clients.changed import changed_since
from connector.clients.present import Record, read_present
from connector.door.door import Door
from flows.session.clock import Clock
from schemas.clocks import JITTER, Clocks
from schemas.plan import Plan


def changed_meanwhile(
    door: Door, plan: Plan, begun: Clocks, look_back: int, clock: Clock
) -> tuple[Mapping[str, Record], Clocks]:
    """The clients that may have changed since both clocks were as in `begun`, by one list; and the clocks of now.

    Where the newest stamp of all is older than the plan's, the server may be restored from a backup; where its clock
    has gone back, changes are stamped before the plan. Stamps tell nothing then, and each client of the plan is read.
    """
    here = int(clock.now().timestamp())
    since = datetime.fromtimestamp(begun.server - look_back - JITTER, UTC)
    changed = changed_since(door, since)
    server = int(changed.read_at.timestamp())
    records, now = changed.records, Clocks(server, ceil(clock.now().timestamp()))
    if changed.newest_at < plan.newest_at or begun.gone_back(now) > JITTER:
        records = {**records, **read_present(door, plan.client_ids).records}
    return records, Clocks(server, here)
