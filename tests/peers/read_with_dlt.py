"""dlt reads the clients page by page into DuckDB: `read_with_dlt.py URL TOKEN FOLDER`. Runs in .venv-peers."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main(url: str, token: str, folder: str) -> None:
    os.environ.update({"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL", "DLT_DATA_DIR": folder})
    os.chdir(folder)
    import dlt  # noqa: PLC0415 - reads its environment when it is imported
    from dlt.sources.rest_api import rest_api_source  # noqa: PLC0415 - as above

    source = rest_api_source(
        {
            "client": {
                "base_url": f"{url}/api/v1/",
                "headers": {"X-API-TOKEN": token, "X-Requested-With": "XMLHttpRequest"},
                "paginator": {
                    "type": "page_number",
                    "base_page": 1,
                    "page_param": "page",
                    "total_path": "meta.pagination.total_pages",
                },
            },
            "resources": [
                {
                    "name": "clients",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": "clients",
                        "params": {"per_page": 20, "sort": "id|asc"},
                        "data_selector": "data",
                    },
                }
            ],
        }
    )
    pipeline = dlt.pipeline("clients", destination=dlt.destinations.duckdb(str(Path(folder) / "dlt.duckdb")))
    said = "success"
    try:
        pipeline.run(source).raise_on_failed_jobs()
    except Exception as problem:  # noqa: BLE001 - whatever it is, it is what the framework says
        said = type(problem).__name__
        while (problem := problem.__cause__ or problem.__context__) is not None:
            said = type(problem).__name__
    ids: list[str] = []
    try:
        with pipeline.sql_client() as client:
            ids = [row[0] for row in client.execute_sql("select id from clients")]
    except Exception:  # noqa: BLE001, S110 - no table: nothing was loaded
        pass
    print("RESULT " + json.dumps({"said": said, "ids": ids}))


if __name__ == "__main__":
    main(*sys.argv[1:4])
