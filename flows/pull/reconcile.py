"""Clients that the mirror has and the server's list has not: which of them are gone, and where to.

Invoice Ninja deletes physically and leaves no tombstone: a purged client, and one that was merged away, are just no
longer listed. So is one that this token may no longer see, and every newer one after a restore from a backup. A client
is therefore taken out only where the server says that it does not know its id; it is called merged only with evidence;
and nothing is taken out by itself where something else explains the absence, or where much is absent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connector.api.activities import Deed, deeds_since
from connector.api.presence import Note, Presence, merges_into, presence
from connector.api.verbs import lister
from connector.door.door import Door
from connector.scan.scan import first_look
from connector.scan.state import Scan, key
from flows.pull.job import Job
from flows.session.ready import open_ready
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
"""The brake: one run takes out 3 clients, or one in a hundred, whichever is more, unless it is told how many it may."""
PROBED, WITNESSES = 3, 3
MOST_HEIRS, MOST_LEDGERS = 10, 100
"""Ledgers asked for one client that left no contact behind, and in one run."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of absent clients: the vanished, and those that are left although they are not listed, each with why.

    `held` is set where more is absent than one run takes out, or where the server seems emptied or restored.
    """

    vanished: Sequence[Vanished] = ()
    unlisted: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    held: TooMuchChange | None = None


@dataclass(frozen=True, slots=True)
class _Traces:
    """What the warehouse knows of clients that are gone: their last versions, and where they may have gone to."""

    lost: Sequence[Lost]
    owners: Mapping[str, str]
    heirs: Mapping[str, Sequence[str]]
    merges: Sequence[KnownMerge]
    ledgers: dict[str, list[Note] | None] = field(default_factory=dict)
    claimed: list[KnownMerge] = field(default_factory=list)


def reconcile(job: Job, state: State, staging: Staging, scan: Scan, aside: Iterable[str]) -> Verdict:
    """Ask the server about the clients that a scan should have met and has not. Nothing is written.

    After a scan of everything these are all that are not staged; otherwise those alone whose contacts have come under
    another client, as they do in a merge, and those that we have merged or purged ourselves, which need no evidence and
    no brake. `aside` are the ids that could not be staged.
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
    unexpected = [one for one in ids if one not in own]
    held = _held(job, state, staging, unexpected, restored=restored) if unexpected else None
    if held is not None:
        return Verdict(unlisted=dict.fromkeys(ids, HELD), held=held if scan.full else None)
    found = {}
    for number, one in enumerate(ids):
        job.tell("asking for missing clients", number, len(ids))
        found[one] = presence(job.door, one)
    gone = [one for one, where in found.items() if where is Presence.GONE]
    emptied = bool(gone) and not _has_a_witness(job, scan, known)
    if emptied and job.at_most is None:  # else somebody has said that it is empty
        held = _too_much(job, "The server lists no client at all", len(ids), state)
        return Verdict(unlisted=dict.fromkeys(ids, HELD), held=held if scan.full else None)
    hidden = {one: HIDDEN for one, where in found.items() if where is Presence.HIDDEN}
    notes = [f"{_clients(len(hidden))} may no longer be seen by this token: left as last read."] if hidden else []
    known_ends = [own[one] for one in gone if one in own]
    rest = [one for one in gone if one not in own]
    return Verdict([*known_ends, *_explained(job, staging, rest, scan.look.version)], hidden, notes)


def _held(job: Job, state: State, staging: Staging, ids: Sequence[str], *, restored: bool) -> TooMuchChange | None:
    """Why nothing is taken out by itself; None where it may be."""
    if job.at_most is None and not staging.records:
        why = "The server lists no client at all"
    elif job.at_most is None and restored:
        why = f"The server seems to have been restored from a backup, and does not list {_clients(len(ids))}"
    elif job.at_most is None and state.held:
        why = f"The server still does not list {_clients(len(ids))}, some of which were missing before"
    elif len(ids) > _allowed(job, state):
        asked = Counter(presence(job.door, one).value for one in ids[:PROBED])
        told = " and ".join(f"{count} {what}" for what, count in asked.items())
        why = f"The server no longer lists {_clients(len(ids))} (asked for {sum(asked.values())}: {told})"
    else:
        return None
    return _too_much(job, why, len(ids), state)


