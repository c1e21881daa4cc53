"""The entities around the work: products, projects, tasks, expenses and vendors.

Fields and types are those of Invoice Ninja's transformers of 5.12.28, checked against recordings of a running server.
"""

from __future__ import annotations

from schemas.billing import UNSTORED
from schemas.entity import Entity, Field, Kind
from schemas.fields import custom_values, id_of, is_deleted, notes_of, taxes, times_of, users_of

TEXT, LINK, MAIL, MONEY, NUMBER = Kind.TEXT, Kind.LINK, Kind.MAIL, Kind.MONEY, Kind.NUMBER
DATE, FLAG, COUNT, JSON, TIME = Kind.DATE, Kind.FLAG, Kind.COUNT, Kind.JSON, Kind.TIME


def _client(thing: str) -> Field:
    return Field("client_id", LINK, f"The client of the {thing}; NULL for none.")


PRODUCTS = Entity(
    name="products",
    path="/products",
    fields=(
        id_of("product"),
        Field("product_key", TEXT, "Key of the product, which lines of invoices name."),
        Field("notes", TEXT, "Text for the line of an invoice."),
        Field("price", NUMBER, "Price."),
        Field("cost", NUMBER, "Cost to the company."),
        Field("quantity", NUMBER, "Usual quantity."),
        *taxes(),
        Field("tax_id", TEXT, "Tax category: 1 goods, 2 services, 3 digital ..."),
        Field("in_stock_quantity", NUMBER, "Stock."),
        Field("stock_notification", FLAG, "Whether a low stock is reported."),
        Field("stock_notification_threshold", NUMBER, "The stock from which it is low."),
        Field("max_quantity", NUMBER, "The most that one order may hold; 0 for no limit."),
        *custom_values("product"),
        *users_of("product"),
        is_deleted("product"),
        *times_of("product"),
    ),
    secrets=UNSTORED,
    elsewhere=frozenset({"product_image", "income_account_id"}),
)

PROJECTS = Entity(
    name="projects",
    path="/projects",
    fields=(
        id_of("project"),
        _client("project"),
        Field("number", TEXT, "Number of the project."),
        Field("name", TEXT, "Name of the project."),
        Field("task_rate", NUMBER, "Price of an hour."),
        Field("due_date", DATE, "Due date."),
        Field("budgeted_hours", NUMBER, "Hours planned."),
        Field("current_hours", NUMBER, "Hours worked, by the server."),
        Field("color", TEXT, "Colour."),
        *notes_of("project"),
        *custom_values("project"),
        *users_of("project"),
        is_deleted("project"),
        *times_of("project"),
    ),
    secrets=UNSTORED,
    client_column="client_id",
)

TASKS = Entity(
    name="tasks",
    path="/tasks",
    fields=(
        id_of("task"),
        _client("task"),
        Field("project_id", LINK, "The project."),
        Field("invoice_id", LINK, "The invoice that bills it."),
        Field("number", TEXT, "Number of the task."),
        Field("description", TEXT, "Description.", personal=True),
        Field("rate", NUMBER, "Price of an hour; 0 for the project's or client's."),
        Field("duration", NUMBER, "Seconds, where the task has no log."),
        Field(
            "time_log",
            TEXT,
            "Spans of work as JSON: [[start, end, note, billable], ...]; unix seconds.",
            personal=True,
        ),
        Field("date", DATE, "Date of the task."),
        Field("is_running", FLAG, "Whether its clock runs."),
        Field("status_id", LINK, "Column of the board."),
        *custom_values("task"),
        *users_of("task"),
        is_deleted("task"),
        *times_of("task"),
    ),
    secrets=UNSTORED,
    elsewhere=frozenset({"status_sort_order", "status_order", "is_date_based", "project", "client", "status", "user"}),
    client_column="client_id",
)

