"""A client with its contacts and documents as a typed value for programs, without secrets.

The fields are those of `schemas.entities`, under the same names (a test compares them). A value that the server sends
is never None, except that `''` and 0 for "none" become None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from schemas.entities import CLIENTS, CONTACTS, DOCUMENTS
from schemas.entity import Entity, Kind
from schemas.errors import UnexpectedShape
from schemas.normalise import Values, normalise

_JSON = msgspec.json.Decoder(float_hook=Decimal)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A contact of a client. Times are aware, in UTC."""

    id: str
    first_name: str | None = field(default=None, repr=False)
    last_name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    custom_value1: str | None = field(default=None, repr=False)
    custom_value2: str | None = field(default=None, repr=False)
    custom_value3: str | None = field(default=None, repr=False)
    custom_value4: str | None = field(default=None, repr=False)
    is_primary: bool | None = None
    is_locked: bool | None = None
    send_email: bool | None = None
    last_login: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A document of a client: data about the file, not the file. Sizes are bytes and pixels."""

    id: str
    user_id: str | None = None
    assigned_user_id: str | None = None
    project_id: str | None = None
    vendor_id: str | None = None
    name: str | None = field(default=None, repr=False)
    type: str | None = None
    disk: str | None = None
    size: int | None = None
    width: int | None = None
    height: int | None = None
    is_default: bool | None = None
    is_public: bool | None = None
    is_deleted: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client as the server showed it. Money is exact and in the client's own currency; times are aware, in UTC.

    `currency_id` and the like are the client's own settings: None inherits the group's, then the company's.
    """

    id: str
    balance: Decimal
    paid_to_date: Decimal
    payment_balance: Decimal
    credit_balance: Decimal
    is_deleted: bool
    number: str | None = None
    name: str | None = field(default=None, repr=False)
    display_name: str | None = field(default=None, repr=False)
    currency_id: str | None = None
    language_id: str | None = None
    payment_terms: str | None = None
    valid_until: str | None = None
    default_task_rate: str | None = None
    send_reminders: str | None = None
    group_settings_id: str | None = None
    size_id: str | None = None
    industry_id: str | None = None
    classification: str | None = None
    id_number: str | None = field(default=None, repr=False)
    vat_number: str | None = field(default=None, repr=False)
    has_valid_vat_number: bool | None = None
    is_tax_exempt: bool | None = None
    routing_id: str | None = None
    website: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    address1: str | None = field(default=None, repr=False)
    address2: str | None = field(default=None, repr=False)
    city: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    postal_code: str | None = field(default=None, repr=False)
    country_id: str | None = None
    shipping_address1: str | None = field(default=None, repr=False)
    shipping_address2: str | None = field(default=None, repr=False)
    shipping_city: str | None = field(default=None, repr=False)
    shipping_state: str | None = field(default=None, repr=False)
    shipping_postal_code: str | None = field(default=None, repr=False)
    shipping_country_id: str | None = None
    custom_value1: str | None = field(default=None, repr=False)
    custom_value2: str | None = field(default=None, repr=False)
    custom_value3: str | None = field(default=None, repr=False)
    custom_value4: str | None = field(default=None, repr=False)
    private_notes: str | None = field(default=None, repr=False)
    public_notes: str | None = field(default=None, repr=False)
    user_id: str | None = None
    assigned_user_id: str | None = None
    last_login: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    archived_at: datetime | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tax_info: Mapping[str, Any] = field(default_factory=dict, repr=False)
    e_invoice: Mapping[str, Any] = field(default_factory=dict, repr=False)
    contacts: Sequence[Contact] = ()
    documents: Sequence[Document] = ()

    @property
    def status(self) -> str:
        """`active`, `archived` or `deleted`, as in the server's filter `status`."""
        return "deleted" if self.is_deleted else "archived" if self.archived_at else "active"


def client_of(record: object) -> Client:
    """The typed value of a decoded record. Raises UnexpectedShape, naming the field that does not fit."""
    batch = normalise(CLIENTS, [record])
    if batch.quarantined:
        raise UnexpectedShape(f"The server sent a record of an unknown shape: {batch.quarantined[0]}.")
    (row,) = batch.rows
    contacts, documents = row.children
    return Client(
        **_named(CLIENTS, row.values),
        contacts=[_value(Contact, CONTACTS, values) for values in contacts],
        documents=[_value(Document, DOCUMENTS, values) for values in documents],
    )


def as_dict(value: object) -> dict[str, object]:
    """A typed value as a dictionary, with its contacts and documents: for JSON and tables."""
    return {
        f.name: [as_dict(child) for child in value_there] if f.name in {"contacts", "documents"} else value_there
        for f in fields(value)  # type: ignore[arg-type]  # a dataclass of this module
        for value_there in (getattr(value, f.name),)
    }


def document_of(record: object) -> Document:
    """The typed value of a decoded document. Raises UnexpectedShape, naming the field that does not fit."""
    return value_of(Document, DOCUMENTS, record)


def value_of(kind: type[_T], entity: Entity, record: object) -> _T:
    """A decoded record as a dataclass that has the fields of its entity. Raises UnexpectedShape as `client_of` does."""
    batch = normalise(entity, [record])
    if batch.quarantined:
        raise UnexpectedShape(f"The server sent a record of an unknown shape: {batch.quarantined[0]}.")
    return _value(kind, entity, batch.rows[0].values)


def _value(kind: type[_T], entity: Entity, values: Values) -> _T:
    return kind(**_named(entity, values))


def _named(entity: Entity, values: Values) -> dict[str, Any]:
    return {f.name: _as_python(f.kind, value) for f, value in zip(entity.fields, values, strict=True)}


def _as_python(kind: Kind, value: object) -> object:
    if kind is Kind.TIME and isinstance(value, int):
        return datetime.fromtimestamp(value, UTC)
    if kind is Kind.JSON:
        return {} if value is None else _JSON.decode(str(value))
    return value
