"""Drawn books in two currencies, once on each engine."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from flows.configuration.load import place_of
from schemas.billing import CREDITS, INVOICES, PAYMENTS
from schemas.entities import CLIENTS
from tests.engines import address
from tests.receivables.fill import fill, put
from tests.receivables.office import Office
from tests.warehouse.mart.test_daily import reference
from warehouse.control.state import Binding, bind
from warehouse.opened.open import open_place


@pytest.fixture
def kept(settings, place):
    """Settings of a warehouse with drawn books in two currencies, once on each engine."""
    chosen = msgspec.structs.replace(settings, warehouse=address(place), publish=False)
    now = datetime.now(UTC).replace(microsecond=0)
    office = Office("asked", "UTC", now, clients=9).work(200)
    office.clients[2]["settings"]["currency_id"] = "nowhere"
    with open_place(place_of(chosen)) as warehouse:
        bind(warehouse, "main", Binding("https://ninja.test", "co", "main"), version="5.12.28", now=now)
        for entity, rows in reference("UTC").rows.items():
            put(warehouse, entity, rows)
        fill(warehouse, CLIENTS, office.clients)
        for entity in (INVOICES, PAYMENTS, CREDITS):
            fill(warehouse, entity, getattr(office, entity.name))
    return chosen
