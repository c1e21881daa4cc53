"""Rights: tokens, permissions, the password cache, the limit per minute."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass

from starlette.datastructures import Headers

from sandbox.store.database import Row
from sandbox.store.world import World
from sandbox.wire.answers import bad_password, bad_token

PASSWORD_SECONDS = 30 * 60
"""company.default_password_timeout, 1 800 000 ms."""
WINDOW = 60
SHOWING = ("edit_client", "edit_all", "view_invoice", "view_all", "edit_invoice")
"""Each of these shows the figures of clients."""


@dataclass(frozen=True, slots=True)
class Token:
    """A user in a company. `permissions` are the server's own words, with commas (`view_client,edit_all`)."""

    user_id: int
    company_id: int
    is_admin: bool
    permissions: str = ""

    def may(self, permission: str) -> bool:
        """Whether the user has this permission, or one that includes it; edit includes view (User::hasPermission).

        The server looks for the words anywhere in its text, so `view_client_note` would count as `view_client`.
        """
        verb, _, entity = permission.partition("_")
        enough = {permission, f"{verb}_all"} | ({"edit_all", f"edit_{entity}"} if verb == "view" else set())
        return self.is_admin or any(word in self.permissions.lower() for word in enough)


@dataclass(frozen=True, slots=True)
class Room:
    """How much of the limit is left; below 0 the request exceeds it."""

    limit: int
    left: int
    seconds: int
    reset: int


def token_of(world: World, sent: str) -> Token:
    """The token's user and company; refuses missing, empty and unknown tokens, and users who are out (TokenAuth)."""
    known = world.db.execute(
        "SELECT user_id, company_id, is_admin, permissions, is_deleted, is_locked FROM tokens "
        "JOIN users ON users.id = user_id WHERE token = ?",
        (sent,),
    ).fetchone()
    if known is None:
        raise bad_token(bare=world.generation.bare_bad_token)
    user_id, company_id, is_admin, permissions, is_deleted, is_locked = known
    if is_deleted:
        raise bad_token("User inactive")
    if is_locked:
        raise bad_token("User access locked")
    return Token(user_id, company_id, bool(is_admin), permissions)


def may_view(token: Token, row: Row) -> bool:
    """Whether the client is the company's, and the user sees all of them or owns this one."""
    return _in_company(token, row) and (token.may("view_client") or _own(token, row))


def may_edit(token: Token, row: Row) -> bool:
    """Whether the token may change a client."""
    return _in_company(token, row) and (token.may("edit_client") or _own(token, row))


def _in_company(token: Token, row: Row) -> bool:
    return bool(row["company_id"] == token.company_id)


def _own(token: Token, row: Row) -> bool:
    """Whether the user made it or is assigned to it."""
    return token.user_id in {row["user_id"], row.get("assigned_user_id")}


def hidden_figures(token: Token) -> bool:
    """Whether lists leave out figures and client_hash: view_client alone does not show them (BaseController.php:90-92).

    A user who sees clients by another permission, or only their own, sees the figures (User::hasExcludedPermissions).
    """
    return not token.is_admin and "view_client" in token.permissions and not any(map(token.permissions.count, SHOWING))


def hashed(password: str) -> str:
    """How the sandbox stores a password; it guards nothing but itself."""
    return hashlib.sha256(password.encode()).hexdigest()


def check_password(world: World, token: Token, headers: Headers) -> None:
    """Refuse any password but the user's own, and none at all unless a right one came within the last half hour.

    The base64 header wins over the plain one; the remembered password counts only where none is sent
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
    """Decode base64 as PHP does: it skips other characters. An empty result still counts as a wrong password."""
    letters = re.sub("[^A-Za-z0-9+/]", "", encoded)
    whole = letters[:-1] if len(letters) % 4 == 1 else letters
    return base64.b64decode(whole + "=" * (-len(whole) % 4)).decode("utf-8", "replace") or encoded[:1]


def count_request(world: World, address: str) -> Room | None:
    """Count one request against the limit of its address; None without a limit."""
    limit = world.throttle.per_minute
    return None if limit is None else count_one(world, address, limit)


def count_one(world: World, who: str, limit: int) -> Room:
    """Count one request of this address or user against a limit a minute."""
    now = world.clock.now()
    until, used = world.throttle.used.get(who, (0.0, 0))
    if until <= now:
        until, used = now + WINDOW, 0
    world.throttle.used[who] = (until, used + 1)
    return Room(limit, limit - used - 1, max(1, int(until - now)), int(until))


def limit_headers(room: Room) -> dict[str, str]:
    """The headers of an answer within the limit."""
    return {"X-RateLimit-Limit": str(room.limit), "X-RateLimit-Remaining": str(room.left)}
