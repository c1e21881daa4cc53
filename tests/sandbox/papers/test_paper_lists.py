"""Lists of papers: what each parameter leaves out, and that a long page costs no more statements than a short one."""

from __future__ import annotations

import pytest

from sandbox.server import create_app
from tests.sandbox.conftest import NOW, Api
from tests.sandbox.papers.desk import Desk, line

DAY = 86_400


@pytest.fixture
def shelf(desk) -> Desk:
    """Invoices in every state, a payment and a credit."""
    desk.invoice(10, sent=False, number="draft", po_number="PO-1")
    desk.invoice(60, number="late", due_date="2020-01-01", date="2019-12-01")
    desk.invoice(
        70, number="deposit", due_date="2099-01-01", partial=5, partial_due_date="2020-01-01", date="2019-12-01"
    )
    desk.invoice(80, number="soon", due_date="2099-01-01", private_notes="Ask Ann")
    desk.pay(40, (desk.invoice(40, number="paid"), 40), number="bound")
    desk.bulk("invoices", "archive", desk.invoice(50, number="kept"))
    desk.bulk("invoices", "delete", desk.invoice(20, number="gone"))
    desk.bulk("invoices", "cancel", desk.invoice(30, number="off"))
    desk.pay(7, number="free")
    return desk


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("client_status=overdue", "late deposit"),
        ("client_status=overdue,paid", "late deposit paid"),
        ("client_status=all,paid", "draft late deposit soon paid kept gone_Deleted off"),
        ("overdue=false", "late deposit"),
        ("upcoming=true", "soon kept"),
        ("status_id=4,5", "paid off"),
        ("status=active&client_status=unpaid", "late deposit soon"),
        ("number=late", "late"),
        ("filter=LATE", "late"),
        ("filter=PO-1", ""),
        ("filter=70.00", "deposit"),
        ("filter=One&status=archived", "kept"),
        ("private_notes=ann", "soon"),
        ("with_trashed=false&status=archived,deleted", "kept"),
        ("created_at=4000000000", ""),
        ("without_deleted_clients=x&client_status=paid", "paid"),
        ("date=2019-12-02&client_status=overdue", ""),
        ("date=2019-12-01&client_status=overdue", "late deposit"),
        ("date=nonsense&client_status=overdue", "late deposit"),
        ("date=1575158400&client_status=overdue", "late deposit"),
        ("date=1575158401&client_status=overdue", ""),
        ("due_date=2020-01-02", "deposit soon"),
        ("date_range=2019-11-30,2019-12-01", "late deposit"),
        ("date_range=2019-11-30,2019-11-30", ""),
        ("date_range=2019-12-01&client_status=overdue", "late deposit"),
        ("date_range=0,86400&client_status=overdue", "late deposit"),
        ("due_date_range=2019-12-31,2020-01-01", "late"),
        ("vendor_id=zzzzzzzzzz", ""),
        ("without_deleted_vendors=x&client_status=paid", "paid"),
    ],
)
def test_parameters_of_invoices(shelf, query, numbers):
    assert [row["number"] for row in shelf.all("invoices", "&" + query)] == numbers.split()


def test_a_due_date_that_is_no_day_breaks_the_list(desk):
    assert desk.asked("GET", "/invoices?due_date=nonsense", status=500)["message"] == "Server Error"


def test_parameters_of_payments_and_credits_by_their_days(desk):
    desk.pay(5, number="early", date="2026-01-15")
    desk.pay(6, number="later", date="2026-02-15")
    for query, numbers in (
        ("date_range=date,2026-01-01,2026-01-31", ["early"]),
        ("date_range=2026-01-01,2026-01-31", ["early", "later"]),
        ("date_range=number,2026-01-01,2026-01-31", ["early", "later"]),
    ):
        assert [row["number"] for row in desk.all("payments", "&" + query)] == numbers
    for number, more in (("open", {}), ("gone", {"due_date": "2020-01-01"}), ("unsent", {"sent": False})):
        desk.credit(10, number=number, date="2020-01-01", **more)
    assert [row["number"] for row in desk.all("credits", "&applicable=true")] == ["open"]
    assert len(desk.all("credits", "&date_range=2020-01-01,2020-01-01")) == 3


