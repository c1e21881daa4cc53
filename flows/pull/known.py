"""What a pull knows before it reads: what the server shows, what the warehouse holds, and so what is due.

Moments of the server's clock are stored: when the last scan began, from where the next one reads, when everything was
read. One that lies ahead of the server's present clock is not trusted, and everything is read. One that has passed is
trusted less the seconds by which the server's clock has gone back since (`schemas.clocks`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil

from connector.api.verbs import lister
from connector.scan.scan import first_look
from connector.scan.state import FirstLook, key, stamp
from flows.configuration.values import Source
from flows.pull.job import Job
from flows.pull.reference import reference_is_due
from flows.session.door import base_url_of
from flows.session.ready import open_ready
from schemas.clocks import ABSURD, JITTER, Clocks, clocks
from schemas.entities import CLIENTS
from schemas.normalise import normalise
from warehouse.control.state import State, read_state
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

DAY = 86400


@dataclass(frozen=True, slots=True)
class Sight:
    """What the server showed at the first request of a run, and both clocks then.

    `look.began` is the server's clock; this machine's, where the server's is more than a day ahead of it. `begun` is
    kept for the next pull, `now` is what stored moments are compared with. `moment` is when this run began, for its own
    record and the history.
    """

    look: FirstLook
    begun: Clocks
    now: Clocks
    moment: datetime
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What the server showed beside what the warehouse holds.

    `mirrored` says that the newest record is the same in both. `back` is by how many seconds the server's clock has
    gone back since the last load. `doubt` says why a stored moment cannot be trusted; empty where all can.
    """

    state: State
    sight: Sight
    mirrored: bool
    back: int = 0
    doubt: str = ""

    @property
    def look(self) -> FirstLook:
        """The first request of the run."""
        return self.sight.look

    @property
    def surplus(self) -> int:
        """How many clients more the warehouse knows than the server says."""
        return self.state.surplus(self.look.total)

    def notes(self) -> list[str]:
        """What people have to know of the clocks."""
        told = [*self.sight.notes, *filter(None, [self.doubt])]
        if self.back > JITTER and not self.doubt:
            told.append(
                f"The server's clock has gone back by about {_span(self.back)} since the last pull: what it may have "
                "stamped since then was read again."
            )
        return told


def look_at_server(job: Job) -> Sight:
    """The first request of a run, with both clocks."""
    before = int(job.clock.now().timestamp())
    look = first_look(lister(job.door, CLIENTS))
    after = ceil(job.clock.now().timestamp())
    began, moment = look.began, look.began
    if abs(look.began - after) <= ABSURD:
        notes = []
    else:
        notes = [
            f"The server's clock says {_shown(look.began)} and this machine's {_shown(after)}: set the wrong one right."
        ]
        began = moment = min(look.began, before)
        if stamp(look.newest) > look.began + ABSURD:  # the server writes later stamps than its Date
            moment = before
    return Sight(
        replace(look, began=began),
        Clocks(began, before),
        Clocks(began, after),
        datetime.fromtimestamp(moment, UTC),
        notes,
    )


def compare(warehouse: Warehouse, job: Job, sight: Sight) -> Known:
    """What the open warehouse knows of the source, beside what the server shows."""
    state = read_state(warehouse, job.name)
    known = Known(state, sight, _is_mirrored(warehouse, job.name, sight.look))
    if state.began_at is None:
        return known
    back = clocks(state.began_at, state.local_began_at).gone_back(sight.now)
    return replace(known, back=back, doubt=_doubt(state, sight))


def look_again(job: Job) -> Known:
    """What the server says now, beside what the warehouse knows now."""
    sight = look_at_server(job)
    with open_ready(job.settings, job.clock) as warehouse:
        return compare(warehouse, job, sight)


def nothing_to_do(known: Known, source: Source) -> bool:
    """Whether a mirror is known to equal the server.

    The newest record is the same in both, the total is the known one, the last scan began more than the look-back after
    that record's stamp (so that no late commit can hide under it, in the same second neither), server and version are
    the same, and the reference tables are not due.
    """
    state, look = known.state, known.look
    if known.doubt or not known.mirrored:
        return False
    if state.began_at is None or state.binding is None or look.total is None or look.newest is None:
        return False
    if not look.newest.get("client_hash"):
        return False  # perhaps a token that may not see money: the scan will say
    return (
        known.surplus == (state.unexplained or 0)
        and state.began_at.timestamp() - known.back > stamp(look.newest) + source.look_back
        and state.binding.base_url == base_url_of(source)
        and state.server_version == look.version
        and not reference_is_due(state, look)
    )


def sweep_is_due(known: Known, source: Source) -> bool:
    """Whether everything was last read so long ago that it is read again: changes that move no stamp are in it."""
    full_at = known.state.full_at
    if not source.sweep_days or full_at is None:
        return False
    return known.look.began - full_at.timestamp() >= source.sweep_days * DAY


def _is_mirrored(warehouse: Warehouse, name: str, look: FirstLook) -> bool:
    """Whether the newest record of the server is in the mirror as it is: then the server is the one that is bound."""
    batch = normalise(CLIENTS, [look.newest])
    found = warehouse.rows(statement("read/row_version"), {"source": name, "id": key(look.newest)})
    stamped = datetime.fromtimestamp(stamp(look.newest), UTC)
    return bool(batch.rows) and found == [(batch.rows[0].row_hash, stamped)]


def _doubt(state: State, sight: Sight) -> str:
    """Why nothing that is stored can be trusted: a moment that has passed lies ahead."""
    stored = {
        "The last pull began": state.began_at,
        "Changes are known": state.watermark,
        "Everything was last read": state.full_at,
    }
    for what, moment in stored.items():
        if moment is not None and clocks(moment, None).is_ahead_of(sight.now):
            return (
                f"{what} at {_shown(moment.timestamp())} by the server's clock, which says "
                f"{_shown(sight.now.server)} now: it was ahead. So everything is read."
            )
    return ""


def _shown(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _span(seconds: int) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
