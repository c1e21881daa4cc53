"""`python -m tests.bench.receivables`: how long ageing takes in books of 100,000 clients, on both engines.

The books are made by SQL: five invoices a client over three years, four payments a client, two invoices in eleven open.
Each question is asked several times; the best time counts, and the least CPU time. Records are as long as real ones.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from schemas.billing import CREDITS, INVOICES, PAYMENT_APPLICATIONS, PAYMENTS
from schemas.entities import CLIENTS, CONTACTS
from schemas.entity import Entity, Kind
from tests.bench.measured import cpu_of
from tests.postgres import running_postgres
from tests.receivables.fill import put
from tests.receivables.office import TEMPLATES
from tests.warehouse.mart.test_daily import reference
from warehouse.control.state import Binding, bind
from warehouse.engine.place import Place
from warehouse.engine.seam import DUCKDB, POSTGRES, Warehouse
from warehouse.opened.migrate import open_migrated
from warehouse.opened.open import open_place
from warehouse.schema.mirror import columns

TARGETS = {
    "ageing today": ("select sum(owed), count(*) from mart.aging", {DUCKDB: 1.0, POSTGRES: 3.0}),
    "ageing today, every row": ("select * from mart.aging", {DUCKDB: 1.0, POSTGRES: 3.0}),
    "ageing as of last month": (
        "select sum(owed), count(*) from mart.aging_as_of(current_date - 30)", {DUCKDB: 2.0, POSTGRES: 6.0},
    ),
    "ageing as of a year ago": (
        "select sum(owed), count(*) from mart.aging_as_of(current_date - 365)", {DUCKDB: 2.0, POSTGRES: 6.0},
    ),
    "the open items of one client": (
        "select * from mart.open_items where client_id = substr(md5('c77'), 1, 14)", {DUCKDB: 1.0, POSTGRES: 0.1},
    ),
    "revenue by month": ("select * from mart.revenue_by_month", {DUCKDB: 2.0, POSTGRES: 6.0}),
    "figures without an explanation": ("select * from mart.reconciliation", {DUCKDB: 2.0, POSTGRES: 6.0}),
    "days to pay by client": ("select * from mart.days_to_pay_by_client", {DUCKDB: 2.0, POSTGRES: 6.0}),
}  # fmt: skip
ROUNDS = 3


def key(letter: str, number: str) -> str:
    """The SQL of a hashed id: it comes in no order, as the server's do."""
    return f"substr(md5('{letter}' || cast({number} as varchar)), 1, 14)"


def build(warehouse: Warehouse, clients: int) -> None:
    """Fill a new warehouse with the books."""
    bind(warehouse, "main", Binding("https://ninja.test", "co", "main"), version="5.12.28", now=datetime.now(UTC))
    for entity, rows in reference().rows.items():
        put(warehouse, entity, rows)
    day = "cast(current_date - cast((n * 7919) % 1000 as integer) as date)"
    moment = f"cast({day} as timestamp) at time zone 'UTC' + interval '9 hours'"
    paid = f"cast(greatest({day} + cast(n % 50 as integer), date '2000-01-01') as date)"
    paid_at = f"cast({paid} as timestamp) at time zone 'UTC' + interval '10 hours'"
    amount = "cast(10 + (n * 31) % 990 as decimal(20, 6))"
    _insert(warehouse, CLIENTS, None, clients, {
        "id": key("c", "n"), "number": "cast(n as varchar)", "name": "'Client ' || cast(n as varchar)",
        "display_name": "'Client ' || cast(n as varchar)", "is_deleted": "n % 50 = 0", "country_id": "'276'",
    })  # fmt: skip
    _insert(warehouse, CONTACTS, CLIENTS, clients, {"id": key("k", "n"), "client_id": key("c", "n")})
    is_paid = "n % 11 > 1"
    _insert(warehouse, INVOICES, None, 5 * clients, {
        "id": key("i", "n"), "client_id": key("c", f"1 + n % {clients}"), "number": "cast(n as varchar)", "date": day,
        "due_date": f"case when n % 10 <> 0 then {day} + 30 end", "amount": amount,
        "balance": f"case when {is_paid} then 0 else {amount} end", "partial": "0", "is_deleted": "n % 100 = 1",
        "paid_to_date": f"case when {is_paid} then {amount} else 0 end",
        "status_id": f"case when {is_paid} then '4' when n % 35 = 0 then '5' else '2' end",
        "created_at": moment, "updated_at": moment,
    })  # fmt: skip
    _insert(warehouse, PAYMENTS, None, 5 * clients, {
        "id": key("p", "n"), "client_id": key("c", f"1 + n % {clients}"), "number": "cast(n as varchar)", "date": paid,
        "amount": amount, "applied": amount, "refunded": "0", "status_id": "'4'", "is_deleted": "false",
        "created_at": paid_at, "updated_at": paid_at,
    }, f"where {is_paid}")  # fmt: skip
    late = "case when n % 10 = 1 then interval '3 days' else interval '1 second' end"
    _insert(warehouse, PAYMENT_APPLICATIONS, PAYMENTS, 5 * clients, {
        "id": key("a", "n"), "payment_id": key("p", "n"), "invoice_id": key("i", "n"), "amount": amount,
        "refunded": "case when n % 97 = 1 then 5 else 0 end",
        "created_at": f"{paid_at} + {late}", "updated_at": f"{paid_at} + {late}",
    }, f"where {is_paid}")  # fmt: skip
    _insert(warehouse, CREDITS, None, clients // 5, {
        "id": key("r", "n"), "client_id": key("c", f"1 + n % {clients}"), "date": day, "status_id": "'2'",
        "amount": amount, "balance": amount, "paid_to_date": "0", "is_deleted": "false", "created_at": moment,
        "updated_at": moment,
    })  # fmt: skip
    tables = (CLIENTS, CONTACTS, INVOICES, PAYMENTS, PAYMENT_APPLICATIONS, CREDITS)
    warehouse.analyze([f"ninja.{entity.name}" for entity in tables])
    _reconcile(warehouse)
    if warehouse.engine == POSTGRES:
        for entity in tables:
            warehouse.execute(f"vacuum ninja.{entity.name}")


