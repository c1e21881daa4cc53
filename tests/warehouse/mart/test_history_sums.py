"""The statements of `ninja-sync history`: sums as in mart.client_balance_daily, days of pulls, removed versions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.vanished import Vanished
from tests.receivables.fill import put
from tests.records import client
from tests.warehouse.conftest import BINDING
from tests.warehouse.mart.test_daily import reference
from tests.warehouse.mart.test_daily_drawn import ZONES
from warehouse.control.state import bind
from warehouse.engine.seam import scratch
from warehouse.engine.sql import statement

ALL_ZONES = ZONES | {"America/Havana": datetime(2026, 10, 30, tzinfo=UTC)}
"""Havana's clocks go back from 01:00 to midnight, which comes twice."""
FIGURES = ("clients", "debtors", "owed", "creditors", "overpaid")
DAILY = """
select
    source, currency_code as currency, day, count(*) as clients, count(case when balance > 0 then 1 end) as debtors,
    sum(case when balance > 0 then balance else 0 end) as owed, count(case when balance < 0 then 1 end) as creditors,
    sum(case when balance < 0 then -balance else 0 end) as overpaid
from mart.client_balance_daily where status <> 'deleted' group by source, currency_code, day
"""
VERSION = """
insert into control.client_versions (
    source, id, valid_from, valid_to, observed_at, ended_at, ended_by, run_id, ended_run_id, row_hash, balance,
    paid_to_date, payment_balance, credit_balance, currency_id, is_deleted, record
) values (
    'main', $id, $begin, $until, $begin, $until, 'changed', 'run', 'run', '', $balance, 0, 0, 0, $currency, $deleted,
    '{}'
)
"""


def asked(warehouse, name):
    columns, rows = warehouse.answer(statement(f"history/{name}"), {"source": None})
    return [dict(zip(columns, row, strict=True)) for row in rows]


def same_as_daily(warehouse):
    """Compare the sums of each day and currency of the view, and return their number."""
    columns, rows = warehouse.answer(DAILY)
    daily = [dict(zip(columns, row, strict=True)) for row in rows]
    sums = asked(warehouse, "sums")
    today = max((row["day"] for row in daily), default=date.min)
    expected = {(row["source"], row["currency"], row["day"]): [row[name] for name in FIGURES] for row in daily}
    for key in {(row["source"], row["currency"]) for row in sums}:
        ours = [row for row in sums if (row["source"], row["currency"]) == key]
        current = [0] * 5
        for n in range((today - ours[0]["day"]).days + 1):
            day = ours[0]["day"] + timedelta(days=n)
            current = next(([row[name] for name in FIGURES] for row in ours if row["day"] == day), current)
            assert current == expected.pop((*key, day), [0] * 5), (key, day)
    assert expected == {}
    return len(daily)


@pytest.mark.parametrize("zone", ALL_ZONES)
def test_the_sums_of_a_loaded_history_are_those_of_the_daily_balances(warehouse, load_records, zone):
    start = ALL_ZONES[zone]
    midnight = datetime.combine(start.astimezone(ZoneInfo(zone)).date(), datetime.min.time(), ZoneInfo(zone))
    for n in range(5):
        moment = (midnight + timedelta(days=n + 1)).astimezone(UTC)
        records = [
            client(
                f"k{k}", balance=(-1) ** (n + k) * (100 * n + k), is_deleted=(n, k) == (3, 2),
                updated_at=int(moment.timestamp()) + k - 2, settings={"currency_id": "3" if k < 4 else "77"},
            )
            for k in range(5)
            if n < 4 or k
        ]  # fmt: skip
        gone = [Vanished("k0", "gone")] if n == 4 else []
        began = start if n == 0 else moment + timedelta(hours=2)
        load_records(records, reference=reference(zone), began=began, kind="full" if gone else "pull", vanished=gone)
    assert same_as_daily(warehouse) > 50


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.integers(0, 96 * 4), st.decimals("-999", "999", places=6),
            st.sampled_from(["3", "77"]), st.booleans(),
        ),
        min_size=1, max_size=12, unique_by=lambda drawn: drawn[:2],
    )
)  # fmt: skip
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Havana"])
def test_the_sums_of_any_versions_are_those_of_the_daily_balances(warehouse, zone, drawn):
    start = ALL_ZONES[zone]
    if not warehouse.rows("select 1 from mart.companies"):  # one warehouse serves all drawn versions
        bind(warehouse, "main", BINDING, version="5.12.28", now=start)
        for entity, rows in reference(zone).rows.items():
            put(warehouse, entity, rows)
    with scratch(warehouse):
        ids = {key for key, *_ in drawn}
        for key in ids:
            versions = sorted(version for version in drawn if version[0] == key)
            ends = [*(quarter for _, quarter, *_ in versions[1:]), 96 * 4 + 10]
            for (_, quarter, balance, currency, deleted), end in zip(versions, ends, strict=True):
                begin, until = (start + timedelta(minutes=15 * at) for at in (quarter, end))
                values = {"id": key, "begin": begin, "until": until, "balance": balance, "currency": currency}
                warehouse.execute(VERSION, values | {"deleted": deleted})
        whole = {"id": "whole", "begin": start, "until": start + timedelta(days=4), "currency": "3", "deleted": False}
        warehouse.execute(VERSION, whole | {"balance": Decimal(1)})
        assert same_as_daily(warehouse) >= 4


def test_a_pull_is_dated_in_the_companys_own_zone(warehouse, load_records):
    began = datetime(2026, 5, 1, 10, 30, tzinfo=UTC)  # 23:30 of the day before on Midway
    load_records([client("a")], reference=reference("Pacific/Pago_Pago"), began=began)
    assert asked(warehouse, "pulls") == [{"source": "main", "day": date(2026, 4, 30)}]


def test_versions_that_a_retention_removed_are_noticed_and_those_of_an_erased_client_are_not(warehouse, load_records):
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    for n in range(4):
        stamp = int((start + timedelta(days=n)).timestamp())
        records = [client("a", balance=Decimal(n), updated_at=stamp), client("b", balance=Decimal(n), updated_at=stamp)]
        load_records(records, reference=reference("UTC"), began=start + timedelta(days=n, hours=1))
    assert [row["complete_from"] for row in asked(warehouse, "spans")] == [None]
    with scratch(warehouse):
        warehouse.execute("delete from control.client_versions where id = 'a'")
        assert [row["complete_from"] for row in asked(warehouse, "spans")] == [None]
    before = {"source": "main", "before": start + timedelta(days=2, seconds=-1)}
    warehouse.execute(statement("erase/expired_versions"), before)
    assert [row["complete_from"] for row in asked(warehouse, "spans")] == [date(2026, 5, 3)]
    warehouse.execute(statement("erase/expired_versions"), before | {"before": start + timedelta(days=9)})
    (row,) = asked(warehouse, "spans")
    assert row["complete_from"] >= date(2026, 5, 4)
