"""Make a plan of changes that were compared with the server, and store it."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from connector.clients.fields import blank_settings
from connector.clients.present import Present
from connector.door.door import Door
from flows.configuration.values import Settings
from flows.push.compare import compare
from flows.push.wishes import WishedRow, wishes_of_outbox
from flows.session.api import check_company
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.operator import operator
from flows.session.progress import Progress, silent
from flows.session.ready import open_ready
from schemas.errors import SettingsError
from schemas.plan import PUSH, UPDATE, Plan, RefusedWish, with_fewest_calls
from warehouse.control.outbox import REFUSED, refuse_unknown_sources
from warehouse.control.plans import note_wishes, store_plan

NOTHING_TO_CHANGE: Final = "nothing to change"
"""The text in place of a plan's id in changes of the outbox that left nothing to plan."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The result of planning: the stored plan, or None if nothing changes; the refused changes; the values already set.

    `names` are the clients' names, for the person who reads the plan; `notes` explain how rows were understood. `blank`
    counts, by setting, the clients whose PUT turns that setting from an empty text into null, as every PUT does
    (recorded).
    """

    plan: Plan | None
    refused: Sequence[RefusedWish] = ()
    unchanged: int = 0
    names: Mapping[str, str] = field(default_factory=dict, repr=False)
    notes: Sequence[str] = field(default=(), repr=False)
    blank: Mapping[str, int] = field(default_factory=dict)


def plan_push(
    settings: Settings,
    name: str,
    door: Door,
    rows: Sequence[WishedRow] | None,
    *,
    reason: str = "",
    undoes: Plan | None = None,
    clock: Clock = SYSTEM_CLOCK,
    progress: Progress = silent,
    new_id: Callable[[], str] = lambda: secrets.token_hex(3),
) -> Planned:
    """Compare changes with the server, and store the plan. Without `rows`, take those of the outbox. Sends no change.

    `undoes` is the plan to undo: a value that is no longer the one which that plan wrote was changed by somebody since,
    and is left out. Raises the errors of reading, SettingsError for another company's token, and StalePlan if queued
    changes were withdrawn or planned meanwhile.
    """
    company = check_company(settings, name, door, clock)
    now = clock.now()
    wish_ids: Mapping[tuple[str, str], Sequence[str]] = {}
    taken, lost = rows, list[RefusedWish]()
    if taken is None:
        with open_ready(settings, clock) as warehouse:
            lost = refuse_unknown_sources(warehouse, settings.sources)
            taken, wish_ids = wishes_of_outbox(warehouse, name, now)
    made = compare(settings, name, door, taken, undoes=undoes, progress=progress)
    refused = [*lost, *made.refused]
    if not made.cells:
        with open_ready(settings, clock) as warehouse, warehouse.transaction():
            note_wishes(warehouse, name, _became(wish_ids, made.refused, NOTHING_TO_CHANGE), now)
        return Planned(None, refused, len(made.same), notes=made.notes)
    plan = Plan(
        plan_id=f"push-{now:%Y%m%d}-{new_id()}", source=name, kind=PUSH, made_at=now,
        expires_at=now + timedelta(hours=settings.push.valid_hours),
        base_at=made.base.read_at, newest_at=made.base.newest_at, author=operator(), reason=reason,
        company=company.fingerprint, version=company.version, undoes=undoes.plan_id if undoes else None,
        cells=sorted(with_fewest_calls(made.cells, made.without_put)),
    )  # fmt: skip
    with open_ready(settings, clock) as warehouse:
        store_plan(warehouse, plan, wishes=_became(wish_ids, made.refused, plan.plan_id))
    names = {key: str(made.state.records[key].get("display_name") or key) for key in plan.client_ids}
    return Planned(plan, refused, len(made.same), names, made.notes, _blank(made.state, plan))


def _became(
    wish_ids: Mapping[tuple[str, str], Sequence[str]], refused: Sequence[RefusedWish], plan_id: str
) -> dict[str, list[str]]:
    """Group the changes of the outbox by result: the plan's id, or the reason of a refusal for the author."""
    why = {(change.client_id, change.column): f"{REFUSED}{change.reason}" for change in refused}
    by_result: dict[str, list[str]] = {}
    for wish, ids in wish_ids.items():
        by_result.setdefault(why.get(wish, plan_id), []).extend(ids)
    return by_result


def _blank(state: Present, plan: Plan) -> dict[str, int]:
    """Count the clients that get a PUT and have an empty text in a setting that the plan leaves alone, by setting."""
    changed = {(cell.client_id, cell.column) for cell in plan.cells}
    put = {client_id for call in plan.calls if call.verb == UPDATE for client_id in call.client_ids}
    emptied = ((client_id, name) for client_id in put for name in blank_settings(state.records[client_id]))
    return dict(sorted(Counter(name for client_id, name in emptied if (client_id, name) not in changed).items()))


def check_not_empty(rows: Sequence[WishedRow]) -> None:
    """Raises SettingsError if there are no rows."""
    if not rows:
        raise SettingsError("There are no changes: the query or file has no rows.")
