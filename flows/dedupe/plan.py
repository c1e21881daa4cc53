"""Plan the merges of clusters: choose the client kept in each, and make a plan like that of any merges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, Final

from connector.clients.present import read_present
from connector.door.door import Door
from flows.ask.ask import reading
from flows.configuration.values import Settings
from flows.dedupe.explain import hard_reasons, names_agree
from flows.dedupe.groups import page_of_groups
from flows.dedupe.review import Case, cases, mirrored, pairs_in
from flows.dedupe.rules import Rules
from flows.merge.plan import PlannedMerges, plan_merges
from flows.merge.survivor import survivor_of
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.ready import open_ready
from flows.show.counted import counted
from schemas.client import Client, client_of
from schemas.errors import SettingsError
from warehouse.control.dedupe import (
    NEVER_MERGE,
    SAME_AS,
    FoundPair,
    changed_since,
    chosen_survivors,
    known_pairs,
)

CERTAIN: Final = 0.999
"""From this probability on, a pair that nobody has decided on may be planned, and only with `certain`.

Probabilities are calibrated (tests/bench/dedupe_quality.py): about one such pair in a thousand is two clients. The
other conditions keep out most of these (tests/bench/dedupe_certain.py counts them). A merge cannot be undone, so
nothing less is enough.
"""
FOR_A_PERSON: Final = frozenset({
    "a number in one name only", "different legal form", "one name holds the other", "names alike but for initials",
    "different persons", "different place", "different country", "VAT numbers differ by a digit",
    "ID numbers differ by a digit",
})  # fmt: skip
"""Reasons with which no pair is certain: a firm and its holding or general partner, a father and his son, branches.

