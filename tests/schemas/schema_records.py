"""The recorded answers of a 5.10.42 server, and records of our own in the same shape."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from functools import cache
from pathlib import Path

from hypothesis import settings

RECORDINGS = Path(__file__).parents[1] / "recordings"

quick = settings(max_examples=200, derandomize=True, deadline=None, database=None)

DOCUMENT = {
    "id": "aKeDoc0001",
    "user_id": "VolejRejNm",
    "assigned_user_id": "",
    "project_id": "",
    "vendor_id": "",
    "url": "https://ninja.test/api/v1/documents/aKeDoc0001/download",
    "preview": "",
    "name": "a.txt",
    "type": "txt",
    "disk": "public",
    "hash": "canary-document-hash",
    "size": 5,
    "width": 0,
    "height": 0,
    "is_default": False,
    "is_public": True,
    "is_deleted": False,
    "link": "/clients/canary-document-link",
    "created_at": 1795333374,
    "updated_at": 1795333374,
    "archived_at": 0,
}
"""As in the recording of an upload."""

GROUP = {
    "id": "aKeGroup01",
    "name": "Wholesale",
    "settings": {"currency_id": "3"},
    "is_deleted": False,
    "created_at": 1795333374,
    "updated_at": 1795333374,
    "archived_at": 0,
    "documents": [],
}


def bodies(name):
    """The bodies of a recording, as they were sent."""
    return list(_bodies(name))


@cache
def _bodies(name):
    recording = json.loads((RECORDINGS / f"{name}.json").read_text())
    return [exchange["response"]["body"] for exchange in recording["exchanges"]]


@cache
def _with_two_contacts():
    records = (r for body in bodies("clients_full_pull") for r in json.loads(body, parse_float=Decimal)["data"])
    return [next(r for r in records if len(r["contacts"]) > 1)]


def client(**changes):
    """The first recorded client that has two contacts, with a document, and with changes."""
    (found,) = _with_two_contacts()
    return {**copy.deepcopy(found), "documents": [dict(DOCUMENT)], **changes}
