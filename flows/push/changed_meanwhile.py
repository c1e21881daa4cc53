"""Find the clients that others may have changed since a plan was made, even if a clock or the server was set back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from math import ceil

from connector.clients.changed import changed_since
from connector.clients.present import Present, read_present
from connector.door.door import Door
from flows.session.clock import Clock
from schemas.clocks import JITTER, Clocks
from schemas.plan import Plan


def changed_meanwhile(
    door: Door, plan: Plan, ids: Iterable[str], begun: Clocks, look_back: int, clock: Clock
) -> tuple[Present, Clocks]:
    """Return the clients that may have changed since `begun`, read by one list, and both clocks now.

    If the newest stamp is older than the plan's, the server may have been restored from a backup. If its clock has gone
    back, changes have stamps from before the plan. Stamps are no evidence then, and neither is a list without the
    records that the server cannot send. So the clients in `ids` are read in any case.
    """
    here = int(clock.now().timestamp())
    since = datetime.fromtimestamp(begun.server - look_back - JITTER, UTC)
    changed = changed_since(door, since)
    server = int(changed.read_at.timestamp())
    present, now = Present(changed.records), Clocks(server, ceil(clock.now().timestamp()))
    if changed.unread or changed.newest_at < plan.newest_at or begun.gone_back(now) > JITTER:
        read = read_present(door, ids)
        present = Present({**changed.records, **read.records}, read.unread)
    return present, Clocks(server, here)
