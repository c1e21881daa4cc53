"""Every path of the API that the sandbox knows, with its handler."""

from __future__ import annotations

from sandbox.around import documents, feeds, groups, mails, statement, tax_data, webhooks
from sandbox.books import company
from sandbox.clients import bulk as client_bulk
from sandbox.clients import clients, uploads
from sandbox.clients import merge as client_merge
from sandbox.clients import purge as client_purge
from sandbox.papers import credits as papers_credits
from sandbox.papers import invoices, payments
from sandbox.papers.catalogue import CREDIT, INVOICE, PAYMENT
from sandbox.papers.lists import edit_of, index_of, show_of
from sandbox.records import lined, plain
from sandbox.records.catalogue import PLAIN_KINDS
from sandbox.records.quotes import QUOTES
from sandbox.records.recurring import RECURRING_INVOICES
from sandbox.wire.calls import route

ROUTES = [
    route("GET", "/ping", company.ping),
    route("GET", "/statics", company.show_statics),
    route("GET", "/companies", company.index),
    route("POST", "/companies/current", company.current),
    route("GET", "/companies/{id}", company.show),
    route("GET", "/clients", clients.index),
    route("POST", "/clients", clients.store),
    route("POST", "/clients/bulk", client_bulk.bulk),
    route("GET", "/clients/create", clients.blank),
    route("GET", "/clients/{id}", clients.show),
    route("PUT", "/clients/{id}", clients.save),
    route("PATCH", "/clients/{id}", clients.save),
    route("DELETE", "/clients/{id}", clients.destroy),
    route("GET", "/clients/{id}/edit", clients.edit),
    route("POST", "/clients/{id}/documents", documents.of_client),
    route("PUT", "/clients/{id}/upload", uploads.upload),
    route("POST", "/clients/{id}/updateTaxData", tax_data.renew),
    route("POST", "/clients/{id}/purge", client_purge.purge, password=True, one_transaction=False),
    route("POST", "/clients/{id}/{other}/merge", client_merge.merge, password=True, one_transaction=False),
    route("GET", "/invoices", index_of(INVOICE)),
    route("POST", "/invoices", invoices.store),
    route("POST", "/invoices/bulk", invoices.bulk),
    route("GET", "/invoices/create", invoices.create_blank),
    route("GET", "/invoices/{id}", show_of(INVOICE)),
    route("PUT", "/invoices/{id}", invoices.save),
    route("PATCH", "/invoices/{id}", invoices.save),
    route("DELETE", "/invoices/{id}", invoices.destroy),
    route("GET", "/invoices/{id}/edit", edit_of(INVOICE)),
    route("GET", "/invoices/{id}/{action}", invoices.act),
    route("GET", "/payments", index_of(PAYMENT)),
    route("POST", "/payments", payments.store),
    route("POST", "/payments/bulk", payments.bulk),
    route("POST", "/payments/refund", payments.refund),
    route("GET", "/payments/create", payments.create_blank),
    route("GET", "/payments/{id}", show_of(PAYMENT)),
    route("PUT", "/payments/{id}", payments.save),
    route("PATCH", "/payments/{id}", payments.save),
    route("DELETE", "/payments/{id}", payments.destroy),
    route("GET", "/payments/{id}/edit", edit_of(PAYMENT)),
    route("GET", "/payments/{id}/{action}", payments.act),
    route("GET", "/credits", index_of(CREDIT)),
    route("POST", "/credits", papers_credits.store),
    route("POST", "/credits/bulk", papers_credits.bulk),
    route("GET", "/credits/create", papers_credits.create_blank),
    route("GET", "/credits/{id}", show_of(CREDIT)),
    route("PUT", "/credits/{id}", papers_credits.save),
    route("PATCH", "/credits/{id}", papers_credits.save),
    route("DELETE", "/credits/{id}", papers_credits.destroy),
    route("GET", "/credits/{id}/edit", edit_of(CREDIT)),
    route("GET", "/credits/{id}/{action}", papers_credits.act),
    *(path for kind in (QUOTES, RECURRING_INVOICES) for path in lined.routes_of(kind)),
    *(path for kind in PLAIN_KINDS for path in plain.routes_of(kind)),
    route("GET", "/documents", documents.index),
    route("GET", "/documents/{id}", documents.show),
    route("PUT", "/documents/{id}", documents.save),
    route("PATCH", "/documents/{id}", documents.save),
    route("DELETE", "/documents/{id}", documents.destroy, password=True),
    route("GET", "/documents/{id}/download", documents.download),
    route("GET", "/activities", feeds.index),
    route("POST", "/activities/entity", feeds.of_one),
    route("GET", "/group_settings", groups.index),
    route("POST", "/group_settings", groups.store),
    route("GET", "/group_settings/{id}", groups.show),
    route("PUT", "/group_settings/{id}", groups.save),
    route("PATCH", "/group_settings/{id}", groups.save),
    route("DELETE", "/group_settings/{id}", groups.destroy),
    route("POST", "/client_statement", statement.show),
    route("POST", "/reactivate_email/{id}", mails.reactivate),
    route("GET", "/webhooks", webhooks.index),
    route("POST", "/webhooks", webhooks.store),
    route("POST", "/webhooks/bulk", webhooks.bulk),
    route("GET", "/webhooks/{id}", webhooks.show),
    route("GET", "/webhooks/{id}/edit", webhooks.show),
    route("PUT", "/webhooks/{id}", webhooks.save),
    route("PATCH", "/webhooks/{id}", webhooks.save),
    route("DELETE", "/webhooks/{id}", webhooks.destroy),
]
