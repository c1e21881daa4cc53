"""The entities: clients with their contacts and files, those of billing and work, and the settings of companies.

Fields and types are those of Invoice Ninja's transformers (ClientTransformer, ClientContactTransformer,
DocumentTransformer) of 5.10.42, checked against recordings of a running server. Columns are an allow-list: a key that
is not in this file has no column, and a key under `secrets` is dropped before anything is stored.
"""

from __future__ import annotations

from schemas.billing import CREDITS, INVOICES, PAYMENTS, QUOTES, RECURRING_INVOICES
from schemas.entity import Entity, Field, Kind, Written
from schemas.fields import custom_values, id_of, short_text, times_of
from schemas.work import EXPENSES, PRODUCTS, PROJECTS, TASKS, VENDORS

TEXT, LINK, MAIL, SETTING, MONEY = Kind.TEXT, Kind.LINK, Kind.MAIL, Kind.SETTING, Kind.MONEY
TIME, FLAG, COUNT, JSON, NUMBER = Kind.TIME, Kind.FLAG, Kind.COUNT, Kind.JSON, Kind.NUMBER
PUT, BULK, GROUP = Written.PUT, Written.BULK, Written.GROUP


def _address(prefix: str, what: str) -> tuple[Field, ...]:
    return (
        short_text(f"{prefix}address1", f"First line of the {what} address.", personal=True),
        short_text(f"{prefix}address2", f"Second line of the {what} address.", personal=True),
        short_text(f"{prefix}city", f"City of the {what} address.", personal=True),
        short_text(f"{prefix}state", f"State or province of the {what} address.", personal=True),
        short_text(f"{prefix}postal_code", f"Postal code of the {what} address.", personal=True),
        Field(
            f"{prefix}country_id",
            TEXT,
            f"Country of the {what} address: an id of `countries`.",
            written=PUT if prefix else BULK,
        ),
    )


def _setting(name: str, description: str) -> Field:
    return Field(name, SETTING, description, written=PUT, inside="settings")


CONTACTS = Entity(
    name="contacts",
    path="",
    fields=(
        id_of("contact"),
        short_text("first_name", "First name.", personal=True),
        short_text("last_name", "Last name.", personal=True),
        Field("email", MAIL, "E-mail address; NULL for a blank contact.", personal=True, written=PUT, max_length=100),
        short_text("phone", "Phone number, as it was typed.", personal=True),
        *custom_values("contact"),
        Field("is_primary", FLAG, "Whether this is the client's primary contact; a merge can leave two.", written=PUT),
        Field("is_locked", FLAG, "Whether the contact is locked out of the client portal."),
        Field("send_email", FLAG, "Whether the contact gets the client's mails.", written=PUT),
        Field("last_login", TIME, "When the contact last logged in to the client portal.", volatile=True),
        *times_of("contact"),
    ),
    secrets=frozenset({"contact_key", "link", "password"}),
)

DOCUMENTS = Entity(
    name="documents",
    path="",
    fields=(
        id_of("document"),
        Field("user_id", LINK, "The user who uploaded the document."),
        Field("assigned_user_id", LINK, "The user to whom the document is assigned."),
        Field("project_id", LINK, "The project to which the document belongs."),
        Field("vendor_id", LINK, "The vendor to whom the document belongs."),
        Field("name", TEXT, "File name.", personal=True),
        Field("type", TEXT, "Kind of file, found by its content: pdf, png, txt ..."),
        Field("disk", TEXT, "The server's storage that holds the file."),
        Field("size", COUNT, "Bytes."),
        Field("width", COUNT, "Pixels, of a picture; otherwise 0."),
        Field("height", COUNT, "Pixels, of a picture; otherwise 0."),
        Field("is_default", FLAG, "Whether the document is a default document."),
        Field("is_public", FLAG, "Whether the client sees the document in the portal."),
        Field("is_deleted", FLAG, "Always false: a deleted document is not shown."),
        *times_of("document"),
    ),
    secrets=frozenset({"hash", "link", "url", "preview"}),
)

