"""Reconcile the mirror with the server's list: find which missing records have vanished, and what happened to them.

Invoice Ninja deletes rows and leaves no tombstone: it just stops listing a record that was purged, and a client that
was merged away. It also stops listing a record that this token may no longer see, and every newer record after a
restore from a backup. So a run removes a record only if the server does not know its id, and calls a client merged only
with evidence. It removes nothing on its own if something else may explain the absence, or if many records are absent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from connector.api.activities import Deed, deeds_since
from connector.api.presence import Note, Presence, merges_into, presence
from connector.api.verbs import lister
from connector.door.door import Door
from connector.scan.scan import first_look
from connector.scan.state import Scan, key
from flows.pull.job import Job
from flows.session.ready import open_ready
from flows.show.counted import counted, noun_of
from schemas.entities import CLIENTS
from schemas.errors import TooMuchChange, UnexpectedShape
from schemas.generation import NO_LEDGER_NOTE, TELLS_OF_MERGES, numbers_of
from schemas.vanished import GONE, HELD, HIDDEN, MERGED, PURGED, Vanished
from warehouse.control.state import State
from warehouse.engine.seam import Warehouse, scratch
from warehouse.load.staging import Staging
from warehouse.load.vanished import (
    KnownMerge,
    Lost,
    bereaved,
    donors,
    heirs,
    known_merges,
    lost,
    missing,
    newly_bereaved,
    ours,
    owners,
    seems_restored,
    witnesses,
)

NAMED_IN = {"clients": "mart.unlisted_clients"} | dict.fromkeys(
    ("invoices", "payments", "credits"), "mart.unlisted_documents"
)
"""The view of the records that a run keeps although the server does not list them."""
AT_LEAST, PERCENT = 3, 100
"""The brake: a run removes at most 3 records or 1 in 100, whichever is more, unless --at-most allows another number."""
PROBED, WITNESSES = 3, 3
UNKNOWN = "the server no longer knows it"
MOST_HEIRS, MOST_LEDGERS = 10, 100
"""The most ledgers to read for one client whose contacts are gone too, and in one run."""


class Verdict(msgspec.Struct, frozen=True):
    """The result for absent records: those that vanished, and those kept although unlisted, each with the reason.

    `held` is set if more records are absent than one run may remove, or if the server seems emptied or restored.
    """

    vanished: Sequence[Vanished] = ()
    unlisted: Mapping[str, str] = {}
    notes: Sequence[str] = ()
    held: TooMuchChange | None = None


class _Traces(msgspec.Struct, frozen=True):
    """The warehouse's data on missing clients: their last versions, and the clients they may have been merged into."""

    lost: Sequence[Lost]
    owners: Mapping[str, str]
    heirs: Mapping[str, Sequence[str]]
    merges: Sequence[KnownMerge]
    ledgers: dict[str, list[Note] | None] = {}
    claimed: list[KnownMerge] = []


def reconcile(job: Job, state: State, staging: Staging, scan: Scan, aside: Iterable[str]) -> Verdict:
    """Ask the server about the records that a scan should have met and did not. This writes nothing.

    After a full check these are all records that are not staged. Otherwise they are only the clients with a contact
    that moved to another client, as in a merge, and the records whose end is expected, which need no evidence and no
    brake. `aside` are the ids that could not be staged.
    """
    if not state.mirrored:
        return Verdict()
    known: list[str] = []
    with open_ready(job.settings, job.clock) as warehouse, scratch(warehouse):
        own = ours(warehouse, job.name) if job.entity is CLIENTS else {}
        ids = _absent(job, warehouse, staging, own, full=scan.full, aside=set(aside))
        expected = own or bereaved(warehouse, job.entity, job.name, ids)
        restored = scan.full and _seems_restored(job, warehouse, staging, scan, ids)
        if ids:
            known = witnesses(warehouse, job.entity, job.name, ids, WITNESSES)
    unexpected = [record_id for record_id in ids if record_id not in expected]
    held = _held(job, state, staging, unexpected, restored=restored) if unexpected else None
    if held is not None:
        return Verdict(unlisted=dict.fromkeys(ids, HELD), held=held if scan.full else None)
    answers = {}
    for number, record_id in enumerate(ids):
        job.progress(f"asking for missing {noun_of(job.entity, 2)}", number, len(ids))
        answers[record_id] = presence(job.door, record_id, job.entity)
    gone = [record_id for record_id, answer in answers.items() if answer is Presence.GONE]
    emptied = any(record_id not in expected for record_id in gone) and not _has_a_witness(job, scan, known)
    if emptied and job.at_most is None:  # with --at-most, a person has said that it is empty
        held = _too_much(job, f"The server lists no {noun_of(job.entity, 2)} at all", len(ids), state)
        return Verdict(unlisted=dict.fromkeys(ids, HELD), held=held if scan.full else None)
    hidden = {record_id: HIDDEN for record_id, answer in answers.items() if answer is Presence.HIDDEN}
    notes = [f"This token may no longer see {_counted(job, len(hidden))}: kept as last read."] if hidden else []
    known_ends = [expected[record_id] for record_id in gone if record_id in expected]
    rest = [record_id for record_id in gone if record_id not in expected]
    return Verdict([*known_ends, *_explained(job, staging, rest, scan.look.version)], hidden, notes)


