"""The invented papers of a client add up to its figures, whatever they are, and could have happened."""

from __future__ import annotations

from collections import Counter
from copy import copy
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.papers.statuses import CANCELLED, DRAFT, PAID, PARTIAL, SENT, OfPayments
from sandbox.people.paper_lines import CENT, TAXES, lines_of, rounded
from sandbox.people.paper_values import MICROS, Figures, Papers, Span
from sandbox.people.papers import make_papers

TODAY = 740_000
CENTS = st.integers(-(10**9), 10**9).map(lambda n: n * CENT)
ODD = st.integers(-(10**13), 10**13)
YEN = st.integers(-(10**7), 10**7).map(lambda n: n * MICROS)
SOME = st.one_of(*(st.one_of(st.just(0), money) for money in (CENTS, ODD, YEN)))
FIGURES = st.one_of(
    st.builds(Figures, SOME, SOME, SOME, SOME),
    st.builds(Figures, *[st.one_of(st.just(0), YEN)] * 4),
    st.builds(Figures, CENTS, *[CENTS.map(abs)] * 3),
)
SPANS = st.builds(
    Span,
    st.integers(0, 1100).map(lambda days: TODAY - days),
    st.just(TODAY),
    st.sampled_from((None, 0, 7, 14, 30, 60)),
    st.sampled_from((CENT, MICROS)),
)
RANDOMS = st.integers(0, 2**32).map(Random)


def sums(papers: Papers) -> Figures:
    """The figures of the client with these papers, as the server computes them."""
    payments = [payment for payment in papers.payments if not payment.is_deleted]
    return Figures(
        sum(invoice.balance for invoice in papers.invoices if not invoice.is_deleted),
        sum(payment.amount - payment.refunded + sum(use.amount for use in payment.credits) for payment in payments),
        sum(payment.amount - payment.applied for payment in payments),
        sum(credit.balance for credit in papers.credits),
    )


@given(RANDOMS, FIGURES, SPANS)
def test_the_papers_of_a_client_add_up_to_its_figures(rng, figures, span):
    assert sums(make_papers(rng, figures, span)) == figures


@given(RANDOMS, FIGURES, SPANS)
def test_each_invoice_is_paid_by_the_payments_that_name_it(rng, figures, span):
    papers = make_papers(rng, figures, span)
    paid = Counter()
    for payment in papers.payments:
        for use in payment.invoices:
            paid[use.place] += use.amount - use.refunded
    for place, invoice in enumerate(papers.invoices):
        assert invoice.paid == paid[place]
        if invoice.status not in (DRAFT, CANCELLED):
            assert invoice.amount == invoice.paid + invoice.balance
    assert set(paid) <= set(range(len(papers.invoices)))


@given(RANDOMS, FIGURES, SPANS)
def test_each_payment_and_each_credit_is_used_for_what_it_says(rng, figures, span):
    papers = make_papers(rng, figures, span)
    used = Counter()
    for payment in papers.payments:
        from_credits = sum(use.amount for use in payment.credits)
        if not payment.is_deleted:
            assert sum(use.amount for use in payment.invoices) == payment.applied + from_credits
        assert payment.is_deleted == (payment.status == OfPayments.CANCELLED)
        assert (payment.refunded > 0) == (payment.status in (OfPayments.PARTIALLY_REFUNDED, OfPayments.REFUNDED))
        assert payment.invoices or payment.refunded == 0 or payment.applied == 0
        for use in payment.credits:
            used[use.place] += use.amount
    for place, credit in enumerate(papers.credits):
        assert credit.used == used[place]
        if credit.status != DRAFT:
            assert credit.amount == credit.balance + credit.used


@given(RANDOMS, FIGURES, SPANS)
def test_lines_and_their_taxes_add_up_to_the_amount(rng, figures, span):
    papers = make_papers(rng, figures, span)
    for paper in (*papers.invoices, *papers.credits):
        assert sum(line.net + line.tax for line in paper.lines) == paper.amount
        assert all(line.quantity > 0 for line in paper.lines)
        for line in paper.lines:
            assert line.tax == rounded(line.net * line.tax_rate, 100, CENT)


