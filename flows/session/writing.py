"""Calls whose outcome is unknown: the server is asked before anything else is written; what it does not tell is told.

A process that was killed, or that lost an answer and could not ask, leaves a call open in the journal. A merge or purge
that stays open stops every write to its source, any other call the writes to its own clients.
"""

from __future__ import annotations

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
"""Seconds for which a server may still be at a call whose sender is gone."""
LATER: Final = "settled later, by reading back"
Now = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Settling:
    """An open call, and what became of its clients; None where the server does not tell, and it stays open."""

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
    still_at_it: float = STILL_AT_IT,
    now: Now = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = rest,
) -> list[Settling]:
    """Ask the server what became of open calls, and note it in the journal. Raises ApiError where it cannot be asked.

    May be repeated. A merge or purge that is not done is asked for until it is so many seconds old.
    """
    found = []
    for one in calls:
        patience = still_at_it - (now() - one.at).total_seconds()
        outcomes = ask_what_happened(api, one.call, patience=min(max(0.0, patience), still_at_it), sleep=sleep)
        if outcomes is not None:
            api.journal.settle(one.call_id, outcomes, LATER)
        found.append(Settling(one, outcomes))
    return found


def settle_open(
    warehouse: Warehouse,
    source: str,
    api: Api,
    *,
    client_ids: Collection[str] | None = None,
    now: Now = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = rest,
) -> None:
    """Settle what is open before something is written. Raises UnsafePlan where what stays unknown forbids that.

    `client_ids` are the clients that are to be written; None stands for all.
    """
    settled = settle_calls(api, open_calls(warehouse, source), now=now, sleep=sleep)
    check_open([one.open for one in settled if one.outcomes is None], client_ids)


def check_open(left: Sequence[OpenCall], client_ids: Collection[str] | None) -> None:
    """Raises UnsafePlan where the outcome of a call is unknown that forbids to write these clients (None: any)."""
    for one in left:
        ids = [edit.client_id for edit in one.call.edits if edit.client_id]
        everything = one.call.verb in NO_WAY_BACK
        if everything or client_ids is None or set(ids) & set(client_ids):
            what = "nothing is written to this source" if everything else "its clients are not written"
            shown = f"the clients {', '.join(ids[:5])}{' ...' * (len(ids) > 5)}" if ids else "the clients"  # noqa: PLR2004
            raise UnsafePlan(
                f"It is not known what became of the call {one.call_id} ({one.call.verb}, {one.at:%Y-%m-%d %H:%M} UTC, "
                f"{one.operator}), and until it is, {what}. Look at {shown} in Invoice Ninja, then say "
                f"`ninja-sync journal settle {one.call_id} --as applied`, or `--as not-applied`."
            )


@contextmanager
def one_writer_at_a_time(settings: Settings, name: str) -> Iterator[None]:
    """Hold the right to write to a source, also across machines on Postgres. Raises Busy after `wait` seconds.

    So a call that is open is nobody's who is still at it. Pulls go on meanwhile.
    """
    try:
        with one_run_at_a_time(place_of(settings), f"{name}.writes", wait=settings.wait):
            yield
    except Busy as problem:
        raise Busy(
            str(problem).replace(f"run of the source '{name}.writes'", f"writer of the source '{name}'")
        ) from None
