"""The papers of seeded clients, as the API lists them: they carry the clients' figures to the last decimal."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal

import pytest

from sandbox.server import create_app
from tests.sandbox.conftest import NOW, Api

FIGURES = ("balance", "paid_to_date", "payment_balance", "credit_balance")
CANCELLED = "5"


@pytest.fixture(scope="module")
def seeded():
    with Api(create_app(clients=300, seed=6, clock=lambda: NOW)) as api:
        yield api


@pytest.fixture(scope="module")
def papers(seeded) -> dict[str, list]:
    return {kind: listed(seeded, kind) for kind in ("clients", "invoices", "payments", "credits")}


def listed(api: Api, kind: str, **query) -> list[dict]:
    """Every row of this kind, with exact amounts."""
    asked = "&".join(f"{name}={value}" for name, value in ({"per_page": 5000, "sort": "id|asc"} | query).items())
    return api.get(f"/api/v1/{kind}?{asked}").json(parse_float=Decimal)["data"]


def test_the_papers_of_every_seeded_client_add_up_to_its_figures(papers):
    sums = defaultdict(lambda: dict.fromkeys(FIGURES, Decimal(0)))
    for invoice in papers["invoices"]:
        if not invoice["is_deleted"]:
            sums[invoice["client_id"]]["balance"] += invoice["balance"]
    for payment in papers["payments"]:
        if not payment["is_deleted"]:
            used = sum(part["amount"] for part in payment["paymentables"] if "credit_id" in part)
            sums[payment["client_id"]]["paid_to_date"] += payment["amount"] - payment["refunded"] + used
            sums[payment["client_id"]]["payment_balance"] += payment["amount"] - payment["applied"]
    for credit in papers["credits"]:
        sums[credit["client_id"]]["credit_balance"] += credit["balance"]
    for client in papers["clients"]:
        assert sums[client["id"]] == {name: client[name] for name in FIGURES}


def test_the_paymentables_of_an_invoice_add_up_to_what_is_paid(papers):
    paid, used = Counter(), Counter()
    for payment in papers["payments"]:
        for part in payment["paymentables"]:
            paid[part.get("invoice_id")] += part["amount"] - part["refunded"] if "invoice_id" in part else 0
            used[part.get("credit_id")] += part["amount"] if "credit_id" in part else 0
    assert all(invoice["paid_to_date"] == paid[invoice["id"]] for invoice in papers["invoices"])
    assert all(credit["paid_to_date"] == used[credit["id"]] for credit in papers["credits"])


@pytest.mark.parametrize("kind", ["invoices", "credits"])
def test_lines_add_up_to_the_amount_of_their_paper(papers, kind):
    for paper in papers[kind]:
        gross = sum(Decimal(str(line["gross_line_total"])) for line in paper["line_items"])
        assert abs(gross - paper["amount"]) < Decimal("0.000001")
        assert sum(Decimal(str(line["tax_amount"])) for line in paper["line_items"]) == paper["total_taxes"]


@pytest.mark.parametrize("kind", ["invoices", "payments", "credits"])
def test_ids_and_numbers_follow_the_order_of_creation(papers, kind):
    rows = papers[kind]
    made = [row["created_at"] for row in rows]
    assert made == sorted(made)
    numbers = [row["number"].removesuffix("_Deleted") for row in rows]
    assert numbers == [f"{number:04d}" for number in range(1, len(rows) + 1)]
    assert all(row["created_at"] <= row["updated_at"] <= NOW for row in rows)


@pytest.mark.parametrize("kind", ["invoices", "payments", "credits"])
def test_papers_are_not_older_than_their_client(papers, kind):
    made = {client["id"]: client["created_at"] for client in papers["clients"]}
    assert all(row["created_at"] >= made[row["client_id"]] for row in papers[kind])


def test_a_payment_follows_its_invoices_and_moves_them(papers):
    invoices = {invoice["id"]: invoice for invoice in papers["invoices"]}
    for payment in papers["payments"]:
        for part in payment["paymentables"]:
            if "invoice_id" in part:
                invoice = invoices[part["invoice_id"]]
                assert invoice["client_id"] == payment["client_id"]
                assert invoice["created_at"] <= payment["created_at"] <= payment["updated_at"] <= invoice["updated_at"]


def test_terms_of_the_client_make_the_due_date(seeded, papers):
    terms = {client["id"]: client["settings"].get("payment_terms") for client in papers["clients"]}
    days = defaultdict(set)
    for invoice in papers["invoices"]:
        if invoice["due_date"]:
            agreed = terms[invoice["client_id"]]
            days[agreed].add(_days(invoice["date"], invoice["due_date"]))
    assert days["7"] == {7}
    assert days["60"] == {60}
    assert days[None] <= {14, 30}


def _days(start: str, end: str) -> int:
    return (date.fromisoformat(end) - date.fromisoformat(start)).days


def test_a_change_of_nothing_leaves_amounts_that_have_no_odd_decimals():
    with Api(create_app(clients=60, seed=6, clock=lambda: NOW)) as api:
        before = {client["id"]: client for client in listed(api, "clients")}
        odd = set()
        for kind in ("invoices", "credits"):
            for paper in listed(api, kind):
                if paper["amount"] % Decimal("0.01") or paper["balance"] % Decimal("0.01"):
                    odd.add(paper["client_id"])
                elif not paper["is_deleted"] and paper["status_id"] != CANCELLED:
                    saved = api.put(f"/api/v1/{kind}/{paper['id']}", json={}).json(parse_float=Decimal)["data"]
                    kept = {
                        name: saved[name] for name in ("amount", "balance", "total_taxes", "status_id", "paid_to_date")
                    }
                    assert kept == {name: paper[name] for name in kept}
        assert 0 < len(odd) < 10
        for client in listed(api, "clients"):
            if client["id"] not in odd:
                assert [client[name] for name in FIGURES] == [before[client["id"]][name] for name in FIGURES]


def test_the_state_filters_find_all_states(seeded):
    states = ("draft", "unpaid", "paid", "overdue", "cancelled")
    found = {state: len(listed(seeded, "invoices", client_status=state)) for state in states}
    assert min(found.values()) > 0
    payments = ("completed", "partially_refunded", "cancelled", "partially_unapplied")
    assert all(listed(seeded, "payments", client_status=state) for state in payments)
    assert all(listed(seeded, "credits", client_status=state) for state in ("draft", "sent", "partial"))


def test_the_ledger_tells_of_every_payment(seeded, papers):
    told = Counter(
        entry["payment_id"]
        for client in listed(seeded, "clients", include="ledger")
        for entry in client["ledger"]
        if "payment_id" in entry
    )
    assert set(told) == {payment["id"] for payment in papers["payments"] if payment["paymentables"]}


def test_the_next_invoice_has_the_next_number(seeded, papers):
    counters = dict(seeded.world.db.execute("SELECT kind, next FROM counters WHERE company_id = 1"))
    assert counters.items() >= {kind: len(papers[kind]) + 1 for kind in ("invoices", "payments", "credits")}.items()


def test_clients_beyond_the_number_asked_for_have_figures_only():
    with Api(create_app(clients=60, seed=6, clock=lambda: NOW, invoiced=20)) as api:
        first = {client["id"] for client in listed(api, "clients")[:20]}
        assert {invoice["client_id"] for invoice in listed(api, "invoices")} <= first
    with Api(create_app(clients=60, seed=6, clock=lambda: NOW, invoiced=0)) as api:
        assert listed(api, "invoices") == listed(api, "payments") == []
        assert any(client["balance"] for client in listed(api, "clients"))


def test_clients_that_are_added_later_bring_papers_of_that_moment(seeded):
    with Api(create_app(clients=5, seed=6, clock=lambda: NOW)) as api:
        api.switch(clock={"advance": 100})
        ids = set(api.post("/_sandbox/clients", json={"count": 40}).json()["ids"])
        brought = [row for row in listed(api, "invoices") if row["client_id"] in ids]
        assert brought
        assert min(row["created_at"] for row in brought) >= NOW + 99


@pytest.mark.parametrize("generation", ["5.10", "5.12", "2026"])
def test_a_merge_of_seeded_clients_adds_what_their_papers_add_up_to(generation):
    with Api(create_app(clients=60, seed=6, clock=lambda: NOW, behaves_like=generation)) as api:
        rich = [c for c in listed(api, "clients", status="active") if c["balance"] and c["paid_to_date"]][:4]
        password = {"X-API-PASSWORD": api.sandbox.password}
        for kept, other in zip(rich[::2], rich[1::2], strict=True):
            moved = {
                kind: len(listed(api, kind, client_id=other["id"])) for kind in ("invoices", "payments", "credits")
            }
            had = {kind: len(listed(api, kind, client_id=kept["id"])) for kind in moved}
            answer = api.post(f"/api/v1/clients/{kept['id']}/{other['id']}/merge", headers=password)
            merged = answer.json(parse_float=Decimal)["data"]
            assert merged["balance"] == kept["balance"] + other["balance"]
            assert merged["paid_to_date"] == kept["paid_to_date"] + other["paid_to_date"]
            assert merged["credit_balance"] == kept["credit_balance"] + other["credit_balance"]
            now = {kind: len(listed(api, kind, client_id=kept["id"])) for kind in moved}
            assert now == {kind: had[kind] + moved[kind] for kind in moved}


def test_a_purge_of_a_seeded_client_takes_its_papers():
    with Api(create_app(clients=30, seed=6, clock=lambda: NOW)) as api:
        client = next(c for c in listed(api, "clients") if c["paid_to_date"] and c["balance"])
        password = {"X-API-PASSWORD": api.sandbox.password}
        assert api.post(f"/api/v1/clients/{client['id']}/purge", headers=password).status_code == 200
        for kind in ("invoices", "payments", "credits"):
            assert client["id"] not in {row["client_id"] for row in listed(api, kind)}
        left = api.world.db.execute(
            "SELECT count(*) FROM paymentables WHERE payment_id NOT IN (SELECT id FROM payments)"
        )
        assert left.fetchone() == (0,)


def test_a_seeded_invoice_is_paid_to_the_last_cent():
    with Api(create_app(clients=30, seed=6, clock=lambda: NOW)) as api:
        clients = {client["id"]: client for client in listed(api, "clients", status="active")}
        unpaid = listed(api, "invoices", client_status="unpaid", status="active")
        invoice = next(x for x in unpaid if x["client_id"] in clients and x["balance"] > 0 and not x["partial"])
        before = clients[invoice["client_id"]]
        part = {"invoice_id": invoice["id"], "amount": str(invoice["balance"])}
        body = {"client_id": invoice["client_id"], "amount": str(invoice["balance"]), "invoices": [part]}
        assert api.post("/api/v1/payments", json=body).status_code == 200
        now = api.get(f"/api/v1/invoices/{invoice['id']}").json(parse_float=Decimal)["data"]
        assert (now["balance"], now["status_id"], now["paid_to_date"]) == (0, "4", invoice["amount"])
        after = api.get(f"/api/v1/clients/{before['id']}").json(parse_float=Decimal)["data"]
        assert after["balance"] == before["balance"] - invoice["balance"]
        assert after["paid_to_date"] == before["paid_to_date"] + invoice["balance"]
