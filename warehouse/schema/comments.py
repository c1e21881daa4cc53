"""Descriptions of tables, views and columns: comments in the database, and the text of the data dictionary.

A column that is a field of a record has the field's description; the others are described here. Personal data is
marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from schemas.entities import ACTIVITIES, CLIENTS, COMPANIES, CONTACTS, GROUPS
from schemas.entity import Entity
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import quoted
from warehouse.schema.personal import is_personal
from warehouse.schema.tables import columns, mirrored

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
    "owed": "Sum of the debtors' balances.",
    "overpaid": "Sum that the creditors have overpaid, as a positive number.",
    "net": "Owed less overpaid: the sum of all balances.",
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
    "client_status": "The client's status: active, archived or deleted.",
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
}


@cache
def _fields() -> dict[str, str]:
    descriptions: dict[str, str] = {}
    for entity in (CLIENTS, CONTACTS, COMPANIES, GROUPS):
        descriptions = {field.name: field.description for field in entity.fields} | descriptions
    return descriptions


def of_table(entity: Entity, parent: Entity | None) -> dict[str, str]:
    """Return the columns of a table of the mirror, each with its description."""
    described = {field.name: field.description for field in entity.fields}
    if parent is not None:
        described[parent.parent_column] = f"Id of the {parent.singular.replace('_', ' ')} it belongs to."
    return {name: _described(entity.name, name, described) for name in columns(entity, parent)}


def of_view(view: str, names: list[str]) -> dict[str, str]:
    """Return the columns of a view of `mart`, each with its description."""
    entity = {"contacts": CONTACTS, "companies": COMPANIES, "client_activities": ACTIVITIES}.get(view, CLIENTS)
    described = {field.name: field.description for field in entity.fields} | OWN
    return {name: _described(view, name, described) for name in names}


def of_whole(text: str) -> str:
    """Return the description of a view: the comment before its statement."""
    lines = text.split("create view", 1)[0].splitlines()
    return " ".join(line.removeprefix("--").strip() for line in lines)


def comment_on_mirror(warehouse: Warehouse) -> None:
    """Write the comments of the mirror's tables into the database."""
    _say(
        warehouse,
        [
            f"comment on column ninja.{entity.name}.{column} is {quoted(text)}"
            for entity, parent in mirrored()
            for column, text in of_table(entity, parent).items()
        ],
    )


def comment_on_views(warehouse: Warehouse, made: Mapping[str, str]) -> None:
    """Write the comments of views of `mart`, each made by its statement, into the database."""
    there, comments = view_columns(warehouse), []
    for view, text in made.items():
        comments.append(f'comment on view mart."{view}" is {quoted(of_whole(text))}')
        for column, description in of_view(view, there[view]).items():
            comments.append(f'comment on column mart."{view}"."{column}" is {quoted(description)}')
    _say(warehouse, comments)


def view_columns(warehouse: Warehouse) -> dict[str, list[str]]:
    """Return the columns of all views of `mart`, in order, by one query: DuckDB binds every view for each query."""
    columns_of: dict[str, list[str]] = {}
    for view, column in warehouse.rows(
        "select table_name, column_name from information_schema.columns "
        "where table_catalog = current_database() and table_schema = 'mart' order by table_name, ordinal_position"
    ):
        columns_of.setdefault(str(view), []).append(str(column))
    return columns_of


def _say(warehouse: Warehouse, comments: list[str]) -> None:
    """Run all comments as one text: on Postgres, each statement would be a round trip."""
    warehouse.execute(";\n".join(comments))


def _described(table: str, column: str, described: dict[str, str]) -> str:
    text = described.get(column) or OWN.get(column) or _fields().get(column) or ""
    return text + PERSONAL * (bool(text) and is_personal(table, column))
