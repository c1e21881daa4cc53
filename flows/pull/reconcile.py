"""Reconcile the mirror with the server's list: find which missing clients have vanished, and what happened to them.

Invoice Ninja deletes rows and leaves no tombstone: it just stops listing a client that was purged or merged away. It
also stops listing a client that this token may no longer see, and every newer client after a restore from a backup. So
a run removes a client only if the server does not know its id, and calls it merged only with evidence. It removes
nothing on its own if something else may explain the absence, or if many clients are absent.
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
from flows.show.counted import counted
from schemas.entities import CLIENTS
from schemas.errors import TooMuchChange, UnexpectedShape
from schemas.generation import NO_LEDGER_NOTE, TELLS_OF_MERGES, numbers_of
from schemas.vanished import GONE, HELD, HIDDEN, MERGED, PURGED, Vanished
from warehouse.control.state import State
from warehouse.engine.seam import scratch
from warehouse.load.staging import Staging
from warehouse.load.vanished import (
    KnownMerge,
    Lost,
    donors,
    heirs,
    known_merges,
    lost,
    missing,
    ours,
    owners,
    seems_restored,
    witnesses,
)

AT_LEAST, PERCENT = 3, 100
"""The brake: a run removes at most 3 clients or 1 in 100, whichever is more, unless --at-most allows another number."""
PROBED, WITNESSES = 3, 3
MOST_HEIRS, MOST_LEDGERS = 10, 100
"""The most ledgers to read for one client whose contacts are gone too, and in one run."""


class Verdict(msgspec.Struct, frozen=True):
    """The result for absent clients: those that vanished, and those kept although unlisted, each with the reason.

    `held` is set if more clients are absent than one run may remove, or if the server seems emptied or restored.
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
    """Ask the server about the clients that a scan should have met and did not. This writes nothing.

    After a full check these are all clients that are not staged. Otherwise they are only the clients with a contact
    that moved to another client, as in a merge, and the clients that Ninja Sync itself merged or purged, which need no
    evidence and no brake. `aside` are the ids that could not be staged.
    """
    if not state.mirrored:
        return Verdict()
    known: list[str] = []
    with open_ready(job.settings, job.clock) as warehouse, scratch(warehouse):
        own = ours(warehouse, job.name)
        if not (scan.full or staging.records or own):
            return Verdict()
        if scan.full:
            ids = missing(warehouse, staging, CLIENTS, job.name, set(aside))
            newest = datetime.fromtimestamp(scan.newest_seen, UTC) if scan.newest_seen else None
            restored = seems_restored(warehouse, staging, job.name, ids, newest)
        else:
            ids, restored = list(dict.fromkeys([*donors(warehouse, staging, job.name), *own])), False
        if ids:
            known = witnesses(warehouse, job.name, ids, WITNESSES)
    unexpected = [client_id for client_id in ids if client_id not in own]
    held = _held(job, state, staging, unexpected, restored=restored) if unexpected else None
    if held is not None:
        return Verdict(unlisted=dict.fromkeys(ids, HELD), held=held if scan.full else None)
    answers = {}
    for number, client_id in enumerate(ids):
        job.progress("asking for missing clients", number, len(ids))
        answers[client_id] = presence(job.door, client_id)
    gone = [client_id for client_id, answer in answers.items() if answer is Presence.GONE]
    emptied = bool(gone) and not _has_a_witness(job, scan, known)
    if emptied and job.at_most is None:  # with --at-most, a person has said that it is empty
        held = _too_much(job, "The server lists no clients at all", len(ids), state)
        return Verdict(unlisted=dict.fromkeys(ids, HELD), held=held if scan.full else None)
    hidden = {client_id: HIDDEN for client_id, answer in answers.items() if answer is Presence.HIDDEN}
    notes = [f"This token may no longer see {counted(len(hidden), 'client')}: kept as last read."] if hidden else []
    known_ends = [own[client_id] for client_id in gone if client_id in own]
    rest = [client_id for client_id in gone if client_id not in own]
    return Verdict([*known_ends, *_explained(job, staging, rest, scan.look.version)], hidden, notes)


def _held(job: Job, state: State, staging: Staging, ids: Sequence[str], *, restored: bool) -> TooMuchChange | None:
    """Return why the run may not remove the missing clients on its own; None if it may."""
    if job.at_most is None and not staging.records:
        why = "The server lists no clients at all"
    elif job.at_most is None and restored:
        why = f"The server seems to have been restored from a backup, and does not list {counted(len(ids), 'client')}"
    elif job.at_most is None and state.held:
        why = f"The server still does not list {counted(len(ids), 'client')}, and some were missing before"
    elif len(ids) > _allowed(job, state):
        asked = Counter(presence(job.door, client_id).value for client_id in ids[:PROBED])
        answers = " and ".join(f"{count} {answer}" for answer, count in asked.items())
        why = f"The server no longer lists {counted(len(ids), 'client')} (asked for {sum(asked.values())}: {answers})"
    else:
        return None
    return _too_much(job, why, len(ids), state)


def _allowed(job: Job, state: State) -> int:
    return max(AT_LEAST, state.mirrored // PERCENT) if job.at_most is None else job.at_most


def _too_much(job: Job, why: str, count: int, state: State) -> TooMuchChange:
    by_whom = "on its own" if job.at_most is None else "by --at-most"
    these = "this 1" if count == 1 else f"these {count}"
    return TooMuchChange(
        f"{why}. A run removes at most {_allowed(job, state)} {by_whom}, so they stay in the warehouse; everything "
        f"else is loaded. mart.unlisted_clients names them. To remove {these}: "
        f"`ninja-sync sweep --source {job.name} --at-most {count}`."
    )


def _has_a_witness(job: Job, scan: Scan, known: Sequence[str]) -> bool:
    """Whether the server knows a client that is not missing; False if it lists no client any more.

    Raises UnexpectedShape if it denies even a client that it lists: we do not believe such a server.
    """
    listed = [*known, key(scan.look.newest)]
    if any(presence(job.door, client_id) is Presence.HERE for client_id in filter(None, listed)):
        return True
    newest = key(first_look(lister(job.door, CLIENTS)).newest)  # those may all have vanished since
    if newest and presence(job.door, newest) is not Presence.HERE:
        raise UnexpectedShape(
            "The server denies a client that it has just listed; nothing was stored. Try again later."
        )
    return bool(newest)


def _explained(job: Job, staging: Staging, gone: Sequence[str], version: str | None) -> list[Vanished]:
    if not gone:
        return []
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
    return Vanished(lost_client.id, GONE, None, "the server no longer knows it")


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
