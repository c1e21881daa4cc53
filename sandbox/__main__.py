"""`python -m sandbox`: a sandbox in the foreground; its first line of output shows how to reach it."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from sandbox.people.seed import INVOICED
from sandbox.server import Sandbox, serve
from sandbox.store.database import OldDatabaseError
from sandbox.store.generation import FIVE_TEN, GENERATIONS


def main() -> None:
    """Reads the arguments and serves until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--clients", type=int, default=0)
    parser.add_argument("--invoiced", type=int, default=INVOICED, help="so many clients have invoices and payments")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--database", type=Path)
    parser.add_argument("--behaves-like", choices=GENERATIONS, default=FIVE_TEN.name)
    parser.add_argument("--json", action="store_true", help="one JSON object; else one NAME=VALUE a line")
    given = parser.parse_args()

    def announce(sandbox: Sandbox, _: object) -> None:
        known = asdict(sandbox)
        text = json.dumps(known) if given.json else "\n".join(f"{k}={v}" for k, v in known.items())
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    try:
        serve(
            clients=given.clients,
            invoiced=given.invoiced,
            seed=given.seed,
            host=given.host,
            port=given.port,
            database=given.database,
            behaves_like=given.behaves_like,
            announce=announce,
        )
    except OldDatabaseError as problem:
        parser.error(str(problem))


if __name__ == "__main__":
    main()
