"""Products, vendors, expenses, projects and tasks: the fields and filters of each.

The fields are those of the recorded answers; filters are recorded, or read from ProductFilters, VendorFilters,
ExpenseFilters, ProjectFilters and TaskFilters.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.books.company import company_row
from sandbox.clients.query import Filter, Query, like
from sandbox.papers.kinds import Json, Kind, one_of
from sandbox.papers.lists import add_clients
from sandbox.papers.shown import day_at, hashed, times
from sandbox.php.input import Input
from sandbox.records.plain import Plain
from sandbox.records.shapes import Shape
from sandbox.store.database import Row, insert, marks, select, update
from sandbox.store.world import World
from sandbox.wire.calls import Call

USERS = ("user_id", "assigned_user_id")
CUSTOM = ("custom_value1", "custom_value2", "custom_value3", "custom_value4")
TAX_NAMES = ("tax_name1", "tax_name2", "tax_name3")
TAX_RATES = ("tax_rate1", "tax_rate2", "tax_rate3")
ONE_HOUR = 3600


def found_in(*columns: str) -> Filter:
    """`filter`: a text in one of these columns."""

    def apply(query: Query, value: str | None, _: World) -> None:
        if value:
            query.add(f"({like(*columns)})", *[f"%{value}%"] * len(columns))

    return apply


# ---- products -------------------------------------------------------------------------------------------------------

_PRODUCT = Shape(
    texts=("product_key", "notes", "product_image", "tax_id", *TAX_NAMES, *CUSTOM),
    figures=(
        "cost",
        "price",
        "quantity",
        "in_stock_quantity",
        "stock_notification_threshold",
        "max_quantity",
        *TAX_RATES,
    ),
    ids=USERS,
    flags=("stock_notification",),
    defaults={"quantity": "1", "stock_notification": 1, "tax_id": "1"},
)
PRODUCT = Plain(
    Kind(
        "products",
        "Product",
        "product",
        _PRODUCT.shown(),
        filters={"filter": found_in("product_key", "notes", *CUSTOM)},
        relations=frozenset(("company", "user", "assigned_user", "documents")),
    ),
    _PRODUCT,
    numbered=False,
)

# ---- vendors --------------------------------------------------------------------------------------------------------

_OF_CONTACTS = ("first_name", "last_name", "email", "phone", *CUSTOM)


def _add_contacts(call: Call, rows: Sequence[Row], records: Sequence[Json]) -> None:
    """The display name, and the contacts of each vendor."""
    contacts, ids = defaultdict(list), [row["id"] for row in rows if row["id"] is not None]
    for contact in select(call.world.db, "vendor_contacts", f"vendor_id IN ({marks(ids)}) ORDER BY id", ids):
        contacts[contact["vendor_id"]].append(_contact_json(contact, call.host))
    for row, record in zip(rows, records, strict=True):
        record |= {"display_name": record["name"], "last_login": 0, "contacts": contacts[row["id"]]}


def _contact_json(row: Row, host: str) -> Json:
    return {
        "id": hashed(row["id"]),
        **{name: row[name] or "" for name in _OF_CONTACTS},
        "send_email": bool(row["send_email"]),
        "is_primary": bool(row["is_primary"]),
        "link": f"{host}/vendor/key_login/{row['contact_key']}",
        "last_login": 0,
        "password": "",
        **times(row),
    }


def _save_contacts(call: Call, vendor: int, data: Input) -> None:
    """Replace the contacts with those that were sent; a new vendor has a blank one at least."""
    sent, world = data.get("contacts"), call.world
    known = select(world.db, "vendor_contacts", "vendor_id = ?", (vendor,))
    if known and not isinstance(sent, list):
        return
    world.db.execute("DELETE FROM vendor_contacts WHERE vendor_id = ?", (vendor,))
    stamp, people = world.clock.stamp(), [x for x in sent or () if isinstance(x, dict)] or [{}]
    for place, person in enumerate(people):
        row: Row = {name: str(person.get(name) or "") for name in _OF_CONTACTS}
        row |= {"vendor_id": vendor, "is_primary": int(place == 0), "send_email": int(bool(person.get("send_email")))}
        times_now = {"created_at": stamp, "updated_at": stamp}
        insert(world.db, "vendor_contacts", row | {"contact_key": world.secret(32)} | times_now)


def _home(call: Call) -> Row:
    """A new vendor has the company's currency, but always the same country (recorded)."""
    return {"country_id": 4, "currency_id": int(company_row(call)["currency_id"])}


_VENDOR = Shape(
    texts=(
        "name", "number", "website", "private_notes", "public_notes", "address1", "address2", "phone", "city", "state",
        "postal_code", "vat_number", "id_number", "classification", "routing_id", *CUSTOM,
    ),
    ids=USERS,
    lookups=("country_id", "currency_id", "language_id"),
    flags=("is_tax_exempt",),
    added=_add_contacts,
)  # fmt: skip
VENDOR = Plain(
    Kind(
        "vendors",
        "Vendor",
        "vendor",
        _VENDOR.shown(),
        filters={"filter": found_in("name", "id_number", "number", *CUSTOM)},
        relations=frozenset(("company", "user", "assigned_user", "contacts", "documents", "activities")),
    ),
    _VENDOR,
    of_company=_home,
    saved=_save_contacts,
)

# ---- expenses -------------------------------------------------------------------------------------------------------

