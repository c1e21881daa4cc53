"""Merging one client into another: called once, never repeated, and judged by the figures afterwards.

Up to 5.12 a merge is a series of single statements. The figures are added first, and the client merged in is removed at
the end (Merge.php:32-100). A merge that breaks off in between leaves the figures added, and a second try adds them
again. From 2026 on it is one transaction, which computes the figures again from invoices and payments; where they had
drifted from those, the result differs from the sum. The server checks neither the survivor's company nor the
currencies.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from connector.api.api import Api, Outcomes, perform
from connector.api.presence import Presence
from connector.api.verbs import all_groups, current_company
from connector.clients.backup import Backup, Extras, extras_of, keep
from connector.clients.fields import view
from connector.clients.merged import FIGURES, Found, amounts, become, look, verdict
from connector.clients.present import Record
from connector.clients.purge import GONE, before_of, check_id, ids_of
from connector.clients.read import data_of
from connector.clients.watch import Sent, watched
from connector.door.door import Door
from connector.door.halt import rest
from schemas.client import Client, client_of
from schemas.entities import GROUPS
from schemas.errors import (
    NotFound,
    NotVerified,
    OutcomeUnknown,
    PasswordRequired,
    SettingsError,
    UnsafePlan,
    sentence,
)
from schemas.journal import Call, Edit, Outcome
from schemas.merge_plan import in_the_way
from schemas.merge_preview import lost_contacts

NOBODY: Final = "nobody"
"""Not an id: the server's ids have at least ten letters."""


@dataclass(frozen=True, slots=True)
class Both:
    """Both clients of a merge as read, and the server's clock (unix seconds) and version at that moment.

    `extras` is the rest of each client's backup, where it was read too.
    """

    survivor: Record = field(repr=False)
    mergeable: Record = field(repr=False)
    read_at: int = 0
    version: str = ""
    extras: Sequence[Extras] = field(default=(), repr=False)


def check_password(api: Api) -> None:
    """Ask whether the server accepts the password, before any write. It changes nothing, and is not recorded.

    It sends a purge of an impossible client: the server checks the password before the id (facts, order of checks).
    Raises PasswordRequired, or SettingsError where there is no password.
    """
    password = api.password.lend()
    try:
        with suppress(NotFound):
            api.door.post(f"/clients/{NOBODY}/purge", repeatable=True, password=password)
    except PasswordRequired:
        api.password.drop()
        raise


def merge(
    api: Api,
    survivor_id: str,
    mergeable_id: str,
    *,
    backup: Backup,
    allowed: Collection[str] = (),
    sleep: Callable[[float], None] = rest,
) -> Client:
    """Merge one client into another that survives, and return the survivor as the server has it.

    Never repeat it blindly: after a lost answer or a 500, it asks the server for up to a minute what happened. In
    `allowed` are the ALLOWABLE differences (schemas.merge_plan) between the clients. A backup of both is safe before.
    Raises NotFound and NotAuthorised where the token cannot read both, SettingsError for two equal ids, UnsafePlan
    where a difference is not allowed, and PasswordRequired (412). Raises NotVerified where the merge is done, but the
    survivor's figures are not the sum or contacts are missing. Raises OutcomeUnknown where it broke off half way, or
    the server cannot be asked: nothing else is written then until somebody has looked. The amounts are in the `figures`
    of these two errors, not in their messages.
    """
    both = read_both(api.door, survivor_id, mergeable_id, for_backup=True)
    return client_of(merge_both(api, both, backup=backup, allowed=allowed, sleep=sleep))


def read_both(door: Door, survivor_id: str, mergeable_id: str, *, for_backup: bool = False) -> Both:
    """Both clients, read with the token that merges them. Raises what `merge` raises where it cannot read them.

    The slow parts are read first, so that the records are as new as possible when the merge is sent.
    """
    if survivor_id == mergeable_id:
        raise SettingsError("Nothing was sent: both ids are the same. Name two clients.")
    extras = [extras_of(door, client_id) for client_id in (survivor_id, mergeable_id) if for_backup]
    mergeable = data_of(door.get(f"/clients/{mergeable_id}").json())
    answer = door.get(f"/clients/{survivor_id}")
    survivor = data_of(answer.json())
    for record, client_id in ((survivor, survivor_id), (mergeable, mergeable_id)):
        check_id(record, client_id)
    read_at = int(answer.date.timestamp()) if answer.date else 0
    return Both(survivor, mergeable, read_at, answer.version or "", extras)


