"""The activities feed, pulled incrementally into ninja.activities, where the settings of the source want it."""

from __future__ import annotations

from datetime import UTC, datetime

from connector.api.activities import activities, without_hashes
from flows.pull.job import Job, Pulled
from flows.pull.known import Sight
from flows.session.ready import open_ready
from schemas.clocks import Clocks
from schemas.entities import ACTIVITIES
from schemas.errors import NotAuthorised, ServerUnavailable
from schemas.normalise import TypedRow, normalise

REFUSED = "The activities cannot be read with this token (an administrator's, or one with view_activity, can)."


def pull_activities(job: Job, pulled: Pulled, sight: Sight) -> list[str]:
    """Read what is new in the feed, and store it; notes for the report. A token that may not see it loads all else.

    The feed is read from the look-back before the last reading began, as clients are; where the server's clock has gone
    back since, so much further, and whole where that reading lies in its future. Raises the door's other errors:
    the clients are stored by then, and the next pull reads the feed.
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
            unfit |= {one.id: str(one) for one in batch.quarantined}
            job.tell("reading activities", len(rows), page.total)
    except (NotAuthorised, ServerUnavailable):
        return [REFUSED]
    moment = datetime.fromtimestamp(sight.begun.server - job.source.look_back, UTC)
    with open_ready(job.settings, job.clock) as warehouse:
        store(warehouse, job.name, list(rows.values()), run_id=pulled.run.run_id, watermark=moment, began=sight.begun)
    return (
        [f"{len(unfit):,} activities were left out, as they do not fit: {next(iter(unfit.values()))}."] if unfit else []
    )


def _since(known: tuple[datetime, Clocks] | None, sight: Sight) -> int | None:
    """From when the feed is read, in unix seconds; None for all of it."""
    if known is None:
        return None
    until, begun = known
    return None if begun.is_ahead_of(sight.now) else int(until.timestamp()) - begun.gone_back(sight.now)
