"""Settle calls with an unknown outcome: ask the server before anything else is written, and refuse unsafe writes.

A process that was killed, or lost an answer and could not ask again, leaves a call open in the journal. An open merge
or purge stops every write to its source; any other open call stops writes to its own clients.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from connector.api.api import Api, Outcomes
from connector.clients.open_calls import NO_WAY_BACK, ask_what_happened
from connector.door.halt import rest
from flows.configuration.load import place_of
from flows.configuration.values import Settings
from schemas.errors import Busy, UnsafePlan
from warehouse.control.journal import OpenCall, open_calls
from warehouse.engine.seam import Warehouse
from warehouse.locks.lock import one_run_at_a_time

STILL_AT_IT: Final = 120.0
"""The seconds that a server may still work on a call whose sender is gone."""
LATER: Final = "settled later, by reading back"
Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Settling:
    """An open call and the outcomes for its clients; None if they stay unknown, and the call open."""

    open: OpenCall
    outcomes: Outcomes | None

    @property
    def call_id(self) -> str:
        """The call's id."""
        return self.open.call_id


def settle_calls(
    api: Api,
    calls: Iterable[OpenCall],
    *,
    waited: Collection[str] = (),
    now: Now = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = rest,
) -> list[Settling]:
    """Ask the server for the outcome of open calls, and note it in the journal. Raises ApiError if it cannot be asked.

    It may be repeated. A merge, purge, create or upload that is not done is asked for again while the server may be at
    work on it. `waited` are the ids of calls whose senders have waited for that. All senders are gone before the first
    question, so the time waited for one call counts for the next ones.
    """
    settlings, rested = [], 0.0

    def resting(seconds: float) -> None:
        nonlocal rested
        sleep(seconds)
        rested += seconds

    began = now()
    for open_call in calls:
        patience = 0.0 if open_call.call_id in waited else max(0.0, _still_at_it(open_call, began) - rested)
        outcomes = ask_what_happened(api, open_call.call, patience=patience, sleep=resting)
        if outcomes is not None:
            api.journal.settle(open_call.call_id, outcomes, LATER)
        settlings.append(Settling(open_call, outcomes))
    return settlings


def _still_at_it(open_call: OpenCall, now: datetime) -> float:
    """Return for how many seconds the server may still work on a call.

    The time of a call is the clock's of the host that noted it. The clock of another host may be minutes ahead or
    behind, so a call's age is known on its own host only, and not even there if the clock was set back.
    """
    age = (now - open_call.at).total_seconds()
    is_ours = open_call.operator.endswith(f"@{socket.gethostname()}")
    return max(0.0, STILL_AT_IT - age) if is_ours and age >= 0 else STILL_AT_IT


def settle_open(
    warehouse: Warehouse,
    source: str,
    api: Api,
    *,
    client_ids: Collection[str] | None = None,
    now: Now = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = rest,
) -> None:
    """Settle open calls before a write. Raises UnsafePlan if an unknown outcome forbids the write.

    `client_ids` are the clients to write; None stands for all.
    """
    settled = settle_calls(api, open_calls(warehouse, source), now=now, sleep=sleep)
    check_open([settling.open for settling in settled if settling.outcomes is None], client_ids)


def check_open(left: Sequence[OpenCall], client_ids: Collection[str] | None) -> None:
    """Raises UnsafePlan if a call with an unknown outcome forbids writing these clients (None: any)."""
    for open_call in left:
        ids = [edit.client_id for edit in open_call.call.edits if edit.client_id]
        everything = open_call.call.verb in NO_WAY_BACK
        if everything or client_ids is None or set(ids) & set(client_ids):
            what = "nothing is written to this source" if everything else "its clients are not written"
            shown = f"the clients {', '.join(ids[:5])}{' ...' * (len(ids) > 5)}" if ids else "the clients"  # noqa: PLR2004
            raise UnsafePlan(
                f"The outcome of the call {open_call.call_id} is unknown ({open_call.call.verb}, "
                f"{open_call.at:%Y-%m-%d %H:%M} UTC, {open_call.operator}). Until it is known, {what}. Look at {shown} "
                f"in Invoice Ninja, then state it: `ninja-sync journal settle {open_call.call_id} --as applied`, or "
                "`--as not-applied`."
            )


@contextmanager
def one_writer_at_a_time(settings: Settings, name: str) -> Iterator[Callable[[], bool]]:
    """Hold the right to write to a source, also across machines on Postgres. Raises Busy after `wait` seconds.

    Yields a function that asks whether it is still held. While it is, the sender of any open call is gone. Pulls can
    run at the same time.
    """
    try:
        with one_run_at_a_time(place_of(settings), f"{name}.writes", wait=settings.wait) as still_held:
            yield still_held
    except Busy as problem:
        raise Busy(
            str(problem).replace(f"run of the source '{name}.writes'", f"writer of the source '{name}'")
        ) from None
