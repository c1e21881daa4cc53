"""A journal for tests of the connector: what was noted, in a list."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.journal import Call, Outcome


class Noted:
    """Keeps calls and what became of them; `open` are those which were never settled.

    `left` says of calls that were left open whether the server was waited for.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.outcomes: dict[str, list[tuple[str, Outcome]]] = {}
        self.messages: dict[str, str] = {}
        self.left: dict[str, bool] = {}

    def intend(self, call: Call) -> str:
        self.calls.append(call)
        return f"call-{len(self.calls)}"

    def settle(self, call_id: str, outcomes: Sequence[tuple[str, Outcome]], message: str = "") -> None:
        assert call_id not in self.outcomes, "settled twice"
        self.outcomes[call_id], self.messages[call_id] = list(outcomes), message

    def leave(self, call_id: str, *, waited: bool = False) -> None:
        assert call_id not in self.outcomes, "settled and left"
        self.left[call_id] = waited

    @property
    def open(self) -> list[Call]:
        return [call for n, call in enumerate(self.calls, start=1) if f"call-{n}" not in self.outcomes]

    @property
    def last(self) -> list[tuple[str, Outcome]]:
        return self.outcomes[f"call-{len(self.calls)}"]