_EXPENSE = Shape(
    texts=("number", "private_notes", "public_notes", "transaction_reference", "transaction_id", *TAX_NAMES, *CUSTOM),
    figures=("amount", "foreign_amount", "exchange_rate", *TAX_RATES, "tax_amount1", "tax_amount2", "tax_amount3"),
    ids=(
        *USERS,
        "vendor_id",
        "invoice_id",
        "client_id",
        "category_id",
        "recurring_expense_id",
        "project_id",
        "bank_id",
    ),
    lookups=("currency_id", "invoice_currency_id", "payment_type_id"),
    days=("date", "payment_date"),
    flags=("should_be_invoiced", "invoice_documents", "uses_inclusive_taxes", "calculate_tax_by_amount"),
    fixed={"expense_currency_id": "", "entity_type": "expense", "e_invoice": {}},
    defaults={"exchange_rate": "1", "invoice_documents": 1},
)


def _of_today(call: Call) -> Row:
    """A new expense is of today, in the company's currency."""
    return {"date": day_at(call.world), "currency_id": int(company_row(call)["currency_id"])}


EXPENSE = Plain(
    Kind(
        "expenses",
        "Expense",
        "expense",
        _EXPENSE.shown(),
        filters={
            "client_status": one_of(
                {
                    "logged": "(invoice_id IS NULL AND should_be_invoiced = 0)",
                    "pending": "(invoice_id IS NULL AND should_be_invoiced = 1)",
                    "invoiced": "invoice_id IS NOT NULL",
                }
            ),
            "filter": found_in("number", "public_notes", *CUSTOM),
        },
        includes={"client": add_clients},
        relations=frozenset(("company", "user", "vendor", "category", "documents", "invoice", "project")),
    ),
    _EXPENSE,
    of_company=_of_today,
)

# ---- projects and tasks ---------------------------------------------------------------------------------------------


def _add_hours(call: Call, rows: Sequence[Row], records: Sequence[Json]) -> None:
    """The full hours of the project's tasks."""
    seconds: defaultdict[int, int] = defaultdict(int)
    ids = [row["id"] for row in rows if row["id"] is not None]
    for task in select(call.world.db, "tasks", f"project_id IN ({marks(ids)}) AND is_deleted = 0", ids):
        seconds[task["project_id"]] += sum(max(0, end - start) for start, end in _spans(task["time_log"]))
    for row, record in zip(rows, records, strict=True):
        record["current_hours"] = seconds[row["id"]] // ONE_HOUR


_PROJECT = Shape(
    texts=("name", "number", "private_notes", "public_notes", "color", *CUSTOM),
    figures=("task_rate", "budgeted_hours"),
    ids=(*USERS, "client_id"),
    days=("due_date",),
    defaults={"color": "#fff"},
    added=_add_hours,
)
PROJECT = Plain(
    Kind(
        "projects",
        "Project",
        "project",
        _PROJECT.shown(),
        filters={"filter": found_in("name", "number", "public_notes", *CUSTOM)},
        includes={"client": add_clients},
        relations=frozenset(("company", "user", "tasks", "documents", "invoices", "quotes", "expenses")),
    ),
    _PROJECT,
    required=("name", "client_id"),
)


def _spans(time_log: str | None) -> list[tuple[int, int]]:
    """From when to when somebody worked; 0 as the end while they still do."""
    try:
        logged = json.loads(time_log or "[]")
    except ValueError:
        return []
    return [(int(part[0]), int(part[1])) for part in logged if isinstance(part, list) and len(part) > 1]


def _add_work(_: Call, rows: Sequence[Row], records: Sequence[Json]) -> None:
    """The day of the first work, and whether it goes on."""
    for row, record in zip(rows, records, strict=True):
        spans = _spans(row["time_log"])
        started: Any = min(spans)[0] if spans else None
        record["date"] = datetime.fromtimestamp(started, UTC).date().isoformat() if started else ""
        record |= {"is_running": bool(row["is_running"]), "time_log": row["time_log"]}


def _note_running(call: Call, number: int, data: Input) -> None:
    """Whether somebody works on it now; a log that came as a list is kept as its text."""
    if "time_log" in data:
        log = data["time_log"] if isinstance(data["time_log"], str) else json.dumps(data["time_log"] or [])
        running = int(any(not end for _, end in _spans(log)))
        update(call.world.db, "tasks", {"time_log": log or "[]", "is_running": running}, [number])


_TASK = Shape(
    texts=("number", "description", *CUSTOM),
    figures=("rate",),
    ids=(*USERS, "client_id", "project_id", "invoice_id", "status_id"),
    fixed={"duration": 0, "status_sort_order": 0, "status_order": None, "is_date_based": False},
    defaults={"time_log": "[]", "status_id": 1},
    added=_add_work,
)
TASK = Plain(
    Kind(
        "tasks",
        "Task",
        "task",
        _TASK.shown(),
        filters={
            "client_status": one_of(
                {
                    "invoiced": "invoice_id IS NOT NULL",
                    "uninvoiced": "invoice_id IS NULL",
                    "is_running": "is_running = 1",
                }
            ),
            "filter": found_in("number", "description", *CUSTOM),
        },
        includes={"client": add_clients},
        relations=frozenset(("company", "user", "assigned_user", "status", "project", "documents", "invoice")),
    ),
    _TASK,
    saved=_note_running,
)

PLAIN_KINDS = (PRODUCT, VENDOR, EXPENSE, PROJECT, TASK)
