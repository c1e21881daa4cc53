"""Lists of groups of duplicates, page by page, with their state, money and warnings.

A list reads the pairs and decisions of a source at once, but the clients of one page only, so that it stays quick with
ten thousand groups among a hundred thousand clients.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from flows.dedupe.decisions import inherited
from schemas.errors import SettingsError
from schemas.money import in_own_decimals
from warehouse.control.dedupe import Pair
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

UNCERTAIN: Final = "uncertain"
PROBABLE: Final = "probable"
MONEY: Final = "money"
ORDERS: Final = (UNCERTAIN, PROBABLE, MONEY)
"""The orders of a list: the most uncertain groups first, the most probable, or the largest sums."""
STATES: Final = ("undecided", "later", "same", "not_same")
OPEN: Final = "open"
"""Undecided, or left for later."""
_ALL: Final = (0, 10**9)


@dataclass(frozen=True, slots=True)
class Member:
    """A client of a group, as a list shows it."""

    id: str
    number: str = ""
    name: str = field(default="", repr=False)
    status: str = "active"
    currency: str | None = None
    balance: Decimal = field(default=Decimal(0), repr=False)
    vat_number: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Money:
    """What the clients of a group owe in one currency, and what they have overpaid. Never the one less the other."""

    currency: str | None
    owed: Decimal = field(repr=False)
    overpaid: Decimal = field(repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of a list. A pair of clients that no group holds is `single`. `state` is one of STATES.

    `unsure` is how near to one half the probability of its least certain undecided pair is. It is None if all undecided
    pairs are in conflict, which no program may merge.
    """

    ids: Sequence[str]
    single: bool
    probability: float | None
    in_conflict: bool
    unsure: float | None
    state: str
    members: Sequence[Member] = ()

    @property
    def key(self) -> str:
        """The text that means this group, for `group_named`."""
        return ",".join(self.ids) if self.single else self.ids[0]

    @property
    def money(self) -> list[Money]:
        """The money of its clients, in each of their currencies."""
        currencies = sorted({member.currency for member in self.members}, key=lambda code: code or "")
        made = []
        for code in currencies:
            balances = [member.balance for member in self.members if member.currency == code]
            owed = sum((balance for balance in balances if balance > 0), Decimal(0))
            overpaid = sum((-balance for balance in balances if balance < 0), Decimal(0))
            made.append(Money(code, in_own_decimals(owed, code), in_own_decimals(overpaid, code)))
        return made

    @property
    def warnings(self) -> list[str]:
        """What a person should look at before a merge of its clients."""
        return warnings_of(self.members, in_conflict=self.in_conflict)


@dataclass(frozen=True, slots=True)
class Groups:
    """One page of groups, and the numbers of all groups and single pairs by their state."""

    rows: Sequence[Group]
    """Groups first, then single pairs."""
    counts: Mapping[tuple[bool, str], int]

    def count(self, *, single: bool | None = None, state: str | None = None) -> int:
        """Return the number of groups of a kind, or of both kinds, in a state: one of STATES, OPEN, or any."""
        states = {None: STATES, OPEN: ("undecided", "later")}.get(state, (str(state),))
        kinds = (False, True) if single is None else (single,)
        return sum(self.counts.get((kind, one), 0) for kind in kinds for one in states)


def page_of_groups(
    warehouse: Warehouse,
    name: str,
    *,
    by: str = UNCERTAIN,
    state: str | None = OPEN,
    groups: tuple[int, int] = (0, 25),
    pairs: tuple[int, int] = (0, 0),
) -> Groups:
    """Return a page of groups and of single pairs, in one of ORDERS; of one state, or of any.

    `groups` and `pairs` say how many to skip, and how many to return at most. By money, amounts are compared by their
    figures, whatever their currency.
    """
    found = _page(warehouse, name, by, state, groups, pairs)
    ids = sorted({client_id for group in found.rows for client_id in group.ids})
    members = {member.id: member for member in _members(warehouse, name, ids)}
    rows = [
        replace(group, members=[members[client_id] for client_id in group.ids if client_id in members])
        for group in found.rows
    ]
    return Groups(rows, found.counts)


