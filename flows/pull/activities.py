"""Pull the activities feed incrementally into ninja.activities, if the source's settings ask for it."""

from __future__ import annotations

from datetime import UTC, datetime

from connector.api.activities import activities, without_hashes
from flows.pull.job import Job
from flows.pull.known import Sight
from flows.session.ready import open_ready
from schemas.clocks import Clocks
from schemas.entities import ACTIVITIES
from schemas.errors import NotAuthorised, ServerUnavailable
from schemas.normalise import TypedRow, normalise

REFUSED = "The activities cannot be read with this token (an administrator's, or one with view_activity, can)."


def pull_activities(job: Job, run_id: str, sight: Sight) -> list[str]:
    """Read the new part of the feed and store it; return notes for the report. A token may lack the right to see it.

    The feed is read from the look-back before the last read began, as clients are. If the server's clock has gone back
    since, it is read from that much earlier; if the last read lies in the server's future, from the start. `run_id` is
    a run that was stored. Raises the other errors of the API: then the next pull reads the feed.
    """
    from warehouse.load.activities import read_until, store  # noqa: PLC0415 - pyarrow

    with open_ready(job.settings, job.clock) as warehouse:
        since = _since(read_until(warehouse, job.name), sight)
    rows: dict[str, TypedRow] = {}
    unfit: dict[str, str] = {}
    try:
        for page in activities(job.door, since):
            batch = normalise(ACTIVITIES, [without_hashes(record) for record in page.records])
            rows |= {row.id: row for row in batch.rows}
            unfit |= {record.id: str(record) for record in batch.quarantined}
            job.progress("reading activities", len(rows), page.total)
    except (NotAuthorised, ServerUnavailable):
        return [REFUSED]
    moment = datetime.fromtimestamp(sight.begun.server - job.source.look_back, UTC)
    with open_ready(job.settings, job.clock) as warehouse:
        store(warehouse, job.name, list(rows.values()), run_id=run_id, watermark=moment, began=sight.begun)
    return (
        [f"{len(unfit):,} activities were left out, as they do not fit: {next(iter(unfit.values()))}."] if unfit else []
    )


def _since(known: tuple[datetime, Clocks] | None, sight: Sight) -> int | None:
    """Return the moment from which to read the feed, in Unix seconds; None for the whole feed."""
    if known is None:
        return None
    until, begun = known
    return None if begun.is_ahead_of(sight.now) else int(until.timestamp()) - begun.gone_back(sight.now)
