"""Very many believable invoices, payments and credits in files, for the clients of `tests.bench.crowd`.

Each record has the keys of the recorded ones, in their order. For every client there are five invoices and four
payments; every fifth has a credit. An invoice has two or three lines. Three in ten have lines of fewer keys, as an
older version made them, so a page mixes both. A payment pays one invoice, sometimes two, sometimes a credit is used
too; a few are not applied yet. The same number of clients makes the same bytes.

    <folder>/<kind>/records.bin, places.npy, stamps.npy, truth.json     as of the clients
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from sandbox.php import hashids
from tests.bench.crowd import FIRST, LAST, MICROS

RECORDED = Path(__file__).parents[1] / "recordings" / "documents"
INVOICES, PAYMENTS, CREDITS = "invoices", "payments", "credits"
EACH = {INVOICES: 5.0, PAYMENTS: 4.0, CREDITS: 0.2}
"""Documents for each client."""

FORM = 1
"""Raised whenever other bytes are made, so that old files are made again."""
DAY = 86_400
NEWER_KEYS = frozenset({"tax_id", "unit_code", "task_id", "expense_id", "net_cost"})
"""Keys that a line of an older invoice does not have."""
OLDER = 0.3
"""The part of all invoices whose lines have fewer keys."""
DEPOSIT = 5
"""The amount of a payment's second application."""
RATES = (0, 7, 19)
QUANTITIES = (1, 1, 2, 1.5, 8)
PRODUCTS = {
    "consulting": "Consulting, by the hour",
    "hosting": "Hosting for a month",
    "travel": "Fahrt nach Köln",
    "support": "Support",
    "licence": "Licence for a year",
    "": "Discount agreed by phone",
}
Record = dict[str, Any]


@dataclass(frozen=True)
class DocumentTruth:
    """What a database must hold of one kind. Amounts are millionths, as whole numbers: exact.

    `balance` is the sum of balances, of payments the sum of amounts.
    """

    clients: int
    rows: int
    children: int
    balance: int
    form: int = FORM

    @property
    def totals(self) -> tuple[int, int]:
        """The rows and their children."""
        return self.rows, self.children

    @property
    def money(self) -> Decimal:
        """The sum as an amount."""
        return Decimal(self.balance) / MICROS


def made(folder: Path, clients: int) -> dict[str, DocumentTruth]:
    """Return the truth of the files in `folder`, by kind. Make the files that are missing."""
    makers: dict[str, Callable[[Crowd, int, int], Record]] = {
        INVOICES: Crowd.invoice, PAYMENTS: Crowd.payment, CREDITS: Crowd.credit,
    }  # fmt: skip
    crowd = Crowd(clients)
    return {kind: _made(folder / kind, kind, crowd, maker) for kind, maker in makers.items()}


def _made(folder: Path, kind: str, crowd: Crowd, maker: Callable[[Crowd, int, int], Record]) -> DocumentTruth:
    noted, count = folder / "truth.json", crowd.count[kind]
    if noted.exists():
        truth = DocumentTruth(**json.loads(noted.read_text()))
        if (truth.clients, truth.form) == (crowd.clients, FORM):
            return truth
        noted.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(kind)  # noqa: S311 - believable data, not cryptography
    stamps = sorted(chance.randrange(FIRST, LAST) for _ in range(count))
    places, children, balance, at = np.zeros(count + 1, np.int64), 0, 0, 0
    child, amount = ("paymentables", "amount") if kind == PAYMENTS else ("line_items", "balance")
    with (folder / "records.bin").open("wb") as file:
        for number, stamp in enumerate(stamps):
            record = maker(crowd, number, stamp)
            at += file.write(_written(record))
            places[number + 1], children = at, children + len(record[child])
            balance += int(Decimal(repr(record[amount])) * MICROS)
    np.save(folder / "places.npy", places)
    np.save(folder / "stamps.npy", np.array(stamps, np.int64))
    truth = DocumentTruth(crowd.clients, count, children, balance)
    noted.write_text(json.dumps(asdict(truth)))
    return truth


