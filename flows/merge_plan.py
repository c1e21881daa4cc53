"""Making a plan of merges: both clients of each read now, who survives, what it comes to, what stands in its way."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from connector.clients.merge import currencies_of
from connector.clients.present import read_present
from connector.door import Door
from connector.scan import first_look
from connector.verbs import lister
from flows.api import check_company, operator
from flows.job import SYSTEM_CLOCK, Clock, open_ready
from flows.settings import Settings
from schemas.client import Client, client_of
from schemas.entities import CLIENTS
from schemas.generation import numbers_of
from schemas.merge_plan import MergePlan, Pair, in_order, step_of
from schemas.merge_preview import Preview, Rescue, preview
from warehouse.merge_plans import store_merges

ALLOWABLE: Final = ("currency", "tax", "country", "inactive")
"""What stands in the way of a merge unless it is allowed."""


@dataclass(frozen=True, slots=True)
class RefusedMerge:
    """A merge that is not planned, and why."""

    survivor_id: str
    mergeable_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class PlannedMerges:
    """What came of pairs: a stored plan, or None where nothing can be merged; its previews, and what was refused."""

    plan: MergePlan | None
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
    reason: str = "",
    clock: Clock = SYSTEM_CLOCK,
    new_id: Callable[[], str] = lambda: secrets.token_hex(3),
) -> PlannedMerges:
    """Plan merges of (survivor, mergeable), in an order in which chains work, and store the plan. Sends no change.

    Both clients of each are read with this token (the server does not look at the survivor's company). `allowed` are
    those of ALLOWABLE that may differ. Raises SettingsError for pairs that contradict each other, and for another
    company's token.
    """
    company = check_company(settings, name, door, clock)
    ordered = in_order(pairs)
    look = first_look(lister(door, CLIENTS))
    found = read_present(door, [client for pair in ordered for client in pair])
    clients = {key: client_of(record) for key, record in found.records.items()}
    keys = list(clients)
    currencies = dict(zip(keys, currencies_of(door, [found.records[key] for key in keys]), strict=True))
    previews: list[Preview] = []
    refused: list[RefusedMerge] = []
    notes: list[str] = []
    for survivor_id, mergeable_id in ordered:
        why = _in_the_way(clients, currencies, survivor_id, mergeable_id, allowed)
        if why or any(one.mergeable_id == survivor_id for one in refused):
            refused.append(RefusedMerge(survivor_id, mergeable_id, why or "an earlier merge of it is refused"))
            continue
        day = f"{datetime.fromtimestamp(look.began, UTC):%Y-%m-%d}"
        made = preview(clients[survivor_id], clients[mergeable_id], numbers_of(look.version), rescue=rescue, day=day)
        made, note = _possible(made, currencies[survivor_id])
        previews.append(made)
        notes += note
        clients[survivor_id] = made.survivor_after
    if not numbers_of(look.version):
        notes.append("The server does not say which version it is: the figures are those of a merge up to 5.12.")
    if not previews:
        return PlannedMerges(None, (), refused, notes)
    now = clock.now()
    plan = MergePlan(
        plan_id=f"merge-{now:%Y%m%d}-{new_id()}", source=name, made_at=now,
        expires_at=now + timedelta(hours=settings.push.valid_hours), author=operator(), reason=reason, company=company,
        version=look.version or "", steps=[step_of(one, sorted(allowed)) for one in previews],
    )  # fmt: skip
    with open_ready(settings, clock) as warehouse:
        store_merges(warehouse, plan)
    return PlannedMerges(plan, previews, refused, notes)


def _in_the_way(
    clients: Mapping[str, Client], currencies: Mapping[str, str], survivor_id: str, mergeable_id: str, allowed: Set[str]
) -> str:
    """Why a merge is refused; empty where it may be done."""
    missing = [one for one in (survivor_id, mergeable_id) if one not in clients]
    if missing:
        return f"the client {missing[0]} is not on the server, or not readable with this token"
    one, other = clients[survivor_id], clients[mergeable_id]
    differences = {
        "currency": currencies[survivor_id] != currencies[mergeable_id],
        "tax": _differ(one.vat_number, other.vat_number) or _differ(one.id_number, other.id_number),
        "country": _differ(one.country_id, other.country_id),
        "inactive": one.status != "active",
    }
    words = {
        "currency": "they have different currencies, and the server would add the amounts as they are",
        "tax": "they have different tax or register numbers: are they one?",
        "country": "they are in different countries",
        "inactive": f"the survivor is {one.status}",
    }
    why = [words[name] for name, differs in differences.items() if differs and name not in allowed]
    hint = ", ".join(name for name, differs in differences.items() if differs and name not in allowed)
    return f"{'; '.join(why)} (--allow {hint})" if why else ""


def _differ(one: str | None, other: str | None) -> bool:
    """Whether both are there, and are not the same but for blanks, points, hyphens and case."""
    plain = [None if text is None else "".join(c for c in text if c.isalnum()).casefold() for text in (one, other)]
    return None not in plain and plain[0] != plain[1]


def _possible(made: Preview, currency: str) -> tuple[Preview, list[str]]:
    """A preview whose rescue the server does as it says: a PUT gives a client without a currency the company's.

    So its own is named with it; without a country there is no rescue, nor into a deleted client, which takes no PUT.
    """
    survivor, rescue = made.survivor, made.before
    if rescue.is_empty and made.then.is_empty:
        return made, []
    why = "it is deleted" if survivor.status == "deleted" else ""
    if survivor.country_id is None and "country_id" not in rescue.columns:
        why = "it has no country, and would be given the company's"
    if why:
        note = f"Nothing is rescued into {survivor.id}: {why}."
        return replace(made, before=Rescue(), then=Rescue()), [note]
    if survivor.currency_id is None and currency:
        rescue = replace(rescue, columns={**rescue.columns, "currency_id": currency})
    return replace(made, before=rescue), []
