"""Descriptions of tables, views and columns: comments in the database, and the text of the data dictionary.

A column that is a field of a record has the field's description; the others are described here. Personal data is
marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from schemas.billing import CREDITS, INVOICES, PAYMENTS
from schemas.entities import ACTIVITIES, CLIENTS, COMPANIES, CONTACTS, GROUPS
from schemas.entity import Entity
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import description_of, quoted
from warehouse.schema.mirror import columns, mirrored
from warehouse.schema.personal import is_personal

PERSONAL = " (personal data)"

OWN = {
    "source": "The configured name of one company on one server; ids are unique within it.",
    "record": "The whole record as JSON, without secrets.",
    "row_hash": "A hash over the fields whose change makes a new version.",
    "valid_from": "Start of this version, by the server's clock.",
    "valid_to": "End of this version (exclusive); NULL for the current one.",
    "observed_at": "When a run first saw this version, by the server's clock.",
    "observed_run_id": "The run that first saw this version.",
    "run_id": "The run that stored the row.",
    "client_id": "Id of the client it belongs to.",
    "currency_code": "ISO 4217 code of the effective currency: the client's own, else its group's, else the company's.",
    "currency_name": "Name of the effective currency.",
    "currency_from": "Source of the effective currency: client, group or company.",
    "clients": "Number of clients.",
    "debtors": "Number of clients that owe something.",
    "creditors": "Number of clients that have overpaid: their balance is below zero.",
    "owed": "Sum owed: balances or open amounts above zero.",
    "overpaid": "Sum overpaid: balances or open amounts below zero, as a positive number.",
    "net": "Owed less overpaid.",
    "country": "Country of the billing address, in English.",
    "country_code": "Two-letter ISO 3166 code.",
    "shipping_country": "Country of the shipping address, in English.",
    "group_name": "Name of the client's group.",
    "industry": "Industry, in the language of the token's user.",
    "size": "Number of employees, such as 4 - 10.",
    "language": "Language, in English.",
    "day": "A day in the company's time zone.",
    "month": "The first day of a month in the company's time zone.",
    "status": "active, archived or deleted.",
    "field": "The field that changed; for a contact or document with its id, as in contacts.Wpmbk5ezJn.email.",
    "before": "The earlier value, as text; '' is empty.",
    "after": "The later value, as text; '' is empty.",
    "changed_at": "Start of the later version.",
    "is_current": "Whether this is the client's current version.",
    "ended_by": "Reason for the end of the version: changed, gone, purged or merged.",
    "cluster_id": "The group of duplicates, by the smallest client id in it.",
    "probability": "Probability that the client is the same as another one in its group of duplicates, 0 to 1.",
    "reasons": "Reasons why the two are the same, as a JSON list of texts.",
    "found_at": "When `dedupe find` found it.",
    "kind": "The client's fate: gone, purged or merged.",
    "into_id": "Id of the client it was merged into.",
    "current_id": "Id of the client it is part of now, if that one was merged too, and so on.",
    "current_name": "Name of that client.",
    "hops": "Number of merges that lead there.",
    "evidence": "The evidence for its fate.",
    "vanished_at": "When its last version ended.",
    "contact_id": "Id of the primary contact, else of the oldest one.",
    "contact_first_name": "First name of the primary contact.",
    "contact_last_name": "Last name of the primary contact.",
    "contact_email": "Mail of the primary contact.",
    "contact_phone": "Phone of the primary contact.",
    "contacts": "Number of contacts.",
    "new_clients": "Number of clients created, including those that have vanished since.",
    "deleted_clients": "Number of clients deleted that the server still has.",
    "merged_clients": "Number of clients merged into another client.",
    "vanished_clients": "Number of clients that vanished from the server in another way.",
    "time_zone": "The company's time zone, as in the tz database; UTC if none is set.",
    "base_url": "Address of the server.",
    "server_version": "Version of Invoice Ninja.",
    "bound_at": "When the source was bound to this company.",
    "client_name": "The client's display name.",
    "client_number": "The client's number.",
    "client_status": "The client's status: active, archived, deleted, or unknown if the warehouse does not have it.",
    "email_key": "The mail in lower case, without surrounding blanks.",
    "phone_digits": "The digits of the phone number.",
    "activity": "The activity in words, if its type is known.",
    "finding": "The problem.",
    "detail": "The odd value.",
    "watermark": "The moment up to which all changes are known, by the server's clock.",
    "newest_change_at": "The newest change seen.",
    "last_load_at": "End of the last run that changed something.",
    "last_load_kind": "Kind of that run: pull or full.",
    "last_inserted": "Number of clients that it added.",
    "last_updated": "Number of clients that it changed.",
    "clients_on_server": "The server's own total of clients.",
    "not_listed": "Number of records kept here although the server does not list them.",
    "entity": "The kind of records: clients, invoices, payments ...",
    "records": "Number of records here.",
    "records_on_server": "The server's own total at the last load.",
    "quarantined": "Number of records in quarantine.",
    "unknown_fields": "Number of fields that this version does not know, or does not find.",
    "why": "Reason for keeping the client: held or hidden.",
    "since": "When a full check first missed it.",
    "figure": "The figure compared: balance, paid_to_date or credit_balance.",
    "of_client": "The client's figure, by the server's counter.",
    "of_documents": "The same figure by the client's documents.",
    "difference": "The client's figure less that of its documents.",
    "reason": "The likeliest cause of the difference.",
    "other_id": "Id of the other client, if a merge seems to have stopped half way.",
    "company_currency": "ISO 4217 code of the company's currency.",
    "rate": "Value of one unit of the currency in the company's currency.",
    "origin": "Origin of the rate: file or server.",
    "rate_day": "Day of the rate.",
    "rate_origin": "Origin of the rate: file or server.",
    "owed_converted": "owed in the company's currency, by the rate.",
    "overpaid_converted": "overpaid in the company's currency, by the rate.",
    "net_converted": "net in the company's currency, by the rate.",
    "document_kind": "The kind of document: invoice, payment or credit.",
    "document_status": "The server's own status, in words.",
    "unapplied": "The part that pays no invoice yet and was not refunded.",
    "invoice_number": "The number of the invoice.",
    "invoice_date": "The date of the invoice.",
    "credit_number": "The number of the credit.",
    "payment_number": "The number of the payment.",
    "payment_date": "The date of the payment.",
    "is_known": "Whether the warehouse has the invoice or credit.",
    "applied_on": "The day it was applied, in the company's time zone.",
    "refunded_on": "The day of its last change, if a part was refunded.",
    "part": "whole, or deposit and rest while a deposit is open.",
    "days_overdue": "Days since the due date; 0 if it is not past or nothing is owed, NULL without one.",
    "days_old": "Days since the date of the invoice; 0 for one dated ahead.",
    "bucket": "not due, 1-30, 31-60, 61-90, over 90 days overdue, or overpaid.",
    "open_amount": "The open amount; below zero for an overpaid invoice.",
    "open_invoices": "Number of invoices with an open amount above zero.",
    "most_days_overdue": "Days overdue of the part that is overdue longest.",
    "most_days_old": "Days since the date of the oldest open invoice.",
    "not_due": "Owed, and not overdue: due today or later, or without a due date.",
    "overdue_1_30": "Owed, and 1 to 30 days overdue.",
    "overdue_31_60": "Owed, and 31 to 60 days overdue.",
    "overdue_61_90": "Owed, and 61 to 90 days overdue.",
    "overdue_over_90": "Owed, and more than 90 days overdue.",
    "without_due_date": "The part of not_due that has no due date, so it is never overdue.",
    "age_0_30": "Owed by invoices of the last 30 days, and by those without a date or dated ahead.",
    "age_31_60": "Owed by invoices 31 to 60 days old.",
    "age_61_90": "Owed by invoices 61 to 90 days old.",
    "age_over_90": "Owed by invoices more than 90 days old.",
    "unapplied_payments": "Sum of payments that pay no invoice yet; not subtracted from owed.",
    "open_credits": "Sum of credits that can still be used; not subtracted from owed.",
    "paid_on": "The day of the last payment that was applied to the invoice.",
    "days_to_pay": "Days from the date of the invoice until it was paid.",
    "days_late": "Days from the due date until it was paid; below zero if it was paid early.",
    "paid_invoices": "Number of paid invoices.",
    "with_due_date": "Number of those with a due date.",
    "paid_late": "Number of those paid after the due date.",
    "average_days_to_pay": "Average of the days from the date of an invoice until it was paid.",
    "average_days_late": "Average of the days from the due date until it was paid.",
    "longest_days_to_pay": "The most days from the date of an invoice until it was paid.",
    "last_paid_on": "The day on which the last of them was paid.",
    "invoices": "Number of invoices.",
    "payments": "Number of payments with money.",
    "invoiced": "Sum of the invoices' amounts.",
    "credited": "Sum of the credits' amounts.",
    "paid": "Sum of the payments' amounts, refunds included.",
}

_OF_BILLING = {
    "invoices": INVOICES,
    "invoice_items": INVOICES.children[0],
    "payments": PAYMENTS,
    "payment_applications": PAYMENTS.children[0],
    "credits": CREDITS,
    "open_items": INVOICES,
    "document_history": INVOICES,
    "unlisted_documents": INVOICES,
    "days_to_pay": INVOICES,
    "revenue_by_month": PAYMENTS,
}
_ENTITIES = {"contacts": CONTACTS, "companies": COMPANIES, "client_activities": ACTIVITIES, **_OF_BILLING}
"""The views whose columns are fields of another entity than clients."""


@cache
def _fields() -> dict[str, str]:
    descriptions: dict[str, str] = {}
    for entity in (CLIENTS, CONTACTS, COMPANIES, GROUPS, PAYMENTS):
        descriptions = {field.name: field.description for field in entity.fields} | descriptions
    parents = [parent for _, parent in mirrored() if parent is not None]
    ids = {p.parent_column: f"Id of the {p.parent_column.removesuffix('_id').replace('_', ' ')}." for p in parents}
    return ids | descriptions


def of_table(entity: Entity, parent: Entity | None) -> dict[str, str]:
    """Return the columns of a table of the mirror, each with its description."""
    described = {field.name: field.description for field in entity.fields}
    if parent is not None:
        described[parent.parent_column] = f"Id of the {parent.singular.replace('_', ' ')} it belongs to."
    return {name: _described(entity.name, name, described) for name in columns(entity, parent)}


def of_view(view: str, names: list[str]) -> dict[str, str]:
    """Return the columns of a view of `mart`, each with its description."""
    entity = _ENTITIES.get(view, CLIENTS)
    described = {field.name: field.description for field in entity.fields} | OWN
    return {name: _described(view, name, described) for name in names}


def comments_of(schema: str, made: Mapping[str, str], there: Mapping[str, list[str]], *, kind: str = "view") -> str:
    """Return one text of comments on a schema's views, each made by its statement, and on their columns.

    `kind` is "table" where an export holds the views as tables. On Postgres, each statement would be a round trip.
    """
    comments = []
    for view, text in made.items():
        comments.append(f'comment on {kind} {schema}."{view}" is {quoted(description_of(text))}')
        for column, description in of_view(view, there[view]).items():
            comments.append(f'comment on column {schema}."{view}"."{column}" is {quoted(description)}')
    return ";\n".join(comments)


def view_columns(warehouse: Warehouse) -> dict[str, list[str]]:
    """Return the columns of all views of `mart`, in order, by one query: DuckDB binds every view for each query."""
    columns_of: dict[str, list[str]] = {}
    for view, column in warehouse.rows(
        "select table_name, column_name from information_schema.columns "
        "where table_catalog = current_database() and table_schema = 'mart' order by table_name, ordinal_position"
    ):
        columns_of.setdefault(str(view), []).append(str(column))
    return columns_of


def _described(table: str, column: str, described: dict[str, str]) -> str:
    text = described.get(column) or OWN.get(column) or _fields().get(column) or ""
    return text + PERSONAL * (bool(text) and is_personal(table, column))
