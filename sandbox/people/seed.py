"""Fills the database with believable clients, the same for the same seed and clock.

Ids follow the order of creation. Most clients were changed some time after they were made; one block was imported
within one second, another was changed by one bulk_update and shares its stamp to the microsecond.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from random import Random

from sandbox.books.accounts import COMPANY_A, COMPANY_B, OWNER, YEARS, open_accounts
from sandbox.people.business import DUPLICATES, Business, client_row, contact_rows, invent, secret
from sandbox.people.filing import file_papers
from sandbox.people.other_records import add_other_records
from sandbox.store.database import Row, insert, insert_all, next_id, select, transaction
from sandbox.store.world import MICROS, World

IN_COMPANY_B = 12
EVERY = 40
"""Every so many clients one is planted: the same business as an earlier one."""
BLOCK = 900
BATCH = 2000
LONGEST_MEMORY = 3000
INVOICED = 5000
"""So many clients have papers from the start, unless another number is named."""
GROUPS = (
    ("Wholesale Europe", {"currency_id": "3"}),
    ("Retail", {"payment_terms": "14"}),
    ("Großkunden DACH", {"currency_id": "17"}),
)
"""The second one has no currency of its own: its clients inherit the company's."""
Stamps = tuple[int, int]


def populate(world: World, *, clients: int, seed: int, invoiced: int = INVOICED) -> dict[str, str]:
    """Fill an empty database; returns tokens and password. A database that has clients already stays unchanged.

    The first `invoiced` clients have invoices, payments and credits that add up to their figures. The others have only
    figures, as after an import, so that a million clients are there in a minute.
    """
    with transaction(world.db):
        keys = open_accounts(world, seed)
        if clients and not select(world.db, "clients", "1 LIMIT 1"):
            groups = tuple(_group(world, name, settings) for name, settings in GROUPS)
            ids = add_clients(
                world, COMPANY_A, _history(world, clients, seed), seed=seed, groups=groups, invoiced=invoiced
            )
            add_other_records(world, COMPANY_A, ids[:invoiced], seed=str(seed))
            others = _history(world, min(clients, IN_COMPANY_B), seed)
            add_clients(world, COMPANY_B, others, seed=seed + 1, groups=(), invoiced=invoiced)
    return keys


def _group(world: World, name: str, settings: dict[str, str]) -> int:
    born = world.clock.stamp() - YEARS * MICROS
    row = {"company_id": COMPANY_A, "user_id": OWNER, "name": name, "settings": json.dumps(settings)}
    return insert(world.db, "group_settings", row | {"created_at": born, "updated_at": born})