@given(RANDOMS, FIGURES, SPANS)
def test_every_day_is_in_the_books_and_follows_the_one_before(rng, figures, span):
    papers = make_papers(rng, figures, span)
    for paper in (*papers.invoices, *papers.payments, *papers.credits):
        assert span.first <= paper.day <= paper.changed <= span.today
    for invoice in papers.invoices:
        assert invoice.due is None or invoice.due >= invoice.day
        assert (invoice.partial > 0) == (invoice.partial_due is not None)
        assert invoice.partial <= max(invoice.balance, 0)
        assert invoice.partial_due is None or invoice.partial_due >= invoice.day
    for payment in papers.payments:
        for use in payment.invoices:
            assert papers.invoices[use.place].day <= payment.day <= papers.invoices[use.place].changed
        for use in payment.credits:
            assert papers.credits[use.place].day <= payment.day <= papers.credits[use.place].changed


@given(RANDOMS, FIGURES, SPANS)
def test_the_same_random_makes_the_same_papers(rng, figures, span):
    again = copy(rng)
    assert make_papers(rng, figures, span) == make_papers(again, figures, span)


@given(RANDOMS, st.integers(0, 10**13), st.sampled_from(TAXES))
def test_a_tax_is_what_the_server_computes_of_the_line(rng, amount, taxed):
    lines = lines_of(rng, amount, CENT, taxed=taxed)
    assert len([line for line in lines if line.tax_name]) <= 1
    assert sum(line.net + line.tax for line in lines) == amount
    assert all((line.tax_rate > 0) == bool(line.tax_name) for line in lines)


@pytest.fixture(scope="module")
def many() -> list[Papers]:
    """The papers of clients who owe, paid and have credit."""
    rng, made = Random(1), []  # noqa: S311 - believable data
    for _ in range(600):
        figures = (rng.randrange(100_000) * CENT, rng.randrange(900_000) * CENT, 0, rng.choice((0, 5_000 * CENT)))
        made.append(make_papers(rng, Figures(*figures), Span(TODAY - 900, TODAY, rng.choice((None, 14, 30)))))
    return made


def test_all_that_a_list_of_open_items_has_to_cope_with_is_there(many):
    invoices = [invoice for papers in many for invoice in papers.invoices]
    states = Counter(invoice.status for invoice in invoices if not invoice.is_deleted)
    assert set(states) == {DRAFT, SENT, PARTIAL, PAID, CANCELLED}
    live = [invoice for invoice in invoices if invoice.balance > 0 and not invoice.is_deleted]
    ages = Counter(
        "none" if i.due is None else next((n for n in (0, 30, 60, 90) if TODAY - i.due <= n), "older") for i in live
    )
    assert set(ages) == {"none", 0, 30, 60, 90, "older"}
    assert min(ages.values()) > 20
    assert any(invoice.partial for invoice in live)
    assert any(invoice.is_archived for invoice in invoices)
    assert any(invoice.is_deleted for invoice in invoices)


def test_payments_come_late_and_early_in_parts_and_are_paid_back(many):
    days, payments = [], [payment for papers in many for payment in papers.payments]
    for papers in many:
        for payment in papers.payments:
            for use in payment.invoices:
                due = papers.invoices[use.place].due
                days += [payment.day - due] if due else []
    assert min(days) < 0 < max(days)
    assert {payment.status for payment in payments} >= {
        OfPayments.CANCELLED,
        OfPayments.PARTIALLY_REFUNDED,
        OfPayments.REFUNDED,
    }
    assert any(payment.credits for payment in payments)
    assert any(len(payment.invoices) > 1 for payment in payments)
    assert {credit.status for papers in many for credit in papers.credits} >= {DRAFT, SENT, PARTIAL, PAID}
