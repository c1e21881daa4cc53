"""What dlt does with the same server, as its documentation has it: `python dlt_pull.py URL FOLDER PLACE`.

Its own requests client, pages of 5,000 by number; merged by id into a DuckDB file through Parquet, or into a Postgres
database through CSV: its fastest ways there. Contacts become a child table; amounts are declared as decimals, or dlt
splits them into whole numbers and floats.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
from dlt.sources.helpers import requests

AMOUNTS = ("balance", "paid_to_date", "payment_balance", "credit_balance")
SIZE = 5000


def main() -> None:
    """Load everything once."""
    url, folder, place = sys.argv[1] + "/api/v1/clients", Path(sys.argv[2]), sys.argv[3]

    @dlt.resource(
        name="clients", primary_key="id", write_disposition="merge",
        columns={name: {"data_type": "decimal", "precision": 20, "scale": 6} for name in AMOUNTS},
    )  # fmt: skip
    def clients() -> Iterator[list[dict[str, Any]]]:
        number = 1
        while True:
            asked = {"sort": "id|asc", "per_page": SIZE, "page": number}
            found = requests.get(url, params=asked, headers={"X-API-TOKEN": "bench"}).json()["data"]
            yield found
            if len(found) < SIZE:
                return
            number += 1

    on_postgres = "://" in place
    destination = dlt.destinations.postgres(place) if on_postgres else dlt.destinations.duckdb(place)
    pipeline = dlt.pipeline(
        "bench", pipelines_dir=str(folder / "dlt"), destination=destination, dataset_name="bench"
    )  # fmt: skip
    pipeline.run(clients(), loader_file_format="csv" if on_postgres else "parquet")


if __name__ == "__main__":
    main()
