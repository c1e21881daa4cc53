"""Puts the invented papers of clients into the database, with invitations and the ledger.

Ids and numbers follow the order of creation within each batch of clients. Stamps are those of a book-keeper at work: in
office hours on the papers' days, and never before the client was made.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from random import Random

from sandbox.books.lookups import statics
from sandbox.people.filed import (
    Drawer,
    Filed,
    Holder,
    Paper,
    credit_row,
    invitation_rows,
    invoice_row,
    ledger_rows,
    payment_row,
    paymentable_rows,
)
from sandbox.people.paper_lines import CENT
from sandbox.people.paper_values import Credit, Figures, Invoice, Papers, Payment, Span
from sandbox.people.papers import make_papers
from sandbox.store.database import insert_all, marks, next_id, select
from sandbox.store.world import MICROS, World

DAY = 86_400
EPOCH = date(1970, 1, 1).toordinal()
OPENS, CLOSES = 7 * 3600, 18 * 3600
"""The hours of the office, in seconds of the day."""
NO_TERMS = "-1"
"""The setting of a client who may choose when to pay, as no setting at all."""
BATCH = 2000
BEFORE = 200
"""Days before the client was made on which papers may be dated, as those that an import brought."""


def file_papers(world: World, ids: Sequence[int], *, seed: str) -> None:
    """Give papers to these clients of one company, so that they add up to their figures."""
    rng = Random(f"papers {seed}")
    for start in range(0, len(ids), BATCH):
        _file_batch(world, rng, list(_holders(world, ids[start : start + BATCH])))


def _holders(world: World, ids: Sequence[int]) -> Iterator[Holder]:
    """The clients with what their papers need; a setting is their own, else their group's, else the company's."""
    contacts = defaultdict(list)
    live = f"SELECT client_id, id FROM contacts WHERE client_id IN ({marks(ids)}) AND deleted_at IS NULL ORDER BY id"
    for client, contact in world.db.execute(live, ids):
        contacts[client].append(contact)
    groups = {row["id"]: json.loads(row["settings"] or "{}") or {} for row in select(world.db, "group_settings", "1")}
    homes = {row["id"]: row["currency_id"] for row in select(world.db, "companies", "1")}
    for row in select(world.db, "clients", f"id IN ({marks(ids)}) ORDER BY id", ids):
        settings = [json.loads(row["settings"] or "{}") or {}, groups.get(row["group_settings_id"], {})]
        home = homes[row["company_id"]]
        currency = next((x["currency_id"] for x in settings if x.get("currency_id")), home)
        terms = next((x["payment_terms"] for x in settings if x.get("payment_terms")), NO_TERMS)
        yield Holder(row, contacts[row["id"]], int(currency), int(home), None if terms == NO_TERMS else int(terms))


def _file_batch(world: World, rng: Random, holders: Sequence[Holder]) -> None:
    drawers, company = [_drawer(rng, holder, world.clock.stamp()) for holder in holders], holders[0].row["company_id"]
    invoices = _in_order(world, company, "invoices", (filed for drawer in drawers for filed in drawer.invoices))
    payments = _in_order(world, company, "payments", (filed for drawer in drawers for filed in drawer.payments))
    given = _in_order(world, company, "credits", (filed for drawer in drawers for filed in drawer.credits))
    by_client = {drawer.holder.row["id"]: drawer for drawer in drawers}
    placed = (row for x in payments for row in paymentable_rows(by_client[x.holder.row["id"]], x))
    insert_all(world.db, "invoices", (invoice_row(rng, x) for x in invoices))
    insert_all(world.db, "credits", map(credit_row, given))
    insert_all(world.db, "payments", (payment_row(rng, x) for x in payments))
    insert_all(world.db, "paymentables", placed)
    insert_all(world.db, "invitations", (row for x in invoices for row in invitation_rows(rng, "invoice", x)))
    insert_all(world.db, "invitations", (row for x in given for row in invitation_rows(rng, "credit", x)))
    insert_all(world.db, "ledger", (row for drawer in drawers for row in ledger_rows(drawer)))


def _in_order(world: World, company: int, table: str, papers: Iterable[Filed[Paper]]) -> list[Filed[Paper]]:
    """The papers in the order of creation, each with its id and number."""
    ordered, db = sorted(papers, key=lambda filed: filed.created), world.db
    known = db.execute("SELECT next FROM counters WHERE company_id = ? AND kind = ?", (company, table)).fetchone()
    number, first = known[0] if known else 1, next_id(db, table)
    for place, filed in enumerate(ordered):
        filed.id, filed.number = first + place, f"{number + place:04d}"
    db.execute("INSERT OR REPLACE INTO counters VALUES (?, ?, ?)", (company, table, number + len(ordered)))
    return ordered


# ---- one client -----------------------------------------------------------------------------------------------------


def _drawer(rng: Random, holder: Holder, now: int) -> Drawer:
    made, today = holder.row["created_at"], _day(now)
    span = Span(min(_day(made), today - BEFORE), today, holder.terms, _coin(holder.currency))
    return _stamped(rng, holder, make_papers(rng, _figures(holder), span), now)


@cache
def _coin(currency: int) -> int:
    """The smallest coin that seeded figures have: one yen, or a cent."""
    precision = next((int(x["precision"]) for x in statics()["currencies"] if x["id"] == str(currency)), 2)
    return CENT if precision else MICROS


def _figures(holder: Holder) -> Figures:
    names = ("balance", "paid_to_date", "payment_balance", "credit_balance")
    return Figures(*(int(Decimal(holder.row[name]) * MICROS) for name in names))


def _stamped(rng: Random, holder: Holder, papers: Papers, now: int) -> Drawer:
    """The papers with their stamps: what a payment is on was there before it, and moved with it."""
    earliest = holder.row["created_at"]

    def filed(paper: Paper) -> Filed[Paper]:
        created = min(max(_moment(rng, paper.day), earliest), now)
        changed = created if paper.changed == paper.day else min(max(_moment(rng, paper.changed), created), now)
        return Filed(holder, paper, created, changed)

    drawer = Drawer(holder, [filed(x) for x in papers.invoices], [], [filed(x) for x in papers.credits])
    for paper in papers.payments:
        payment: Filed[Payment] = filed(paper)
        on = list(_on(drawer, paper))
        payment.created = max([payment.created, *(x.created for x in on)])
        payment.changed = max(payment.created, payment.changed)
        for other in on:
            other.changed = max(other.changed, payment.changed)
        drawer.payments.append(payment)
    return drawer


def _on(drawer: Drawer, payment: Payment) -> Iterator[Filed[Invoice] | Filed[Credit]]:
    """The invoices and credits that the payment uses."""
    yield from (drawer.invoices[use.place] for use in payment.invoices)
    yield from (drawer.credits[use.place] for use in payment.credits)


def _day(stamp: int) -> int:
    """The ordinal of the day, in UTC."""
    return EPOCH + stamp // (DAY * MICROS)


def _moment(rng: Random, day: int) -> int:
    """A stamp in the hours of the office."""
    return ((day - EPOCH) * DAY + rng.randrange(OPENS, CLOSES)) * MICROS
