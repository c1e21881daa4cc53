"""The activities feed: what was done in the company, newest first, with its merges and purges.

The filter `updated_at` is exact here, in any time zone of the server (recorded). From 5.12.22 on, a merge leaves
activity 151 on the survivor, and a purge 153 on no client. Both name the client that is gone, with its client_hash in
brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from httpx import codes

from connector.api.verbs import lister
from connector.door.door import Door
from connector.scan.pages import Page, Params
from connector.scan.progress import Progress
from schemas.entities import ACTIVITIES
from schemas.errors import NotAuthorised, ServerUnavailable

MERGED, PURGED = "151", "153"
PAGE = 500
MOST_PAGES = 2000
HASH = re.compile(r"\s*\([^()]*\)$")
"""The client_hash behind a name, which opens the client's portal: it is stored nowhere."""


class Deed(msgspec.Struct, frozen=True):
    """A merge (`into` is the survivor's id) or purge (`into` is None) of the client with this name; unix seconds."""

    into: str | None
    name: str
    at: int


def activities(door: Door, since: int | None) -> Iterator[Page]:
    """The pages of the feed since a moment, newest first. New rows meanwhile repeat others, and hide none.

    A purge meanwhile removes rows, so a page's border can hide others: the look-back of the next reading brings them.
    Raises the door's errors. Users without the right to the feed get ServerUnavailable (500).
    """
    progress = Progress()
    for number in range(1, MOST_PAGES + 1):
        params: Params = {"per_page": PAGE, "page": number}
        if since is not None:
            params = {**params, "updated_at": since}
        page = lister(door, ACTIVITIES)(params)
        progress.check([page])
        yield page
        if len(page.records) < page.per_page:
            return


def sees_all(door: Door) -> bool:
    """Whether the token may see the whole company: an administrator's, or one with `view_all` or `edit_all`.

    Lists of clients do not show it: without that right they answer 200 with the user's own clients, perhaps none. The
    server refuses the feed to the same users (recorded: 500), unless they have `view_activity` itself.
    """
    try:
        lister(door, ACTIVITIES)({"per_page": 1})
    except NotAuthorised:
        return False
    except ServerUnavailable as problem:
        if problem.status != codes.INTERNAL_SERVER_ERROR:
            raise
        return False
    return True


def without_hashes(record: object) -> object:
    """An activity without the client_hash at the end of its notes."""
    if isinstance(record, dict) and isinstance(record.get("notes"), str):
        return {**record, "notes": HASH.sub("", str(record["notes"]))}
    return record


def deeds_since(door: Door, since: int) -> list[Deed] | None:
    """The merges and purges in the feed since a moment; None where this token may not see the feed."""
    try:
        records = [record for page in activities(door, since) for record in page.records]
    except (NotAuthorised, ServerUnavailable):
        return None
    return list(_deeds(records))


def _deeds(records: list[object]) -> Iterator[Deed]:
    seen = set()
    for record in records:
        activity = record if isinstance(record, dict) else {}
        kind, notes, at = activity.get("activity_type_id"), activity.get("notes"), activity.get("created_at")
        if (
            kind in (MERGED, PURGED)
            and isinstance(notes, str)
            and isinstance(at, int)
            and activity.get("id") not in seen
        ):
            seen.add(activity.get("id"))
            into = str(activity.get("client_id") or "") or None
            if kind == PURGED or into:
                yield Deed(into if kind == MERGED else None, HASH.sub("", notes), at)