def _absent(
    job: Job, warehouse: Warehouse, staging: Staging, own: Iterable[str], *, full: bool, aside: set[str]
) -> list[str]:
    """Return the records that may have vanished."""
    if full:
        return missing(warehouse, staging, job.entity, job.name, aside)
    if job.entity is not CLIENTS:
        return newly_bereaved(warehouse, staging, job.entity, job.name)
    return list(dict.fromkeys([*(donors(warehouse, staging, job.name) if staging.records else ()), *own]))


def _seems_restored(job: Job, warehouse: Warehouse, staging: Staging, scan: Scan, ids: Sequence[str]) -> bool:
    newest = datetime.fromtimestamp(scan.newest_seen, UTC) if scan.newest_seen else None
    return seems_restored(warehouse, staging, job.entity, job.name, ids, newest)


def _counted(job: Job, number: int) -> str:
    return counted(number, noun_of(job.entity))


def _held(job: Job, state: State, staging: Staging, ids: Sequence[str], *, restored: bool) -> TooMuchChange | None:
    """Return why the run may not remove the missing records on its own; None if it may."""
    if not staging.records and job.once.is_blind(job.door, 0):
        return _not_seen(job, len(ids))
    if job.at_most is None and not staging.records:
        why = f"The server lists no {noun_of(job.entity, 2)} at all"
    elif job.at_most is None and restored:
        why = f"The server seems to have been restored from a backup, and does not list {_counted(job, len(ids))}"
    elif job.at_most is None and state.held:
        why = f"The server still does not list {_counted(job, len(ids))}, and some were missing before"
    elif len(ids) > _allowed(job, state):
        asked = Counter(presence(job.door, record_id, job.entity).value for record_id in ids[:PROBED])
        if set(asked) == {Presence.HIDDEN.value}:
            return _not_seen(job, len(ids))
        answers = " and ".join(f"{count} {answer}" for answer, count in asked.items())
        why = f"The server no longer lists {_counted(job, len(ids))} (asked for {sum(asked.values())}: {answers})"
    else:
        return None
    return _too_much(job, why, len(ids), state)


def _not_seen(job: Job, count: int) -> TooMuchChange:
    """Return why records stay that this token may not see: nobody is advised to remove them."""
    return TooMuchChange(
        f"This token may not see {_counted(job, count)} that the warehouse has: they stay there. Pull with a token of "
        "an owner or administrator."
    )


