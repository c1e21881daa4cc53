"""What happens to invoices, payments and credits between two requests, as their users do it by the API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.histories.server import Server

DAY = "2026-09-21"


def _chosen(server: Server, kind: str, which: Sequence[int]) -> list[str]:
    ids = server.ids(kind)
    return list(dict.fromkeys(ids[n % len(ids)] for n in which)) if ids else []


def _paper(server: Server, kind: str, key: str) -> Any:
    return (server.call("GET", f"/api/v1/{kind}/{key}") or {}).get("data")


def _bulk(server: Server, kind: str, action: str, ids: Sequence[str]) -> None:
    if ids:
        server.call("POST", f"/api/v1/{kind}/bulk", {"action": action, "ids": list(ids)})


def _made(kind: str) -> Callable[[Server, Sequence[int], int], None]:
    """New invoices or credits with one to three lines; every other one is sent."""

    def make(server: Server, which: Sequence[int], how: int) -> None:
        for client in _chosen(server, "clients", which):
            lines = [{"quantity": 1, "cost": 10 * how + line, "notes": f"Line {line}"} for line in range(how % 3 + 1)]
            made = server.call("POST", f"/api/v1/{kind}", {"client_id": client, "line_items": lines})
            if made and how % 2:
                _bulk(server, kind, "mark_sent", [made["data"]["id"]])

    return make


def pay(server: Server, which: Sequence[int], how: int) -> None:
    for key in _chosen(server, "invoices", which):
        paper = _paper(server, "invoices", key)
        if paper:
            uses = [{"invoice_id": key, "amount": how + 1}] if how % 3 else []
            body = {"client_id": paper["client_id"], "amount": how + 1, "date": DAY, "invoices": uses}
            server.call("POST", "/api/v1/payments", body)


def refund(server: Server, which: Sequence[int], how: int) -> None:
    for key in _chosen(server, "payments", which):
        uses = (_paper(server, "payments", key) or {}).get("paymentables", [])
        parts = [{"invoice_id": use["invoice_id"], "amount": 1} for use in uses[:1] if use.get("invoice_id")]
        body = {"id": key, "amount": 1, "date": DAY, "invoices": parts}
        server.call("POST", "/api/v1/payments/refund", body)


def change_lines(server: Server, which: Sequence[int], how: int) -> None:
    for key in _chosen(server, "invoices", which):
        lines = [{"quantity": how, "cost": 7, "notes": "Changed"}] * (how % 4)
        server.call("PUT", f"/api/v1/invoices/{key}", {"line_items": lines})


def _each(action: str, *kinds: str) -> Callable[[Server, Sequence[int], int], None]:
    def do(server: Server, which: Sequence[int], how: int) -> None:
        kind = kinds[how % len(kinds)]
        _bulk(server, kind, action, _chosen(server, kind, which))

    return do


PAPER_DEEDS: dict[str, Callable[[Server, Sequence[int], int], None]] = {
    "bill": _made("invoices"), "give_credit": _made("credits"), "pay": pay, "refund": refund,
    "change_lines": change_lines, "send": _each("mark_sent", "invoices", "credits"),
    "cancel": _each("cancel", "invoices"), "delete_paper": _each("delete", "invoices", "payments", "credits"),
    "restore_paper": _each("restore", "invoices", "payments", "credits"),
    "archive_paper": _each("archive", "invoices", "payments", "credits"),
}  # fmt: skip
OFTEN_WITH_PAPERS = ("bill", "bill", "bill", "pay", "purge", "merge")
