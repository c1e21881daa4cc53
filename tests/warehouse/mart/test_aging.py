"""Ageing by facts: deposits, missing dates, overpaid and cancelled invoices, orphans, the days of payments."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.billing import CREDITS, INVOICES, PAYMENTS
from schemas.normalise import normalise
from tests.receivables.fill import fill
from tests.receivables.office import TEMPLATES
from tests.records import client
from tests.warehouse.mart.test_daily import reference
from warehouse.engine.seam import DUCKDB
from warehouse.publish.publish import publish
from warehouse.schema.functions import columns_of, texts
from warehouse.schema.personal import is_personal

RECORDED = Path(__file__).parents[2] / "recordings" / "documents"
LAST_SECONDS = 5


def today():
    """The day in UTC, for a test that compares it with the engine's own: it waits for midnight if that is near."""
    now = datetime.now(UTC)
    left = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC) - now
    if left < timedelta(seconds=LAST_SECONDS):
        time.sleep(left.total_seconds())
    return datetime.now(UTC).date()


def ago(days):
    return str(today() - timedelta(days=days))


def stamp(days, seconds=0):
    """A moment at noon so many days ago."""
    noon = datetime.combine(today() - timedelta(days=days), datetime.min.time(), UTC) + timedelta(hours=12)
    return int(noon.timestamp()) + seconds


def invoice(key, **fields):
    """A sent invoice of 100 to client a, dated 100 days ago, due 40 days later; nothing is paid."""
    values = {
        "id": key, "number": key, "client_id": "a", "amount": 100, "balance": 100, "paid_to_date": 0, "status_id": "2",
        "date": ago(100), "due_date": ago(60), "partial": 0, "partial_due_date": "", "is_deleted": False,
        "archived_at": 0, "created_at": stamp(100), "updated_at": stamp(100), "line_items": [],
    }  # fmt: skip
    return TEMPLATES["invoices"] | values | fields


def payment(key, *uses, **fields):
    """A payment of 100 by client a, 50 days ago."""
    values = {
        "id": key, "number": key, "client_id": "a", "amount": 100, "applied": sum(u["amount"] for u in uses),
        "refunded": 0, "status_id": "4", "date": ago(50), "is_deleted": False, "archived_at": 0,
        "created_at": stamp(50), "updated_at": stamp(50), "paymentables": list(uses),
    }  # fmt: skip
    return TEMPLATES["payments"] | values | fields


def use(key, amount, of="i", days=50, seconds=0, **fields):
    """The application of an amount to an invoice."""
    at = stamp(days, seconds)
    return {
        "id": key, "invoice_id": of, "amount": amount, "refunded": 0, "created_at": at, "updated_at": at,
        "archived_at": 0,
    } | fields  # fmt: skip


@pytest.fixture
def keep(warehouse, load_records):
    """Keep these documents of the clients a, of b, who is deleted, and of z, whom the warehouse does not have."""
    load_records([client("a"), client("b", is_deleted=True)], reference=reference("UTC"))

    def kept(*, invoices=(), payments=(), credits_=()):
        for entity, records in ((INVOICES, invoices), (PAYMENTS, payments), (CREDITS, credits_)):
            if records:
                fill(warehouse, entity, list(records))
        return warehouse

    return kept


def parts(warehouse, view="mart.open_items"):
    asked = (
        f"select invoice_id, part, due_date, days_overdue, bucket, open_amount from {view} order by invoice_id, part"
    )
    return [(i, part, due and str(due), *rest) for i, part, due, *rest in warehouse.rows(asked)]


def of(warehouse, columns, asked="mart.aging", client_id="a"):
    (row,) = warehouse.rows(f"select {columns} from {asked} where client_id = $id", {"id": client_id})
    return row


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (-1, "not due"), (0, "not due"), (1, "1-30"), (30, "1-30"), (31, "31-60"), (60, "31-60"), (61, "61-90"),
        (90, "61-90"), (91, "over 90"),
    ],
)  # fmt: skip
def test_an_invoice_is_overdue_from_the_day_after_its_due_date(keep, days, bucket):
    warehouse = keep(invoices=[invoice("i", due_date=ago(days))])
    assert parts(warehouse) == [("i", "whole", ago(days), max(days, 0), bucket, 100)]


def test_an_open_deposit_and_the_rest_have_each_their_own_due_date(keep):
    """The server itself counts the whole invoice as overdue as soon as the deposit is."""
    asked = invoice("i", partial=30, partial_due_date=ago(40), due_date=ago(-10))
    warehouse = keep(invoices=[asked])
    assert parts(warehouse) == [
        ("i", "deposit", ago(40), 40, "31-60", 30),
        ("i", "rest", ago(-10), 0, "not due", 70),
    ]
    assert of(warehouse, "open_invoices, not_due, overdue_31_60, owed") == (1, 70, 30, 100)


