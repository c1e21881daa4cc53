"""Ninja Sync pulls the clients into DuckDB: `read_with_ours.py URL TOKEN FOLDER`. A page of twenty, as the others."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from connector.door.door import Door, DoorSettings
from connector.door.secret import Secret
from flows.configuration.values import Settings, Source
from flows.pull.job import Job
from flows.pull.pull import pull
from schemas.errors import SyncError
from warehouse.engine.duckdb import open_warehouse

PAGE = 20


def read(url: str, token: str, folder: Path, sleep: Callable[[float], None] = time.sleep) -> dict[str, object]:
    """What a pull says at its end, and the ids that are in the warehouse then."""
    path = folder / "ours.duckdb"
    source = Source(url=url, page_size=PAGE, requests_per_second=1000, entities=("clients",))
    settings = Settings(warehouse=str(path), publish=False, sources={"main": source})
    said, named = "success", 0
    try:
        with Door(DoorSettings(url, requests_per_second=1000), Secret(token), sleep=sleep) as door:
            pulled = pull(Job(settings, "main", door))
        named = len(pulled.quarantined)
        said = f"exit 7: {named} named" if named else said
    except SyncError as problem:
        said = type(problem).__name__
    ids: list[str] = []
    if path.exists():
        with open_warehouse(path, read_only=True) as warehouse:
            ids = [str(key) for (key,) in warehouse.rows("select id from ninja.clients")]
    return {"said": said, "ids": ids, "named": named}


if __name__ == "__main__":
    print("RESULT " + json.dumps(read(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
