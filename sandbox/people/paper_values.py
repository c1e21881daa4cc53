"""Invoices, payments and credits as values, before they have ids and numbers.

Days are ordinals of `date`, amounts are millionths. The sums behind the figures of a client:

balance          the balances of the invoices that are not deleted
paid_to_date     amount - refunded of the payments that are not deleted, and all that they use of credits
payment_balance  amount - applied of the payments that are not deleted
credit_balance   the balances of the credits that are not deleted
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.people.paper_lines import CENT, Line

MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Figures:
    """The four figures of a client."""

    balance: int
    paid_to_date: int
    payment_balance: int
    credit_balance: int


@dataclass(frozen=True, slots=True)
class Span:
    """The first day and the last one, today, of the books; the days that the client has to pay, if it is agreed.

    `coin` is the smallest one of the client's currency.
    """

    first: int
    today: int
    terms: int | None = None
    coin: int = CENT


@dataclass(frozen=True, slots=True)
class Invoice:
    """`changed` is the day of the last thing that happened to it."""

    day: int
    changed: int
    amount: int
    balance: int
    paid: int
    status: int
    lines: tuple[Line, ...]
    due: int | None = None
    partial: int = 0
    partial_due: int | None = None
    is_deleted: bool = False
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """The part of a payment that goes to one invoice, or comes from one credit: its place among the client's."""

    place: int
    amount: int
    refunded: int = 0


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment, and how it is used. A deleted one keeps `applied`, and is used for nothing."""

    day: int
    changed: int
    amount: int
    applied: int
    refunded: int
    status: int
    invoices: tuple[Use, ...] = ()
    credits: tuple[Use, ...] = ()
    is_deleted: bool = False
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class Credit:
    """`used` is the part that has paid invoices."""

    day: int
    changed: int
    amount: int
    balance: int
    used: int
    status: int
    lines: tuple[Line, ...]
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class Papers:
    """A client's papers; uses point into these lists."""

    invoices: list[Invoice] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)