def test_a_deposit_above_the_amount_is_all_of_it_and_one_without_a_date_is_no_part(keep):
    warehouse = keep(
        invoices=[
            invoice("i", partial=300, partial_due_date=ago(5)),
            invoice("j", partial=30, partial_due_date="", due_date=ago(2)),
        ]
    )
    assert parts(warehouse) == [("i", "deposit", ago(5), 5, "1-30", 100), ("j", "whole", ago(2), 2, "1-30", 100)]


def test_a_refund_does_not_ask_for_the_deposit_again(keep):
    """A payment of 20 lowered the deposit from 30 to 10, and a refund of 15 raised only the balance."""
    asked = invoice("i", partial=10, partial_due_date=ago(70), balance=95, paid_to_date=5)
    used = use("u", 20, refunded=15, updated_at=stamp(20))
    warehouse = keep(invoices=[asked], payments=[payment("p", used, amount=20, refunded=15)])
    for day, expected in ((51, (30, 70)), (50, (10, 70)), (21, (10, 70)), (20, (10, 85))):
        found = parts(warehouse, f"mart.open_items_as_of(date '{ago(day)}')")
        assert [(part, amount) for _, part, *_, amount in found] == [("deposit", expected[0]), ("rest", expected[1])]


@pytest.mark.parametrize("due", ["", "-0001-11-30"])
def test_an_invoice_without_a_due_date_is_not_due_and_stands_in_a_column_of_its_own(keep, due):
    warehouse = keep(invoices=[invoice("i", due_date=due), invoice("j", due_date=ago(-3), amount=5, balance=5)])
    assert parts(warehouse)[0] == ("i", "whole", None, None, "not due", 100)
    assert of(warehouse, "not_due, without_due_date, owed") == (105, 100, 105)


def test_an_overpaid_invoice_stands_beside_debts_and_is_in_no_bucket(keep):
    warehouse = keep(invoices=[invoice("i"), invoice("j", amount=50, balance=-10, paid_to_date=60)])
    assert parts(warehouse)[1] == ("j", "whole", ago(60), 0, "overpaid", -10)
    assert of(warehouse, "open_invoices, overdue_31_60, owed, overpaid, net") == (1, 100, 100, 10, 90)


def test_an_overpaid_invoice_is_not_overdue_and_not_the_oldest_debt(keep):
    warehouse = keep(
        invoices=[
            invoice("i", date=ago(20), due_date=ago(3)),
            invoice("j", balance=-10, paid_to_date=110), invoice("k", balance=-5, due_date=""),
        ]
    )  # fmt: skip
    for view in ("mart.open_items", f"mart.open_items_as_of(date '{ago(0)}')"):
        assert [(key, days) for key, _, _, days, *_ in parts(warehouse, view)] == [("i", 3), ("j", 0), ("k", None)]
    for name, columns, expected in (
        ("aging", "most_days_overdue", 3), ("aging_by_invoice_date", "most_days_old", 20),
    ):  # fmt: skip
        for view in (f"mart.{name}", f"mart.{name}_as_of(date '{ago(0)}')"):
            assert of(warehouse, columns, view) == (expected,)
    assert of(warehouse, "most_days_overdue", f"mart.aging_as_of(date '{ago(1)}')") == (2,)


def test_drafts_cancelled_and_deleted_invoices_and_those_of_deleted_clients_are_left_out(keep):
    warehouse = keep(
        invoices=[
            invoice("i", status_id="1", balance=0), invoice("j", status_id="5", balance=0),
            invoice("k", is_deleted=True), invoice("l", client_id="b"), invoice("m", status_id="4", balance=0),
        ]
    )  # fmt: skip
    assert [row[0] for row in parts(warehouse)] == ["l"]
    assert warehouse.rows("select * from mart.aging") == []


def test_documents_of_a_client_that_the_warehouse_does_not_have_are_shown_as_such(keep):
    warehouse = keep(
        invoices=[invoice("i", client_id="z")],
        payments=[payment("p", use("u", 40, of="nowhere"), client_id="z")],
    )
    expected = ("unknown", None, None, Decimal(100), Decimal(60))
    assert (
        of(warehouse, "client_status, client_name, currency_code, owed, unapplied_payments", client_id="z") == expected
    )
    assert warehouse.rows("select invoice_id, is_known from mart.payment_applications") == [("nowhere", False)]
    assert warehouse.rows("select client_status from mart.payments") == [("unknown",)]


