"""Names of a client's fields for people: the company's label of a custom field, plain words for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from schemas.server_form import WRITABLE
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

WORDS: Final = {
    "country_id": "country", "shipping_country_id": "shipping country", "currency_id": "currency",
    "language_id": "language", "industry_id": "industry", "size_id": "size", "group_settings_id": "group",
    "id_number": "ID number", "vat_number": "VAT number", "address1": "address, line 1", "address2": "address, line 2",
    "shipping_address1": "shipping address, line 1", "shipping_address2": "shipping address, line 2",
    "routing_id": "routing ID", "e_invoice": "e-invoice",
    **{f"custom_value{number}": f"custom field {number}" for number in range(1, 5)},
}  # fmt: skip
"""Names of fields that differ from their columns with spaces."""


def field_name(column: str, labels: Mapping[str, str] | None = None) -> str:
    """Return the name of a field for people: `city`, `VAT number`, or the company's label of a custom field."""
    return (labels or {}).get(column) or WORDS.get(column) or column.replace("_", " ")


def field_labels(warehouse: Warehouse) -> dict[str, dict[str, str]]:
    """Return the labels of the custom fields of clients, by source and column.

    `custom_fields` of a company is {"client1": "label|type", ...} (CompanyTransformer).
    """
    labels: dict[str, dict[str, str]] = {}
    for source, text in warehouse.rows(statement("shown_plans/custom_labels")):
        content = msgspec.json.decode(str(text))
        for number in range(1, 5):
            label = str((content if isinstance(content, dict) else {}).get(f"client{number}") or "").partition("|")[0]
            if label.strip():
                labels.setdefault(str(source), {})[f"custom_value{number}"] = label.strip()
    return labels


def names_of_fields(warehouse: Warehouse, source: str) -> dict[str, str]:
    """Return the names of all fields of a client that can be written, for people."""
    labels = field_labels(warehouse).get(source, {})
    return {column: field_name(column, labels) for column in WRITABLE}
