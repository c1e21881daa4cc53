"""The entities of billing: invoices, credits, quotes and recurring invoices with their items, payments with their uses.

Fields and types are those of Invoice Ninja's transformers of 5.12.28, checked against recordings of a running server.
All amounts are in the client's currency. A deleted invoice keeps its status and balance: never sum a balance without
`is_deleted = false`.
"""

from __future__ import annotations

from schemas.entity import Entity, Field, Kind
from schemas.fields import (
    custom_values,
    id_of,
    is_deleted,
    notes_of,
    of_client,
    taxes,
    times_of,
    users_of,
)

TEXT, LINK, SETTING, MONEY, NUMBER = Kind.TEXT, Kind.LINK, Kind.SETTING, Kind.MONEY, Kind.NUMBER
DATE, FLAG, COUNT, JSON = Kind.DATE, Kind.FLAG, Kind.COUNT, Kind.JSON

UNSTORED = frozenset({"documents"})
"""Files beside a record: their links open them without a password, so they are not stored."""


def _items(of: str) -> Entity:
    """The lines of a document. The server keeps them as JSON, with floats, and gives them no ids."""
    thing = of.replace("_", " ")
    return Entity(
        name=f"{of}_items",
        path="",
        key="line_items",
        fields=(
            Field("id", TEXT, f"Our own: the {thing}'s id and the line's place.", vital=True),
            Field("place", COUNT, f"Place of the line on the {thing}, from 1.", vital=True),
            Field("product_key", SETTING, "The product, by its key."),
            Field("notes", SETTING, "Text of the line.", personal=True),
            Field("quantity", NUMBER, "Quantity."),
            Field("cost", NUMBER, "Price of one, in the client's currency."),
            Field("product_cost", NUMBER, "Cost of one to the company."),
            Field("discount", NUMBER, "Discount: an amount or a percentage, by `is_amount_discount`."),
            Field("is_amount_discount", FLAG, "Whether the discount is an amount."),
            *taxes(SETTING),
            Field("tax_amount", NUMBER, "Taxes of the line."),
            Field("line_total", NUMBER, "Total of the line without exclusive taxes."),
            Field("gross_line_total", NUMBER, "Total of the line with taxes."),
            Field("type_id", SETTING, "1 product, 2 service, 3 and 4 fees, 5 late fee, 6 expense."),
            Field("tax_id", SETTING, "Tax category: 1 goods, 2 services, 3 digital ..."),
            Field("unit_code", SETTING, "Unit of measure, by UN/ECE recommendation 20."),
            Field("date", SETTING, "Date of the line, as it was typed."),
            Field("task_id", SETTING, "The task that was billed."),
            Field("expense_id", SETTING, "The expense that was billed."),
            *(
                Field(f"custom_value{n}", SETTING, f"Custom field {n} of the line.", personal=True)
                for n in (1, 2, 3, 4)
            ),
        ),
        elsewhere=frozenset({"net_cost", "sort_id", "_id", "tax_name", "tax_rate", "income_account_id"}),
        sparse=True,
        numbered=True,
    )


def _document(name: str, statuses: str, *more: Field, historic: bool = False) -> Entity:
    """A document with lines: an invoice and its like."""
    singular = name.removesuffix("s")
    thing = singular.replace("_", " ")
    return Entity(
        name=name,
        path=f"/{name}",
        fields=(
            id_of(thing),
            of_client(thing),
            Field("number", TEXT, f"Number of the {thing}; of a deleted invoice, with _Deleted behind it."),
            Field("status_id", TEXT, f"Status: {statuses}."),
            Field("date", DATE, f"Date of the {thing}."),
            Field("due_date", DATE, "Due date; of a quote, valid until. NULL for none and for one that is no date."),
            Field("amount", MONEY, f"Total of the {thing}.", vital=True),
            Field("balance", MONEY, "The open part, by the server. A deleted one keeps it.", vital=True),
            Field("paid_to_date", MONEY, "The part that is paid or used.", vital=True),
            Field("partial", MONEY, "The deposit that is asked for; 0 for none."),
            Field("partial_due_date", DATE, "Due date of the deposit."),
            Field("po_number", TEXT, "Order number of the client."),
            Field("discount", NUMBER, "Discount on the whole: an amount or a percentage, by `is_amount_discount`."),
            Field("is_amount_discount", FLAG, "Whether the discount is an amount."),
            *taxes(),
            Field("total_taxes", MONEY, "All taxes."),
            Field("uses_inclusive_taxes", FLAG, "Whether prices include the taxes."),
            *(Field(f"custom_surcharge{n}", MONEY, f"Surcharge {n}.") for n in (1, 2, 3, 4)),
            Field("exchange_rate", NUMBER, "Rate from the client's currency to the company's, as entered."),
            *notes_of(thing),
            *custom_values(thing),
            Field("project_id", LINK, "The project."),
            Field("vendor_id", LINK, "The vendor."),
            *more,
            *users_of(thing),
            is_deleted(thing),
            *times_of(thing),
        ),
        children=(_items(singular),),
        secrets=UNSTORED,
        elsewhere=frozenset(
            {
                "design_id", "entity_type", "last_sent_date", "next_send_date", "reminder1_sent", "reminder2_sent",
                "reminder3_sent", "reminder_last_sent", "terms", "footer", "has_tasks", "has_expenses",
                "custom_surcharge_tax1", "custom_surcharge_tax2", "custom_surcharge_tax3", "custom_surcharge_tax4",
                "subscription_id", "auto_bill_enabled", "tax_info", "e_invoice", "backup", "location_id", "invitations",
                "is_proforma", "client", "next_send_datetime", "due_date_days", "auto_bill", "recurring_dates",
            }
        ),
        historic=historic,
        client_column="client_id",
    )  # fmt: skip


