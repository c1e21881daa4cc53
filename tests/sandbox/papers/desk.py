"""A client with its papers, as the tests of papers make and look at them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx

from tests.sandbox.conftest import Api

FIGURES = ("balance", "paid_to_date", "payment_balance", "credit_balance")


def line(cost: float, quantity: float = 1, **more: Any) -> dict[str, Any]:
    return {"cost": cost, "quantity": quantity, "product_key": "work", **more}


class Desk:
    """One client; every method asks the API, and fails unless the answer is 200."""

    def __init__(self, api: Api, name: str = "One", **client: Any) -> None:
        self.api, self.client = api, api.make(name, **client)

    def asked(self, verb: str, path: str, json: Any = None, status: int = 200, **headers: str) -> Any:
        answer = self.sent(verb, path, json, **headers)
        assert answer.status_code == status, answer.text
        return answer.json(parse_float=Decimal).get("data", answer.json())

    def sent(self, verb: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        return self.api.request(verb, "/api/v1" + path, json=json, headers=headers)

    def invoice(self, cost: float = 100, *, sent: bool = True, **more: Any) -> dict:
        body = {"client_id": self.client["id"], "line_items": [line(cost)], **more}
        return self.asked("POST", "/invoices" + ("?mark_sent=true" if sent else ""), body)

    def credit(self, cost: float = 100, *, sent: bool = True, **more: Any) -> dict:
        body = {"client_id": self.client["id"], "line_items": [line(cost)], **more}
        return self.asked("POST", "/credits" + ("?mark_sent=true" if sent else ""), body)

    def pay(
        self, amount: float, *on: tuple[dict, float], from_credits: Any = (), status: int = 200, **more: Any
    ) -> dict:
        body = {"client_id": self.client["id"], "amount": amount, "date": "2026-01-31", **more}
        body |= {"invoices": [{"invoice_id": i["id"], "amount": a} for i, a in on]} if on else {}
        body |= {"credits": [{"credit_id": c["id"], "amount": a} for c, a in from_credits]} if from_credits else {}
        return self.asked("POST", "/payments", body, status)

    def refund(self, payment: dict, amount: float, *on: tuple[dict, float], status: int = 200) -> dict:
        body = {"id": payment["id"], "amount": amount, "date": "2026-02-01"}
        body |= {"invoices": [{"invoice_id": i["id"], "amount": a} for i, a in on]} if on else {}
        return self.asked("POST", "/payments/refund", body, status)

    def bulk(self, kind: str, action: str, *rows: dict) -> list[dict]:
        return self.asked("POST", f"/{kind}/bulk", {"action": action, "ids": [row["id"] for row in rows]})

    def put(self, kind: str, row: dict, status: int = 200, **body: Any) -> dict:
        return self.asked("PUT", f"/{kind}/{row['id']}", body, status)

    def read(self, kind: str, row: dict) -> dict:
        return self.asked("GET", f"/{kind}/{row['id']}")

    def all(self, kind: str, query: str = "") -> list[dict]:
        return self.asked("GET", f"/{kind}?sort=id|asc&per_page=5000{query}")

    def figures(self) -> list[Decimal]:
        """balance, paid_to_date, payment_balance, credit_balance."""
        now = self.read("clients", self.client)
        return [now[name] for name in FIGURES]

    def ledger(self) -> list[tuple[Decimal, Decimal]]:
        """Adjustment and balance of each row, oldest first."""
        now = self.asked("GET", f"/clients/{self.client['id']}?include=ledger")
        return [(row["adjustment"], row["balance"]) for row in reversed(now["ledger"])]

    def state(self, row: dict, kind: str = "invoices") -> list[Any]:
        """status_id, balance, paid_to_date of an invoice or a credit."""
        now = self.read(kind, row)
        return [now["status_id"], now["balance"], now["paid_to_date"]]

    def paid(self, row: dict) -> list[Any]:
        """status_id, amount, applied, refunded of a payment."""
        now = self.read("payments", row)
        return [now["status_id"], now["amount"], now["applied"], now["refunded"]]
