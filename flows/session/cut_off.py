"""A plan whose warehouse went away while it was applied: the error says whether anything was sent, and how to go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from schemas.errors import ConnectionLost, SyncError, WarehouseError
from warehouse.control.plans import PLANNED


@contextmanager
def named_when_cut_off(plan_id: str, command: str, state: Callable[[], str]) -> Iterator[None]:
    """Raises WarehouseError in place of ConnectionLost. `state` reads how far the plan has come, once it can be read.

    `command` is the one with which a person applies and resumes such plans: push or merge.
    """
    try:
        yield
    except ConnectionLost:
        now = ""
        with suppress(SyncError):
            now = state()
        if now == PLANNED:
            raise WarehouseError(
                f"The connection to the warehouse was lost before anything of the plan {plan_id} was sent. "
                f"Apply it again: `ninja-sync {command} apply {plan_id}`."
            ) from None
        raise WarehouseError(
            f"The connection to the warehouse was lost while the plan {plan_id} was applied. Changes that were sent "
            f"stay on the server, and nothing is sent twice: `ninja-sync {command} resume {plan_id}` finds out which, "
            "and sends the rest."
        ) from None
