"""Very many believable clients in files: their JSON, rendered once, in the order of their stamps.

A few hundred clients of the sandbox are the patterns; each client here is one of them with ids, number, stamps, mail
addresses and amounts of its own. The same number and seed make the same bytes. With them goes the truth: what any
database that was filled from them has to hold.

    <folder>/records.bin    the records as compact JSON, each with a comma behind it
    <folder>/places.npy     where each record begins, and where the last one ends
    <folder>/stamps.npy     `updated_at` of each, ascending
    <folder>/truth.json     the totals; written last, so that it says the other files are whole
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

import httpx
import numpy as np

from sandbox.php import hashids
from sandbox.server import create_app

PATTERNS = 400
FIRST, LAST = 1_640_000_000, 1_735_000_000
"""The stamps lie between December 2021 and December 2024: long ago, so that no look-back reads them again."""

MOST_CONTACTS = 2
MICROS = 1_000_000
FORM = 4
"""Raised whenever other bytes are made, so that files of before are made anew."""


@dataclass(frozen=True)
class Truth:
    """What a database must hold. Amounts are millionths, as whole numbers: exact."""

    clients: int
    contacts: int
    balance: int
    form: int = FORM

    @property
    def totals(self) -> tuple[int, int]:
        """The rows and their children."""
        return self.clients, self.contacts

    @property
    def money(self) -> Decimal:
        """The sum of all balances."""
        return Decimal(self.balance) / MICROS


def made(folder: Path, clients: int, seed: int = 1) -> Truth:
    """The truth of the files in `folder`; they are made where they are not there."""
    noted = folder / "truth.json"
    if noted.exists():
        truth = Truth(**json.loads(noted.read_text()))
        if (truth.clients, truth.form) == (clients, FORM):
            return truth
        noted.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    patterns, chance = _patterns(), random.Random(seed)  # noqa: S311 - believable data, not cryptography
    stamps = sorted(chance.randrange(FIRST, LAST) for _ in range(clients))
    places, contacts, balance, at = np.zeros(clients + 1, np.int64), 0, 0, 0
    with (folder / "records.bin").open("wb") as file:
        for number, stamp in enumerate(stamps):
            pattern = chance.choice(patterns)
            micros = amount(chance)
            at += file.write(pattern.record(number, stamp, micros))
            places[number + 1], contacts, balance = at, contacts + pattern.contacts, balance + micros
    np.save(folder / "places.npy", places)
    np.save(folder / "stamps.npy", np.array(stamps, np.int64))
    truth = Truth(clients, contacts, balance)
    noted.write_text(json.dumps(asdict(truth)))
    return truth


def amount(chance: random.Random) -> int:
    """An amount in millionths: nothing, whole, with cents, and now and then with all six decimals or below zero."""
    kind = chance.random()
    if kind < 0.4:
        return 0
    if kind < 0.6:
        return chance.randrange(1, 9000) * MICROS
    if kind < 0.98:
        return chance.randrange(1, 900_000) * 10_000
    return chance.randrange(-(10**9), 10**10)


def number_of(client_id: str) -> int | None:
    """The place of a client among all, by its id; None where that is no id."""
    found = hashids.decode(client_id)
    return None if found is None else found - 1


class Pattern:
    """One record of the sandbox with places for what differs from client to client."""

    def __init__(self, record: dict[str, object]) -> None:
        contacts = record["contacts"][:MOST_CONTACTS]  # type: ignore[index]
        documents = record["documents"][:1]  # type: ignore[index]
        self.contacts = len(contacts)
        told = record | {
            "id": "@id@", "number": "@number@", "balance": "@balance@", "updated_at": "@stamp@", "contacts": contacts,
            "documents": [document | {"id": "@document@"} for document in documents],
            "client_hash": "@id@@id@@id@@id@",
        }  # fmt: skip
        for place, contact in enumerate(contacts):
            contact |= {"id": f"@contact{place}@", "updated_at": "@stamp@", "email": f"@number@.{contact['email']}"}
        text = json.dumps(told, separators=(",", ":")).replace("%", "%%").replace("/", "\\/")
        for name in ("balance", "stamp"):
            text = text.replace(f'"@{name}@"', f"%({name})s")
        self._text = re.sub(r"@(id|number|document|contact\d)@", r"%(\1)s", text) + ","

    def record(self, number: int, stamp: int, micros: int) -> bytes:
        """The JSON of one client, with a comma behind it."""
        names = {f"contact{place}": hashids.encode(2 * number + place + 1) for place in range(self.contacts)}
        own = {
            "id": hashids.encode(number + 1), "document": hashids.encode(number + 1),
            "number": f"{number + 1:07d}", "balance": written(micros),
        }  # fmt: skip
        return (self._text % {**own, **names, "stamp": stamp}).encode()


def written(micros: int) -> str:
    """An amount as PHP writes it: no point where it is whole, no zeros at its end."""
    return f"{Decimal(micros) / MICROS:f}"


def _patterns() -> list[Pattern]:
    """Clients of a sandbox whose clock stands still, so that they are the same each time."""
    app = create_app(clients=PATTERNS, invoiced=0, seed=5, clock=lambda: float(LAST))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://ninja.test") as box:
            asked = {"per_page": PATTERNS, "sort": "id|asc"}
            return await box.get("/api/v1/clients", params=asked, headers={"X-API-TOKEN": app.state.sandbox.token})

    try:
        return [Pattern(record) for record in asyncio.run(ask()).json()["data"]]
    finally:
        app.state.world.db.close()