def test_what_is_unapplied_counts_refunds_of_its_own_only(keep):
    warehouse = keep(
        invoices=[invoice("i")],
        payments=[
            payment("p", use("u", 60, refunded=20), refunded=20), payment("q", amount=80, refunded=30),
            payment("r", is_deleted=True, status_id="2"), payment("s", status_id="3"),
        ],
    )  # fmt: skip
    assert warehouse.rows("select id, unapplied from mart.payments order by id") == [
        ("p", 40), ("q", 50), ("r", 0), ("s", 0),
    ]  # fmt: skip


def test_a_refund_that_gave_a_credit_back_took_no_money(keep):
    """100 in money and 50 of a credit paid 120: 50 went back to the credit, then 30 in money were refunded."""
    spent = use("v", 50, refunded=50) | {"invoice_id": None, "credit_id": "k"}
    mixed = payment("p", use("u", 120, refunded=50), spent, applied=70, refunded=30)
    warehouse = keep(invoices=[invoice("i", amount=120, balance=50, paid_to_date=70)], payments=[mixed])
    assert warehouse.rows("select unapplied from mart.payments") == [(0,)]
    assert of(warehouse, "owed, unapplied_payments") == (50, 0)


@pytest.mark.parametrize(
    ("seconds", "applied"),
    [(0, 70), (60, 70), (61, 50)],
)
def test_a_payment_applied_as_it_was_entered_counts_from_its_own_date(keep, seconds, applied):
    """It was entered 50 days ago with the date of 70 days ago."""
    paid = payment("p", use("u", 100, seconds=seconds), date=ago(70))
    warehouse = keep(invoices=[invoice("i", balance=0, paid_to_date=100, status_id="4")], payments=[paid])
    assert warehouse.rows("select applied_on from mart.payment_applications") == [(date.fromisoformat(ago(applied)),)]
    for day, owed in ((applied + 1, [(100,)]), (applied, [])):
        asked = "select owed from mart.aging_as_of(cast($day as date)) where owed <> 0"
        assert warehouse.rows(asked, {"day": ago(day)}) == owed


def test_money_for_an_invoice_that_is_dated_later_is_unapplied_until_then(keep):
    """The payment is of 50 days ago, the invoice of 30 days ago; a part was refunded 40 days ago."""
    used = use("u", 100, refunded=10, updated_at=stamp(40))
    warehouse = keep(
        invoices=[invoice("i", date=ago(30), balance=10, paid_to_date=90, status_id="3")],
        payments=[payment("p", used, refunded=10)],
    )
    for day, expected in ((50, (0, 100)), (41, (0, 100)), (40, (0, 90)), (31, (0, 90)), (30, (10, 0)), (0, (10, 0))):
        assert of(warehouse, "owed, unapplied_payments", f"mart.aging_as_of(date '{ago(day)}')") == expected


def test_documents_without_a_date_count_from_the_day_they_were_entered(keep):
    """They were entered 100, 50 and 20 days ago."""
    credit = TEMPLATES["credits"] | {
        "id": "k", "client_id": "a", "amount": 7, "balance": 7, "status_id": "2", "date": "", "is_deleted": False,
        "created_at": stamp(20), "updated_at": stamp(20), "line_items": [],
    }  # fmt: skip
    warehouse = keep(invoices=[invoice("i", date="")], payments=[payment("p", date="")], credits_=[credit])
    columns = "owed, unapplied_payments, open_credits"
    for day, expected in ((100, (100, 0, 0)), (51, (100, 0, 0)), (50, (100, 100, 0)), (20, (100, 100, 7))):
        assert of(warehouse, columns, f"mart.aging_as_of(date '{ago(day)}')") == expected
    assert warehouse.rows(f"select * from mart.aging_as_of(date '{ago(101)}')") == []


def test_a_payment_dated_ahead_counts_from_its_date(keep):
    paid = payment("p", use("u", 100, days=20), date=ago(10), created_at=stamp(40))
    warehouse = keep(invoices=[invoice("i", balance=0, paid_to_date=100, status_id="4")], payments=[paid])
    assert of(warehouse, "owed", f"mart.aging_as_of(date '{ago(11)}')") == (100,)


def test_a_refund_counts_from_the_last_change_of_its_application(keep):
    used = use("u", 100, refunded=30, updated_at=stamp(20))
    warehouse = keep(
        invoices=[invoice("i", balance=30, paid_to_date=70, status_id="3")], payments=[payment("p", used, refunded=30)]
    )
    owed = [of(warehouse, "owed", f"mart.aging_as_of(date '{ago(day)}')")[0] for day in (51, 20, 0)]
    assert owed == [100, 30, 30]
    assert warehouse.rows(f"select * from mart.aging_as_of(date '{ago(21)}')") == []


