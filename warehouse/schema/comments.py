"""What each table, view and column is, in words: comments in the database, and the data dictionary.

A column that is a field of a record has the field's description; the others have theirs here. What may point to a
person is marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from schemas.entities import ACTIVITIES, CLIENTS, COMPANIES, CONTACTS, GROUPS
from schemas.entity import Entity
from warehouse.engine.seam import Warehouse
from warehouse.schema.personal import is_personal
from warehouse.schema.tables import columns, mirrored

PERSONAL = " (personal data)"

OWN = {
    "source": "The configured name of one company on one server; ids are unique within it.",
    "record": "The whole record as JSON, without secrets.",
    "row_hash": "A hash over the fields whose change makes a new version.",
    "valid_from": "Since when this version holds, by the server's clock.",
    "valid_to": "Until when it held (not at that moment any more); NULL where it still does.",
    "observed_at": "When this version was first seen, by the server's clock.",
    "observed_run_id": "The run that saw this version first.",
    "run_id": "The run that stored the row.",
    "client_id": "The client it belongs to.",
    "currency_code": "ISO 4217 code of the effective currency: the client's own, else its group's, else the company's.",
    "currency_name": "Name of the effective currency.",
    "currency_from": "Where the effective currency comes from: client, group or company.",
    "clients": "How many clients.",
    "debtors": "How many of them owe something.",
    "creditors": "How many of them have overpaid: their balance is below zero.",
    "owed": "What the debtors owe, added up.",
    "overpaid": "What the creditors have paid too much, added up, as a number above zero.",
    "net": "What is owed less what is overpaid: the sum of all balances.",
    "country": "Country of the billing address, in English.",
    "country_code": "ISO 3166 code of two letters.",
    "shipping_country": "Country of the shipping address, in English.",
    "group_name": "Name of the client's group.",
    "industry": "Industry, in the language of the token's user.",
    "size": "Number of employees, such as 4 - 10.",
    "language": "Language, in English.",
    "day": "A day of the company's own time zone.",
    "month": "The first day of a month of the company's own time zone.",
    "status": "active, archived or deleted.",
    "field": "The field that differs; of a contact or document with its id, as in contacts.Wpmbk5ezJn.email.",
    "before": "The earlier value, as text; '' is nothing.",
    "after": "The later value, as text; '' is nothing.",
    "changed_at": "Since when the later version is valid.",
    "is_current": "Whether the version still holds.",
    "ended_by": "What ended the version: changed, gone, purged or merged.",
    "cluster_id": "The cluster, by the smallest id in it: the clients of one cluster are taken for one.",
    "probability": "How probable it is that the client is the same as another one of its cluster, 0 to 1.",
    "reasons": "What speaks for it, in words, as a JSON list.",
    "found_at": "When it was found.",
    "kind": "What became of the client: gone, purged or merged.",
    "into_id": "The client into which it was merged.",
    "current_id": "The client where it ended up when that one was merged too, and so on.",
    "current_name": "What that client is called.",
    "hops": "Through how many merges.",
    "evidence": "By what that is known.",
    "vanished_at": "When its last version ended.",
    "contact_id": "The primary contact, else the oldest one.",
    "contact_first_name": "First name of the primary contact.",
    "contact_last_name": "Last name of the primary contact.",
    "contact_email": "Mail of the primary contact.",
    "contact_phone": "Phone of the primary contact.",
    "contacts": "How many contacts.",
    "new_clients": "How many clients were created, those that have vanished since included.",
    "deleted_clients": "How many were deleted, and are still there.",
    "merged_clients": "How many were merged into another client.",
    "vanished_clients": "How many are gone from the server otherwise.",
    "time_zone": "The company's time zone, of the tz database; UTC where none is set.",
    "base_url": "Address of the server.",
    "server_version": "Version of Invoice Ninja.",
    "bound_at": "Since when the source is bound to this company.",
    "client_name": "What the client is called.",
    "client_number": "The client's number.",
    "client_status": "The client's status: active, archived or deleted.",
    "email_key": "The mail, in small letters and without blanks around it.",
    "phone_digits": "The digits of the phone number.",
    "activity": "What was done, in words, where the type is known.",
    "finding": "What is worth a look.",
    "detail": "The value that is odd.",
    "watermark": "Up to when changes are known for certain, by the server's clock.",
    "newest_change_at": "The newest change that was seen.",
    "last_load_at": "When the last run ended that changed something.",
    "last_load_kind": "Its kind: pull or full.",
    "last_inserted": "How many clients it added.",
    "last_updated": "How many clients it changed.",
    "clients_on_server": "How many clients the server says it has.",
    "not_listed": "How many clients stay here although the server does not list them.",
    "quarantined": "How many records wait in quarantine.",
    "unknown_fields": "How many fields this version does not know, or misses.",
    "why": "Why the client stays: held or hidden.",
    "since": "When it was first found missing.",
}


@cache
def _fields() -> dict[str, str]:
    found: dict[str, str] = {}
    for entity in (CLIENTS, CONTACTS, COMPANIES, GROUPS):
        found = {field.name: field.description for field in entity.fields} | found
    return found


def of_table(entity: Entity, parent: Entity | None) -> dict[str, str]:
    """The columns of a table of the mirror, each in words."""
    described = {field.name: field.description for field in entity.fields}
    return {name: _told(entity.name, name, described) for name in columns(entity, parent)}


def of_view(view: str, names: list[str]) -> dict[str, str]:
    """The columns of a view of `mart`, each in words."""
    entity = {"contacts": CONTACTS, "companies": COMPANIES, "client_activities": ACTIVITIES}.get(view, CLIENTS)
    described = {field.name: field.description for field in entity.fields} | OWN
    return {name: _told(view, name, described) for name in names}


def of_whole(text: str) -> str:
    """What a view is: the comment in front of its statement."""
    lines = text.split("create view", 1)[0].splitlines()
    return " ".join(line.removeprefix("--").strip() for line in lines)


def comment_on_mirror(warehouse: Warehouse) -> None:
    """Write the comments of the mirror's tables into the database."""
    _say(
        warehouse,
        [
            f"comment on column ninja.{entity.name}.{column} is {_quoted(text)}"
            for entity, parent in mirrored()
            for column, text in of_table(entity, parent).items()
        ],
    )


def comment_on_views(warehouse: Warehouse, made: Mapping[str, str]) -> None:
    """Write the comments of views of `mart`, each made by its statement, into the database."""
    there, comments = view_columns(warehouse), []
    for view, text in made.items():
        comments.append(f'comment on view mart."{view}" is {_quoted(of_whole(text))}')
        for column, told in of_view(view, there[view]).items():
            comments.append(f'comment on column mart."{view}"."{column}" is {_quoted(told)}')
    _say(warehouse, comments)


def view_columns(warehouse: Warehouse) -> dict[str, list[str]]:
    """The columns of all views of `mart`, in order: one question, since DuckDB binds every view for each."""
    found: dict[str, list[str]] = {}
    for view, column in warehouse.rows(
        "select table_name, column_name from information_schema.columns "
        "where table_catalog = current_database() and table_schema = 'mart' order by table_name, ordinal_position"
    ):
        found.setdefault(str(view), []).append(str(column))
    return found


def _say(warehouse: Warehouse, comments: list[str]) -> None:
    """All in one text: on Postgres, each statement would be a round trip."""
    warehouse.execute(";\n".join(comments))


def _told(table: str, column: str, described: dict[str, str]) -> str:
    text = described.get(column) or OWN.get(column) or _fields().get(column) or ""
    return text + PERSONAL * (bool(text) and is_personal(table, column))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
