"""Records as the server sends them, for tests: one client with its contacts, any field of it set anew."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

NOW = 1_795_336_905
MOMENT = datetime.fromtimestamp(NOW, UTC)


def contact(key: str, **fields: object) -> dict[str, object]:
    """A contact with the given id."""
    values = {
        "first_name": "Ann", "last_name": "Lee", "email": f"{key}@example.com", "phone": "",
        "is_primary": True, "is_locked": False, "send_email": True, "last_login": 0,
        "created_at": NOW - 900, "updated_at": NOW - 900, "archived_at": 0,
        "custom_value1": "", "custom_value2": "", "custom_value3": "", "custom_value4": "",
        "contact_key": "planted-contact-key", "password": "", "link": "https://ninja.test/client/key_login/planted-link",
    }  # fmt: skip
    return {"id": key, **values, **fields}


def client(key: str, **fields: object) -> dict[str, object]:
    """A client with the given id and one contact, unless told otherwise."""
    texts = [
        "website", "private_notes", "public_notes", "address1", "address2", "phone", "city", "state", "postal_code",
        "custom_value1", "custom_value2", "custom_value3", "custom_value4", "shipping_address1", "shipping_address2",
        "shipping_city", "shipping_state", "shipping_postal_code", "shipping_country_id", "vat_number", "id_number",
        "routing_id", "classification", "group_settings_id", "size_id", "industry_id", "assigned_user_id",
    ]  # fmt: skip
    values = {
        "user_id": "VolejRejNm", "name": f"Client {key}", "display_name": f"Client {key}", "number": key,
        "balance": Decimal("100.50"), "paid_to_date": 0, "payment_balance": 0, "credit_balance": 0,
        "last_login": 0, "client_hash": "planted-client-hash", "country_id": "276",
        "settings": {"entity": "App\\Models\\Client", "industry_id": "", "size_id": "", "currency_id": "3"},
        "is_deleted": False, "is_tax_exempt": False, "has_valid_vat_number": False, "tax_info": {}, "e_invoice": {},
        "created_at": NOW - 1000, "updated_at": NOW - 900, "archived_at": 0,
        "contacts": [contact(f"c{key}")], "documents": [],
        "gateway_tokens": [{"id": "g", "token": "planted-gateway-token", "gateway_customer_reference": "planted-ref"}],
    }  # fmt: skip
    return {"id": key, **dict.fromkeys(texts, ""), **values, **fields}
