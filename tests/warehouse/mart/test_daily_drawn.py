"""Balances by day, computed once more by another rule: from the local dates of each version's start and end."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest

from schemas.vanished import Vanished
from tests.records import client
from tests.warehouse.mart.test_daily import reference
from warehouse.engine.place import READER
from warehouse.engine.seam import DUCKDB
from warehouse.publish.publish import publish

ZONES = {
    "Europe/Berlin": datetime(2026, 3, 27, tzinfo=UTC),
    "America/Santiago": datetime(2026, 4, 3, tzinfo=UTC),
    "Africa/Cairo": datetime(2026, 4, 22, tzinfo=UTC),
    "Asia/Beirut": datetime(2026, 10, 23, tzinfo=UTC),
    "Pacific/Kiritimati": datetime(2026, 5, 1, tzinfo=UTC),
    "Pacific/Pago_Pago": datetime(2026, 5, 1, tzinfo=UTC),
    "Asia/Kathmandu": datetime(2026, 5, 1, tzinfo=UTC),
}
"""Zones, each from shortly before its clocks change: in some at midnight, which then comes twice or not at all."""


def drawn_history(load_records, zone, start):
    """Load the changes of twelve clients over a week, some in the second before or after a local midnight."""
    chance, tz = random.Random(zone), ZoneInfo(zone)  # noqa: S311 - believable data
    ids = [f"k{n}" for n in range(12)]
    load_records([client(key, balance=0, updated_at=1) for key in ids], reference=reference(zone), began=start)
    for day in range(1, 8):
        began = start + timedelta(days=day)
        midnight = datetime.combine(began.astimezone(tz).date(), datetime.min.time(), tz).astimezone(UTC)
        moments = [
            midnight, midnight - timedelta(seconds=1), midnight + timedelta(seconds=1),
            began - timedelta(seconds=chance.randrange(86_400)),
        ]  # fmt: skip
        changed = [
            client(key, balance=chance.randrange(1000), updated_at=int(chance.choice(moments).timestamp()))
            for key in chance.sample(ids, 5)
        ]
        gone = [Vanished("k11", "gone")] if day == 5 else []
        load_records([record for record in changed if day < 5 or record["id"] != "k11"], began=began, vanished=gone)


def by_local_dates(warehouse, zone):
    """The rows of the view, from the local date on which each version starts and the one on which it ends."""
    tz, ((today,),) = ZoneInfo(zone), warehouse.rows(f"select cast(now() at time zone '{zone}' as date)")
    rows = []
    for key, balance, since, until in warehouse.rows(
        "select id, balance, valid_from, valid_to from mart.client_history"
    ):
        last = today if until is None else until.astimezone(tz).date() - timedelta(days=1)
        days = (last - since.astimezone(tz).date()).days + 1
        rows += [(key, last - timedelta(days=n), balance) for n in range(days)]
    return sorted(rows)


@pytest.mark.parametrize("zone", ZONES)
def test_each_day_has_the_version_of_its_local_end(warehouse, load_records, zone):
    drawn_history(load_records, zone, ZONES[zone])
    rows = warehouse.rows("select id, day, balance from mart.client_balance_daily order by id, day, balance")
    assert rows == by_local_dates(warehouse, zone)
    assert len(rows) > 300
    early = "select count(*) from mart.client_history where valid_from < (select min(began_at) from control.runs)"
    assert warehouse.rows(early) == [(0,)]  # the view begins its days with the first run


def in_zone(warehouse, zone, query):
    """The answer to a reader whose own time zone is `zone`."""
    if warehouse.engine == DUCKDB:
        with duckdb.connect(str(publish(warehouse) / READER), read_only=True) as reader:
            reader.execute(f"set timezone = '{zone}'")
            return reader.execute(query).fetchall()
    with warehouse.transaction():
        warehouse.execute(f"set local time zone '{zone}'")
        return warehouse.rows(query)


def test_days_do_not_depend_on_the_readers_own_time_zone(warehouse, load_records):
    """The reader is a day ahead of the company, whose first version began shortly before its midnight."""
    start = datetime(2026, 5, 1, 10, 59, tzinfo=UTC)
    load_records([client("a", balance=1, updated_at=1)], reference=reference("Pacific/Pago_Pago"), began=start)
    first = "select cast(min(day) as varchar) from mart.client_balance_daily"
    zones = ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago")
    assert [in_zone(warehouse, zone, first) for zone in zones] == [[("2026-04-30",)]] * 3


def test_postgres_knows_how_small_the_reference_tables_are(warehouse, load_records):
    load_records([client("a")], reference=reference())
    if warehouse.engine != DUCKDB:
        small = "select relname from pg_class where relname in ('companies', 'timezones', 'sources') and reltuples = 1"
        assert len(warehouse.rows(small)) == 3