def test_parameters_of_invoices_by_line_and_contact(desk):
    client = desk.api.make("Two", contacts=[{"email": "ann@x.io", "first_name": "Ann"}])
    desk.invoice(number="A", client_id=client["id"])
    desk.invoice(number="B", line_items=[line(1, notes="Annual fee")])
    assert [row["number"] for row in desk.all("invoices", "&filter=ann")] == ["A", "B"]
    assert [row["number"] for row in desk.all("invoices", "&filter=annual")] == ["B"]


def test_parameters_of_payments(shelf):
    for query, numbers in {
        "client_status=partially_unapplied": ["free"],
        "client_status=completed": ["bound", "free"],
        "client_status=completed,partially_unapplied": ["free"],
        "client_status=failed": [],
        "match_transactions=true": ["bound", "free"],
        "filter=bou": ["bound"],
    }.items():
        assert [row["number"] for row in shelf.all("payments", "&" + query)] == numbers, query


@pytest.mark.parametrize(
    ("sort", "numbers"),
    [
        ("amount|desc", "B A C"),
        ("client_id|asc", "C A B"),
        ("po_number|asc", "C B A"),
        ("created_at|desc", "C B A"),
        ("number|up", "B A C"),
    ],
)
def test_sorts(desk, sort, numbers):
    first = desk.api.make("A client before One")
    for number, cost, po, owner in (("A", 20, "z", desk.client), ("B", 100, "b", desk.client), ("C", 3, "a", first)):
        desk.invoice(cost, number=number, po_number=po, client_id=owner["id"])
        desk.api.switch(clock={"advance": 1})
    if sort == "number|up":
        for row, number in zip(desk.all("invoices"), ("5", "10", "a3"), strict=True):
            desk.put("invoices", row, number=number)
        listed = desk.asked("GET", f"/invoices?sort={sort}")
        assert [row["number"] for row in listed] == ["10", "5", "a3"]
        return
    assert [row["number"] for row in desk.asked("GET", f"/invoices?sort={sort}")] == numbers.split()


def test_updated_at_finds_what_an_action_moved_and_nothing_else(desk):
    one, two = desk.invoice(10), desk.invoice(20)
    payment = desk.pay(30, (one, 10))
    desk.api.switch(clock={"advance": DAY})
    since = f"&updated_at={int(NOW + DAY)}"
    assert [desk.all(kind, since) for kind in ("invoices", "payments", "clients")] == [[], [], []]
    desk.put("payments", payment, invoices=[{"invoice_id": two["id"], "amount": 5}])
    moved = [[row["id"] for row in desk.all(kind, since)] for kind in ("invoices", "payments", "clients")]
    assert moved == [[two["id"]], [payment["id"]], [desk.client["id"]]]


def test_what_belongs_together_is_shown_together(desk):
    row, credit = desk.invoice(50), desk.credit(20)
    payment = desk.pay(30, (row, 50), from_credits=[(credit, 20)])
    shown = desk.all("payments", "&include=client,invoices,credits")[0]
    assert [shown["client"]["id"], shown["invoices"][0]["id"], shown["credits"][0]["id"]] == [
        desk.client["id"],
        row["id"],
        credit["id"],
    ]
    assert desk.all("invoices", "&include=payments.paymentables")[0]["payments"][0]["id"] == payment["id"]
    assert "payments" not in desk.asked("GET", f"/credits/{credit['id']}?include=payments,nope")