def test_a_cancelled_invoice_was_open_until_its_last_change_less_what_was_paid(keep):
    cancelled = invoice("i", status_id="5", balance=0, paid_to_date=40, updated_at=stamp(10))
    warehouse = keep(invoices=[cancelled], payments=[payment("p", use("u", 40), amount=40)])
    owed = [of(warehouse, "owed", f"mart.aging_as_of(date '{ago(day)}')")[0] for day in (60, 50, 11)]
    assert owed == [100, 60, 60]
    assert warehouse.rows(f"select * from mart.aging_as_of(date '{ago(10)}')") == []


def test_a_cancelled_invoice_whose_last_change_is_not_known_was_never_open(keep):
    warehouse = keep(invoices=[invoice("i", status_id="5", balance=0, updated_at=0)])
    assert warehouse.rows(f"select * from mart.aging_as_of(date '{ago(5)}')") == []


def test_a_reversed_invoice_was_open_until_it_was_paid_and_its_credit_counts_from_its_date(keep):
    credit = TEMPLATES["credits"] | {
        "id": "k", "client_id": "a", "invoice_id": "i", "amount": 100, "balance": 100, "status_id": "2",
        "date": ago(20), "is_deleted": False, "line_items": [],
    }  # fmt: skip
    warehouse = keep(
        invoices=[invoice("i", status_id="6", balance=0, paid_to_date=100, updated_at=stamp(20))],
        payments=[payment("p", use("u", 100))], credits_=[credit],
    )  # fmt: skip
    assert of(warehouse, "owed, open_credits", f"mart.aging_as_of(date '{ago(51)}')") == (100, 0)
    assert warehouse.rows(f"select * from mart.aging_as_of(date '{ago(21)}')") == []
    assert of(warehouse, "owed, open_credits", f"mart.aging_as_of(date '{ago(20)}')") == (0, 100)


def test_by_the_date_of_the_invoice_ages_are_counted_from_it(keep):
    dates = {"i": 0, "j": 30, "k": 31, "l": 61, "m": 91, "n": -5}
    invoices = [invoice(key, date=ago(days), amount=10, balance=10) for key, days in dates.items()]
    warehouse = keep(invoices=[*invoices, invoice("o", balance=-7)])
    columns = "age_0_30, age_31_60, age_61_90, age_over_90, owed, overpaid, most_days_old"
    assert of(warehouse, columns, "mart.aging_by_invoice_date") == (30, 10, 10, 10, 60, 7, 91)
    then = f"mart.aging_by_invoice_date_as_of(date '{ago(31)}')"
    assert of(warehouse, "age_0_30, age_31_60, age_61_90, age_over_90, owed", then) == (20, 10, 0, 0, 30)


def test_days_to_pay_run_until_the_last_payment(keep):
    warehouse = keep(
        invoices=[
            invoice("i", balance=0, paid_to_date=100, status_id="4"),
            invoice("j", balance=0, paid_to_date=100, status_id="4", due_date=""),
        ],
        payments=[
            payment("p", use("u", 60), use("v", 100, of="j")), payment("q", use("w", 40, days=45), date=ago(45)),
        ],
    )  # fmt: skip
    rows = warehouse.rows("select invoice_id, days_to_pay, days_late from mart.days_to_pay order by invoice_id")
    assert rows == [("i", 55, 15), ("j", 50, None)]
    later = payment("r", use("x", 30, days=10, refunded=30), use("y", 100, days=10, of="j", refunded=40), date=ago(10))
    fill(warehouse, PAYMENTS, [later])  # one was given back whole, so it paid nothing
    rows = warehouse.rows("select invoice_id, days_to_pay from mart.days_to_pay order by invoice_id")
    assert rows == [("i", 55), ("j", 90)]
    warehouse.execute("delete from ninja.payment_applications where payment_id = 'r'")
    columns = "paid_invoices, with_due_date, paid_late, average_days_to_pay, average_days_late, longest_days_to_pay"
    found = of(warehouse, columns, "mart.days_to_pay_by_client")
    assert found == (2, 1, 1, Decimal("52.5"), Decimal("15.0"), 55)