These two share their house, phone and mailbox, so the probability alone does not keep them apart.
"""
LIKELY: Final = 0.5
"""From this probability on, two clients of different clusters make both clusters uncertain."""
COMPARED: Final = (
    "name", "vat_number", "id_number", "website", "phone", "address1", "city", "postal_code", "country_id",
    "is_deleted",
)  # fmt: skip
OF_CONTACTS: Final = ("first_name", "last_name", "email", "phone")
"""The values by which clients were compared: if they have changed since, a probability is out of date."""


def plan_clusters(
    settings: Settings,
    name: str,
    door: Door,
    rules: Rules,
    *,
    certain: bool = False,
    allowed: Set[str] = frozenset(),
    rescue: bool = True,
    public_notes: bool = False,
    clock: Clock = SYSTEM_CLOCK,
) -> PlannedMerges:
    """Plan the merges of clusters that people decided are the same; with `certain`, of certain undecided ones too.

    A person's choice survives, else the client that the rules choose. Clients that have vanished meanwhile are left
    out, and so are undecided clusters with a client that has changed since. Raises SettingsError if there is no such
    cluster.
    """
    wanted = planned_cases(settings, name, certain=certain, clock=clock)
    if not wanted:
        raise SettingsError(_NO_CERTAIN if certain else _NONE)
    ids = [client_id for case in wanted for client_id in case.ids]
    present = read_present(door, ids).records
    with open_ready(settings, clock) as warehouse:
        chosen, before, changed = (
            chosen_survivors(warehouse, name),
            mirrored(warehouse, name, ids),
            changed_since(warehouse, name),
        )
    there = [key for key in ids if key in present and key in before]
    changed |= set(ids) - set(there)
    changed |= {key for key in there if _values(client_of(present[key])) != _values(before[key])}
    out_of_date = [case for case in wanted if not case.is_same and changed.intersection(case.ids)]
    planned = [case for case in wanted if case.is_same or not changed.intersection(case.ids)]
    pairs = [pair for case in planned for pair in _merges(case, present, chosen, rules)]
    made = plan_merges(
        settings, name, door, pairs, allowed=allowed, rescue=rescue, public_notes=public_notes,
        reason="duplicates that people decided on", remarks=_remarks(planned, pairs), clock=clock,
    )  # fmt: skip
    notes = [note for case in planned for note in _conflicts(case)]
    if out_of_date:
        notes.append(
            f"Left out: {counted(len(out_of_date), 'undecided group')} with clients that have changed since the last "
            "`dedupe find`. Run `ninja-sync pull` and `ninja-sync dedupe find`, then plan again."
        )
    return replace(made, notes=[*made.notes, *notes])


def planned_cases(settings: Settings, name: str, *, certain: bool, clock: Clock = SYSTEM_CLOCK) -> list[Case]:
    """Return the clusters that people decided are the same; with `certain`, undecided ones that are certain too."""
    groups = cases(settings, name, everything=True, clock=clock)
    same = [case for case in groups if case.is_same]
    if not certain:
        return same
    with open_ready(settings, clock) as warehouse:
        pairs = known_pairs(warehouse, name)
    doubtful = torn(groups, pairs)
    return same + [
        case for case in groups if not case.is_same and is_certain(case) and not doubtful.intersection(case.ids)
    ]


def decided_groups(settings: Settings, name: str) -> int:
    """Return the number of clusters that people decided are the same, without reading their clients."""
    with reading(settings, newest=True) as warehouse:
        return page_of_groups(warehouse, name, groups=(0, 0)).count(single=False, state="same")


def is_certain(case: Case) -> bool:
    """Whether each pair is surely the same, and nobody put it off or decided against it."""
    sure = {(pair.id_a, pair.id_b) for pair in case.pairs if _is_sure(pair)}
    return all(pair in sure and case.decided.get(pair, SAME_AS) == SAME_AS for pair in pairs_in(case.ids))


def _is_sure(pair: FoundPair) -> bool:
    """Whether a pair is at least CERTAIN, its names agree, and no reason leaves it to a person.

    Names must agree because clients of one accountant may share his mailbox, phone, address and contact.
    """
    left_to_a_person = FOR_A_PERSON.intersection([*pair.reasons, *pair.against])
    sure = pair.probability >= CERTAIN and not pair.in_conflict and names_agree(pair.reasons)
    return sure and not left_to_a_person


def torn(groups: Sequence[Case], pairs: Sequence[FoundPair]) -> set[str]:
    """Return the clients that are the same as one outside their cluster too, probably or as a person decided.

    That one may be the right one. A client without a VAT number is like two that have different ones; which of the two
    it is, only a person knows.
    """
    of = {client_id: number for number, case in enumerate(groups) for client_id in case.ids}
    decided = groups[0].decided if groups else {}
    found: set[str] = set()
    for pair in pairs:
        ids = (pair.id_a, pair.id_b)
        likely = pair.probability >= LIKELY and not pair.in_conflict and decided.get(ids) != NEVER_MERGE
        if likely and (of.get(pair.id_a) is None or of.get(pair.id_a) != of.get(pair.id_b)):
            found.update(ids)
    for first, other in (pair for pair, decision in decided.items() if decision == SAME_AS):
        if of.get(first) is None or of.get(first) != of.get(other):  # decided since the clusters were made
            found.update((first, other))
    return found


_NONE: Final = (
    "No group of duplicates is decided to be the same. Run `ninja-sync dedupe review` first. If you decided on two "
    "clients that were in no group, run `ninja-sync dedupe find` again. With --certain, a plan also has undecided "
    f"groups if every pair is at least {CERTAIN:.1%} probable."
)
_NO_CERTAIN: Final = (
    "No group of duplicates is decided to be the same, and no undecided group is certain: every pair at least "
    f"{CERTAIN:.1%} probable, names that agree, no conflict, and no other likely client. Run "
    "`ninja-sync dedupe review` first."
)


def _merges(case: Case, present: Mapping[str, Any], chosen: Sequence[str], rules: Rules) -> list[tuple[str, str]]:
    """Return the merges of a cluster, as (client kept, client merged in)."""
    clients = [client_of(present[client_id]) for client_id in case.ids if client_id in present]
    if len(clients) < 2:  # noqa: PLR2004 - a pair
        return []
    by_hand = next((client for key in chosen for client in clients if client.id == key), None)
    survivor = by_hand or survivor_of(clients, rules.survivor)
    return [(survivor.id, client.id) for client in clients if client.id != survivor.id]


def _conflicts(case: Case) -> list[str]:
    """Return a note for each pair that people decided is the same though the two are in conflict."""
    return [
        f"{case.called(pair.id_a)} and {case.called(pair.id_b)} are the same, as a person decided, in spite of: "
        f"{', '.join(hard_reasons(pair.against))}."
        for pair in case.conflicts
        if hard_reasons(pair.against)
    ]


def _remarks(planned: Sequence[Case], merges: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return what speaks against pairs that people decided are the same, by the client merged in.

    It names no client: the other one may be erased before this one.
    """
    kept = {survivor_id for survivor_id, _ in merges}
    found: dict[str, list[str]] = {}
    for case in planned:
        for pair in case.conflicts:
            if reasons := hard_reasons(pair.against):
                text = f"A person decided that its group is one client, in spite of: {', '.join(reasons)}."
                merged = [client_id for client_id in (pair.id_a, pair.id_b) if client_id not in kept]
                for client_id in merged:
                    found.setdefault(client_id, []).append(text)
    return found


def _values(client: Client) -> tuple[object, ...]:
    contacts = sorted([tuple(getattr(contact, name) or "" for name in OF_CONTACTS) for contact in client.contacts])
    return (*(getattr(client, name) for name in COMPARED), contacts)
