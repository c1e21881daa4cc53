"""The outcome of a merge by the server's present state: the client merged in, and the survivor's figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from connector.api.api import Outcomes
from connector.api.presence import Presence, merges_into, presence_by
from connector.clients.fields import view
from connector.clients.purge import before_of, ids_of
from connector.clients.read import data_of, record_of
from connector.door.door import Door
from schemas.errors import Rejected, UnexpectedShape
from schemas.generation import COMPUTED_ANEW, numbers_of
from schemas.journal import Edit, Outcome

FIGURES: Final = ("balance", "paid_to_date")
"""Figures that a merge adds; payment_balance stays unchanged up to 5.12, credit_balance comes from the credits."""
MICRO: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Found:
    """The server's state: whether the client merged in is there, the survivor, the server's version.

    `as_it_was` says that the client merged in still has its contacts and documents. `in_ledger` says that the
    survivor's ledger shows the merge; it is read only where the figures leave doubt.
    """

    gone: Presence
    survivor: Mapping[str, object] = field(repr=False)
    version: str = ""
    as_it_was: bool = False
    in_ledger: bool = False


def look(door: Door, survivor: Edit, mergeable: Edit) -> Found:
    """The server's state now. Raises ApiError where it cannot be asked.

    Asks for the client merged in first: once it is gone, the figures that are read after it are final.
    """
    gone, as_it_was = _standing(door, mergeable)
    answer = door.get(f"/clients/{survivor.client_id}")
    record, version = data_of(answer.json()), answer.version or ""
    in_ledger = gone is Presence.GONE and not _as_wanted(record, survivor) and _is_in_ledger(door, survivor, mergeable)
    return Found(gone, record, version, as_it_was, in_ledger)


def become(state: Found, survivor: Edit, mergeable: Edit, *, answered: bool = False) -> Outcomes:
    """The outcomes of a merge. UNKNOWN where it broke off half way: a person has to look, and nobody may repeat it.

    Gone, and the figures are the sum: applied. Gone, with other figures: a conflict for the survivor, unless the server
    computes figures again and has answered, or shows the merge in its ledger. There, and nothing moved: not applied.
    """
    of_survivor = of_mergeable = Outcome.UNKNOWN
    if state.gone is Presence.GONE:
        anew = numbers_of(state.version) >= COMPUTED_ANEW and (answered or state.in_ledger)
        of_mergeable = Outcome.APPLIED
        of_survivor = Outcome.APPLIED if anew or _as_wanted(state.survivor, survivor) else Outcome.CONFLICT
    elif state.as_it_was and _unmoved(state.survivor, survivor):
        of_survivor = of_mergeable = Outcome.NOT_APPLIED
    return [(survivor.client_id, of_survivor), (mergeable.client_id, of_mergeable)]


def verdict(state: Found, survivor: Edit, mergeable: Edit) -> str:
    """Facts and advice for a person about a merge that went wrong. Names nobody, and no amount: see `amounts`."""
    kept_id, gone_id = survivor.client_id, mergeable.client_id
    now = view(state.survivor)
    if state.gone is not Presence.GONE and state.as_it_was and _unmoved(state.survivor, survivor):
        return f"The server answered, but has not merged the client {gone_id}: both are unchanged."
    if state.gone is Presence.GONE:
        return (
            f"The client {gone_id} is gone, but the figures of {kept_id} are not the sum "
            f"({_names(now, survivor.after)}). Compare them with the open invoices and payments of {kept_id}: somebody "
            "may have booked meanwhile"
            f"{_twice(now, survivor, mergeable)}. Do not repeat the merge."
        )
    changed = _names(now, survivor.before) or "contacts or documents"
    return (
        f"The client {gone_id} is still there, but something has changed ({changed}). If the merge broke off half way, "
        f"the figures of {gone_id} are in {kept_id} already, and a second merge would add them again"
        f"{_twice(now, survivor, mergeable)}. Look at both in Invoice Ninja: their contacts, invoices, payments. "
        "If somebody else has booked on them and nothing was merged, settle the call with --as not-applied. Otherwise "
        "finish the merge by hand, and settle the call with --as applied."
    )


def amounts(state: Found, survivor: Edit, mergeable: Edit) -> str:
    """The figures of both clients before a merge, and the survivor's as they should be and are."""
    now = view(state.survivor)
    ours, theirs = (
        f" {edit.before['currency']}" if "currency" in edit.before else "" for edit in (survivor, mergeable)
    )
    return "; ".join(
        f"{name} was {survivor.before[name]}{ours} and {mergeable.before[name]}{theirs}, should be "
        f"{survivor.after[name]}{ours}, is {now[name]}{ours}"
        for name in FIGURES
    )


def _as_wanted(record: Mapping[str, object], survivor: Edit) -> bool:
    return _same(record, survivor.after)


def _unmoved(record: Mapping[str, object], survivor: Edit) -> bool:
    return _same(record, survivor.before) and ids_of(view(record)["contacts"]) == survivor.before["contacts"]


def _same(record: Mapping[str, object], figures: Mapping[str, object]) -> bool:
    return not _names(view(record), figures)


def _names(now: Mapping[str, object], figures: Mapping[str, object]) -> str:
    """The names of the figures that are others than these."""
    return ", ".join(name for name in FIGURES if abs(Decimal(str(now[name])) - Decimal(str(figures[name]))) > MICRO)


def _standing(door: Door, mergeable: Edit) -> tuple[Presence, bool]:
    """Whether a client is there, and still has everything that a merge moves before it removes the client.

    The latter shows a half-done merge where there were no figures to add.
    """
    try:
        now = before_of(record_of(door, mergeable.client_id))
    except Rejected as refusal:
        return presence_by(refusal), False
    except UnexpectedShape:
        return Presence.HERE, False
    return Presence.HERE, all(now[name] == mergeable.before[name] for name in now)


def _is_in_ledger(door: Door, survivor: Edit, mergeable: Edit) -> bool:
    """Whether the survivor's ledger shows a merge of a client with this name since it was read."""
    notes = merges_into(door, survivor.client_id) or ()
    name = str(mergeable.before.get("display_name") or "").strip()
    return any(note.name == name and note.at >= int(str(survivor.before["read_at"])) for note in notes)


def _twice(now: Mapping[str, object], survivor: Edit, mergeable: Edit) -> str:
    """A hint where the figures were added twice; empty otherwise."""
    for name in FIGURES:
        ours, theirs = (Decimal(str(edit.before[name])) for edit in (survivor, mergeable))
        if theirs and abs(Decimal(str(now[name])) - ours - 2 * theirs) <= MICRO:
            return "; it looks as if the figures were added twice"
    return ""
