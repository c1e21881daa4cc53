"""Ageing after any actions on a running server and a pull: as a book-keeper counts from the server's lists."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import msgspec
import pytest

from flows.configuration.load import place_of
from sandbox.server import running
from tests.engines import address
from tests.flows.conftest import Server, pull_from
from tests.receivables.book_keeper import age
from tests.receivables.clerk import WEIGHTS, Clerk
from tests.warehouse.mart.test_aging_drawn import figures
from warehouse.opened.open import open_place

SEEDS = range(1, 2 + int(os.environ.get("NINJA_SYNC_WORLDS", "0")))
ACTIONS, DAYS = 160, 300


@pytest.mark.parametrize("seed", SEEDS)
def test_ageing_of_a_pulled_server_is_the_book_keepers_on_many_days(settings, place, seed):
    chance = Random(seed)  # noqa: S311 - which days are asked for
    with running(clients=14, seed=seed, behaves_like="5.12") as box:
        clerk = Clerk(box, seed).work(ACTIONS, DAYS)
        source = msgspec.structs.replace(
            settings.sources["main"], url=box.url, entities=("clients", "invoices", "payments", "credits")
        )
        told = msgspec.structs.replace(settings, warehouse=address(place), sources={"main": source})
        pull_from(Server(box), told)
        with open_place(place_of(told)) as warehouse:
            ((zone,),) = warehouse.rows("select time_zone from mart.companies")
            lists, now = clerk.lists(str(zone)), datetime.now(UTC)
            today = now.astimezone(ZoneInfo(str(zone))).date()
            days = [today - timedelta(days=n) for n in (0, 1, 2, *(chance.randrange(DAYS) for _ in range(20)))]
            for day in [*days, date(2099, 1, 1)]:
                found = figures(warehouse, "mart.aging_as_of(cast($day as date))", day=day)
                assert found.get("main", {}) == age(lists, day, today), f"as of {day}"
            assert figures(warehouse, "mart.aging")["main"] == age(lists, today, today)
    assert len(clerk.done) > len(WEIGHTS) - 3