def open_groups(warehouse: Warehouse, name: str, *, by: str = UNCERTAIN) -> list[Group]:
    """Return the groups and single pairs to decide on, without their clients' records, in the order to ask.

    The group whose least certain undecided pair is nearest to one half comes first, and pairs in conflict last. In
    another order, single pairs come after all groups.
    """
    found = list(_page(warehouse, name, by, OPEN, _ALL, _ALL).rows)
    return sorted(found, key=_uncertain) if by == UNCERTAIN else found


def _uncertain(group: Group) -> tuple[bool, float, Sequence[str]]:
    return group.unsure is None, group.unsure or 0.0, group.ids


def group_named(warehouse: Warehouse, name: str, key: str) -> list[str]:
    """Return the clients of the group that a key means: the id of one of them, or the two ids of a single pair.

    Empty if no group holds that client now.
    """
    if "," in key:
        return key.split(",")[:2]
    rows = warehouse.rows(statement("duplicate_groups/with_client"), {"source": name, "id": key})
    return [str(client_id) for (client_id,) in rows]


def found_at(warehouse: Warehouse, name: str) -> datetime | None:
    """Return when the last search for duplicates read the clients; None if it found nothing, or never ran."""
    ((at,),) = warehouse.rows(statement("duplicate_groups/last_search"), {"source": name})
    return at if isinstance(at, datetime) else None


def warnings_of(members: Sequence[Member], *, in_conflict: bool) -> list[str]:
    """Return what stands against a merge of these clients, or needs a second look, as short texts."""
    currencies = {member.currency for member in members if member.currency}
    numbers = {re.sub(r"[\W_]+", "", member.vat_number).upper() for member in members} - {""}
    states = {member.status for member in members}
    said = {
        "different currencies": len(currencies) > 1,
        "different VAT numbers": len(numbers) > 1,
        "an archived client": "archived" in states,
        "a deleted client": "deleted" in states,
        "clients that contradict each other": in_conflict,
    }
    return [text for text, holds in said.items() if holds]


def carried_parameters(carried: Mapping[Pair, str]) -> dict[str, list[str]]:
    """Return decisions that are carried over as parameters of `duplicate_groups/every`."""
    pairs = sorted(carried)
    return {
        "ids_a": [first for first, _ in pairs], "ids_b": [other for _, other in pairs],
        "outcomes": [carried[pair] for pair in pairs],
    }  # fmt: skip


def _page(
    warehouse: Warehouse, name: str, by: str, state: str | None, groups: tuple[int, int], pairs: tuple[int, int]
) -> Groups:
    if by not in ORDERS or state not in {*STATES, OPEN, None}:
        raise SettingsError("This list has no such order or state.")
    every = statement("duplicate_groups/every")
    values = {
        "source": name, "by": by, "with_money": by == MONEY, "state": state, "first": groups[0], "top": groups[1],
        "first_single": pairs[0], "top_single": pairs[1], **carried_parameters(inherited(warehouse, name)),
    }  # fmt: skip
    rows = warehouse.rows(statement("duplicate_groups/page").format(groups=every), values)
    keys = [(single, one) for single in (False, True) for one in STATES]
    counts = {key: int(str(number)) for key, number in zip(keys, rows[0][-len(keys) :], strict=True)}
    return Groups([_group(*row[: -len(keys)]) for row in rows if row[0] is not None], counts)


def _group(
    ids: object, single: object, probability: object, in_conflict: object, unsure: object, state: object
) -> Group:
    likely, doubtful = _number(probability), _number(unsure)
    return Group(str(ids).split(","), bool(single), likely, bool(in_conflict), doubtful, str(state))


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))


def _members(warehouse: Warehouse, name: str, ids: Sequence[str]) -> list[Member]:
    rows = warehouse.rows(statement("duplicate_groups/members"), {"source": name, "ids": list(ids)})
    return [
        Member(
            str(key), str(number or ""), str(called or ""), str(status), None if code is None else str(code),
            balance if isinstance(balance, Decimal) else Decimal(0), str(vat_number or ""),
        )
        for key, number, called, vat_number, code, balance, status in rows
    ]  # fmt: skip
