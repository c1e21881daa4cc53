"""The two companies, their users and tokens: everything that exists before the first client."""

from __future__ import annotations

import json
from random import Random

from sandbox.books.lookups import statics
from sandbox.store.database import insert, select
from sandbox.store.world import MICROS, World
from sandbox.wire.access import hashed

COMPANY_A, COMPANY_B = 1, 2
OWNER, VIEWER, NEWCOMER = 1, 2, 3
YEARS = 3 * 365 * 86_400
CUSTOM_FIELDS = {
    "client1": "Account manager|single_line_text",
    "client2": "Tier|gold,silver,bronze",
    "client3": "Renewal|date",
}


def keys_of(seed: int) -> dict[str, str]:
    """Tokens and the owner's password, the same for the same seed; they look like real ones."""
    rng = Random(f"keys {seed}")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    keys = {name: "".join(rng.choices(letters, k=64)) for name in ("token", "viewer_token", "other_token")}
    keys["password"] = "".join(rng.choices(letters, k=16))
    return keys | {"none_token": "".join(rng.choices(letters, k=64))}


def open_accounts(world: World, seed: int) -> dict[str, str]:
    """Make companies, users and tokens unless the database has them; returns the matching keys.

    In a database from an earlier start, tokens stay and the owner's password becomes the one of this seed.
    """
    db, keys = world.db, keys_of(seed)
    if select(db, "companies", "1 LIMIT 1"):
        known = {(row["company_id"], row["user_id"]): row["token"] for row in select(db, "tokens", "1")}
        db.execute("UPDATE users SET password = ? WHERE id = ?", (hashed(keys["password"]), OWNER))
        return {
            "token": known[COMPANY_A, OWNER],
            "viewer_token": known[COMPANY_A, VIEWER],
            "none_token": known[COMPANY_A, NEWCOMER],
            "other_token": known[COMPANY_B, OWNER],
            "password": keys["password"],
        }
    _lookups(world)
    born = world.clock.stamp() - YEARS * MICROS
    for number, name, currency, country in (
        (COMPANY_A, "Harbour Street Supplies", "1", 840),
        (COMPANY_B, "Hafenkontor", "3", 276),
    ):
        row = {
            "id": number,
            "name": name,
            "currency_id": currency,
            "country_id": country,
            "company_key": world.secret(32),
        }
        fields = json.dumps(CUSTOM_FIELDS if number == COMPANY_A else {})
        insert(db, "companies", row | {"custom_fields": fields, "created_at": born, "updated_at": born})
    insert(db, "users", {"id": OWNER, "name": "Olive Owner", "password": hashed(keys["password"])})
    for company, name in ((COMPANY_A, "token"), (COMPANY_B, "other_token")):
        insert(db, "tokens", {"token": keys[name], "user_id": OWNER, "company_id": company, "is_admin": 1})
    add_user(world, "Vic Viewer", keys["viewer_token"], permissions="view_client")
    add_user(world, "Nell Newcomer", keys["none_token"])
    return keys


def add_user(world: World, name: str, token: str, *, permissions: str = "", is_admin: bool = False) -> str:
    """Add a user of company A with this token, and return the password."""
    password = world.secret(16)
    number = insert(world.db, "users", {"name": name, "password": hashed(password)})
    row = {"token": token, "user_id": number, "company_id": COMPANY_A, "is_admin": int(is_admin)}
    insert(world.db, "tokens", row | {"permissions": permissions})
    return password


def _lookups(world: World) -> None:
    """Fill the tables of sizes and industries; only these two are guarded by foreign keys."""
    for table in ("sizes", "industries"):
        for row in statics()[table]:
            insert(world.db, table, {"id": int(row["id"]), "name": row["name"]})
