"""Compare the server with the warehouse before a pull reads, and decide what the pull has to do.

The warehouse stores moments of the server's clock: the start of the last scan, the watermark, the last full check. If
one lies ahead of the server's present clock, none is trusted, and the pull reads everything. A past moment counts less
the seconds by which the server's clock has gone back since (`schemas.clocks`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil

import msgspec
from msgspec.structs import replace

from connector.api.verbs import lister
from connector.scan.scan import first_look
from connector.scan.state import TOLERANCE, FirstLook, key, stamp
from flows.configuration.values import Source
from flows.pull.job import Job
from flows.pull.reference import reference_is_due
from flows.session.door import base_url_of
from flows.session.ready import open_ready
from schemas.clocks import ABSURD, JITTER, Clocks, clocks
from schemas.entities import CLIENTS
from schemas.errors import ReadAlready
from schemas.normalise import normalise
from warehouse.control.state import State, last_begun, read_state
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement
from warehouse.load.vanished import remember_unexplained

DAY = 86400


class Sight(msgspec.Struct, frozen=True):
    """The answer to the first request of a run, and both clocks then.

    `look.began` is the server's clock, or this machine's if the server's is more than a day ahead. `begun` are the
    clocks to store for the next pull, `now` the clocks to compare stored moments with. `moment` is the start of this
    run, for its own row and the history. `requests` is the number of requests that the look took.
    """

    look: FirstLook
    begun: Clocks
    now: Clocks
    moment: datetime
    notes: Sequence[str] = ()
    requests: int = 1


class Known(msgspec.Struct, frozen=True):
    """The server's first answer beside the state of the warehouse.

    `mirrored`: the newest record is the same in both. `back`: the seconds by which the server's clock has gone back
    since the last load. `doubt`: why the stored moments cannot be trusted; '' if they can. `recent`: how many mirrored
    records a scan of the changes brings again; 0 until they are counted.
    """

    state: State
    sight: Sight
    mirrored: bool
    back: int = 0
    doubt: str = ""
    recent: int = 0

    @property
    def look(self) -> FirstLook:
        """The first request of the run."""
        return self.sight.look

    @property
    def surplus(self) -> int:
        """The number of records that the warehouse has beyond the server's total."""
        return self.state.surplus(self.look.total)

    def notes(self) -> list[str]:
        """Return notes for people about the clocks."""
        notes = [*self.sight.notes, *filter(None, [self.doubt])]
        if self.back > JITTER and not self.doubt:
            notes.append(
                f"The server's clock has gone back by about {_span(self.back)} since the last pull: records that it "
                "may have stamped since then were read again."
            )
        return notes


def look_at_server(job: Job) -> Sight:
    """Send the first request of a run; return the answer with both clocks."""
    before, asked = int(job.clock.now().timestamp()), job.door.requests
    look = first_look(lister(job.door, job.entity))
    after = ceil(job.clock.now().timestamp())
    began, moment = look.began, look.began
    if abs(look.began - after) <= ABSURD:
        notes = []
    else:
        notes = [
            f"The server's clock says {_shown(look.began)}, this machine's {_shown(after)}: set the wrong one right."
        ]
        began = moment = min(look.began, before)
        if stamp(look.newest) > look.began + ABSURD:  # the server writes later stamps than its Date
            moment = before
    return Sight(
        replace(look, began=began),
        Clocks(began, before),
        Clocks(began, after),
        datetime.fromtimestamp(moment, UTC),
        notes if job.entity is CLIENTS else (),  # said once
        job.door.requests - asked,
    )


def compare(warehouse: Warehouse, job: Job, sight: Sight) -> Known:
    """Compare the server's first answer with the open warehouse."""
    state = read_state(warehouse, job.name, job.entity)
    known = Known(state, sight, _is_mirrored(warehouse, job, sight.look))
    if state.began_at is None:
        return known
    back = clocks(state.began_at, state.local_began_at).gone_back(sight.now)
    return replace(known, back=back, doubt=_doubt(state, sight))


def with_recent(warehouse: Warehouse, job: Job, known: Known) -> Known:
    """Count the mirrored records in the look-back: those that a scan of the changes brings again."""
    if known.state.watermark is None:
        return known
    earlier = known.back + (TOLERANCE if known.state.skew_seconds else 0)
    since = known.state.watermark - timedelta(seconds=earlier)
    counted = statement("read/recent").format(entity=job.entity.name)
    ((recent,),) = warehouse.rows(counted, {"source": job.name, "since": since})
    return replace(known, recent=int(str(recent)))


