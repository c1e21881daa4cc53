"""Every path of the API that the sandbox knows, with what answers it."""

from __future__ import annotations

from sandbox import client_bulk, client_merge, clients, company, documents, groups, uploads
from sandbox.calls import route

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
    route("POST", "/clients/{id}/purge", client_merge.purge, password=True),
    route("POST", "/clients/{id}/{other}/merge", client_merge.merge, password=True),
    route("GET", "/documents", documents.index),
    route("GET", "/documents/{id}", documents.show),
    route("PUT", "/documents/{id}", documents.save),
    route("DELETE", "/documents/{id}", documents.destroy, password=True),
    route("GET", "/documents/{id}/download", documents.download),
    route("GET", "/group_settings", groups.index),
    route("POST", "/group_settings", groups.store),
    route("GET", "/group_settings/{id}", groups.show),
    route("PUT", "/group_settings/{id}", groups.save),
    route("DELETE", "/group_settings/{id}", groups.destroy),
]