def _allowed(job: Job, state: State) -> int:
    return max(AT_LEAST, state.mirrored // PERCENT) if job.at_most is None else job.at_most


def _too_much(job: Job, why: str, count: int, state: State) -> TooMuchChange:
    by_whom = "on its own" if job.at_most is None else "by --at-most"
    these = "this 1" if count == 1 else f"these {count}"
    return TooMuchChange(
        f"{why}. A run removes at most {_allowed(job, state)} {by_whom}, so they stay in the warehouse; everything "
        f"else is loaded. {NAMED_IN.get(job.entity.name, 'control.unlisted')} names them. "
        f"To remove {these}: "
        f"`ninja-sync sweep --source {job.name} --at-most {count}`."
    )


def _has_a_witness(job: Job, scan: Scan, known: Sequence[str]) -> bool:
    """Whether the server knows a record that is not missing; False if it lists no record any more.

    Raises UnexpectedShape if it denies even a record that it lists: we do not believe such a server.
    """
    listed = [*known, key(scan.look.newest)]
    if any(presence(job.door, record_id, job.entity) is Presence.HERE for record_id in filter(None, listed)):
        return True
    newest = key(first_look(lister(job.door, job.entity)).newest)  # those may all have vanished since
    if newest and presence(job.door, newest, job.entity) is not Presence.HERE:
        raise UnexpectedShape(
            "The server denies a record that it has just listed; nothing was stored. Try again later."
        )
    return bool(newest)


def _explained(job: Job, staging: Staging, gone: Sequence[str], version: str | None) -> list[Vanished]:
    if not gone:
        return []
    if job.entity is not CLIENTS:
        return [Vanished(record_id, GONE, None, UNKNOWN) for record_id in gone]
    with open_ready(job.settings, job.clock) as warehouse, scratch(warehouse):
        clients = lost(warehouse, job.name, gone)
        traces = _Traces(
            clients,
            owners(warehouse, staging, job.name, [contact for client in clients for contact in client.contacts]),
            {client.id: heirs(warehouse, staging, job.name, client, MOST_HEIRS) for client in clients[:MOST_LEDGERS]},
            known_merges(warehouse, job.name),
        )
    fates = {client.id: _trace(job.door, client, traces, version) for client in clients}
    for client in clients:
        if fates[client.id].kind != MERGED:
            fates[client.id] = _through_another(client, traces) or fates[client.id]
    unexplained = [client for client in clients if fates[client.id].kind == GONE]
    if unexplained and numbers_of(version) >= TELLS_OF_MERGES:
        since = min(int(client.observed_at.timestamp()) for client in unexplained)
        fates |= fates_by_activities(unexplained, deeds_since(job.door, since) or ())
    return list(fates.values())


def fates_by_activities(gone: Sequence[Lost], deeds: Sequence[Deed]) -> dict[str, Vanished]:
    """Return the fates that activities report for unexplained clients, by id; skip ambiguous names.

    An activity gives only a client's name. So its deed counts only if there are as many deeds as missing clients of
    that name since they were last seen, and all deeds are the same.
    """
    fates = {}
    for client in gone:
        named = [other for other in gone if other.display_name == client.display_name]
        since = min(int(other.observed_at.timestamp()) for other in named)
        done = [deed for deed in deeds if deed.name == client.display_name and deed.at >= since]
        if len(done) == len(named) and len({deed.into for deed in done}) == 1:
            into = done[0].into
            merged = Vanished(client.id, MERGED, into, "activity 151") if into else None
            fates[client.id] = merged or Vanished(client.id, PURGED, None, "activity 153")
    return fates


def _through_another(client: Lost, traces: _Traces) -> Vanished | None:
    """Return a fate for a client merged into one that was merged on: its contacts show the end of the chain.

    The ledger of the client between is gone. None if the contacts do not lead to one known merge.
    """
    ends = {traces.owners[contact] for contact in client.contacts if contact in traces.owners}
    taken = [claim.into for claim in traces.claimed if {claim.into} == ends]
    return Vanished(client.id, MERGED, taken[0], "contacts moved, through another merge") if taken else None


def _trace(door: Door, lost_client: Lost, traces: _Traces, version: str | None) -> Vanished:
    """Return the fate of one client: merged into a client with its contacts or a ledger note about it; else gone."""
    moved = Counter(traces.owners[contact] for contact in lost_client.contacts if contact in traces.owners)
    for into in (client for client, _ in moved.most_common() if client != lost_client.id):
        noted = _is_noted(door, lost_client, into, traces, any_balance=True)
        if noted or noted is None or numbers_of(version) >= NO_LEDGER_NOTE:
            evidence = "contacts moved, ledger note" if noted else "contacts moved"
            return Vanished(lost_client.id, MERGED, into, evidence)
    for into in traces.heirs.get(lost_client.id, ()):
        if into not in moved and _is_noted(door, lost_client, into, traces, any_balance=False):
            return Vanished(lost_client.id, MERGED, into, "ledger note")
    return Vanished(lost_client.id, GONE, None, UNKNOWN)


def _is_noted(door: Door, client: Lost, into: str, traces: _Traces, *, any_balance: bool) -> bool | None:
    """Whether the ledger of `into` notes this merge besides the known merges; None if no ledger can be read.

    Without a contact that moved, the balance must match too, because names repeat.
    """
    if into not in traces.ledgers and len(traces.ledgers) < MOST_LEDGERS:
        traces.ledgers[into] = merges_into(door, into)
    notes = traces.ledgers.get(into)
    if notes is None:
        return None
    names = {client.name, client.display_name}
    alive = int(client.observed_at.timestamp())  # an earlier merge was of another client
    fitting = [
        n for n in notes if n.name in names and n.at >= alive and (any_balance or n.adjustment == client.balance)
    ]
    known = [
        m
        for m in (*traces.merges, *traces.claimed)
        if m.into == into and m.display_name == client.display_name and (any_balance or m.balance == client.balance)
    ]
    if len(fitting) <= len(known):
        return False
    traces.claimed.append(KnownMerge(into, client.display_name, client.balance))
    return True