def look_again(job: Job) -> Known:
    """Ask the server again and compare its answer with the warehouse."""
    sight = look_at_server(job)
    with open_ready(job.settings, job.clock) as warehouse:
        return compare(warehouse, job, sight)


def nothing_to_do(known: Known, job: Job) -> bool:
    """Whether the mirror is known to equal the server.

    It is if all of this holds: the newest record is the same in both; the total is the known one; the last scan began
    more than the look-back after that record's stamp, so that no late commit can hide below it, not even in the same
    second; server and version are the same; and the reference tables, which are read with the clients, are not due. An
    empty list is unchanged if the mirror is empty too, and the token may see everything.
    """
    state, look = known.state, known.look
    if known.doubt or state.began_at is None or state.binding is None or look.total is None:
        return False
    return (
        _is_unchanged(known, job)
        and known.surplus == (state.unexplained or 0)
        and state.binding.base_url == base_url_of(job.source)
        and state.server_version == look.version
        and not (job.entity is CLIENTS and reference_is_due(state, look))
    )


def _is_unchanged(known: Known, job: Job) -> bool:
    state, look = known.state, known.look
    if look.newest is None:
        return look.total == 0 and not state.mirrored and not state.blind
    if job.entity is CLIENTS and not look.newest.get("client_hash"):
        return False  # the token may not be allowed to see money: the scan will raise
    began = float("-inf") if state.began_at is None else state.began_at.timestamp()
    return known.mirrored and began - known.back > stamp(look.newest) + job.source.look_back


def sweep_is_due(known: Known, source: Source) -> bool:
    """Whether the next full check is due, which finds changes that move no stamp."""
    full_at = known.state.full_at
    if not source.sweep_days or full_at is None:
        return False
    return known.look.began - full_at.timestamp() >= source.sweep_days * DAY


def _is_mirrored(warehouse: Warehouse, job: Job, look: FirstLook) -> bool:
    """Whether the mirror has the server's newest record unchanged: then this is the server of the source."""
    if look.newest is None:
        return False
    batch = normalise(job.entity, [look.newest])
    known = statement("read/row_version").format(entity=job.entity.name)
    rows = warehouse.rows(known, {"source": job.name, "id": key(look.newest)})
    stamped = datetime.fromtimestamp(stamp(look.newest), UTC)
    return bool(batch.rows) and rows == [(batch.rows[0].row_hash, stamped)]


def _doubt(state: State, sight: Sight) -> str:
    """Return why no stored moment can be trusted: one of them lies ahead. '' if none does."""
    stored = {
        "The last pull began": state.began_at,
        "The last change seen was": state.watermark,
        "The last full check was": state.full_at,
    }
    for what, moment in stored.items():
        if moment is not None and clocks(moment, None).is_ahead_of(sight.now):
            return (
                f"{what} at {_shown(moment.timestamp())} by the server's clock, which says "
                f"{_shown(sight.now.server)} now: the clock was ahead. So this pull reads everything."
            )
    return ""


def _shown(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _span(seconds: int) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def check_unread(job: Job, due: datetime) -> None:
    """Raises ReadAlready if another run has read the source since `due`. The source's lock keeps other runs out.

    A start in the future comes from a clock that was ahead: that run may have read before this one was due.
    """
    with open_ready(job.settings, job.clock) as warehouse:
        names = [entity.name for entity in job.source.pulled]
        begun = last_begun(warehouse, job.name, full=job.full, entities=names)
    if begun is not None and due <= begun <= job.clock.now() + timedelta(seconds=JITTER):
        raise ReadAlready


def remember_a_wrong_total(job: Job, surplus: int) -> None:
    """Note a difference of the totals that remains after a full check, so that it causes no further check.

    The trap: a record that vanished during the scan makes the totals disagree too. So the difference is noted only if
    it is the same as before the check.
    """
    now = look_again(job)
    if not (now.mirrored and now.surplus == surplus):
        return
    with open_ready(job.settings, job.clock) as warehouse:
        remember_unexplained(warehouse, job.name, job.entity, surplus)
