"""Clients, contacts, documents and gateway tokens as the API writes them.

Field by field after ClientTransformer.php:117-168, ClientContactTransformer.php:29-52, DocumentTransformer.php:35-55
and ClientGatewayTokenTransformer.php:30-45; the order of the keys is that of the recordings. Nothing is ever null:
PHP's `?: ''` turns both null and the text "0" into `""`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sandbox.php.hashids import encode
from sandbox.store.database import Row
from sandbox.store.world import MICROS

Json = dict[str, Any]
PASSWORD_MASK = "**********"  # noqa: S105 - shown in place of a password
CONTACT_PATH = "/client/key_login/"


def _text(value: Any) -> Any:
    return "" if value is None or value == "0" else value


@lru_cache(maxsize=4096)
def _money(stored: str) -> Decimal:
    return Decimal(stored)


def _lookup(value: int | None) -> str:
    return str(value) if value else ""


def _seconds(stamp: int | None) -> int:
    return 0 if stamp is None else stamp // MICROS


def _hashed(number: int | None) -> str:
    return "" if number is None else encode(number)


def _object(stored: str | None) -> Any:
    return (json.loads(stored) if stored else None) or {}


def display_name(client: Mapping[str, Any], contacts: Sequence[Row]) -> str:
    """The client's name, else its primary contact's name, else that contact's address (ClientPresenter).

    Primary contacts come first in `contacts`; a client whose primary one moved to another client has none.
    """
    if _text(client["name"]):
        return str(client["name"])
    contact = contacts[0] if contacts and contacts[0]["is_primary"] else None
    if contact and (contact["first_name"] or contact["last_name"]):
        return f"{contact['first_name'] or ''} {contact['last_name'] or ''}"
    return str(contact["email"]) if contact and contact["email"] else "No Contact Set"


def client_json(
    row: Mapping[str, Any], contacts: Sequence[Row], documents: Sequence[Row], tokens: Sequence[Row], host: str
) -> Json:
    """One client with its related records; contacts in the order in which they are shown."""
    return {
        "id": _hashed(row["id"]),
        "user_id": _hashed(row["user_id"]),
        "assigned_user_id": _hashed(row["assigned_user_id"]),
        "name": _text(row["name"]),
        "website": _text(row["website"]),
        "private_notes": _text(row["private_notes"]),
        "balance": _money(row["balance"]),
        "group_settings_id": _hashed(row["group_settings_id"]),
        "paid_to_date": _money(row["paid_to_date"]),
        "payment_balance": _money(row["payment_balance"]),
        "credit_balance": _money(row["credit_balance"]),
        "last_login": _seconds(row["last_login"]),
        "size_id": _lookup(row["size_id"]),
        "public_notes": _text(row["public_notes"]),
        "client_hash": row["client_hash"] or "",
        "address1": _text(row["address1"]),
        "address2": _text(row["address2"]),
        "phone": _text(row["phone"]),
        "city": _text(row["city"]),
        "state": _text(row["state"]),
        "postal_code": _text(row["postal_code"]),
        "country_id": _lookup(row["country_id"]),
        "industry_id": _lookup(row["industry_id"]),
        "custom_value1": _text(row["custom_value1"]),
        "custom_value2": _text(row["custom_value2"]),
        "custom_value3": _text(row["custom_value3"]),
        "custom_value4": _text(row["custom_value4"]),
        "shipping_address1": _text(row["shipping_address1"]),
        "shipping_address2": _text(row["shipping_address2"]),
        "shipping_city": _text(row["shipping_city"]),
        "shipping_state": _text(row["shipping_state"]),
        "shipping_postal_code": _text(row["shipping_postal_code"]),
        "shipping_country_id": _lookup(row["shipping_country_id"]),
        "settings": _object(row["settings"]),
        "is_deleted": bool(row["is_deleted"]),
        "vat_number": _text(row["vat_number"]),
        "id_number": _text(row["id_number"]),
        "updated_at": _seconds(row["updated_at"]),
        "archived_at": _seconds(row["deleted_at"]),
        "created_at": _seconds(row["created_at"]),
        "display_name": display_name(row, contacts),
        "number": _text(row["number"]),
        "has_valid_vat_number": bool(row["has_valid_vat_number"]),
        "is_tax_exempt": bool(row["is_tax_exempt"]),
        "routing_id": _text(row["routing_id"]),
        "tax_info": _object(row["tax_info"]),
        "classification": _text(row["classification"]),
        "e_invoice": _object(row["e_invoice"]),
        "contacts": [_contact_json(contact, host) for contact in contacts],
        "documents": [document_json(document, host) for document in documents],
        "gateway_tokens": [_gateway_token_json(token) for token in tokens],
    }


def _contact_json(row: Row, host: str) -> Json:
    return {
        "id": encode(row["id"]),
        "first_name": _text(row["first_name"]),
        "last_name": _text(row["last_name"]),
        "email": _text(row["email"]),
        "created_at": _seconds(row["created_at"]),
        "updated_at": _seconds(row["updated_at"]),
        "archived_at": _seconds(row["deleted_at"]),
        "is_primary": bool(row["is_primary"]),
        "is_locked": bool(row["is_locked"]),
        "phone": _text(row["phone"]),
        "custom_value1": _text(row["custom_value1"]),
        "custom_value2": _text(row["custom_value2"]),
        "custom_value3": _text(row["custom_value3"]),
        "custom_value4": _text(row["custom_value4"]),
        "contact_key": row["contact_key"],
        "send_email": bool(row["send_email"]),
        "last_login": _seconds(row["last_login"]),
        "password": PASSWORD_MASK if row["password"] else "",
        "link": host + CONTACT_PATH + row["contact_key"],
    }


def document_json(row: Row, host: str) -> Json:
    """One document of a client."""
    return {
        "id": encode(row["id"]),
        "user_id": encode(row["user_id"]),
        "assigned_user_id": "",
        "project_id": "",
        "vendor_id": "",
        "url": f"{host}/api/v1/documents/{encode(row['id'])}/download",
        "preview": "",
        "name": row["name"],
        "type": row["type"],
        "disk": "public",
        "hash": row["hash"],
        "size": row["size"],
        "width": row["width"],
        "height": row["height"],
        "is_default": False,
        "updated_at": _seconds(row["updated_at"]),
        "archived_at": _seconds(row["deleted_at"]),
        "created_at": _seconds(row["created_at"]),
        "is_deleted": False,
        "is_public": bool(row["is_public"]),
        "link": f"/clients/{encode(row['client_id'])}",
    }


def _gateway_token_json(row: Row) -> Json:
    return {
        "id": encode(row["id"]),
        "token": row["token"],
        "gateway_customer_reference": row["gateway_customer_reference"],
        "gateway_type_id": str(row["gateway_type_id"]),
        "company_gateway_id": encode(1),
        "is_default": True,
        "meta": json.loads(row["meta"]),
        "created_at": _seconds(row["created_at"]),
        "updated_at": _seconds(row["updated_at"]),
        "archived_at": _seconds(row["deleted_at"]),
        "is_deleted": False,
    }


def group_json(row: Row) -> Json:
    """One group of clients."""
    return {
        "id": encode(row["id"]),
        "name": _text(row["name"]),
        "settings": _object(row["settings"]),
        "created_at": _seconds(row["created_at"]),
        "updated_at": _seconds(row["updated_at"]),
        "archived_at": _seconds(row["deleted_at"]),
        "is_deleted": bool(row["is_deleted"]),
        "documents": [],
    }


def activity_json(row: Row) -> Json:
    """One activity; references that it does not have are empty texts."""
    nothing = (
        "recurring_invoice_id", "recurring_expense_id", "purchase_order_id", "invoice_id", "payment_id", "credit_id",
        "expense_id", "quote_id", "task_id", "vendor_id", "vendor_contact_id", "contact_id",
    )  # fmt: skip
    return {
        "id": encode(row["id"]),
        "activity_type_id": str(row["activity_type_id"]),
        "client_id": _hashed(row["client_id"]),
        "company_id": encode(row["company_id"]),
        "user_id": _hashed(row["user_id"]),
        "token_id": _hashed(row["token_id"]),
        **dict.fromkeys(nothing, ""),
        "notes": row["notes"],
        "is_system": False,
        "ip": "127.0.0.1",
        "created_at": _seconds(row["created_at"]),
        "updated_at": _seconds(row["updated_at"]),
    }


def ledger_json(row: Row) -> Json:
    """One ledger row. Its first key names the invoice, payment or credit; a merge has none."""
    return {
        f"{row['entity']}_id": encode(row["entity_id"]),
        "notes": row["notes"],
        "balance": Decimal(row["balance"]),
        "adjustment": Decimal(row["adjustment"]),
        "activity_id": row["activity_id"],
        "created_at": _seconds(row["created_at"]),
        "updated_at": _seconds(row["updated_at"]),
        "archived_at": 0,
    }


def system_log_json(row: Row) -> Json:
    """One log of a mail or a payment; `log` is JSON inside a text (SystemLogTransformer.php)."""
    return {
        "id": encode(row["id"]),
        "company_id": encode(row["company_id"]),
        "user_id": encode(row["user_id"]),
        "client_id": encode(row["client_id"]),
        "event_id": row["event_id"],
        "category_id": row["category_id"],
        "type_id": row["type_id"],
        "log": row["log"],
        "updated_at": _seconds(row["updated_at"]),
        "created_at": _seconds(row["created_at"]),
    }
