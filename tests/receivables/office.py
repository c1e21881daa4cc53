"""An office that bills, collects and refunds by the server's rules, on a clock of its own, and lists as it does.

The rules are those of recordings of a real 5.12.28: an invoice's balance falls by what is applied, a refund raises it
again, a deleted payment gives everything back and leaves no application, a cancelled invoice has no balance.
"""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from tests.records import client

RECORDED = Path(__file__).parents[1] / "recordings" / "documents"
TEMPLATES = {
    name: json.loads((RECORDED / f"{name}.json").read_text(), parse_float=Decimal)["data"][0]
    for name in ("invoices", "payments", "credits")
}
DRAFT, SENT, PARTLY, PAID, CANCELLED, REVERSED = "123456"
ZERO = Decimal(0)

Record = dict[str, object]


def cents(chance: Random, most: int) -> Decimal:
    """An amount above zero."""
    return Decimal(chance.randint(1, most * 100)) / 100


class Office:
    """The books of one company, up to the moment of its clock."""

    def __init__(self, seed: str, zone: str, until: datetime, days: int = 400, clients: int = 7) -> None:
        self.chance, self.zone, self.until = Random(seed), ZoneInfo(zone), until  # noqa: S311 - made-up amounts
        self.now = until - timedelta(days=days)
        self.invoices: list[Record] = []
        self.payments: list[Record] = []
        self.credits: list[Record] = []
        self.clients = [client(f"{seed}-c{n}", settings={"currency_id": "3"}) for n in range(clients)]
        self.clients[0] |= {"is_deleted": True, "archived_at": self.stamp}
        self.clients[1] |= {"archived_at": self.stamp}
        self.seed = seed

    @property
    def stamp(self) -> int:
        """The clock in seconds, as the server writes moments."""
        return int(self.now.timestamp())

    def work(self, actions: int) -> Office:
        """Do so many drawn actions, spread over the time until the last day."""
        step = (self.until - self.now) / (actions + 1)
        for _ in range(actions):
            soon = self.chance.random() < 0.25
            seconds = self.chance.choice([5, 59, 60, 61, 70, 3600, 7200])
            self.now += timedelta(seconds=seconds) if soon else step * self.chance.uniform(0.1, 2.5)
            self.now = min(self.now, self.until - timedelta(seconds=2))
            kind = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            getattr(self, kind)()
        return self

    def bill(self) -> None:
        """Send an invoice or keep it as a draft, dated today or near it, due soon, later, or on no day."""
        date = self._day(self.chance.choice([0, 0, 0, 0, -20, 3]))
        due = self.chance.choice([None, 0, 7, 14, 30, 30, 60, -5])
        amount = self.chance.choice([*[cents(self.chance, 900)] * 9, ZERO, -cents(self.chance, 50)])
        invoice = self._record(
            "invoices", self.invoices, amount=amount, date=date, line_items=[],
            due_date="" if due is None else self._later(date, due),
        )  # fmt: skip
        if amount > 20 and self.chance.random() < 0.3:
            invoice |= {"partial": (amount / 3).quantize(Decimal("0.01")), "partial_due_date": self._later(date, 5)}
        if self.chance.random() < 0.9:
            self._send(invoice)

    def send(self) -> None:
        """Send a draft."""
        for draft in self._some(self.invoices, DRAFT):
            self._send(draft)

    def pay(self) -> None:
        """Enter a payment for one to three invoices of a client: too little, all, or more; or for none."""
        of = self.chance.choice(self.clients)["id"]
        owing = [
            i for i in self._some(self.invoices, SENT, PARTLY, most=99) if i["client_id"] == of and i["balance"] > 0
        ]
        uses = [(i, self._part(i["balance"])) for i in owing[: self.chance.randint(0, 3)]]
        over = self.chance.choice([ZERO, ZERO, cents(self.chance, 60)]) if uses else cents(self.chance, 200)
        amount = sum((part for _, part in uses), ZERO) + over
        payment = self._record(
            "payments", self.payments, client_id=of, amount=amount, date=self._day(self.chance.choice([0, 0, -9, 2])),
            applied=ZERO, refunded=ZERO, status_id="4", paymentables=[], invoices=[], credits=[],
        )  # fmt: skip
        for invoice, part in uses:
            self._apply(payment, invoice, part)

    def pay_by_credit(self) -> None:
        """Use credits of a client on its invoices, without money."""
        for credit in self._usable():
            owing = [i for i in self._some(self.invoices, SENT, PARTLY) if i["client_id"] == credit["client_id"]]
            for invoice in (i for i in owing if i["balance"] > 0):
                part = min(self._part(credit["balance"]), invoice["balance"])
                payment = self._record(
                    "payments", self.payments, client_id=credit["client_id"], amount=ZERO, date=self._day(0),
                    applied=ZERO, refunded=ZERO, status_id="4", paymentables=[], invoices=[], credits=[],
                )  # fmt: skip
                self._apply(payment, invoice, part)
                self._use(payment, credit, part)
                return

    def apply_later(self) -> None:
        """Apply what is left of an old payment to an invoice of its client."""
        for payment in (p for p in self._alive(self.payments) if p["amount"] - p["applied"] - p["refunded"] > 0):
            for invoice in self._some(self.invoices, SENT, PARTLY, most=99):
                if invoice["client_id"] == payment["client_id"] and invoice["balance"] > 0 and not payment["refunded"]:
                    self._apply(payment, invoice, min(invoice["balance"], payment["amount"] - payment["applied"]))
                    self._touch(payment)
                    return

    def use_credit_later(self) -> None:
        """Use a credit in a payment of its client that is there already, so that more of its money is left."""
        for credit in self._usable():
            for payment in (p for p in self._alive(self.payments) if p["client_id"] == credit["client_id"]):
                if not payment["refunded"] and payment["applied"] > 0:
                    self._use(payment, credit, min(self._part(credit["balance"]), payment["applied"]))
                    self._touch(payment)
                    return

    def refund_credit(self) -> None:
        """Refund an invoice that was paid by credit: the credit can be used again."""
        for payment in (p for p in self._alive(self.payments) if p["amount"] == 0 and len(p["paymentables"]) == 2):
            first, second = payment["paymentables"]
            if first["refunded"] == 0 and first["amount"] == second["amount"] and second.get("credit_id"):
                part = self._part(first["amount"])
                (credit,) = (c for c in self.credits if c["id"] == second["credit_id"])
                for use in (first, second):
                    use |= {"refunded": part, "updated_at": self.stamp}
                credit |= {"balance": credit["balance"] + part, "paid_to_date": credit["paid_to_date"] - part}
                credit["status_id"] = PARTLY
                self._touch(credit)
                self._touch(payment)
                self._settle(first["invoice_id"], part)
                return

    def refund(self) -> None:
        """Refund a part of what a payment paid on an invoice."""
        for payment in self._alive(self.payments):
            for use in payment["paymentables"]:
                left = use["amount"] - use["refunded"]
                if use.get("invoice_id") and left > 0 and payment["amount"] > 0:
                    part = self._part(left)
                    for same in (u for u in payment["paymentables"] if u.get("invoice_id") == use["invoice_id"]):
                        same |= {"refunded": same["refunded"] + part, "updated_at": self.stamp}
                    payment["refunded"] += part
                    payment["status_id"] = "6" if payment["refunded"] == payment["amount"] else "5"
                    self._touch(payment)
                    self._settle(use["invoice_id"], part)
                    return

    def refund_unapplied(self) -> None:
        """Refund a part of a payment that pays no invoice."""
        for payment in self._alive(self.payments):
            if not payment["paymentables"] and payment["amount"] > payment["refunded"]:
                payment["refunded"] += self._part(payment["amount"] - payment["refunded"])
                payment["status_id"] = "6" if payment["refunded"] == payment["amount"] else "5"
                self._touch(payment)
                return

    def delete_payment(self) -> None:
        """Delete a payment: invoices and credits get back what it used, and no application is left."""
        for payment in [p for p in self._alive(self.payments) if not _is_refunded_twice(p)][:1]:
            for use in payment["paymentables"]:
                back = use["amount"] - use["refunded"]
                if use.get("invoice_id"):
                    self._settle(use["invoice_id"], back)
                else:
                    (credit,) = (c for c in self.credits if c["id"] == use["credit_id"])
                    credit |= {"balance": credit["balance"] + back, "paid_to_date": credit["paid_to_date"] - back}
                    credit["status_id"] = SENT
                    self._touch(credit)
            payment |= {"is_deleted": True, "archived_at": self.stamp, "status_id": "2", "paymentables": []}
            self._touch(payment)

    def amend(self) -> None:
        """Change the amount of a sent invoice."""
        for invoice in self._some(self.invoices, SENT, PARTLY):
            if invoice["partial"] == 0:
                invoice["amount"] += cents(self.chance, 30) * self.chance.choice([1, -1])
                self._settle(invoice["id"], ZERO)

    def cancel(self) -> None:
        """Cancel an invoice that is sent or partly paid."""
        for invoice in self._some(self.invoices, SENT, PARTLY):
            invoice |= {"status_id": CANCELLED, "balance": ZERO}
            self._touch(invoice)

    def delete_invoice(self) -> None:
        """Delete an invoice; what payments paid on it is cut from them."""
        for invoice in self._some(self.invoices, DRAFT, SENT, PARTLY, PAID):
            if any(use.get("credit_id") for p in self._paying(invoice) for use in p["paymentables"]):
                continue
            for payment in self._paying(invoice):
                uses = [use for use in payment["paymentables"] if use.get("invoice_id") == invoice["id"]]
                if any(use["refunded"] for use in uses):
                    return
            for payment in self._paying(invoice):
                uses = [use for use in payment["paymentables"] if use.get("invoice_id") == invoice["id"]]
                cut = sum(use["amount"] for use in uses)
                payment["paymentables"] = [use for use in payment["paymentables"] if use not in uses]
                payment |= {"amount": payment["amount"] - cut, "applied": payment["applied"] - cut}
                if payment["amount"] == 0:
                    payment |= {"is_deleted": True, "archived_at": self.stamp}
                self._touch(payment)
            invoice |= {"is_deleted": True, "archived_at": self.stamp, "number": f"{invoice['number']}_Deleted"}
            self._touch(invoice)

    def archive(self) -> None:
        """Archive an invoice, which leaves its figures unchanged."""
        for invoice in self._some(self.invoices, SENT, PARTLY, PAID):
            invoice["archived_at"] = self.stamp
            self._touch(invoice)

    def give_credit(self) -> None:
        """Make a credit, sent or kept as a draft."""
        amount = cents(self.chance, 120)
        credit = self._record("credits", self.credits, amount=amount, date=self._day(0), line_items=[], invoice_id="")
        if self.chance.random() < 0.8:
            credit |= {"status_id": SENT, "balance": amount}

    def reverse(self) -> None:
        """Reverse a paid invoice by a credit that names it."""
        for invoice in self._some(self.invoices, PAID):
            if invoice["amount"] > 0:
                self._record(
                    "credits", self.credits, client_id=invoice["client_id"], amount=invoice["amount"], status_id=SENT,
                    balance=invoice["amount"], date=self._day(0), line_items=[], invoice_id=invoice["id"],
                )  # fmt: skip
                invoice["status_id"] = REVERSED
                self._touch(invoice)

    def delete_credit(self) -> None:
        """Delete a credit that nothing uses."""
        for credit in (c for c in self._usable() if c["paid_to_date"] == 0):
            credit |= {"is_deleted": True, "archived_at": self.stamp}
            self._touch(credit)
            return

    def _record(self, kind: str, of: list[Record], **fields: object) -> Record:
        record = copy.deepcopy(TEMPLATES[kind])
        number = len(of)
        record |= {
            "id": f"{self.seed}-{kind[0]}{number}", "number": f"{number:04d}", "is_deleted": False, "archived_at": 0,
            "client_id": self.chance.choice(self.clients)["id"], "created_at": self.stamp, "updated_at": self.stamp,
            "balance": ZERO, "paid_to_date": ZERO, "partial": ZERO, "partial_due_date": "", "status_id": DRAFT,
        }  # fmt: skip
        of.append(record | fields)
        return of[-1]

    def _send(self, invoice: Record) -> None:
        invoice["balance"] = invoice["amount"]
        invoice["status_id"] = SENT
        self._touch(invoice)

    def _apply(self, payment: Record, invoice: Record, part: Decimal) -> None:
        self._note_use(payment, part, invoice_id=invoice["id"])
        payment["applied"] += part
        self._settle(invoice["id"], -part)

    def _use(self, payment: Record, credit: Record, part: Decimal) -> None:
        self._note_use(payment, part, credit_id=credit["id"])
        payment["applied"] -= part
        credit["balance"] -= part
        credit["paid_to_date"] += part
        credit["status_id"] = PAID if credit["balance"] == 0 else PARTLY
        self._touch(credit)

    def _note_use(self, payment: Record, part: Decimal, **what: object) -> None:
        late = self.stamp + (payment["created_at"] == self.stamp and self.chance.randint(0, 1))
        payment["paymentables"].append(
            {"id": f"{payment['id']}-{len(payment['paymentables'])}-{late}", **what, "amount": part, "refunded": ZERO,
             "created_at": late, "updated_at": late, "archived_at": 0}
        )  # fmt: skip

    def _settle(self, key: object, by: Decimal) -> None:
        """Let an invoice's balance change by an amount that was paid or given back; set its status."""
        (invoice,) = (i for i in self.invoices if i["id"] == key)
        invoice["paid_to_date"] -= by
        if invoice["partial"] > 0 and by < 0:
            invoice["partial"] = max(invoice["partial"] + by, ZERO)
            if invoice["partial"] == 0:
                invoice["partial_due_date"] = ""
        if invoice["status_id"] not in (CANCELLED, REVERSED):
            invoice["balance"] = invoice["amount"] - invoice["paid_to_date"]
            whole = SENT if invoice["paid_to_date"] == 0 or invoice["balance"] < 0 else PARTLY
            invoice["status_id"] = PAID if invoice["balance"] == 0 and invoice["paid_to_date"] else whole
        self._touch(invoice)

    def _touch(self, record: Record) -> None:
        record["updated_at"] = self.stamp

    def _day(self, off: int) -> str:
        return str(self.now.astimezone(self.zone).date() + timedelta(days=off))

    def _later(self, day: object, by: int) -> str:
        return str(datetime.fromisoformat(str(day)).replace(tzinfo=UTC).date() + timedelta(days=by))

    def _part(self, of: Decimal) -> Decimal:
        return (
            of if self.chance.random() < 0.5 else (of * self.chance.randint(1, 9) / 10).quantize(Decimal("0.01")) or of
        )

    def _some(self, records: list[Record], *statuses: str, most: int = 1) -> list[Record]:
        fitting = [r for r in records if r["status_id"] in statuses and not r["is_deleted"]]
        return self.chance.sample(fitting, min(most, len(fitting)))

    def _alive(self, records: list[Record]) -> list[Record]:
        alive = [r for r in records if not r["is_deleted"]]
        return self.chance.sample(alive, len(alive))

    def _usable(self) -> list[Record]:
        return [c for c in self._alive(self.credits) if c["status_id"] in (SENT, PARTLY) and c["balance"] > 0]

    def _paying(self, invoice: Record) -> list[Record]:
        return [
            p for p in self.payments
            if not p["is_deleted"] and any(use.get("invoice_id") == invoice["id"] for use in p["paymentables"])
        ]  # fmt: skip


def _is_refunded_twice(payment: Record) -> bool:
    """Whether a refund stands on two of its applications: the server would give back too little."""
    refunded = [use.get("invoice_id") for use in payment["paymentables"] if use["refunded"]]
    return len(refunded) > len(set(refunded))


WEIGHTS = {
    "bill": 30, "send": 4, "pay": 22, "pay_by_credit": 5, "apply_later": 8, "refund": 6, "refund_unapplied": 3,
    "use_credit_later": 3, "refund_credit": 2,
    "delete_payment": 3, "amend": 4, "cancel": 3, "delete_invoice": 3, "archive": 3, "give_credit": 6, "reverse": 2,
    "delete_credit": 1,
}  # fmt: skip
"""How often each action is drawn."""
