"""Plan merges: read both clients of each, refuse unsafe merges, and preview the others."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from connector.api.verbs import statics
from connector.clients.changed import server_now
from connector.clients.fields import lists_for
from connector.clients.merge import currencies_of
from connector.clients.present import read_present
from connector.door.door import Door
from flows.ask.reconciliation import differences_of
from flows.configuration.values import Settings
from flows.merge.rescue import possible
from flows.plans.client_keys import called
from flows.session.api import check_company
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.operator import operator
from flows.session.ready import open_ready
from schemas.client import Client, client_of
from schemas.generation import numbers_of
from schemas.merge_plan import MergeStep, Pair, differences, in_order, in_the_way, step_of
from schemas.merge_preview import Preview, preview
from schemas.plan import MERGE, Plan
from schemas.server_form import Lists
from warehouse.control.plans import store_plan

BY_LISTS: Final = ("country_id", "industry_id", "size_id")
"""Columns of a rescue whose values come from the server's lists."""
NONE: Final[Mapping[str, Sequence[str]]] = {}


@dataclass(frozen=True, slots=True)
class RefusedMerge:
    """A merge that is not planned, and why. `survivor` and `mergeable` are the names of the clients.

    `differences` are those of ALLOWABLE that are in the way; none if the reason is another one.
    """

    survivor_id: str
    mergeable_id: str
    reason: str
    differences: Sequence[str] = ()
    survivor: str = field(default="", repr=False)
    mergeable: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class PlannedMerges:
    """The result of planning: the stored plan, or None if nothing can be merged; its previews; the refused merges."""

    plan: Plan | None
    previews: Sequence[Preview] = field(default=(), repr=False)
    refused: Sequence[RefusedMerge] = ()
    notes: Sequence[str] = ()


def plan_merges(
    settings: Settings,
    name: str,
    door: Door,
    pairs: Sequence[Pair],
    *,
    allowed: Set[str] = frozenset(),
    rescue: bool = True,
    public_notes: bool = False,
    reason: str = "",
    remarks: Mapping[str, Sequence[str]] = NONE,
    clock: Clock = SYSTEM_CLOCK,
    new_id: Callable[[], str] = lambda: secrets.token_hex(3),
) -> PlannedMerges:
    """Plan merges of (survivor, mergeable) in an order that suits chains, and store the plan. Sends no change.

    Reads both clients of each merge with this token, because the server does not check the survivor's company.
    `allowed` names the differences (of ALLOWABLE) to permit. `public_notes` rescues the public notes too, which
    customers can read. `remarks` on a client merged in are stored with its merge. Raises SettingsError for pairs that
    contradict each other, and for another company's token.
    """
    company = check_company(settings, name, door, clock)
    ordered = in_order(pairs)
    base, version = server_now(door), numbers_of(company.version)
    present = read_present(door, [client for pair in ordered for client in pair])
    clients = {key: client_of(record) for key, record in present.records.items()}
    keys = list(clients)
    currencies = dict(zip(keys, currencies_of(door, [present.records[key] for key in keys]), strict=True))
    lists = lists_for(door, BY_LISTS) if present.records else Lists()
    codes = _codes(door) if present.records else {}
    in_codes = {key: codes.get(currency_id) or currency_id for key, currency_id in currencies.items()}
    with open_ready(settings, clock) as warehouse:
        unexplained = {
            key: [f"Figures do not agree with documents, so look before you merge: {line}." for line in lines]
            for key, lines in differences_of(warehouse, name, set(keys)).items()
        }
    previews: list[Preview] = []
    refused: list[RefusedMerge] = []
    notes: list[str] = []
    steps: list[MergeStep] = []
    for survivor_id, mergeable_id in ordered:
        refusal = _refusal(clients, currencies, in_codes, survivor_id, mergeable_id, allowed)
        if refusal is None and any(merge.survivor_id == mergeable_id for merge in refused):
            names = [called(clients[client_id]) for client_id in (survivor_id, mergeable_id)]
            refusal = RefusedMerge(survivor_id, mergeable_id, "an earlier merge into it is refused", (), *names)
        if refusal is not None:
            refused.append(refusal)
            continue
        made = preview(
            clients[survivor_id], clients[mergeable_id], version, rescue=rescue,
            public_notes=public_notes, day=f"{base.read_at:%Y-%m-%d}",
            currencies=(in_codes[survivor_id], in_codes[mergeable_id]),
        )  # fmt: skip
        made, left = possible(made, currencies[survivor_id], lists)
        previews.append(made)
        left += [line for key in (survivor_id, mergeable_id) for line in unexplained.pop(key, ())]
        said = dict.fromkeys([*left, *remarks.get(mergeable_id, ())])  # a plan made again has some of them already
        steps.append(step_of(made, sorted(allowed), list(said), rescue=rescue, public_notes=public_notes))
        notes += left
        clients[survivor_id] = made.survivor_after
    if not version:
        notes.append("The server does not report its version: the figures are those of a merge up to 5.12.")
    if not previews:
        return PlannedMerges(None, (), refused, notes)
    now = clock.now()
    plan = Plan(
        plan_id=f"merge-{now:%Y%m%d}-{new_id()}", source=name, kind=MERGE, made_at=now,
        expires_at=now + timedelta(hours=settings.push.valid_hours), base_at=base.read_at, newest_at=base.newest_at,
        author=operator(), reason=reason, company=company.fingerprint, version=company.version,
        steps=steps,
    )  # fmt: skip
    with open_ready(settings, clock) as warehouse:
        store_plan(warehouse, plan)
    return PlannedMerges(plan, previews, refused, notes)


def _codes(door: Door) -> dict[str, str]:
    """Return the code of each currency, by its id."""
    rows = statics(door, ["currencies"])["currencies"]
    return {str(row.get("id")): str(row.get("code") or "") for row in rows if isinstance(row, dict)}


def _refusal(
    clients: Mapping[str, Client],
    currencies: Mapping[str, str],
    codes: Mapping[str, str],
    survivor_id: str,
    mergeable_id: str,
    allowed: Set[str],
) -> RefusedMerge | None:
    """Return why a merge is refused; None if it is not."""
    ids = (survivor_id, mergeable_id)
    names = [called(clients[key]) if key in clients else key for key in ids]
    missing = [client_id for client_id in ids if client_id not in clients]
    if missing:
        why = f"the client {missing[0]} is not on the server, or not readable with this token"
        return RefusedMerge(*ids, why, (), *names)
    survivor, mergeable, own = clients[survivor_id], clients[mergeable_id], (currencies[ids[0]], currencies[ids[1]])
    why = in_the_way(survivor, mergeable, own, (codes[ids[0]], codes[ids[1]]), allowed)
    found = [name for name in differences(survivor, mergeable, own) if name not in allowed]
    return RefusedMerge(*ids, why, found, *names) if why else None
