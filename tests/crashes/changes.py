"""What the users of a server do between two pulls: each change moves at least one client's stamp."""

from __future__ import annotations

import random
from itertools import count

from flows.pull.reconcile import AT_LEAST
from tests.flows.conftest import Server

_numbers = count(1)


def chances(seed: int) -> random.Random:
    """The chances of one test: the same seed, the same kills and changes (but for the moments, which are measured)."""
    return random.Random(seed)  # noqa: S311 - chance, not secrecy


def change(server: Server, rng: random.Random, gone: set[str]) -> str:
    """Change something, so that the server is in another state than ever before; what was done.

    `gone` grows, up to what one pull takes out.
    """
    number = next(_numbers)
    live = [c for c in server.clients(status="active").values() if c["name"]]
    deeds = [_edit, _edit, _contact, _bulk, _archive, _create, _create_many]
    deed = rng.choice(deeds if len(gone) >= AT_LEAST else [*deeds, _purge, _merge])
    deed(server, rng, live, gone)
    server.edit(rng.choice(list(server.clients(status="active").values())), city=f"City {number}")
    return deed.__name__.strip("_")


def _edit(server: Server, rng: random.Random, live: list, gone: set[str]) -> None:
    for client in rng.sample(live, rng.randint(1, 5)):
        server.edit(client, name=f"{client['name'][:20]} {rng.randrange(10**6)}")


def _contact(server: Server, rng: random.Random, live: list, gone: set[str]) -> None:
    client = rng.choice(live)
    contacts = [{"id": c["id"], "is_primary": c["is_primary"]} for c in client["contacts"]]
    contacts[0]["email"] = f"n{rng.randrange(10**6)}@example.com"
    server.edit(client, contacts=[*contacts, {"first_name": "New", "email": f"m{rng.randrange(10**6)}@example.com"}])


def _bulk(server: Server, rng: random.Random, live: list, gone: set[str]) -> None:
    """More clients in one second than a page of the victims holds."""
    ids = [c["id"] for c in rng.sample(live, min(len(live), 70))]
    server.bulk("bulk_update", *ids, column="custom_value1", new_value=str(rng.randrange(10**6)))


def _archive(server: Server, rng: random.Random, live: list, gone: set[str]) -> None:
    server.bulk("archive", *(c["id"] for c in rng.sample(live, 5)))
    archived = list(server.clients(status="archived"))
    server.bulk("restore", *rng.sample(archived, min(len(archived), 8)))


def _create(server: Server, rng: random.Random, live: list, gone: set[str]) -> None:
    server.call("POST", "/api/v1/clients", {"name": f"New {rng.randrange(10**6)}"})


def _create_many(server: Server, rng: random.Random, live: list, gone: set[str]) -> None:
    server.call("POST", "/_sandbox/clients", {"count": rng.randint(1, 4), "seed": rng.randrange(10**6)})


def _purge(server: Server, rng: random.Random, live: list, gone: set[str]) -> None:
    client = rng.choice(live)["id"]
    server.call("POST", f"/api/v1/clients/{client}/purge", password=server.box.password)
    gone.add(client)


def _merge(server: Server, rng: random.Random, live: list, gone: set[str]) -> None:
    survivor, loser = (c["id"] for c in rng.sample(live, 2))
    server.call("POST", f"/api/v1/clients/{survivor}/{loser}/merge", password=server.box.password)
    gone.add(loser)