def test_revenue_counts_sent_invoices_credits_and_money_in_the_months_of_their_dates(keep):
    month = date(2025, 3, 1)
    warehouse = keep(
        invoices=[
            invoice("i", date="2025-03-31"), invoice("j", date="2025-03-02", client_id="b", status_id="6"),
            invoice("k", date="2025-03-02", status_id="1"), invoice("l", date="2025-03-02", status_id="5"),
            invoice("m", date="2025-03-02", is_deleted=True), invoice("n", date="", amount=7),
        ],
        payments=[payment("p", date="2025-03-09", refunded=10), payment("q", date="2025-03-09", status_id="3"),
            payment("r", use("u", 20), use("v", 20, of=None, credit_id="k"), date="2025-03-09", amount=0),
        ],
    )  # fmt: skip
    columns = "month, currency_code, country, invoices, invoiced, credited, payments, paid, refunded"
    assert warehouse.rows(f"select {columns} from mart.revenue_by_month order by month nulls last") == [
        (month, "EUR", "Germany", 2, 200, 0, 1, 100, 10),
        (None, "EUR", "Germany", 1, 7, 0, 0, 0, 0),
    ]


def test_recorded_documents_are_in_the_views(keep):
    recorded = {
        entity: json.loads((RECORDED / f"{entity.name}.json").read_text(), parse_float=Decimal)["data"]
        for entity in (INVOICES, PAYMENTS, CREDITS)
    }
    warehouse = keep(invoices=recorded[INVOICES], payments=recorded[PAYMENTS], credits_=recorded[CREDITS])
    for entity, records in recorded.items():
        rows = dict(warehouse.rows(f"select id, amount from mart.{entity.name}"))
        assert rows == {record["id"]: record["amount"] for record in records}
    lines = sum(len(record["line_items"]) for record in recorded[INVOICES])
    assert warehouse.rows("select count(*), count(product_key) from mart.invoice_items") == [(lines, lines)]
    open_ones = {r["id"]: r["balance"] for r in recorded[INVOICES] if r["balance"] and not r["is_deleted"]}
    assert (
        dict(warehouse.rows("select invoice_id, sum(open_amount) from mart.open_items group by invoice_id"))
        == open_ones
    )
    assert normalise(INVOICES, recorded[INVOICES]).quarantined == []


def test_functions_have_the_columns_that_their_text_says_and_no_personal_one(keep):
    warehouse = keep()
    for name, text in texts().items():
        columns, _ = warehouse.answer(f"select * from mart.{name}(date '2025-12-31') limit 0")
        assert columns == list(columns_of(text))
        assert not [column for column in columns if is_personal(name, column)]
        if warehouse.engine == DUCKDB:
            described = warehouse.rows(f"describe select * from mart.{name}(date '2025-12-31')")
            kinds = {column: kind.lower().replace(",", ", ") for column, kind, *_ in described}
            assert kinds == columns_of(text)


def test_no_day_is_today(keep):
    warehouse = keep(
        invoices=[invoice("i", balance=60, paid_to_date=40), invoice("j", date=ago(-9), due_date=ago(-20))],
        payments=[payment("p", use("u", 40), date=ago(-3), created_at=stamp(0))],
    )
    for name in ("aging", "aging_by_invoice_date"):
        columns = "day, client_id, open_invoices, owed, net"
        then = f"select {columns} from mart.{name}_as_of(cast(null as date))"
        assert warehouse.rows(then) == warehouse.rows(f"select {columns} from mart.{name}") != []


def test_the_published_copy_answers_for_any_day_too(keep):
    warehouse = keep(invoices=[invoice("i")])
    if warehouse.engine != DUCKDB:
        return
    import duckdb  # noqa: PLC0415

    with duckdb.connect(str(publish(warehouse) / "reader.duckdb"), read_only=True) as reader:
        assert reader.sql(f"select owed from mart.aging_as_of(date '{ago(70)}')").fetchall() == [(100,)]


def test_a_refund_that_the_server_writes_on_two_applications_counts_once(keep):
    """So it does where a payment was applied to an invoice in two steps: the refund of 30 stands on both."""
    uses = (use("u", 40, refunded=30, updated_at=stamp(20)), use("v", 60, days=40, refunded=30, updated_at=stamp(20)))
    warehouse = keep(
        invoices=[invoice("i", balance=30, paid_to_date=70, status_id="3")],
        payments=[payment("p", *uses, amount=100, refunded=30, status_id="5")],
    )
    assert warehouse.rows("select sum(refunded), sum(amount) from mart.payment_applications") == [(30, 100)]
    assert warehouse.rows("select unapplied from mart.payments") == [(0,)]
    assert of(warehouse, "owed", f"mart.aging_as_of(date '{ago(19)}')") == (30,)
    assert of(warehouse, "owed", f"mart.aging_as_of(date '{ago(45)}')") == (60,)
    assert warehouse.rows(f"select * from mart.aging_as_of(date '{ago(30)}')") == []
