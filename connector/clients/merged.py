"""What became of a merge, told by what the server has: the client that was merged in, and the survivor's figures."""

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
"""What a merge adds up; payment_balance stays as it is up to 5.12, credit_balance is computed from the credits."""
MICRO: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Found:
    """What the server has: whether the client that was merged in is there, the survivor, the server's version.

    `as_it_was` says that the former still has the contacts and documents that it had; `told` that the survivor's ledger
    tells of the merge, and is asked for only where the figures do not tell it all.
    """

    gone: Presence
    survivor: Mapping[str, object] = field(repr=False)
    version: str = ""
    as_it_was: bool = False
    told: bool = False


def look(door: Door, survivor: Edit, mergeable: Edit) -> Found:
    """What the server has now. Raises ApiError where it cannot be asked.

    The client that was merged in is asked for first: gone, the figures that are read after it are final.
    """
    gone, as_it_was = _standing(door, mergeable)
    answer = door.get(f"/clients/{survivor.client_id}")
    record, version = data_of(answer.json()), answer.version or ""
    told = gone is Presence.GONE and not _as_wanted(record, survivor) and _told(door, survivor, mergeable)
    return Found(gone, record, version, as_it_was, told)


def become(found: Found, survivor: Edit, mergeable: Edit, *, answered: bool = False) -> Outcomes:
    """The outcomes of a merge. UNKNOWN where it broke off half way: a person has to look, and nobody may repeat it.

    Gone, and the figures are the sum: applied. Gone with others: what the figures are is a conflict, unless the server
    computes them anew, and has answered or told of it in its ledger. There, and nothing has moved: not applied.
    """
    of_survivor = of_mergeable = Outcome.UNKNOWN
    if found.gone is Presence.GONE:
        anew = numbers_of(found.version) >= COMPUTED_ANEW and (answered or found.told)
        of_mergeable = Outcome.APPLIED
        of_survivor = Outcome.APPLIED if anew or _as_wanted(found.survivor, survivor) else Outcome.CONFLICT
    elif found.as_it_was and _unmoved(found.survivor, survivor):
        of_survivor = of_mergeable = Outcome.NOT_APPLIED
    return [(survivor.client_id, of_survivor), (mergeable.client_id, of_mergeable)]


def verdict(found: Found, survivor: Edit, mergeable: Edit) -> str:
    """What a person has to know of a merge that is not as it should be, and what to look at. Names nobody."""
    one, other = survivor.client_id, mergeable.client_id
    now = view(found.survivor)
    ours, theirs = (
        f" {edit.before['currency']}" if "currency" in edit.before else "" for edit in (survivor, mergeable)
    )
    figures = "; ".join(
        f"{name} was {survivor.before[name]}{ours} and {mergeable.before[name]}{theirs}, should be "
        f"{survivor.after[name]}{ours}, is {now[name]}{ours}"
        for name in FIGURES
    )
    if found.gone is not Presence.GONE and found.as_it_was and _unmoved(found.survivor, survivor):
        return f"The server answered, and has not merged the client {other}: both are unchanged."
    if found.gone is Presence.GONE:
        return (
            f"The client {other} is gone, and what {one} has is not the sum ({figures}). Compare it with the open "
            f"invoices and payments of {one}: somebody may have booked meanwhile{_twice(now, survivor, mergeable)}. "
            "There is nothing to repeat."
        )
    return (
        f"The client {other} is still there, and not all is as it was ({figures}). If the merge broke off half way, "
        f"the figures of {other} were added to {one} already, and doing it again would add them again"
        f"{_twice(now, survivor, mergeable)}. Look at both in Invoice Ninja: their contacts, invoices, payments. "
        "If somebody else has booked on them and nothing was merged, settle the call with --as not-applied. Else put "
        "right what is half done by hand, and settle it with --as applied."
    )


def _as_wanted(record: Mapping[str, object], survivor: Edit) -> bool:
    return _same(record, survivor.after)


def _unmoved(record: Mapping[str, object], survivor: Edit) -> bool:
    return _same(record, survivor.before) and ids_of(view(record)["contacts"]) == survivor.before["contacts"]


def _same(record: Mapping[str, object], figures: Mapping[str, object]) -> bool:
    now = view(record)
    return all(abs(Decimal(str(now[name])) - Decimal(str(figures[name]))) <= MICRO for name in FIGURES)


def _standing(door: Door, mergeable: Edit) -> tuple[Presence, bool]:
    """Whether a client is there, and still has what a merge hands over before it removes it.

    The latter tells of a merge half done where there were no figures to add.
    """
    try:
        now = before_of(record_of(door, mergeable.client_id))
    except Rejected as refusal:
        return presence_by(refusal), False
    except UnexpectedShape:
        return Presence.HERE, False
    return Presence.HERE, all(now[name] == mergeable.before[name] for name in now)


def _told(door: Door, survivor: Edit, mergeable: Edit) -> bool:
    """Whether the survivor's ledger tells of a merge of a client of this name since it was read."""
    notes = merges_into(door, survivor.client_id) or ()
    name = str(mergeable.before.get("display_name") or "").strip()
    return any(note.name == name and note.at >= int(str(survivor.before["read_at"])) for note in notes)


def _twice(now: Mapping[str, object], survivor: Edit, mergeable: Edit) -> str:
    """A hint where the figures were added more than once."""
    for name in FIGURES:
        one, other = (Decimal(str(edit.before[name])) for edit in (survivor, mergeable))
        if other and abs(Decimal(str(now[name])) - one - 2 * other) <= MICRO:
            return "; it looks as if it was added twice"
    return ""
