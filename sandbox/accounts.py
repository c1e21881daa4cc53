"""The two companies, their users and tokens: what there is before the first client."""

from __future__ import annotations

import json
from random import Random

from sandbox.access import hashed
from sandbox.database import insert, select
from sandbox.lookups import statics
from sandbox.world import MICROS, World

COMPANY_A, COMPANY_B = 1, 2
OWNER, VIEWER = 1, 2
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
    return keys | {"password": "".join(rng.choices(letters, k=16))}


def open_accounts(world: World, seed: int) -> dict[str, str]:
    """Makes companies, users and tokens unless the database has them; returns the keys that fit.

    In a database from an earlier start, tokens stay and the owner's password becomes that of this seed.
    """
    db, keys = world.db, keys_of(seed)
    if select(db, "companies", "1 LIMIT 1"):
        known = {(row["company_id"], row["user_id"]): row["token"] for row in select(db, "tokens", "1")}
        db.execute("UPDATE users SET password = ? WHERE id = ?", (hashed(keys["password"]), OWNER))
        return {
            "token": known[COMPANY_A, OWNER],
            "viewer_token": known[COMPANY_A, VIEWER],
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
    insert(db, "users", {"id": VIEWER, "name": "Vic Viewer", "password": hashed(world.secret(16))})
    for token, user, company in (
        ("token", OWNER, COMPANY_A),
        ("viewer_token", VIEWER, COMPANY_A),
        ("other_token", OWNER, COMPANY_B),
    ):
        row = {"token": keys[token], "user_id": user, "company_id": company, "is_admin": int(user == OWNER)}
        insert(db, "tokens", row)
    return keys


def _lookups(world: World) -> None:
    """Sizes and industries stand in tables, as only they are guarded by foreign keys."""
    for table in ("sizes", "industries"):
        for row in statics()[table]:
            insert(world.db, table, {"id": int(row["id"]), "name": row["name"]})
