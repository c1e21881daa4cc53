"""The bulk action `template`: clients put into a design (ClientController.php:223-280, TemplateAction).

Only the failure without a design is recorded. The answer for an existing design is read from the vendor's code: the
name of the PDF to fetch later, or the word that a mail went out. The sandbox makes no PDF.
"""

from __future__ import annotations

import uuid
from typing import Any

from starlette.responses import Response

from sandbox.books.accounts import COMPANY_A
from sandbox.php import hashids
from sandbox.php.text import filter_boolean
from sandbox.store.database import insert, select
from sandbox.store.world import World
from sandbox.wire.answers import compact_answer, server_error
from sandbox.wire.calls import Call


def fill(call: Call) -> Response:
    """`{"message": …}` if there is such a design, in any company; 500 if not (recorded)."""
    designs = select(call.world.db, "designs", "id = ?", (hashids.decode(call.input.get("template_id")),))
    if not designs:
        raise server_error()
    if filter_boolean(call.input.get("send_email")):
        return compact_answer({"message": "email sent"})
    return compact_answer({"message": str(uuid.UUID(int=call.world.random.getrandbits(128), version=4))})


def add_design(world: World, _: dict[str, str], said: Any) -> dict[str, str]:
    """POST /_sandbox/designs: add a design of company A, by `name`, for the action to use."""
    stamp = world.clock.stamp()
    name = str(said.get("name", "Design"))
    row = {"company_id": COMPANY_A, "name": name, "created_at": stamp, "updated_at": stamp}
    return {"id": hashids.encode(insert(world.db, "designs", row)), "name": name}
