"""Who may do what: tokens, rights, the password cache, the limit per minute."""

from __future__ import annotations

import base64
import hashlib
import re
import sqlite3
from dataclasses import dataclass

from starlette.datastructures import Headers

from sandbox.answers import bad_password, bad_token
from sandbox.database import Row
from sandbox.world import World

PASSWORD_SECONDS = 30 * 60
"""company.default_password_timeout, 1 800 000 ms."""
WINDOW = 60


@dataclass(frozen=True, slots=True)
class Token:
    """A user in a company. One who is no admin has the permission view_client and no other."""

    user_id: int
    company_id: int
    is_admin: bool


@dataclass(frozen=True, slots=True)
class Room:
    """How much of the limit is left; below 0 the request is one too many."""

    limit: int
    left: int
    seconds: int
    reset: int


def token_of(db: sqlite3.Connection, sent: str) -> Token:
    """The token's user and company; refuses what is missing, empty or unknown."""
    found = db.execute("SELECT user_id, company_id, is_admin FROM tokens WHERE token = ?", (sent,)).fetchone()
    if found is None:
        raise bad_token()
    return Token(found[0], found[1], bool(found[2]))


def may_view(token: Token, row: Row) -> bool:
    """Whether the row is the company's own. Both of the sandbox's users may see every client."""
    return bool(row["company_id"] == token.company_id)


def may_edit(token: Token, row: Row) -> bool:
    """Admins any row of their company, others those that they made or have in charge."""
    own = token.is_admin or token.user_id in {row["user_id"], row.get("assigned_user_id")}
    return own and may_view(token, row)


def hidden_figures(token: Token) -> bool:
    """Whether lists leave out figures and client_hash: a user with view_client alone (BaseController.php:943-944)."""
    return not token.is_admin


def hashed(password: str) -> str:
    """How the sandbox stores a password; it guards nothing but itself."""
    return hashlib.sha256(password.encode()).hexdigest()


def check_password(world: World, token: Token, headers: Headers) -> None:
    """Refuses all but the user's own password, or none within half an hour of the last right one.

    The base64 header wins over the plain one; what was remembered counts only where no password is sent
    (PasswordProtection.php:42-59).
    """
    sent = headers.get("x-api-password", "")
    if encoded := headers.get("x-api-password-base64"):
        sent = _decoded(encoded)
    now = world.clock.now()
    if sent:
        right = world.db.execute("SELECT password FROM users WHERE id = ?", (token.user_id,)).fetchone()[0]
        good = hashed(sent) == right
    else:
        good = world.passwords_given.get(token.user_id, 0) > now
    if not good:
        raise bad_password()
    world.passwords_given[token.user_id] = now + PASSWORD_SECONDS


def _decoded(encoded: str) -> str:
    """As PHP decodes base64: letters that are none are passed over. What is nothing then is a wrong password still."""
    letters = re.sub("[^A-Za-z0-9+/]", "", encoded)
    whole = letters[:-1] if len(letters) % 4 == 1 else letters
    return base64.b64decode(whole + "=" * (-len(whole) % 4)).decode("utf-8", "replace") or encoded[:1]


def count_request(world: World, address: str) -> Room | None:
    """Counts one request against the limit of its address; None without a limit."""
    limit = world.throttle.per_minute
    return None if limit is None else count_one(world, address, limit)


def count_one(world: World, who: str, limit: int) -> Room:
    """Counts one request of this address or user against a limit a minute."""
    now = world.clock.now()
    until, used = world.throttle.used.get(who, (0.0, 0))
    if until <= now:
        until, used = now + WINDOW, 0
    world.throttle.used[who] = (until, used + 1)
    return Room(limit, limit - used - 1, max(1, int(until - now)), int(until))


def limit_headers(room: Room) -> dict[str, str]:
    """What an answer tells while there is room."""
    return {"X-RateLimit-Limit": str(room.limit), "X-RateLimit-Remaining": str(room.left)}
