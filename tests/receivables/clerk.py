"""A clerk who bills, collects, refunds and cancels on a running server through its API, on days of the past."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from sandbox.server import Sandbox
from tests.receivables.book_keeper import Lists

KINDS = ("clients", "invoices", "payments", "credits")
DAY = 86_400
WEIGHTS = {
    "bill": 30, "send": 4, "pay": 24, "spend": 5, "apply": 8, "refund": 7, "amend": 5, "cancel": 3, "drop_payment": 3,
    "delete": 3, "restore": 1, "archive": 3, "mark_paid": 3, "give": 7, "reverse": 2,
}  # fmt: skip
"""How often each action is drawn."""


class Clerk:
    """Works on one server; the server may refuse an action, but never break."""

    def __init__(self, box: Sandbox, seed: object) -> None:
        self.box, self.chance = box, Random(str(seed))  # noqa: S311 - made-up amounts
        self.done: dict[str, int] = {}
        self.seen: dict[str, list] = {}

    def work(self, actions: int, days: int) -> Clerk:
        """Do so many drawn actions on the last days; at the end the server's clock is right again."""
        moment = time.time() - days * DAY
        for _ in range(actions):
            moment += self.chance.choice([20, 70, 3000, *[2 * days * DAY / actions] * 3]) * self.chance.random()
            moment = min(moment, time.time() - 5)
            self._ask("POST", "/_sandbox/switches", {"clock": {"now": int(moment)}})
            self.today = datetime.fromtimestamp(moment, UTC).date()
            kind = self.chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            if self._try(kind):
                self.done[kind] = self.done.get(kind, 0) + 1
        self._ask("POST", "/_sandbox/switches", {"clock": {"now": None}})
        return self

    def lists(self, zone: str) -> Lists:
        """All that the server lists now."""
        self.seen.clear()
        return Lists(*(self._all(kind) for kind in KINDS), zone)

    def _try(self, kind: str) -> bool:
        self.seen.clear()
        asked = getattr(self, f"_{kind}")()
        return asked is not None and self._ask("POST" if asked[0] != "PUT" else "PUT", *asked[-2:]) is not None

    def _bill(self) -> tuple[str, Mapping[str, object]]:
        due = self.chance.choice([None, 0, 14, 30, 30, 60, -5])
        cost = self._amount(900)
        asked = {"partial": round(cost / 3, 2), "partial_due_date": self._day(3)} if self.chance.random() < 0.3 else {}
        body = {
            "client_id": self._one("clients")["id"], "date": self._day(self.chance.choice([0, 0, -20])), **asked,
            "due_date": "" if due is None else self._day(due), "line_items": [_line(cost)],
        }  # fmt: skip
        return f"/api/v1/invoices{'?mark_sent=true' * (self.chance.random() < 0.85)}", body

    def _send(self):
        return self._bulk("invoices", "mark_sent", "1")

    def _cancel(self):
        return self._bulk("invoices", "cancel", "23")

    def _mark_paid(self):
        return self._bulk("invoices", "mark_paid", "23")

    def _archive(self):
        return self._bulk("invoices", "archive", "234")

    def _delete(self):
        """Only one on which no credit was spent: the server does not give those back."""
        spent = {
            use.get("invoice_id")
            for p in self._all("payments")
            for use in self._uses(p)
            if _by_credit(p) or use["refunded"]
        }
        rows = [row for row in self._alive("invoices") if row["status_id"] in "1234" and row["id"] not in spent]
        return self._on("invoices", "delete", rows)

    def _restore(self):
        return self._on("invoices", "restore", [row for row in self._all("invoices") if row["is_deleted"]])

    def _drop_payment(self):
        """Only one whose invoices are there: else the server leaves their figures half changed."""
        gone = {row["id"] for row in self._all("invoices") if row["is_deleted"] or row["status_id"] in "56"}
        rows = [p for p in self._alive("payments") if not gone & {use.get("invoice_id") for use in self._uses(p)}]
        rows = [p for p in rows if not any(use["refunded"] for use in self._uses(p))]
        return self._on("payments", "delete", rows)

    def _pay(self):
        client = self._one("clients")["id"]
        owing = [
            i
            for i in self._alive("invoices")
            if i["client_id"] == client and i["status_id"] in "23" and i["balance"] > 0
        ]
        parts = [
            {"invoice_id": row["id"], "amount": self._part(row["balance"])}
            for row in owing[: self.chance.randint(0, 3)]
        ]
        amount = sum(part["amount"] for part in parts) + self.chance.choice([0, 0, self._amount(50)])
        day = self._day(self.chance.choice([0, 0, -9, 2]))
        return "/api/v1/payments", {"client_id": client, "amount": round(amount, 2), "date": day, "invoices": parts}

    def _apply(self):
        for payment in self._alive("payments"):
            left = payment["amount"] - payment["applied"] - payment["refunded"]
            for row in self._alive("invoices"):
                fits = row["client_id"] == payment["client_id"] and row["status_id"] in "23" and row["balance"] > 0
                if left > 0 and not payment["refunded"] and fits:
                    parts = [{"invoice_id": row["id"], "amount": float(min(left, row["balance"]))}]
                    return "PUT", f"/api/v1/payments/{payment['id']}", {"invoices": parts}
        return None

    def _refund(self):
        """Not of a cancelled invoice: the server opens it again, but only by the sum refunded."""
        open_ones = {row["id"] for row in self._alive("invoices") if row["status_id"] in "234"}
        for payment in self._alive("payments"):
            uses = [use for use in self._uses(payment) if use.get("invoice_id")]
            if not {use["invoice_id"] for use in uses} <= open_ones:
                continue
            left = (uses[0] if uses else payment)["amount"] - (uses[0] if uses else payment)["refunded"]
            if left > 0 and not _by_credit(payment):
                part = self._part(left)
                named = {"invoices": [{"invoice_id": uses[0]["invoice_id"], "amount": part}]} if uses else {}
                return "/api/v1/payments/refund", {"id": payment["id"], "amount": part, "date": self._day(0), **named}
        return None

    def _amend(self):
        rows = [i for i in self._alive("invoices") if i["status_id"] in "23" and not i["partial"]]
        return (
            ("PUT", f"/api/v1/invoices/{rows[0]['id']}", {"line_items": [_line(self._amount(900))]}) if rows else None
        )

    def _give(self):
        client, sent = self._one("clients")["id"], "?mark_sent=true" * (self.chance.random() < 0.8)
        body = {"client_id": client, "date": self._day(0), "line_items": [_line(self._amount(120))]}
        return f"/api/v1/credits{sent}", body

    def _spend(self):
        """Not of an archived credit: the server pays the invoice and leaves the credit as it is."""
        usable = [c for c in self._alive("credits") if c["status_id"] in "23" and not c["archived_at"]]
        for credit in (c for c in usable if c["balance"] > 0):
            for row in self._alive("invoices"):
                if row["client_id"] == credit["client_id"] and row["status_id"] in "23" and row["balance"] > 0:
                    part = float(min(credit["balance"], row["balance"]))
                    parts = {"credits": [{"credit_id": credit["id"], "amount": part}]}
                    parts |= {"invoices": [{"invoice_id": row["id"], "amount": part}]}
                    return "/api/v1/payments", {
                        "client_id": credit["client_id"],
                        "amount": 0,
                        "date": self._day(0),
                        **parts,
                    }
        return None

    def _reverse(self):
        rows = [row for row in self._alive("invoices") if row["status_id"] == "4" and row["amount"] > 0]
        if not rows:
            return None
        body = {"client_id": rows[0]["client_id"], "invoice_id": rows[0]["id"], "date": self._day(0)}
        return "/api/v1/credits", {**body, "line_items": [_line(float(rows[0]["amount"]))]}

    def _bulk(self, kind: str, action: str, statuses: str):
        return self._on(kind, action, [row for row in self._alive(kind) if row["status_id"] in statuses])

    def _on(self, kind: str, action: str, rows: list):
        return (f"/api/v1/{kind}/bulk", {"action": action, "ids": [self.chance.choice(rows)["id"]]}) if rows else None

    def _one(self, kind: str):
        return self.chance.choice(self._alive(kind))

    def _uses(self, payment):
        return payment["paymentables"]

    def _alive(self, kind: str) -> list:
        rows = [row for row in self._all(kind) if not row["is_deleted"]]
        return self.chance.sample(rows, len(rows))

    def _all(self, kind: str) -> list:
        if kind not in self.seen:
            self.seen[kind] = self._ask("GET", f"/api/v1/{kind}?per_page=5000&sort=id%7Casc", None)["data"]
        return self.seen[kind]

    def _amount(self, most: int) -> float:
        return self.chance.randint(1, most * 100) / 100

    def _part(self, of: Decimal) -> float:
        return float(of) if self.chance.random() < 0.5 else max(0.01, round(float(of) * self.chance.random(), 2))

    def _day(self, off: int) -> str:
        return str(self.today + timedelta(days=off))

    def _ask(self, method: str, path: str, body: object):
        """The answer, or None if the server refuses. Raises AssertionError for any other problem."""
        headers = {
            "X-API-TOKEN": self.box.token,
            "X-Requested-With": "XMLHttpRequest",
            "Content-Type": "application/json",
        }
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.box.url + path, data, headers, method=method)  # noqa: S310 - our own server
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
                return json.loads(answer.read(), parse_float=Decimal)
        except urllib.error.HTTPError as problem:
            if problem.code not in {400, 422}:
                raise AssertionError(f"{method} {path}: {problem.code} {problem.read()[:300]}") from None
            return None


def _by_credit(payment) -> bool:
    return any(use.get("credit_id") for use in payment["paymentables"])


def _line(cost: float) -> dict[str, object]:
    return {"quantity": 1, "cost": cost, "product_key": "work", "notes": "work"}
