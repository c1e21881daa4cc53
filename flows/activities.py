"""The activities feed, pulled incrementally into ninja.activities, where the settings of the source want it."""

from __future__ import annotations

from datetime import UTC, datetime

from connector.activities import activities, without_hashes
from flows.job import Job, Pulled, open_ready
from schemas.entities import ACTIVITIES
from schemas.errors import NotAuthorised, ServerUnavailable
from schemas.normalise import Row, normalise

REFUSED = "The activities cannot be read with this token (an administrator's, or one with view_activity, can)."


def pull_activities(job: Job, pulled: Pulled) -> list[str]:
    """Read what is new in the feed, and store it; notes for the report. A token that may not see it loads all else.

    The feed is read from the look-back before the last reading began, as clients are. Raises the door's other errors:
    the clients are stored by then, and the next pull reads the feed.
    """
    from warehouse.activities import read_until, store  # noqa: PLC0415 - pyarrow

    with open_ready(job.settings, job.clock) as warehouse:
        until = read_until(warehouse, job.name)
    rows: dict[str, Row] = {}
    unfit: dict[str, str] = {}
    began: datetime | None = None
    try:
        for page in activities(job.door, None if until is None else int(until.timestamp())):
            began = began or page.date
            batch = normalise(ACTIVITIES, [without_hashes(record) for record in page.records])
            rows |= {row.id: row for row in batch.rows}
            unfit |= {one.id: str(one) for one in batch.quarantined}
            job.tell("reading activities", len(rows), page.total)
    except (NotAuthorised, ServerUnavailable):
        return [REFUSED]
    if began is None:
        return []
    moment = datetime.fromtimestamp(began.timestamp() - job.source.look_back, UTC)
    with open_ready(job.settings, job.clock) as warehouse:
        store(warehouse, job.name, list(rows.values()), run_id=pulled.run.run_id, watermark=moment, began=began)
    return (
        [f"{len(unfit):,} activities were left out, as they do not fit: {next(iter(unfit.values()))}."] if unfit else []
    )