def merge_both(
    api: Api,
    both: Both,
    *,
    backup: Backup,
    allowed: Collection[str] = (),
    codes: Sequence[str] = (),
    sleep: Callable[[float], None] = rest,
) -> Record:
    """Do the work of `merge` with clients just read for a backup; returns the survivor's record afterwards.

    `codes` are the codes of both currencies, for people.
    """
    survivor, mergeable = client_of(both.survivor), client_of(both.mergeable)
    ours, theirs = currencies_of(api.door, [both.survivor, both.mergeable])
    if why := in_the_way(survivor, mergeable, (ours, theirs), (ours, theirs), allowed):
        raise UnsafePlan(f"Nothing was sent: {why}.")
    password = api.password.lend()
    keep(backup, zip((both.survivor, both.mergeable), both.extras, strict=True))
    path = f"/clients/{survivor.id}/{mergeable.id}/merge"
    send = Sent(api.door, mergeable.id, lambda: api.door.post(path, repeatable=False, password=password))
    record = _performed(api, *_edits(both, codes), send, sleep)
    _check_contacts(survivor, mergeable, client_of(record))
    return record


def _performed(api: Api, survivor: Edit, mergeable: Edit, send: Sent, sleep: Callable[[float], None]) -> Record:
    """Send the merge and watch its outcome; the survivor as read afterwards."""
    seen: list[Found] = []

    def read_back(answer: object) -> Outcomes:
        seen.append(
            watched(
                lambda: look(api.door, survivor, mergeable), lambda it: it.gone is Presence.GONE, send.patience, sleep
            )
        )
        return become(seen[-1], survivor, mergeable, answered=answer is not None)

    try:
        outcomes = perform(api, Call("merge", [survivor, mergeable], api.plan_id), send, read_back)
    except OutcomeUnknown as unknown:
        if not seen:
            raise
        text = f"{sentence(unknown)} {verdict(seen[-1], survivor, mergeable)}"
        raise OutcomeUnknown(text, figures=amounts(seen[-1], survivor, mergeable)) from None
    if {outcome for _, outcome in outcomes} != {Outcome.APPLIED}:
        raise NotVerified(verdict(seen[-1], survivor, mergeable), figures=amounts(seen[-1], survivor, mergeable))
    return seen[-1].survivor


def _check_contacts(survivor: Client, mergeable: Client, after: Client) -> None:
    """Raise NotVerified where a contact is missing that had to stay or move: the merge itself is done."""
    dropped = {contact.id for contact in lost_contacts(survivor, mergeable)}
    missing = (
        {contact.id for contact in (*survivor.contacts, *mergeable.contacts)} - dropped - {c.id for c in after.contacts}
    )
    if missing:
        raise NotVerified(
            f"The client {mergeable.id} is merged into {after.id}, but these contacts are missing: "
            f"{', '.join(sorted(missing))}. Somebody may have changed the contacts meanwhile; the backup has them."
        )


def _edits(both: Both, codes: Sequence[str]) -> tuple[Edit, Edit]:
    """The changes of the merge."""
    here, there = view(both.survivor), view(both.mergeable)
    ours, theirs = ({"currency": code} for code in codes) if codes else ({}, {})
    survivor = Edit(
        str(both.survivor["id"]),
        {
            **{name: here[name] for name in FIGURES}, **ours, "contacts": ids_of(here["contacts"]),
            "read_at": both.read_at,
        },
        {name: Decimal(str(here[name])) + Decimal(str(there[name])) for name in FIGURES},
    )  # fmt: skip
    known = {name: there[name] for name in (*FIGURES, "display_name")}
    return survivor, Edit(str(both.mergeable["id"]), {**known, **theirs, **before_of(both.mergeable)}, GONE)


def currencies_of(door: Door, records: Sequence[Mapping[str, object]]) -> list[str]:
    """The effective currency ids of clients: their own, else their group's, else the company's."""
    seen = [view(record) for record in records]
    if all(row["currency_id"] for row in seen):
        return [str(row["currency_id"]) for row in seen]
    groups = {}
    if any(row["group_settings_id"] for row in seen if not row["currency_id"]):
        groups = {str(row.get("id")): row for row in all_groups(door, GROUPS) if isinstance(row, dict)}
    company = current_company(door).record
    return [
        str(row["currency_id"] or _currency(groups.get(str(row["group_settings_id"]))) or _currency(company))
        for row in seen
    ]


def _currency(record: Mapping[str, object] | None) -> str:
    with suppress(AttributeError):
        return str((record or {}).get("settings", {}).get("currency_id") or "")  # type: ignore[attr-defined]
    return ""