class Crowd:
    """The documents of a number of clients, each made of its number alone."""

    def __init__(self, clients: int) -> None:
        self.clients = clients
        self.count = {kind: int(clients * each) for kind, each in EACH.items()}
        self._invoice, self._credit = (_recorded(kind)[0] for kind in (INVOICES, CREDITS))
        self._payment = {key: value for key, value in _recorded(PAYMENTS)[0].items() if key not in (INVOICES, CREDITS)}
        self._line, self._note = self._invoice["line_items"]

    def invoice(self, number: int, stamp: int) -> Record:
        """An invoice, paid as the payments below say."""
        chance = random.Random(number)  # noqa: S311 - as above
        lines = [self._line_of(chance, at) for at in range(2 + (chance.random() < 0.5))]
        if chance.random() < OLDER:
            lines = [{key: value for key, value in line.items() if key not in NEWER_KEYS} for line in lines]
        amount, paid = self._amount(number), self._paid(number)
        return self._document(self._invoice, number, stamp, lines) | {
            "amount": amount, "balance": round(amount - paid, 2), "paid_to_date": paid, "number": f"R{number + 1:07d}",
            "status_id": "2" if not paid else "4" if paid == amount else "3", "due_date": _day(stamp + 30 * DAY),
        }  # fmt: skip

    def credit(self, number: int, stamp: int) -> Record:
        """A credit. The payment of the same number uses a part of it, if it pays one invoice."""
        chance = random.Random(-1 - number)  # noqa: S311 - as above
        used = DEPOSIT if _is_applied(number) and not self._pays_two(number) else 0
        return self._document(self._credit, number, stamp, [self._line_of(chance, 0)]) | {
            "amount": 100.5, "balance": 100.5 - used, "paid_to_date": used, "number": f"G{number + 1:06d}",
            "status_id": "3" if used else "2",
        }  # fmt: skip

    def payment(self, number: int, stamp: int) -> Record:
        """A payment of the invoice of the same number, some also of another invoice or by a credit; some of none."""
        paid = [("invoice_id", number, self._amount(number))] if _is_applied(number) else []
        if paid and self._pays_two(number):
            paid.append(("invoice_id", self.count[PAYMENTS] + number, DEPOSIT))
        elif paid and number < self.count[CREDITS]:
            paid.append(("credit_id", number, DEPOSIT))
        uses = [
            {
                "id": hashids.encode(2 * number + place + 1), key: hashids.encode(of + 1), "amount": amount,
                "refunded": 0, "created_at": stamp, "updated_at": stamp, "archived_at": 0,
            }
            for place, (key, of, amount) in enumerate(paid)
        ]  # fmt: skip
        applied = round(sum(amount for key, _, amount in paid if key == "invoice_id"), 2)
        return self._payment | {
            "id": hashids.encode(number + 1), "client_id": self._client(number), "number": f"Z{number + 1:07d}",
            "amount": applied or 50, "applied": applied, "date": _day(stamp), "created_at": stamp, "updated_at": stamp,
            "type_id": str(1 + number % 3), "transaction_reference": f"TRX-{number:08x}", "paymentables": uses,
        }  # fmt: skip

    def _amount(self, number: int) -> float:
        """The total of an invoice, by its number alone: with cents, mostly."""
        cents = 1_000 + number * 7_919 % 900_000
        return cents / 100 if cents % 100 else cents // 100

    def _paid(self, number: int) -> float:
        """What is paid of an invoice."""
        beyond = number - self.count[PAYMENTS]
        if beyond < 0:
            return self._amount(number) if _is_applied(number) else 0
        return DEPOSIT if _is_applied(beyond) and self._pays_two(beyond) else 0

    def _pays_two(self, number: int) -> bool:
        return number < self.clients and number % 3 == 0

    def _client(self, number: int) -> str:
        return hashids.encode(number % self.clients + 1)

    def _document(self, pattern: Record, number: int, stamp: int, lines: list[Record]) -> Record:
        invitation = pattern["invitations"][0] | {
            "id": hashids.encode(number + 1), "client_contact_id": hashids.encode(2 * (number % self.clients) + 1),
            "key": f"k{number:031x}", "link": f"https://ninja.test/client/invoice/k{number:031x}",
            "sent_date": f"{_day(stamp)} 08:00:00", "updated_at": stamp, "created_at": stamp,
        }  # fmt: skip
        return pattern | {
            "id": hashids.encode(number + 1), "client_id": self._client(number), "date": _day(stamp),
            "created_at": stamp, "updated_at": stamp, "line_items": lines, "invitations": [invitation],
            "partial_due_date": "", "total_taxes": round(sum(line["tax_amount"] for line in lines), 2),
        }  # fmt: skip

    def _line_of(self, chance: random.Random, place: int) -> Record:
        """A line with the sums of a float, as the server computes them."""
        key, notes = chance.choice(list(PRODUCTS.items()))
        quantity, cost, rate = chance.choice(QUANTITIES), chance.randrange(100, 90_000) / 100, chance.choice(RATES)
        total = round(quantity * cost, 2)
        tax = round(total * rate / 100, 2)
        return (self._note if place else self._line) | {
            "quantity": quantity, "cost": cost, "product_key": key, "notes": notes, "discount": 0,
            "tax_name1": "VAT" if rate else "", "tax_rate1": rate, "tax_amount": tax, "line_total": total,
            "gross_line_total": total + tax,
        }  # fmt: skip


def _is_applied(payment: int) -> bool:
    return payment % 50 != 49


def _recorded(kind: str) -> list[Record]:
    records: list[Record] = json.loads((RECORDED / f"{kind}.json").read_text())["data"]
    return records


def _written(record: Record) -> bytes:
    """A record as PHP writes it, with a comma behind it: a whole number has no point, and each slash is escaped."""
    return json.dumps(record, separators=(",", ":")).replace("/", "\\/").replace(".0,", ",").encode() + b","


def _day(stamp: int) -> str:
    return datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%d")