def _history(world: World, count: int, seed: int) -> list[Stamps]:
    """When each client was made and last changed, within three years that end a minute ago."""
    rng, end = Random(f"history {seed}"), world.clock.stamp() - 60 * MICROS
    start = end - YEARS * MICROS
    made = sorted(rng.randrange(start, end) for _ in range(count))
    stamps = [(at, rng.randrange(at, end) if rng.random() < 0.5 else at) for at in made]  # noqa: PLR2004 - half were changed
    block = min(BLOCK, count // 12)
    imported, updated = count // 4, count // 2
    second = made[imported] - made[imported] % MICROS if block else 0
    for i in range(block):
        stamps[imported + i] = (second + i * MICROS // BLOCK, second + i * MICROS // BLOCK)
        stamps[updated + i] = (stamps[updated + i][0], end - YEARS * MICROS // 50)
    return stamps


def add_clients(
    world: World,
    company: int,
    stamps: Sequence[Stamps],
    *,
    seed: int,
    groups: tuple[int, ...],
    invoiced: int = INVOICED,
) -> list[int]:
    """Add one client for each pair of stamps, the first ones with papers, and return their ids."""
    rng = Random(f"clients {company} {seed}")
    first = next_id(world.db, "clients")
    counter = world.db.execute("SELECT client_number_counter FROM companies WHERE id = ?", (company,)).fetchone()[0]
    businesses = _businesses(rng, len(stamps), first)
    for start in range(0, len(stamps), BATCH):
        batch = range(start, min(start + BATCH, len(stamps)))
        rows = [next(businesses) for _ in batch]
        clients = [
            _placed(rng, client_row(rng, business, groups), company, stamps[i], f"{counter + i:04d}")
            | {"id": first + i}
            for i, (business, _) in zip(batch, rows, strict=True)
        ]
        insert_all(world.db, "clients", clients)
        insert_all(world.db, "contacts", _contacts(rng, clients, [business for business, _ in rows]))
        insert_all(world.db, "gateway_tokens", _gateway_tokens(rng, clients))
        insert_all(world.db, "documents", _documents(rng, clients))
        planted = [(pair[0], first + i, pair[1]) for i, (_, pair) in zip(batch, rows, strict=True) if pair]
        world.db.executemany("INSERT INTO planted VALUES (?, ?, ?)", planted)
    ids = list(range(first, first + len(stamps)))
    file_papers(world, ids[:invoiced], seed=f"{company} {seed}")
    world.db.execute("UPDATE companies SET client_number_counter = ? WHERE id = ?", (counter + len(ids), company))
    return ids


def _businesses(rng: Random, count: int, first: int) -> Iterator[tuple[Business, tuple[int, str] | None]]:
    """Businesses in turn; a planted one with the id of the client that it repeats, and the kind of difference."""
    known: list[tuple[int, Business]] = []
    kinds = list(DUPLICATES)
    for i in range(count):
        if known and i % EVERY == EVERY // 2:
            original, business = rng.choice(known)
            kind = kinds[i // EVERY % len(kinds)]
            yield DUPLICATES[kind](rng, business), (original, kind)
            continue
        business = invent(rng)
        if business.name and business.contacts and business.contacts[0].email and len(known) < LONGEST_MEMORY:
            known.append((first + i, business))
        yield business, None


def _placed(rng: Random, row: Row, company: int, stamps: Stamps, number: str) -> Row:
    """The row with owner, number, stamps, and a state: a tenth is archived or deleted."""
    state, stamp = rng.random(), stamps[1]
    trashed = state < 0.1  # noqa: PLR2004 - as above
    own_number = rng.random() < 0.02  # noqa: PLR2004 - some brought their number along
    return row | {
        "company_id": company,
        "user_id": OWNER,
        "created_at": stamps[0],
        "updated_at": stamp,
        "deleted_at": stamp if trashed else None,
        "is_deleted": int(state < 0.04),  # noqa: PLR2004 - the deleted among them
        "number": f"K-{number}" if own_number else number,
        "id_number": f"ID-{number}" if rng.random() < 0.2 else None,  # noqa: PLR2004 - a fifth has one
    }


def _contacts(rng: Random, clients: Sequence[Row], businesses: Sequence[Business]) -> Iterator[Row]:
    empty = {"first_name": "", "last_name": "", "phone": "", "send_email": 1}
    for client, business in zip(clients, businesses, strict=True):
        for row in contact_rows(rng, business):
            yield empty | row | _belongs(client)


def _belongs(client: Row) -> Row:
    times = {"created_at": client["created_at"], "updated_at": client["updated_at"]}
    return {"company_id": client["company_id"], "user_id": OWNER, "client_id": client["id"], **times}


def _gateway_tokens(rng: Random, clients: Sequence[Row]) -> Iterator[Row]:
    """Stored credit cards: secrets that must never leave the connector."""
    for client in clients:
        if rng.random() < 0.04:  # noqa: PLR2004 - few pay by card
            meta = {
                "exp_month": "09",
                "exp_year": "2029",
                "brand": "visa",
                "last4": f"{rng.randrange(10_000):04d}",
                "type": 1,
            }
            row = {"token": f"pm_{secret(rng, 24)}", "gateway_customer_reference": f"cus_{secret(rng, 14)}"}
            own = {k: v for k, v in _belongs(client).items() if k != "user_id"}
            yield row | {"gateway_type_id": 1, "meta": json.dumps(meta)} | own


def _documents(rng: Random, clients: Sequence[Row]) -> Iterator[Row]:
    for client in clients:
        if rng.random() < 0.05:  # noqa: PLR2004 - few have papers
            name = rng.choice(("contract.pdf", "Vertrag – unterschrieben.pdf", "logo.png"))
            row = {"name": name, "type": name.rpartition(".")[2], "hash": secret(rng, 32)}
            yield row | {"size": rng.randrange(900, 900_000)} | _belongs(client)


def planted(db: sqlite3.Connection) -> list[tuple[int, int, str]]:
    """The clients that are one business on purpose: the original, the duplicate, and the kind of difference."""
    return [tuple(row) for row in db.execute("SELECT client_id, duplicate_id, kind FROM planted ORDER BY duplicate_id")]