CLIENTS = Entity(
    name="clients",
    path="/clients",
    fields=(
        id_of("client"),
        short_text("number", "Number, unique in the company; sorts as text.", written=PUT),
        short_text("name", "Name; NULL where only a contact is known.", personal=True),
        Field("display_name", MAIL, "Name, else the name or mail of the first contact.", personal=True),
        Field("balance", MONEY, "What the client owes: a running counter of the server.", vital=True),
        Field("paid_to_date", MONEY, "What the client has paid in all.", vital=True),
        Field("payment_balance", MONEY, "Payments not yet applied; the server corrects it late.", vital=True),
        Field("credit_balance", MONEY, "Credits not yet used; depends on their due dates.", vital=True),
        _setting("currency_id", "The client's own currency; NULL inherits the group's, then the company's."),
        _setting("language_id", "The client's own language; NULL inherits."),
        _setting("payment_terms", "Days until an invoice is due; NULL inherits."),
        _setting("valid_until", "Days for which a quote is valid; NULL inherits."),
        _setting("default_task_rate", "Price of an hour of a task; NULL inherits."),
        _setting("send_reminders", "Whether reminders are sent; NULL inherits."),
        Field("group_settings_id", LINK, "The client's group, which may be archived.", written=GROUP),
        Field("size_id", TEXT, "Number of employees: an id of `sizes`.", written=BULK),
        Field("industry_id", TEXT, "Industry: an id of `industries`.", written=BULK),
        Field("classification", TEXT, "individual, business, company, partnership, trust, charity ...", written=PUT),
        short_text("id_number", "Company register number, unique in the company by validation.", personal=True),
        short_text("vat_number", "VAT number, as it was typed.", personal=True),
        Field("has_valid_vat_number", FLAG, "Whether the server found the VAT number valid."),
        Field("is_tax_exempt", FLAG, "Whether the client pays no tax.", written=PUT),
        short_text("routing_id", "Routing id for e-invoices."),
        short_text("website", "Website.", personal=True),
        short_text("phone", "Phone number of the client itself.", personal=True),
        *_address("", "billing"),
        *_address("shipping_", "shipping"),
        *custom_values("client", BULK),
        Field("private_notes", TEXT, "Notes that the client does not see.", personal=True, written=PUT),
        Field("public_notes", TEXT, "Notes that the client sees.", personal=True, written=BULK),
        Field("user_id", LINK, "The user who created the client."),
        Field("assigned_user_id", LINK, "The user to whom the client is assigned.", written=PUT),
        Field("is_deleted", FLAG, "Whether the client is deleted; archived alone leaves this false.", vital=True),
        Field("last_login", TIME, "In practice never set; see the contacts'.", volatile=True),
        *times_of("client"),
        Field("settings", JSON, "All settings of the client that differ from its group's and company's.", written=PUT),
        Field("tax_info", JSON, "Tax data of the address (US)."),
        Field("e_invoice", JSON, "Settings for e-invoices.", written=PUT),
    ),
    children=(CONTACTS, DOCUMENTS),
    secrets=frozenset({"client_hash", "gateway_tokens"}),
    elsewhere=frozenset({"locations"}),
    historic=True,
    client_column="id",
)

PULLED = {
    entity.name: entity
    for entity in (
        CLIENTS, INVOICES, PAYMENTS, CREDITS, QUOTES, RECURRING_INVOICES, PRODUCTS, PROJECTS, TASKS, EXPENSES, VENDORS
    )
}  # fmt: skip
"""The entities that a source can have, by name, in the order in which a pull reads them."""

