"""A plan of merges, in an order that suits chains; each with its expectations and its rescue; with a digest.

The server decides nothing in it. Its author said who survives, which values to keep and which differences to allow, and
a person approves all of it by the digest.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from schemas.client import Client
from schemas.errors import SettingsError
from schemas.merge_preview import LOST, Preview, Rescue

EXPECTED: Final = ("balance", "paid_to_date", "credit_balance", "payment_balance", "status", "currency_id", *LOST)
"""Fields that must not move between plan and merge, or the merge is refused; contacts are compared too."""
OF_CONTACTS: Final = ("id", "first_name", "last_name", "email", "phone", "is_primary")
Pair = tuple[str, str]
"""The survivor's id, and the id of the client that is merged into it."""


@dataclass(frozen=True, slots=True)
class MergeStep:
    """One merge: both clients, their expected state, and the values to rescue before and after it."""

    survivor_id: str
    mergeable_id: str
    survivor: Mapping[str, object] = field(repr=False)
    mergeable: Mapping[str, object] = field(repr=False)
    before: Rescue = field(default=Rescue(), repr=False)
    then: Rescue = field(default=Rescue(), repr=False)
    allowed: Sequence[str] = ()
    currencies: Sequence[str] = ()
    """The codes of both effective currencies; plans of earlier versions have none."""

    @property
    def told(self) -> dict[str, Any]:
        """All of it as plain values: stored, and covered by the digest."""
        return {
            "survivor_id": self.survivor_id, "mergeable_id": self.mergeable_id,
            "survivor": dict(self.survivor), "mergeable": dict(self.mergeable),
            "before": _rescue_told(self.before), "then": _rescue_told(self.then), "allowed": list(self.allowed),
            **({"currencies": list(self.currencies)} if self.currencies else {}),
        }  # fmt: skip

    def name_of(self, client_id: str) -> str:
        """One of its clients as people know it: number, name and id, as of the plan."""
        expected = self.survivor if client_id == self.survivor_id else self.mergeable
        known = [str(expected[name]) for name in ("number", "name") if expected.get(name)]
        return f"{' '.join(known)} ({client_id})" if known else client_id


@dataclass(frozen=True, slots=True)
class MergePlan:
    """Merges at one source, in their order. Times are aware, in UTC; `company` is the fingerprint of the company."""

    plan_id: str
    source: str
    made_at: datetime
    expires_at: datetime
    author: str
    reason: str
    company: str
    version: str
    steps: Sequence[MergeStep]

    @property
    def client_ids(self) -> list[str]:
        """All clients of the plan, once each."""
        return sorted({client_id for step in self.steps for client_id in (step.survivor_id, step.mergeable_id)})

    @property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 over all of it."""
        told = [
            self.plan_id, self.source, self.author, self.reason, self.company, self.version,
            *(at.astimezone(UTC).isoformat() for at in (self.made_at, self.expires_at)),
            [step.told for step in self.steps],
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]


def step_of(preview: Preview, allowed: Sequence[str] = ()) -> MergeStep:
    """The step of a preview."""
    survivor, mergeable = preview.survivor, preview.mergeable
    return MergeStep(
        survivor.id, mergeable.id, expected_of(survivor), expected_of(mergeable), preview.before, preview.then,
        tuple(sorted(allowed)), tuple(preview.currencies) if any(preview.currencies) else (),
    )  # fmt: skip


def expected_of(client: Client) -> dict[str, object]:
    """The state that a merge expects: figures as exact text, state, currency, values to lose or rescue, contacts."""
    expected: dict[str, object] = {}
    for name in EXPECTED:
        value = getattr(client, name)
        expected[name] = f"{value:.6f}" if isinstance(value, Decimal) else value
    expected["contacts"] = sorted([str(getattr(contact, name)) for name in OF_CONTACTS] for contact in client.contacts)
    return expected


def step_from(stored: Mapping[str, Any]) -> MergeStep:
    """The step from its stored form."""
    rest = {name: stored[name] for name in ("survivor_id", "mergeable_id", "survivor", "mergeable")}
    before, then = (Rescue(**stored[name]) for name in ("before", "then"))
    allowed, currencies = (tuple(stored.get(name, ())) for name in ("allowed", "currencies"))
    return MergeStep(**rest, before=before, then=then, allowed=allowed, currencies=currencies)


def in_order(pairs: Iterable[Pair]) -> list[Pair]:
    """The merges in an order that suits chains: first into a client, then that client into another.

    Raises SettingsError for a client merged into itself, for one merged away twice, and for a circle.
    """
    into: dict[str, str] = {}
    for survivor, mergeable in dict.fromkeys(pairs):
        if survivor == mergeable:
            raise SettingsError(f"The client {survivor} cannot be merged into itself.")
        if mergeable in into:
            raise SettingsError(f"The client {mergeable} would be merged away twice, into {into[mergeable]} too.")
        into[mergeable] = survivor
    ordered: list[Pair] = []
    done: set[str] = set()
    coming: dict[str, list[str]] = defaultdict(list)
    for mergeable, survivor in into.items():
        coming[survivor].append(mergeable)

    def take(client: str, way: tuple[str, ...]) -> None:
        if client in way:
            raise SettingsError(f"These merges go in a circle: {' into '.join([*way, client])}.")
        for joining in sorted(coming[client]):
            take(joining, (*way, client))
            if joining not in done:
                done.add(joining)
                ordered.append((client, joining))

    for survivor in sorted(into.values()):
        take(survivor, ())
    return ordered


def _rescue_told(rescue: Rescue) -> dict[str, Any]:
    return {
        "columns": dict(rescue.columns),
        "contacts": {key: dict(changes) for key, changes in rescue.contacts.items()},
        "new_contacts": [dict(contact) for contact in rescue.new_contacts],
    }
