"""What airbyte-cdk does with the same server: `airbyte_read.py URL PAGE_SIZE` reads all clients and stores nothing.

A declarative source by page number. Runs in .venv-peers; prints totals as JSON, as tests.bench.holds does.
"""

from __future__ import annotations

import json
import logging
import sys
from decimal import Decimal

from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer, Type
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

from tests.peers.read_with_airbyte import CATALOG, manifest


def main() -> None:
    """Print what came."""
    url, page_size = sys.argv[1], int(sys.argv[2])
    logging.disable(logging.CRITICAL)
    config, catalog = {"token": "bench"}, ConfiguredAirbyteCatalogSerializer.load(CATALOG)
    source = ConcurrentDeclarativeSource(
        source_config=manifest(url, page_size), config=config, catalog=catalog, state=[]
    )
    ids, clients, contacts, money = set(), 0, 0, Decimal(0)
    for message in source.read(logging.getLogger("airbyte"), config, catalog, []):
        if message.type == Type.RECORD:
            client = message.record.data
            ids.add(client["id"])
            clients, contacts = clients + 1, contacts + len(client["contacts"])
            money += Decimal(str(client["balance"]))  # the shortest decimal of a float is the number that was sent
    print(json.dumps({"rows": clients, "ids": len(ids), "children": contacts, "money": str(money)}))


if __name__ == "__main__":
    main()