def test_a_user_who_may_view_one_kind_sees_only_that(desk):
    row = desk.invoice(10)
    desk.credit(5)
    user = desk.api.post("/_sandbox/users", json={"permissions": "view_invoice,edit_credit"}).json()
    headers = {"X-API-TOKEN": user["token"]}
    assert desk.sent("GET", "/invoices", **headers).json()["data"][0]["id"] == row["id"]
    assert desk.sent("GET", f"/invoices/{row['id']}", **headers).status_code == 200
    assert desk.sent("GET", f"/invoices/{row['id']}/edit", **headers).status_code == 401
    assert desk.sent("GET", "/payments", **headers).json()["data"] == []
    assert len(desk.sent("GET", "/credits", **headers).json()["data"]) == 1
    assert desk.sent("POST", "/invoices", {"client_id": desk.client["id"]}, **headers).status_code == 401


@pytest.mark.parametrize("include", ["", "client,payments", "activities"])
def test_a_long_page_of_invoices_needs_no_more_statements_than_a_short_one(include):
    with Api(create_app(clock=lambda: NOW)) as api:
        desk = Desk(api)
        for _ in range(30):
            desk.pay(1, (desk.invoice(5), 1))
        desk.asked("GET", "/invoices?per_page=1")  # the number of rows is counted once
        counts = []
        for size in (2, 30):
            seen: list[str] = []
            api.world.db.set_trace_callback(seen.append)
            assert len(desk.asked("GET", f"/invoices?per_page={size}&include={include}")) == size
            api.world.db.set_trace_callback(None)
            counts.append(len(seen))
        assert counts[0] == counts[1]


def test_the_generation_of_2026_lists_the_newest_first(modern):
    desk = Desk(modern)
    made = [desk.invoice()["id"] for _ in range(3)]
    assert [row["id"] for row in desk.asked("GET", "/invoices")] == made[::-1]


def test_an_include_inside_an_include(desk):
    row = desk.invoice(40)
    desk.pay(40, (row, 40))
    shown = desk.asked("GET", f"/invoices/{row['id']}?include=payments.invoices,payments.client")
    (payment,) = shown["payments"]
    assert [x["id"] for x in payment["invoices"]] == [row["id"]]
    assert payment["client"]["id"] == desk.client["id"]
    assert "invoices" not in desk.asked("GET", f"/invoices/{row['id']}?include=payments")["payments"][0]
    (listed,) = desk.all("payments", "&include=invoices.client")
    assert listed["invoices"][0]["client"]["id"] == desk.client["id"]


@pytest.mark.parametrize(
    ("kind", "query", "numbers"),
    [
        ("invoices", "date=2026-02-01", "B C"),
        ("invoices", "date=2026-02-01 10:00", "C"),
        ("invoices", "date=nonsense", "A B C"),
        ("invoices", "due_date=2026-03-01", "B"),
        ("invoices", "date_range=2026-01-01,2026-02-01", "A B"),
        ("invoices", "date_range=2026-01-01", "A B C"),
        ("invoices", "date_range=nonsense,2026-02-01", "A B C"),
        ("invoices", "due_date_range=2026-03-01,2026-03-31", "B"),
        ("payments", "date_range=date,2026-01-31,2026-01-31", "P"),
        ("payments", "date_range=2026-01-31,2026-01-31", "P Q"),
        ("payments", "date_range=number,2026-01-31,2026-01-31", "P Q"),
        ("credits", "applicable=true", "D F"),
        ("credits", "date_range=2026-01-01,2026-01-31", "D"),
    ],
)
def test_parameters_about_days(desk, kind, query, numbers):
    for number, day, due in (("A", "2026-01-15", None), ("B", "2026-02-01", "2026-03-01"), ("C", "2026-02-02", None)):
        desk.invoice(number=number, date=day, due_date=due)
    desk.pay(1, number="P")
    desk.pay(1, number="Q", date="2026-02-01")
    for number, due in (("D", None), ("E", "2020-01-01"), ("F", "2099-01-01")):
        desk.credit(number=number, date="2026-01-10" if number == "D" else "2026-02-10", due_date=due)
    desk.credit(number="G", sent=False, date="2026-02-10")
    assert [row["number"] for row in desk.all(kind, "&" + query)] == numbers.split()
