"""How many pages of 100 clients or invoices a second the sandbox serves on one core.

Run it with `python -m tests.bench.sandbox_pages`.

The server has a core of its own; this process asks from another one.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time

CLIENTS, PAGES, PER_PAGE = 20_000, 200, 100
ASKED = {
    "clients by id": "clients?sort=id%7Casc&page={page}",
    "clients by stamp": "clients?sort=updated_at%7Casc&updated_at={since}",
    "invoices by stamp": "invoices?sort=updated_at%7Casc&updated_at={since}",
    "payments by stamp": "payments?sort=updated_at%7Casc&updated_at={since}",
}


def main() -> None:
    """Starts a sandbox, walks, and prints a line for each way of walking."""
    cores = sorted(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "sandbox", "--json", "--clients", str(CLIENTS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        os.sched_setaffinity(server.pid, cores[:1])
        keys = json.loads(server.stdout.readline())
        os.sched_setaffinity(0, cores[1:] or cores)
        for name, query in ASKED.items():
            print(f"{name:<26}{PAGES / walk(keys, query):7.0f} pages of {PER_PAGE} a second")
        server.terminate()


def walk(keys: dict[str, str], query: str) -> float:
    """How long it takes to read all pages, in seconds."""
    connection = http.client.HTTPConnection(keys["url"].removeprefix("http://"))
    headers = {"X-API-TOKEN": keys["token"], "X-Requested-With": "XMLHttpRequest"}
    began = time.monotonic()
    for page in range(1, PAGES + 1):
        asked = query.format(page=page, since=1_700_000_000 + page * 100_000)
        connection.request("GET", f"/api/v1/{asked}&per_page={PER_PAGE}", headers=headers)
        answer = connection.getresponse()
        rows = json.loads(answer.read())["data"] if page == 1 else answer.read()
        assert answer.status == http.client.OK, answer.status
        assert page > 1 or len(rows) == PER_PAGE, len(rows)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
