"""Routes under /_sandbox, with which tests and demonstrations reach inside the server. Only for peers on this machine.

They need no token, and new records go to company A.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.books.accounts import COMPANY_A, OWNER, add_user
from sandbox.books.ledger import FIGURES, money
from sandbox.books.templates import add_design
from sandbox.control.switchboard import state, turn
from sandbox.papers.set_figures import set_figures
from sandbox.people.seed import add_clients, planted
from sandbox.php import hashids
from sandbox.store.database import insert, select, transaction, update
from sandbox.store.world import MICROS, World
from sandbox.wire.calls import no_route
from sandbox.wire.front import CONTROL

MOST_LOGS = 10_000
OF_A_MAIL = {"category_id": 2, "event_id": 30, "type_id": 400}
Json = dict[str, Any]
Control = Callable[[World, dict[str, str], Any], Any]


def _route(verb: str, path: str, control: Control) -> Route:
    async def endpoint(request: Request) -> Response:
        if not _local(request):
            return await no_route(request, LookupError())
        try:
            said = json.loads(await request.body() or b"{}", parse_float=Decimal)
            world: World = request.app.state.world
            with world.turn:
                return JSONResponse(control(world, dict(request.path_params), said))
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            return JSONResponse({"message": f"{type(error).__name__}: {error}"}, 400)

    return Route(CONTROL + path, endpoint, methods=[verb])


def _local(request: Request) -> bool:
    """Whether the peer is on this machine."""
    host = request.client.host if request.client else ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _client(ids: dict[str, str]) -> int:
    number = hashids.decode(ids["id"])
    if number is None:
        raise ValueError("no such client")
    return number


def _balances(world: World, ids: dict[str, str], said: Any) -> Json:
    """Set the named figures, exactly, with invoices, payments and credits behind them for a merge to move.

    The ledger gets a row only with `documents: true`. Without it, the client is as after an import: it has figures but
    no ledger (recorded: the ledger of such a client begins with its first merge, at 0).
    """
    values = {name: money(said[name]) for name in FIGURES if name in said}
    with transaction(world.db):
        set_figures(world, _client(ids), values, in_ledger=bool(said.get("documents")))
    return values


def _add_system_logs(world: World, ids: dict[str, str], said: Any) -> Json:
    """Add `count` logs (one): any JSON as `log`; about a mail unless `category_id`, `event_id`, `type_id` differ."""
    client, count = select(world.db, "clients", "id = ?", (_client(ids),))[0], int(said.get("count", 1))
    if count > MOST_LOGS:
        raise ValueError(f"at most {MOST_LOGS} logs at once")
    kinds = {name: int(said.get(name, usual)) for name, usual in OF_A_MAIL.items()}
    own = {"company_id": client["company_id"], "user_id": OWNER, "client_id": client["id"]}
    stamp = world.clock.stamp()
    row = own | kinds | {"log": json.dumps(said.get("log", {})), "created_at": stamp, "updated_at": stamp}
    with transaction(world.db):
        made = [insert(world.db, "system_logs", row) for _ in range(count)]
    return {"ids": [hashids.encode(number) for number in made]}


def _throttle(world: World, _: dict[str, str], said: Any) -> Json:
    world.throttle.per_minute = said["per_minute"]
    world.throttle.used.clear()
    return {"per_minute": world.throttle.per_minute}


def _forget_passwords(world: World, _: dict[str, str], __: Any) -> Json:
    world.passwords_given.clear()
    return {}


def _stamp(world: World, ids: dict[str, str], said: Any) -> Json:
    """Set `updated_at`, to the microsecond or to NULL."""
    seconds = said["updated_at"]
    stamp = None if seconds is None else int(Decimal(str(seconds)) * MICROS)
    update(world.db, "clients", {"updated_at": stamp}, [_client(ids)])
    return {"updated_at": seconds if seconds is None else float(seconds)}


def _add_user(world: World, _: dict[str, str], said: Any) -> Json:
    """Add a user of company A with these `permissions`, and `is_deleted` and `is_locked` where given."""
    token = world.secret(64)
    with transaction(world.db):
        password = add_user(
            world,
            str(said.get("name", "Some User")),
            token,
            permissions=str(said.get("permissions", "")),
            is_admin=bool(said.get("is_admin")),
        )
        user = world.db.execute("SELECT user_id FROM tokens WHERE token = ?", (token,)).fetchone()[0]
        update(world.db, "users", {"is_deleted": int(bool(said.get("is_deleted")))}, [user])
        locked = int(bool(said.get("is_locked")))
        world.db.execute("UPDATE tokens SET is_locked = ? WHERE token = ?", (locked, token))
    return {"id": hashids.encode(user), "token": token, "password": password}


def _switches(world: World, _: dict[str, str], said: Any) -> Json:
    return turn(world, said) if said else state(world)


def _add_clients(world: World, _: dict[str, str], said: Any) -> Json:
    """Add believable clients to company A, made just now."""
    count, now = int(said["count"]), world.clock.stamp()
    groups = tuple(row["id"] for row in select(world.db, "group_settings", "company_id = ?", (COMPANY_A,)))
    with transaction(world.db):
        ids = add_clients(world, COMPANY_A, [(now, now)] * count, seed=int(said.get("seed", 1)), groups=groups)
    return {"ids": [hashids.encode(number) for number in ids]}


def _planted(world: World, _: dict[str, str], __: Any) -> list[Json]:
    """The pairs that are one business on purpose."""
    rows = planted(world.db)
    return [{"id": hashids.encode(a), "duplicate_id": hashids.encode(b), "kind": kind} for a, b, kind in rows]


def _requests(world: World, _: dict[str, str], __: Any) -> list[dict[str, str]]:
    """The requests since the log was emptied; without headers, which hold the token."""
    return list(world.requests)


def _forget_requests(world: World, _: dict[str, str], __: Any) -> Json:
    world.requests.clear()
    return {}


ROUTES = [
    _route("GET", "/switches", _switches),
    _route("POST", "/switches", _switches),
    _route("GET", "/requests", _requests),
    _route("DELETE", "/requests", _forget_requests),
    _route("GET", "/planted", _planted),
    _route("POST", "/clients", _add_clients),
    _route("POST", "/clients/{id}/balances", _balances),
    _route("POST", "/clients/{id}/stamp", _stamp),
    _route("POST", "/designs", add_design),
    _route("POST", "/clients/{id}/system_logs", _add_system_logs),
    _route("POST", "/users", _add_user),
    _route("POST", "/throttle", _throttle),
    _route("POST", "/forget_passwords", _forget_passwords),
]
