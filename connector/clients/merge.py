"""Merging one client into another: called once, never repeated, and judged by the figures afterwards.

Up to 5.12 a merge is a series of single statements. The figures are added first, and the client merged in is removed at
the end (Merge.php:32-100). A merge that breaks off in between leaves the figures added, and a second try adds them
again. From 2026 on it is one transaction, which computes the figures again from invoices and payments; where they had
drifted from those, the result differs from the sum. The server checks neither the survivor's company nor the
currencies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from connector.api.api import Api, Outcomes, perform
from connector.api.presence import Presence
from connector.api.verbs import all_groups, current_company
from connector.clients.backup import Backup, save
from connector.clients.fields import view
from connector.clients.merged import FIGURES, Found, become, look, verdict
from connector.clients.purge import GONE, before_of, check_id, ids_of
from connector.clients.read import data_of
from connector.clients.watch import Sent, watched
from connector.door.door import Door
from connector.door.halt import rest
from schemas.client import Client, Contact, client_of
from schemas.entities import GROUPS
from schemas.errors import (
    NotFound,
    NotVerified,
    OutcomeUnknown,
    PasswordRequired,
    SettingsError,
    StalePlan,
    UnsafePlan,
    sentence,
)
from schemas.journal import Call, Edit, Outcome
from schemas.merge_preview import lost_contacts

NOBODY: Final = "nobody"
"""Not an id: the server's ids have at least ten letters."""


@dataclass(frozen=True, slots=True)
class PreparedMerge:
    """A merge that may be done, and was not sent yet: both clients as read, and their effective currencies."""

    survivor: Client
    mergeable: Client
    survivor_currency: str
    mergeable_currency: str
    currency_codes: Sequence[str] = ()
    """Both currencies as codes, for people; empty where the caller does not know them."""

    @property
    def balance(self) -> Decimal:
        """The survivor's balance afterwards; from 2026 on it is the sum of its open invoices instead."""
        return self.survivor.balance + self.mergeable.balance

    @property
    def paid_to_date(self) -> Decimal:
        """The survivor's paid_to_date afterwards; from 2026 on it is the sum of its payments instead."""
        return self.survivor.paid_to_date + self.mergeable.paid_to_date

    @property
    def lost_contacts(self) -> Sequence[Contact]:
        """Contacts that the server drops: their address is one of the survivor's, in the same spelling, or missing."""
        return lost_contacts(self.survivor, self.mergeable)


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


def prepare_merge(
    api: Api,
    survivor_id: str,
    mergeable_id: str,
    *,
    allow_other_currency: bool = False,
    allow_inactive_survivor: bool = False,
) -> PreparedMerge:
    """Compare two clients for a merge. Reads both with the token that would merge them, and sends nothing.

    Raises NotFound or NotAuthorised where the token cannot read both, SettingsError for two equal ids. Raises
    UnsafePlan for different currencies (the server adds amounts unconverted) and an archived or deleted survivor,
    unless allowed.
    """
    if survivor_id == mergeable_id:
        raise SettingsError("Nothing was sent: both ids are the same. Name two clients.")
    records = [_read(api.door, client_id)[0] for client_id in (survivor_id, mergeable_id)]
    (survivor, mergeable), currencies = map(client_of, records), currencies_of(api.door, records)
    prepared = PreparedMerge(survivor, mergeable, *currencies)
    if prepared.survivor.status != "active" and not allow_inactive_survivor:
        raise UnsafePlan(
            f"Nothing was sent: the survivor {survivor_id} is {prepared.survivor.status}, and would stay so with all "
            "that it takes over. Restore it, merge the other way round, or allow it."
        )
    if prepared.survivor_currency != prepared.mergeable_currency and not allow_other_currency:
        raise UnsafePlan(
            f"Nothing was sent: the clients have different currencies (ids {prepared.survivor_currency or 'none'} and "
            f"{prepared.mergeable_currency or 'none'}), and the server would add the amounts without converting them."
        )
    return prepared


