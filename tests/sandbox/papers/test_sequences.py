"""After any sequence of actions the figures of a client follow from its papers.

Left out are the server's oddities, each tested elsewhere: a refund of a deleted invoice, a credit that reverses an
invoice that is only partly paid, an archived credit that is restored and so counts twice, and a payment that is deleted
while its invoice is. `payment_balance` is not a sum until something computes it.
"""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.server import create_app
from tests.sandbox.conftest import NOW, Api
from tests.sandbox.papers.desk import Desk, line

WHICH = st.integers(0, 3)
CENTS = st.integers(1, 20_000).map(lambda n: n / 100)
ACTIONS = st.one_of(
    st.tuples(st.just("make"), CENTS, st.booleans()),
    st.tuples(
        st.just("act"), WHICH, st.sampled_from(("archive", "restore", "delete", "mark_sent", "mark_paid", "cancel"))
    ),
    st.tuples(st.just("change"), WHICH, CENTS),
    st.tuples(st.just("pay"), WHICH, WHICH, CENTS, st.booleans()),
    st.tuples(st.just("apply"), WHICH, WHICH, CENTS),
    st.tuples(st.just("refund"), WHICH, CENTS),
    st.tuples(st.just("drop"), WHICH, st.sampled_from(("archive", "restore", "delete"))),
    st.tuples(st.just("credit"), CENTS, st.booleans()),
    st.tuples(st.just("spend"), WHICH, WHICH, CENTS),
)


class Player(Desk):
    """Carries actions out on whatever there is; the server may refuse any of them, but never break."""

    def tried(self, verb: str, path: str, json: object) -> None:
        answer = self.sent(verb, path, json)
        assert answer.status_code in {200, 400, 422}, answer.text

    def one(self, kind: str, which: int) -> dict | None:
        rows = self.all(kind)
        return rows[which % len(rows)] if rows else None

    def make(self, cost: float, sent: bool) -> None:
        self.invoice(cost, sent=sent)

    def act(self, which: int, action: str) -> None:
        if row := self.one("invoices", which):
            self.tried("POST", "/invoices/bulk", {"action": action, "ids": [row["id"]]})

    def change(self, which: int, cost: float) -> None:
        row = self.one("invoices", which)
        if row and row["status_id"] != "5":
            self.tried("PUT", f"/invoices/{row['id']}", {"line_items": [line(cost)]})

    def pay_some(self, one: int, two: int, amount: float, rest: bool) -> None:
        named = {row["id"]: amount for which in (one, two) if (row := self.one("invoices", which))}
        parts = [{"invoice_id": number, "amount": part} for number, part in named.items()]
        body = {"client_id": self.client["id"], "amount": round(amount * len(parts) + rest, 2), "invoices": parts}
        self.tried("POST", "/payments", body)

    def apply(self, which: int, invoice: int, amount: float) -> None:
        payment, row = self.one("payments", which), self.one("invoices", invoice)
        if payment and row and not row["is_deleted"] and row["status_id"] in {"1", "2", "3"}:
            parts = [{"invoice_id": row["id"], "amount": amount}]
            self.tried("PUT", f"/payments/{payment['id']}", {"invoices": parts})

    def refund_some(self, which: int, amount: float) -> None:
        payment = self.one("payments", which)
        if not payment or payment["archived_at"]:
            return
        on = [x for x in payment["paymentables"] if "invoice_id" in x]
        if any("credit_id" in x for x in payment["paymentables"]):
            return
        if not on and amount > payment["amount"] - payment["refunded"]:
            return
        parts = {"invoices": [{"invoice_id": on[0]["invoice_id"], "amount": amount}]} if on else {}
        body = {"id": payment["id"], "amount": amount, "date": "2026-02-01", **parts}
        self.tried("POST", "/payments/refund", body)

    def drop(self, which: int, action: str) -> None:
        payment = self.one("payments", which)
        deleted = {row["id"] for row in self.all("invoices") if row["is_deleted"]}
        parts = "SELECT paper_id FROM paymentables p JOIN payments ON payments.id = payment_id WHERE p.kind = 'invoice'"
        if payment and not (action == "delete" and deleted and self.api.world.db.execute(parts).fetchall()):
            self.tried("POST", "/payments/bulk", {"action": action, "ids": [payment["id"]]})

    def give(self, cost: float, sent: bool) -> None:
        self.credit(cost, sent=sent)

    def spend(self, which: int, invoice: int, amount: float) -> None:
        credit, row = self.one("credits", which), self.one("invoices", invoice)
        if credit and row:
            body = {
                "client_id": self.client["id"],
                "amount": 0,
                "credits": [{"credit_id": credit["id"], "amount": amount}],
            }
            self.tried("POST", "/payments", {**body, "invoices": [{"invoice_id": row["id"], "amount": amount}]})


NAMED = {"pay": "pay_some", "refund": "refund_some", "credit": "give"}


@settings(max_examples=80, deadline=None)
@given(st.lists(ACTIONS, max_size=14))
def test_the_figures_of_a_client_follow_from_its_papers(actions):
    with Api(create_app(clock=lambda: NOW, behaves_like="5.12")) as api:
        player = Player(api)
        for name, *arguments in actions:
            getattr(player, NAMED.get(name, name))(*arguments)
        invoices, payments, credits_now = (player.all(kind) for kind in ("invoices", "payments", "credits"))
        balance, _, _, credit_balance = player.figures()
        assert balance == sum((x["balance"] for x in invoices if not x["is_deleted"]), Decimal(0))
        assert credit_balance == sum((x["balance"] for x in credits_now if not x["is_deleted"]), Decimal(0))
        for row in invoices:
            if not row["is_deleted"] and row["status_id"] in {"2", "3"}:
                assert row["balance"] == row["amount"] - row["paid_to_date"]
            if not row["is_deleted"] and row["status_id"] in {"1", "4", "5"}:  # a cancelled one may count as paid
                assert row["balance"] == 0
        ledger = player.ledger()
        assert [after for _, after in ledger] == [sum(x for x, _ in ledger[: i + 1]) for i in range(len(ledger))]
        assert all(x["applied"] <= x["amount"] for x in payments if not x["is_deleted"] and not x["paymentables"])
