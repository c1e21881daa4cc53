"""Invents the invoices, payments and credits behind a client's figures, so that they add up to these exactly.

Late payers, deposits, refunds, credits that are partly used, drafts, cancelled and deleted invoices: all that a list of
open items has to cope with. The same Random makes the same papers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from sandbox.papers.statuses import CANCELLED, DRAFT, PAID, PARTIAL, SENT, OfPayments
from sandbox.people.paper_lines import CENT, TAXES, Line, lines_of
from sandbox.people.paper_values import MICROS, Credit, Figures, Invoice, Papers, Payment, Span, Use

LATE = ((-25, 0), (-25, 0), (1, 30), (1, 30), (31, 60), (61, 90), (91, 400))
"""Days by which an open invoice is overdue: each pair as often as any other."""
PAYS = ((-14, 0), (0, 3), (0, 3), (4, 20), (21, 75))
"""Days after the due day on which invoices are paid."""
USUAL_TERMS = (14, 30)


@dataclass(frozen=True, slots=True)
class _Making:
    """The papers so far, and what shapes them."""

    rng: Random
    span: Span
    unit: int
    taxed: tuple[str, int] | None
    papers: Papers

    def lines(self, amount: int) -> tuple[Line, ...]:
        """Lines for this amount."""
        return lines_of(self.rng, amount, self.unit, taxed=self.taxed)

    def day_between(self, first: int, last: int) -> int:
        """Any of these days that is in the books."""
        first, last = max(first, self.span.first), min(last, self.span.today)
        return self.rng.randint(first, last) if first < last else max(last, self.span.first)


@dataclass(frozen=True, slots=True)
class _Part:
    """An amount that is to pay for an invoice: money, or the use of a credit."""

    amount: int
    credit: int | None = None


def make_papers(rng: Random, figures: Figures, span: Span) -> Papers:
    """Return papers whose sums are the figures, the same for the same Random."""
    taxed = rng.choice(TAXES) if rng.random() < 0.6 and span.coin == CENT else None  # noqa: PLR2004 - not all are taxed
    making = _Making(rng, span, span.coin, taxed, Papers())
    applied = figures.paid_to_date - figures.payment_balance
    applied += _unapplied(making, figures.payment_balance, applied)
    parts = _credits(making, figures.credit_balance, applied)
    if applied < 0:
        _pay_back(making, figures.balance, applied)
    else:
        _open(making, figures.balance, parts)
    _paid(making, parts)
    _without_effect(making)
    return making.papers


def _unapplied(making: _Making, amount: int, applied: int) -> int:
    """Add a payment for no invoice; the part of it that was refunded is returned, so that it was never received."""
    if not amount:
        return 0
    refunded = max(0, min(amount, -applied))
    day = making.day_between(making.span.today - 300, making.span.today)
    changed = making.day_between(day, day + 60) if refunded else day
    making.papers.payments.append(Payment(day, changed, amount, 0, refunded, _paid_back(amount, refunded)))
    return refunded


def _paid_back(amount: int, refunded: int) -> int:
    if not refunded:
        return OfPayments.COMPLETED
    return OfPayments.REFUNDED if refunded == amount else OfPayments.PARTIALLY_REFUNDED


def _credits(making: _Making, balance: int, applied: int) -> list[_Part]:
    """Add the credits, and return what pays for invoices: the parts of credits that were used, and money."""
    parts: list[_Part] = []
    wholly = [] if balance or making.rng.random() > 0.05 else [0]  # noqa: PLR2004 - a few have used up a credit
    for left in [*_split(making, balance, 2), *wholly]:
        used = 0
        if applied > 0 <= left and (not left or making.rng.random() < 0.4):  # noqa: PLR2004 - many are partly used
            used = _split(making, applied, 3)[0]
            applied -= used
            parts.append(_Part(used, len(making.papers.credits)))
        if left or used:
            _credit(making, left, used)
    most = 3 + min(9, max(applied, 0) // (250 * MICROS))
    parts += [_Part(amount) for amount in _split(making, max(applied, 0), most)]
    making.rng.shuffle(parts)
    return parts


def _credit(making: _Making, left: int, used: int) -> None:
    day = making.day_between(making.span.first, making.span.today)
    status = SENT if not used else PARTIAL if left else PAID
    lines, archived = making.lines(left + used), making.rng.random() < 0.04  # noqa: PLR2004 - few are put away
    making.papers.credits.append(Credit(day, day, left + used, left, used, status, lines, archived))


def _split(making: _Making, amount: int, most: int) -> list[int]:
    """Up to `most` amounts that add up to this one; the last has what is less than a coin. Nothing of 0."""
    parts, left = [], amount
    for _ in range(making.rng.randint(1, most) - 1):
        if left < 2 * making.unit:
            break
        part = max(making.unit, left * making.rng.randrange(20, 70) // 100 // making.unit * making.unit)
        parts.append(part)
        left -= part
    return [*parts, left] if left else parts


# ---- invoices with a balance ----------------------------------------------------------------------------------------


def _pay_back(making: _Making, balance: int, applied: int) -> None:
    """Add an invoice on which money was paid out: a payment below 0, which the server takes."""
    day, due = _open_day(making)
    making.papers.invoices.append(_invoice(making, day, due, balance, applied))
    _settle(making, 0, _Part(applied))


def _open(making: _Making, balance: int, parts: list[_Part]) -> None:
    """Add the open invoices; some of them take a part that was paid. One that is overpaid has a balance below 0."""
    for left in _split(making, balance, 1 + min(4, max(balance, 0) // (150 * MICROS))):
        day, due = _open_day(making)
        place, paid = len(making.papers.invoices), 0
        part = parts[-1] if parts and (left < 0 or making.rng.random() < 0.3) else None  # noqa: PLR2004 - some are begun
        if part and part.amount + left > 0:
            parts.pop()
            paid = part.amount
        invoice = _invoice(making, day, due, left, paid)
        making.papers.invoices.append(invoice)
        if part and paid:
            _settle(making, place, part)
        elif left > making.unit:
            _begun(making, place)


def _begun(making: _Making, place: int) -> None:
    """Ask for a deposit on some open invoices; on a few, pay everything back that was paid."""
    rng, invoice, chance = making.rng, making.papers.invoices[place], making.rng.random()
    if chance < 0.08:  # noqa: PLR2004 - a deposit is asked for
        asked = invoice.balance * rng.randrange(10, 60) // 100 // making.unit * making.unit
        until = rng.randint(invoice.day, max(invoice.due or 0, invoice.day + 7))
        making.papers.invoices[place] = replace(invoice, partial=asked, partial_due=until if asked else None)
    elif chance > 0.96:  # noqa: PLR2004 - a payment was returned
        amount = invoice.balance
        day = making.day_between(invoice.day, invoice.day + 20)
        changed, use = making.day_between(day, day + 30), Use(place, amount, amount)
        making.papers.payments.append(Payment(day, changed, amount, amount, amount, OfPayments.REFUNDED, (use,)))
        making.papers.invoices[place] = replace(invoice, changed=changed)


def _invoice(making: _Making, day: int, due: int | None, balance: int, paid: int) -> Invoice:
    """A sent invoice with the paid and the open part of its amount. One that is overpaid stays sent (recorded)."""
    status = PAID if not balance else PARTIAL if paid > 0 and balance > 0 else SENT
    archived = making.rng.random() < (0.12 if status == PAID else 0.03)
    lines = making.lines(balance + paid)
    return Invoice(day, day, balance + paid, balance, paid, status, lines, due, is_archived=archived)


def _open_day(making: _Making) -> tuple[int, int | None]:
    """The day of an open invoice, and the day until which it is to be paid."""
    terms = _terms(making)
    late, today = making.rng.randint(*making.rng.choice(LATE)), making.span.today
    day = min(max(today - late - (terms or 0), making.span.first), today)
    return day, None if terms is None else day + terms


def _terms(making: _Making) -> int | None:
    if making.rng.random() < 0.12:  # noqa: PLR2004 - a few are without a due date
        return None
    return making.rng.choice(USUAL_TERMS) if making.span.terms is None else making.span.terms


# ---- invoices that are paid, and payments ---------------------------------------------------------------------------


def _paid(making: _Making, parts: list[_Part]) -> None:
    """Add a paid invoice for each part; sometimes one for two parts, sometimes one payment for two invoices."""
    while parts:
        part, day, terms = parts.pop(), making.day_between(making.span.first, making.span.today), _terms(making)
        due, place = None if terms is None else day + terms, len(making.papers.invoices)
        more = parts.pop() if parts and making.rng.random() < 0.15 else None  # noqa: PLR2004 - paid in two goes
        amount = part.amount + (more.amount if more else 0)
        making.papers.invoices.append(_invoice(making, day, due, 0, amount))
        _settle(making, place, part)
        if more:
            _settle(making, place, more)


def _settle(making: _Making, place: int, part: _Part) -> None:
    """Add the payment of a part to the invoice at this place, or let the payment before it pay this one too."""
    rng, papers = making.rng, making.papers
    invoice = papers.invoices[place]
    agreed = (invoice.due or invoice.day) + rng.randint(*rng.choice(PAYS))
    day = min(max(invoice.day, agreed), making.span.today)
    refunded = _refunded(making, invoice, part)
    changed = making.day_between(day, day + 30) if refunded else day
    last = papers.payments[-1] if papers.payments else None
    if last and not refunded and last.day >= invoice.day and _joins(making, last, place, part):
        whole = replace(last, amount=last.amount + part.amount, applied=last.applied + part.amount)
        papers.payments[-1] = replace(whole, invoices=(*last.invoices, Use(place, part.amount)))
        changed = last.day
    else:
        own = (Use(place, part.amount + refunded, refunded),)
        uses = () if part.credit is None else (Use(part.credit, part.amount),)
        money = 0 if uses else part.amount + refunded
        state = _paid_back(money, refunded)
        archived = rng.random() < 0.04  # noqa: PLR2004 - few are put away
        papers.payments.append(Payment(day, changed, money, money, refunded, state, own, uses, is_archived=archived))
    if part.credit is not None:
        credit = papers.credits[part.credit]
        before = min(credit.day, day)
        papers.credits[part.credit] = replace(credit, day=before, changed=max(credit.day, day))
    papers.invoices[place] = replace(invoice, changed=max(invoice.changed, changed))


def _refunded(making: _Making, invoice: Invoice, part: _Part) -> int:
    """The part of a payment that was given back. The invoice owes it again, so it is at most its balance."""
    if part.credit is not None or part.amount <= 0 or invoice.balance < making.unit or making.rng.random() > 0.25:  # noqa: PLR2004
        return 0
    return _split(making, invoice.balance, 3)[0]


def _joins(making: _Making, last: Payment, place: int, part: _Part) -> bool:
    """Whether the last payment pays this invoice too."""
    plain = not (last.refunded or last.credits or part.credit is not None) and last.amount > 0 < part.amount
    other = all(use.place != place for use in last.invoices)
    return plain and other and making.rng.random() < 0.2  # noqa: PLR2004 - some pay two at once


# ---- what moves no figure -------------------------------------------------------------------------------------------


def _without_effect(making: _Making) -> None:
    """Add a draft, a cancelled or a deleted invoice, a deleted payment, a draft of a credit to some clients."""
    chance, papers, today = making.rng.random(), making.papers, making.span.today
    if chance > 0.4:  # noqa: PLR2004 - not for every client
        return
    amount = max(int(making.rng.lognormvariate(5.5, 1)) * MICROS, making.unit)
    lines, terms = making.lines(amount), _terms(making)
    if chance < 0.14:  # noqa: PLR2004 - drafts are the most common
        day = making.day_between(today - 40, today)
        papers.invoices.append(Invoice(day, day, amount, 0, 0, DRAFT, lines))
        return
    day = making.day_between(making.span.first, today)
    changed, due = making.day_between(day, day + 50), None if terms is None else day + terms
    if chance < 0.22:  # noqa: PLR2004
        papers.invoices.append(Invoice(day, changed, amount, 0, 0, CANCELLED, lines, due))
    elif chance < 0.32:  # noqa: PLR2004
        papers.invoices.append(Invoice(day, changed, amount, amount, 0, SENT, lines, due, is_deleted=True))
    elif chance < 0.36:  # noqa: PLR2004
        papers.payments.append(Payment(day, changed, amount, amount, 0, OfPayments.CANCELLED, is_deleted=True))
    else:
        papers.credits.append(Credit(day, day, amount, 0, 0, DRAFT, lines))