def apply_merge(api: Api, prepared: PreparedMerge, *, backup: Backup, sleep: Callable[[float], None] = rest) -> Client:
    """Send a prepared merge, once, and return the survivor as the server has it.

    Never repeat it blindly: after a lost answer, or a 500, it asks the server for up to a minute what happened. A
    backup of both clients is safe before. Raises StalePlan where one of them has changed since (nothing was sent), and
    PasswordRequired (412). Raises NotVerified where the merge is done, but the survivor's figures are not the sum or
    contacts are missing. Raises OutcomeUnknown where it broke off half way, or the server cannot be asked: nothing else
    is written then until somebody has looked. Every message says where to look.
    """
    survivor, mergeable, records = _edits(api.door, prepared)
    password = api.password.lend()
    save(backup, api.door, records)
    path = f"/clients/{survivor.client_id}/{mergeable.client_id}/merge"
    send = Sent(api.door, mergeable.client_id, lambda: api.door.post(path, repeatable=False, password=password))
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
        more = verdict(seen[-1], survivor, mergeable) if seen else ""
        raise OutcomeUnknown(f"{sentence(unknown)} {more}".strip()) from None
    if {outcome for _, outcome in outcomes} != {Outcome.APPLIED}:
        raise NotVerified(verdict(seen[-1], survivor, mergeable))
    after = client_of(seen[-1].survivor)
    _check_contacts(prepared, after)
    return after


def _check_contacts(prepared: PreparedMerge, after: Client) -> None:
    """Raise NotVerified where a contact is missing that had to stay or move: the merge itself is done."""
    kept = [*prepared.survivor.contacts, *prepared.mergeable.contacts]
    lost = {contact.id for contact in kept} - {contact.id for contact in (*prepared.lost_contacts, *after.contacts)}
    if lost:
        raise NotVerified(
            f"The client {prepared.mergeable.id} is merged into {after.id}, but these contacts are missing: "
            f"{', '.join(sorted(map(str, lost)))}. Somebody may have changed the contacts meanwhile; the backup has "
            "them."
        )


def merge(
    api: Api,
    survivor_id: str,
    mergeable_id: str,
    *,
    backup: Backup,
    allow_other_currency: bool = False,
    allow_inactive_survivor: bool = False,
    sleep: Callable[[float], None] = rest,
) -> Client:
    """Merge one client into another that survives, and return the survivor as the server has it.

    Never repeat it blindly. Raises what `prepare_merge` and `apply_merge` raise.
    """
    prepared = prepare_merge(
        api,
        survivor_id,
        mergeable_id,
        allow_other_currency=allow_other_currency,
        allow_inactive_survivor=allow_inactive_survivor,
    )
    return apply_merge(api, prepared, backup=backup, sleep=sleep)


def _edits(door: Door, prepared: PreparedMerge) -> tuple[Edit, Edit, list[dict[str, object]]]:
    """The changes of the merge, by a fresh read of both, and their records. Raises StalePlan where one has changed."""
    (here, at), (there, _) = (_read(door, client.id) for client in (prepared.survivor, prepared.mergeable))
    for record, before in ((here, prepared.survivor), (there, prepared.mergeable)):
        now = client_of(record)
        if any(getattr(now, name) != getattr(before, name) for name in (*FIGURES, "status", "currency_id")):
            raise StalePlan(f"The client {before.id} has changed since it was read: look again. Nothing was sent.")
    seen, other = view(here), view(there)
    ours, theirs = ({"currency": code} for code in prepared.currency_codes) if prepared.currency_codes else ({}, {})
    survivor = Edit(
        prepared.survivor.id,
        {**{name: seen[name] for name in FIGURES}, **ours, "contacts": ids_of(seen["contacts"]), "read_at": at},
        {name: Decimal(str(seen[name])) + Decimal(str(other[name])) for name in FIGURES},
    )
    figures = {name: other[name] for name in (*FIGURES, "display_name")}
    mergeable = Edit(prepared.mergeable.id, {**figures, **theirs, **before_of(there)}, GONE)
    return survivor, mergeable, [here, there]


def _read(door: Door, client_id: str) -> tuple[dict[str, object], int]:
    """A client as the server has it, and the server's clock at that moment, in unix seconds."""
    answer = door.get(f"/clients/{client_id}")
    record = data_of(answer.json())
    check_id(record, client_id)
    return record, int(answer.date.timestamp()) if answer.date else 0


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