EXPENSES = Entity(
    name="expenses",
    path="/expenses",
    fields=(
        id_of("expense"),
        _client("expense"),
        Field("vendor_id", LINK, "The vendor."),
        Field("project_id", LINK, "The project."),
        Field("invoice_id", LINK, "The invoice that bills it."),
        Field("category_id", LINK, "Category."),
        Field("recurring_expense_id", LINK, "The recurring expense that made it."),
        Field("number", TEXT, "Number of the expense."),
        Field("date", DATE, "Date of the expense."),
        Field("payment_date", DATE, "The day on which it was paid; NULL while it is not."),
        Field("payment_type_id", TEXT, "Way of payment."),
        Field("amount", MONEY, "Amount in the currency of the expense.", vital=True),
        Field("currency_id", TEXT, "Currency of the expense."),
        Field("foreign_amount", MONEY, "Amount in `invoice_currency_id`."),
        Field("invoice_currency_id", TEXT, "Currency in which it is billed."),
        Field("exchange_rate", NUMBER, "Rate between the two."),
        *taxes(),
        *(Field(f"tax_amount{n}", NUMBER, f"Amount of tax {n}, if entered as an amount.") for n in (1, 2, 3)),
        Field("uses_inclusive_taxes", FLAG, "Whether the amount includes the taxes."),
        Field("should_be_invoiced", FLAG, "Whether it is to be billed."),
        Field("transaction_reference", TEXT, "Reference of the transaction.", personal=True),
        *notes_of("expense"),
        *custom_values("expense"),
        *users_of("expense"),
        is_deleted("expense"),
        *times_of("expense"),
    ),
    secrets=UNSTORED,
    elsewhere=frozenset(
        {
            "bank_id", "expense_currency_id", "invoice_documents", "transaction_id", "calculate_tax_by_amount",
            "entity_type", "e_invoice", "purchase_order_id", "is_vendor_amount", "client", "vendor", "category",
        }
    ),
    client_column="client_id",
)  # fmt: skip

VENDOR_CONTACTS = Entity(
    name="vendor_contacts",
    path="",
    key="contacts",
    fields=(
        id_of("contact"),
        Field("first_name", TEXT, "First name.", personal=True),
        Field("last_name", TEXT, "Last name.", personal=True),
        Field("email", MAIL, "E-mail address; NULL for a blank contact.", personal=True),
        Field("phone", TEXT, "Phone number, as it was typed.", personal=True),
        *custom_values("contact"),
        Field("is_primary", FLAG, "Whether this is the vendor's primary contact."),
        Field("send_email", FLAG, "Whether the contact gets the vendor's mails."),
        Field("last_login", TIME, "When the contact last logged in to the portal.", volatile=True),
        *times_of("contact"),
    ),
    secrets=frozenset({"link", "password", "contact_key"}),
)

VENDORS = Entity(
    name="vendors",
    path="/vendors",
    fields=(
        id_of("vendor"),
        Field("number", TEXT, "Number of the vendor."),
        Field("name", TEXT, "Name of the vendor.", personal=True),
        Field("display_name", MAIL, "Name, else that of the first contact.", personal=True),
        Field("website", TEXT, "Website.", personal=True),
        Field("phone", TEXT, "Phone number.", personal=True),
        Field("address1", TEXT, "First line of the address.", personal=True),
        Field("address2", TEXT, "Second line of the address.", personal=True),
        Field("city", TEXT, "City.", personal=True),
        Field("state", TEXT, "State or province.", personal=True),
        Field("postal_code", TEXT, "Postal code.", personal=True),
        Field("country_id", TEXT, "Country: an id of `countries`."),
        Field("currency_id", TEXT, "Currency."),
        Field("vat_number", TEXT, "VAT number, as it was typed.", personal=True),
        Field("id_number", TEXT, "Company register number.", personal=True),
        Field("routing_id", TEXT, "Routing id for e-invoices."),
        Field("classification", TEXT, "individual, business, company, partnership ..."),
        Field("is_tax_exempt", FLAG, "Whether the vendor charges no tax."),
        *notes_of("vendor"),
        *custom_values("vendor"),
        Field("last_login", TIME, "When the vendor last logged in to the portal.", volatile=True),
        *users_of("vendor"),
        is_deleted("vendor"),
        *times_of("vendor"),
    ),
    children=(VENDOR_CONTACTS,),
    secrets=UNSTORED | {"vendor_hash"},
    elsewhere=frozenset({"language_id"}),
)