GROUPS = Entity(
    name="group_settings",
    path="/group_settings",
    fields=(
        id_of("group"),
        Field("name", TEXT, "Name, unique in the company."),
        _setting("currency_id", "Currency of the group's clients that have none of their own."),
        Field("is_deleted", FLAG, "Whether the group is deleted; its clients keep pointing to it."),
        *times_of("group"),
        Field("settings", JSON, "The group's settings."),
    ),
    elsewhere=frozenset(
        {"custom_value1", "custom_value2", "custom_value3", "custom_value4", "entity_type", "documents"}
    ),
)

COMPANIES = Entity(
    name="companies",
    path="/companies/current",
    fields=(
        id_of("company"),
        Field("name", SETTING, "Name of the company.", inside="settings"),
        _setting("currency_id", "Currency of the clients that have none of their own and none by their group."),
        _setting("country_id", "The company's country: an id of `countries`."),
        _setting("timezone_id", "The company's time zone: an id of `timezones`."),
        _setting("language_id", "The company's language."),
        Field("custom_fields", JSON, 'Labels and types of custom fields: {"client1": "label|type", ...}.'),
        *times_of("company"),
    ),
)


ACTIVITIES = Entity(
    name="activities",
    path="/activities",
    fields=(
        id_of("activity"),
        Field("activity_type_id", TEXT, "The action: 1 created, 2 archived, 3 deleted, 26 restored, 61 updated ..."),
        Field("client_id", LINK, "The client it was done to; of a merge, the survivor."),
        Field("contact_id", LINK, "The contact it was done to."),
        Field("invoice_id", LINK, "The invoice it is about."),
        Field("payment_id", LINK, "The payment it is about."),
        Field("credit_id", LINK, "The credit it is about."),
        Field("user_id", LINK, "The user who did it."),
        Field("is_system", FLAG, "Whether the server did it on its own."),
        Field("notes", TEXT, "Notes; of a merge or purge, the name of the client that is gone.", personal=True),
        Field("created_at", TIME, "When it was done."),
        Field("updated_at", TIME, "When the server last touched the row.", volatile=True),
    ),
    secrets=frozenset({"ip", "token_id"}),
    elsewhere=frozenset(
        {
            "company_id", "recurring_invoice_id", "recurring_expense_id", "purchase_order_id", "expense_id", "quote_id",
            "task_id", "vendor_id", "vendor_contact_id", "project_id", "subscription_id",
        }
    ),
)  # fmt: skip


def _lookup(name: str, *fields: Field) -> Entity:
    thing = name.removesuffix("s")
    key = Field("id", TEXT, f"The id by which records point to a {thing}: a number, kept as text.", vital=True)
    return Entity(name=name, path="/statics", fields=(key, *fields))


LOOKUPS = (
    _lookup(
        "countries",
        Field("name", TEXT, "Name in English.", vital=True),
        Field("iso_3166_2", TEXT, "ISO 3166 code of two letters."),
        Field("iso_3166_3", TEXT, "ISO 3166 code of three letters."),
    ),
    _lookup(
        "currencies",
        Field("name", TEXT, "Name in English.", vital=True),
        Field("code", TEXT, "ISO 4217 code.", vital=True),
        Field("symbol", TEXT, "Symbol, with a blank where one belongs behind it."),
        Field("precision", COUNT, "Decimals of an amount."),
        Field("exchange_rate", NUMBER, "Units for one unit of the server's base currency; 1 where none was fetched."),
    ),
    _lookup("industries", Field("name", TEXT, "Name in the language of the token's user.", vital=True)),
    _lookup("sizes", Field("name", TEXT, "Number of employees, such as 4 - 10.", vital=True)),
    _lookup(
        "languages", Field("name", TEXT, "Name in English.", vital=True), Field("locale", TEXT, "Locale, such as de.")
    ),
    _lookup(
        "timezones",
        Field("name", TEXT, "Name in the tz database.", vital=True),
        Field("utc_offset", COUNT, "Seconds east of UTC."),
    ),
)
"""The server's lists (`GET /statics`), which decode ids; the records' other keys stay in `record`."""