def _reconcile(warehouse: Warehouse) -> None:
    """Let the figures of all clients but one in a thousand agree with their documents."""
    for entity in (INVOICES, PAYMENTS, CREDITS):
        warehouse.execute(
            "insert into control.watermarks (source, entity, began_at, run_id) values ('main', $entity, now(), 'run')",
            {"entity": entity.name},
        )
    for figure in ("balance", "paid_to_date", "credit_balance"):
        warehouse.execute(
            f"update ninja.clients as c set {figure} = r.of_documents from mart.reconciliation as r "
            f"where r.client_id = c.id and r.figure = '{figure}' and c.number not like '%000'"
        )


def _insert(
    warehouse: Warehouse, entity: Entity, parent: Entity | None, rows: int, given: dict[str, str], where: str = ""
) -> None:
    """Insert rows numbered by n; a column that is not given has the least value that its table takes."""
    least = {Kind.TEXT: "'main'", Kind.FLAG: "false", Kind.MONEY: "0", Kind.TIME: "now()", Kind.JSON: "'{}'"}
    made = {
        name: given.get(name) or least[column.kind]
        for name, column in columns(entity, parent).items()
        if name in given or column.required
    }
    if "record" in made:
        made["record"] = "cast($record as json)"
    record = _record(entity)
    warehouse.execute(
        f"insert into ninja.{entity.name} ({', '.join(made)}) select {', '.join(made.values())} "
        f"from (select cast(number as bigint) as n from generate_series(1, {rows}) as s(number)) as numbers {where}",
        {"record": record} if "record" in made else None,
    )


def _record(entity: Entity) -> str:
    import json  # noqa: PLC0415 - only here

    return json.dumps(TEMPLATES.get(entity.name, {"client": "x" * 1500}), default=str)


@contextmanager
def places(engines: list[str]) -> Iterator[tuple[dict[str, Place], int]]:
    """Where the warehouses are, and the process of the database's server."""
    with tempfile.TemporaryDirectory() as folder, running_postgres(options=()) as cluster:
        every = {DUCKDB: Path(folder) / "warehouse.duckdb", POSTGRES: cluster.place(cluster.make_database())}
        assert cluster.process is not None
        yield {name: every[name] for name in engines}, cluster.process.pid


def main() -> None:
    """Print the best time of each question on each engine, its CPU time, and the target."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--clients", type=int, default=100_000)
    asked.add_argument("--engine", choices=[DUCKDB, POSTGRES], action="append")
    asked.add_argument("--explain", help="show the plan of one question on Postgres")
    wanted = asked.parse_args()
    with places(wanted.engine or [DUCKDB, POSTGRES]) as (made, server):
        for engine, place in made.items():
            began = time.perf_counter()
            with open_migrated(place, now=datetime.now(UTC)) as warehouse:
                build(warehouse, wanted.clients)
            print(f"{engine}: {wanted.clients:,} clients, built in {time.perf_counter() - began:.0f} s", flush=True)
            with open_place(place, read_only=True) as warehouse:
                for name, (query, targets) in TARGETS.items():
                    best, cpu = (
                        min(times)
                        for times in zip(*(_timed(warehouse, query, server) for _ in range(ROUNDS)), strict=True)
                    )
                    print(f"  {name:32}{best:8.2f} s {cpu:8.2f} s   (at most {targets[engine]} s)", flush=True)
                    if wanted.explain == name and engine == POSTGRES:
                        sys.stdout.writelines(
                            f"{line}\n" for (line,) in warehouse.rows(f"explain (analyze, buffers) {query}")
                        )


def _timed(warehouse: Warehouse, query: str, server: int) -> tuple[float, float]:
    """The seconds of a query, and those that the processors worked for it, here and in the database's server."""
    began, worked = time.perf_counter(), time.process_time() + cpu_of(server)
    warehouse.rows(query)
    return time.perf_counter() - began, time.process_time() + cpu_of(server) - worked


if __name__ == "__main__":
    main()
