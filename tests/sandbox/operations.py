"""The operations of the API as data: those of the vendor's OpenAPI text on clients, and those beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

ADDRESS = ("address1", "address2", "city", "state", "postal_code", "country_id", "country_code")
CLIENT = (
    "name", "website", "phone", "vat_number", "id_number", "number", "routing_id", "classification", "private_notes",
    "public_notes", "custom_value1", "custom_value4", *ADDRESS, *(f"shipping_{name}" for name in ADDRESS), "size_id",
    "industry_id", "group_settings_id", "assigned_user_id", "is_tax_exempt", "has_valid_vat_number", "currency_code",
    "language_code", "settings", "contacts", "documents", "e_invoice", "tax_info", "balance", "id", "is_deleted",
    "updated_at", "_method", "file", "company_logo",
)  # fmt: skip
LIST = (
    "per_page", "page", "sort", "include", "include_static", "index", "serializer", "updated_at", "created_at",
    "status", "is_deleted", "filter_deleted_clients", "with_trashed", "without_deleted_clients",
    "without_deleted_vendors", "split", "apply", "vendor_id", "client_id", "with", "name", "email", "id_number",
    "number", "group", "filter", "balance", "between_balance", "filter_details", "created_between", "updated_between",
    "date_range", "strict", "sort_dir", "country_id", "Name", "ids", "custom_value1", "vat_number",
    "group_settings_id", "classification", "__construct",
)  # fmt: skip
ITEM = ("include", "include_static", "index", "serializer", "_method")
BULK = (
    "action",
    "ids",
    "column",
    "new_value",
    "group_settings_id",
    "template_id",
    "send_email",
    "template",
    "updated_at",
)
STATEMENT = (
    "client_id", "start_date", "end_date", "show_payments_table", "show_aging_table", "show_credits_table", "status",
    "template", "send_email",
)  # fmt: skip
GROUP = ("name", "settings", "documents")
WEBHOOK = ("target_url", "event_id", "rest_method", "format", "headers")


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: `{}` in its path stands for an id. `query` and `body` are the names of what it may be sent."""

    name: str
    verb: str
    path: str
    query: tuple[str, ...] = field(default=ITEM, repr=False)
    body: tuple[str, ...] = field(default=(), repr=False)


DOCUMENTED = (
    Operation("getClients", "GET", "/clients", LIST),
    Operation("storeClient", "POST", "/clients", ITEM, CLIENT),
    Operation("showClient", "GET", "/clients/{}"),
    Operation("updateClient", "PUT", "/clients/{}", ITEM, CLIENT),
    Operation("deleteClient", "DELETE", "/clients/{}"),
    Operation("editClient", "GET", "/clients/{}/edit"),
    Operation("getClientsCreate", "GET", "/clients/create"),
    Operation("bulkClients", "POST", "/clients/bulk", LIST, BULK),
    Operation("uploadClient", "PUT", "/clients/{}/upload", ITEM, ("documents", "file", "is_public")),
    Operation("purgeClient", "POST", "/clients/{}/purge"),
    Operation("mergeClient", "POST", "/clients/{}/{}/merge"),
    Operation("clientStatement", "POST", "/client_statement", STATEMENT, STATEMENT),
    Operation("reactivateEmail", "POST", "/reactivate_email/{}"),
    Operation("updateClientTaxData", "POST", "/clients/{}/updateTaxData"),
)
BESIDE = (
    Operation("getDocumentsOfClient", "POST", "/clients/{}/documents", LIST),
    Operation("getDocuments", "GET", "/documents", LIST),
    Operation("showDocument", "GET", "/documents/{}"),
    Operation("updateDocument", "PUT", "/documents/{}", ITEM, ("name", "is_public")),
    Operation("deleteDocument", "DELETE", "/documents/{}"),
    Operation("downloadDocument", "GET", "/documents/{}/download", ("inline",)),
    Operation("getGroups", "GET", "/group_settings", LIST),
    Operation("storeGroup", "POST", "/group_settings", ITEM, GROUP),
    Operation("showGroup", "GET", "/group_settings/{}"),
    Operation("updateGroup", "PUT", "/group_settings/{}", ITEM, GROUP),
    Operation("deleteGroup", "DELETE", "/group_settings/{}"),
    Operation("getWebhooks", "GET", "/webhooks", LIST),
    Operation("storeWebhook", "POST", "/webhooks", ITEM, WEBHOOK),
    Operation("showWebhook", "GET", "/webhooks/{}"),
    Operation("updateWebhook", "PUT", "/webhooks/{}", ITEM, WEBHOOK),
    Operation("deleteWebhook", "DELETE", "/webhooks/{}"),
    Operation("bulkWebhooks", "POST", "/webhooks/bulk", LIST, ("action", "ids")),
    Operation("getActivities", "GET", "/activities", LIST),
    Operation("getActivitiesOfEntity", "POST", "/activities/entity", LIST, ("entity", "entity_id")),
    Operation("getStatics", "GET", "/statics"),
    Operation("getCompanies", "GET", "/companies", LIST),
    Operation("currentCompany", "POST", "/companies/current"),
    Operation("showCompany", "GET", "/companies/{}"),
    Operation("ping", "GET", "/ping"),
    Operation("unknown", "PATCH", "/nothing/{}"),
)
OPERATIONS = DOCUMENTED + BESIDE
