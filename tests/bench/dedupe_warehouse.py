"""A warehouse of invented companies: `python -m tests.bench.dedupe_warehouse WAREHOUSE LABELS CLIENTS`.

`python -m tests.bench.dedupe_warehouse WAREHOUSE` changes a hundred clients of it, as a pull does.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from tests.bench.dedupe_crowd import crowd
from warehouse.opened.migrate import open_migrated

SOURCE = "main"
OWN = ("id", "name", "vat_number", "id_number", "website", "address", "city", "postal_code", "country")


def main() -> None:
    """Make the warehouse, and the labels: who each client is; or change some of its clients."""
    if len(sys.argv) == 2:
        with duckdb.connect(sys.argv[1]) as connection:
            for query in CHANGES:
                connection.execute(query).fetchall()
        return
    place, labels, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    people = crowd(count)
    labels.write_text(json.dumps({row["id"]: who for who, row in people}))
    open_migrated(place, now=datetime.now(UTC)).__exit__()
    told = {name: pa.array([row[name] for _, row in people], pa.string()) for name in OWN}
    for name in ("emails", "phones"):
        told[name] = pa.array([next(iter(row[name]), None) for _, row in people], pa.string())
    with duckdb.connect(place) as connection:
        connection.register("people", pa.table(told))
        for query in (COUNTRIES, CLIENTS, CONTACTS):
            connection.execute(query).fetchall()


RUN = "row_hash, record, run_id"
COUNTRIES = f"""
insert into ninja.countries (source, id, name, iso_3166_2, {RUN})
select distinct '{SOURCE}', country, country, country, '', '{{}}'::json, '' from people
"""
CLIENTS = f"""
insert into ninja.clients (
    source, id, name, display_name, vat_number, id_number, website, address1, city, postal_code, country_id,
    is_deleted, balance, paid_to_date, payment_balance, credit_balance, valid_from, observed_at, observed_run_id, {RUN}
)
select
    '{SOURCE}', id, name, name, vat_number, id_number, website, address, city, postal_code, country,
    false, 0, 0, 0, 0, now(), now(), '', '', '{{}}'::json, ''
from people
"""
CONTACTS = f"""
insert into ninja.contacts (source, id, client_id, email, phone, run_id)
select '{SOURCE}', id, id, emails, phones, '' from people
"""
SOME = "(select id from ninja.clients order by hash(id || '{}') limit {})"
CHANGES = (
    f"update ninja.clients set name = name || ' Nord' where id in {SOME.format('renamed', 40)}",
    f"update ninja.contacts set email = 'new.' || email where client_id in {SOME.format('written to', 40)}",
    f"delete from ninja.clients where id in {SOME.format('gone', 20)}",
)
"""A hundred clients: renamed, with another mail address, gone."""

if __name__ == "__main__":
    main()