def _allowed(job: Job, state: State) -> int:
    return max(AT_LEAST, state.mirrored // PERCENT) if job.at_most is None else job.at_most


def _too_much(job: Job, why: str, count: int, state: State) -> TooMuchChange:
    most = f"{_allowed(job, state)} by itself" if job.at_most is None else f"at most the {job.at_most} of --at-most"
    return TooMuchChange(
        f"{why}; one run takes out {most}. They are left in the warehouse, and all else is loaded. "
        "mart.unlisted_clients names them. If they are to go: "
        f"`ninja-sync sweep --source {job.name} --at-most {count}`."
    )


def _has_a_witness(job: Job, scan: Scan, known: Sequence[str]) -> bool:
    """Whether the server knows a client that is not missing; False where it lists nobody any more.

    Raises UnexpectedShape where it denies even what it lists: such a server is not believed.
    """
    listed = [*known, key(scan.look.newest)]
    if any(presence(job.door, one) is Presence.HERE for one in filter(None, listed)):
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
        found = lost(warehouse, job.name, gone)
        traces = _Traces(
            found,
            owners(warehouse, staging, job.name, [contact for one in found for contact in one.contacts]),
            {one.id: heirs(warehouse, staging, job.name, one, MOST_HEIRS) for one in found[:MOST_LEDGERS]},
            known_merges(warehouse, job.name),
        )
    first = [(one, _trace(job.door, one, traces, version)) for one in found]
    told = {one.id: told if told.kind == MERGED else _through_another(one, traces) or told for one, told in first}
    gone_somehow = [one for one in found if told[one.id].kind == GONE]
    if gone_somehow and numbers_of(version) >= TELLS_OF_MERGES:
        since = min(int(one.observed_at.timestamp()) for one in gone_somehow)
        told |= told_by_activities(gone_somehow, deeds_since(job.door, since) or ())
    return list(told.values())


def told_by_activities(gone: Sequence[Lost], deeds: Sequence[Deed]) -> dict[str, Vanished]:
    """What activities tell of clients that are gone otherwise, by id; nothing where their names leave a doubt.

    They name the client alone. So of all clients of one name, and all that was done to that name since, there must be
    as many deeds as clients, and all the same.
    """
    found = {}
    for one in gone:
        named = [other for other in gone if other.display_name == one.display_name]
        since = min(int(other.observed_at.timestamp()) for other in named)
        done = [deed for deed in deeds if deed.name == one.display_name and deed.at >= since]
        if len(done) == len(named) and len({deed.into for deed in done}) == 1:
            into = done[0].into
            told = Vanished(one.id, MERGED, into, "activity 151") if into else None
            found[one.id] = told or Vanished(one.id, PURGED, None, "activity 153")
    return found


def _through_another(one: Lost, traces: _Traces) -> Vanished | None:
    """Where a client went that was merged into one which was merged on: to its contacts; the ledger between is gone."""
    ends = {traces.owners[contact] for contact in one.contacts if contact in traces.owners}
    taken = [claim.into for claim in traces.claimed if {claim.into} == ends]
    return Vanished(one.id, MERGED, taken[0], "contacts moved, through another merge") if taken else None


def _trace(door: Door, one: Lost, traces: _Traces, version: str | None) -> Vanished:
    """Where one client went: into a client that has its contacts, or whose ledger tells of it; else it is just gone."""
    moved = Counter(traces.owners[contact] for contact in one.contacts if contact in traces.owners)
    for into in (client for client, _ in moved.most_common() if client != one.id):
        told = _is_told(door, one, into, traces, any_balance=True)
        if told or told is None or numbers_of(version) >= NO_LEDGER_NOTE:
            return Vanished(one.id, MERGED, into, "contacts moved, ledger note" if told else "contacts moved")
    for into in traces.heirs.get(one.id, ()):
        if into not in moved and _is_told(door, one, into, traces, any_balance=False):
            return Vanished(one.id, MERGED, into, "ledger note")
    return Vanished(one.id, GONE, None, "the server no longer knows it")


def _is_told(door: Door, one: Lost, into: str, traces: _Traces, *, any_balance: bool) -> bool | None:
    """Whether the ledger of `into` tells of this merge beyond those that are known; None where it tells nothing.

    Without a contact that moved, the balance must be the one that was known: names alone repeat.
    """
    if into not in traces.ledgers and len(traces.ledgers) < MOST_LEDGERS:
        traces.ledgers[into] = merges_into(door, into)
    notes = traces.ledgers.get(into)
    if notes is None:
        return None
    names = {one.name, one.display_name}
    alive = int(one.observed_at.timestamp())  # what was merged before that was another one
    told = [n for n in notes if n.name in names and n.at >= alive and (any_balance or n.adjustment == one.balance)]
    known = [
        m
        for m in (*traces.merges, *traces.claimed)
        if m.into == into and m.display_name == one.display_name and (any_balance or m.balance == one.balance)
    ]
    if len(told) <= len(known):
        return False
    traces.claimed.append(KnownMerge(into, one.display_name, one.balance))
    return True


def _clients(count: int) -> str:
    return "1 client" if count == 1 else f"{count:,} clients"