INVOICES = _document(
    "invoices",
    "1 draft, 2 sent, 3 partly paid, 4 paid, 5 cancelled, 6 reversed",
    Field("recurring_id", LINK, "The recurring invoice that made it."),
    historic=True,
)
CREDITS = _document(
    "credits",
    "1 draft, 2 sent, 3 partly used, 4 used",
    Field("invoice_id", LINK, "The invoice that the credit reverses."),
    historic=True,
)
QUOTES = _document(
    "quotes",
    "1 draft, 2 sent, 3 approved, 4 converted, -1 expired",
    Field("invoice_id", LINK, "The invoice made of the quote."),
)
RECURRING_INVOICES = _document(
    "recurring_invoices",
    "1 draft, 2 active, 3 paused, 4 completed, -1 pending",
    Field("frequency_id", TEXT, "How often it is sent: 5 monthly, 7 quarterly, 10 yearly ..."),
    Field("remaining_cycles", COUNT, "How many invoices it still makes; -1 without end."),
    Field("next_send_date", DATE, "The day of the next invoice."),
)

PAYMENT_APPLICATIONS = Entity(
    name="payment_applications",
    path="",
    key="paymentables",
    fields=(
        id_of("application"),
        Field("invoice_id", LINK, "The invoice that the payment pays; NULL in the row of a credit."),
        Field("credit_id", LINK, "The credit that the payment uses; NULL in the row of an invoice."),
        Field("amount", MONEY, "The amount applied, in the client's currency.", vital=True),
        Field("refunded", MONEY, "The part that was refunded.", vital=True),
        *times_of("application"),
    ),
    sparse=True,
)

PAYMENTS = Entity(
    name="payments",
    path="/payments",
    fields=(
        id_of("payment"),
        of_client("payment"),
        Field("number", TEXT, "Number of the payment."),
        Field(
            "status_id", TEXT, "Status: 1 pending, 2 cancelled, 3 failed, 4 completed, 5 partly refunded, 6 refunded."
        ),
        Field("date", DATE, "Date of the payment."),
        Field("amount", MONEY, "The amount received. The server cuts it if a paid invoice is deleted.", vital=True),
        Field("applied", MONEY, "The part applied to invoices and credits; a refund leaves it unchanged.", vital=True),
        Field("refunded", MONEY, "The part refunded.", vital=True),
        Field("type_id", TEXT, "Way of payment: 1 bank transfer, 2 cash ..."),
        Field("currency_id", TEXT, "Currency of the payment."),
        Field("exchange_rate", NUMBER, "Rate to `exchange_currency_id`."),
        Field("exchange_currency_id", TEXT, "The other currency."),
        Field("transaction_reference", TEXT, "Reference of the transaction.", personal=True),
        Field("is_manual", FLAG, "Whether a person entered it."),
        Field("company_gateway_id", LINK, "The gateway that took it."),
        Field("client_contact_id", LINK, "The contact who paid."),
        Field("invitation_id", LINK, "The invitation by which it was paid."),
        Field("private_notes", TEXT, "Notes on the payment that the client does not see.", personal=True),
        *custom_values("payment"),
        Field("project_id", LINK, "The project."),
        Field("vendor_id", LINK, "The vendor."),
        *users_of("payment"),
        is_deleted("payment"),
        *times_of("payment"),
    ),
    children=(PAYMENT_APPLICATIONS,),
    secrets=UNSTORED,
    elsewhere=frozenset({"transaction_id", "gateway_type_id", "category_id", "invoices", "credits", "client"}),
    historic=True,
    client_column="client_id",
)
