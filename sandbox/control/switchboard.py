"""The switches as JSON: reading them, setting them, and refusing unknown ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.clients.listing import MOST_ROWS
from sandbox.php import hashids
from sandbox.store.world import Fault, MergeDeath, World

Json = dict[str, Any]
DOINGS = ("status", "html", "empty", "truncate", "no_data", "redirect", "reset", "hang", "drip")
MERGE_DEATHS = ("500", "hang", "no_answer")
MERGE_STEPS = 6
FAULT_FIELDS = frozenset(f.name for f in fields(Fault)) - {"met", "struck"}


def state(world: World) -> Json:
    """Every switch with its present value; each fault with how often it was met and has struck."""
    switches = world.switches
    return {
        "latency_ms": switches.latency_ms,
        "timezone": switches.timezone,
        "per_page_cap": switches.per_page_cap,
        "shuffle": switches.shuffle,
        "clock": {"now": world.clock.now(), "frozen": world.clock.at is not None},
        "faults": [asdict(fault) for fault in switches.faults],
        "poison": [hashids.encode(number) for number in sorted(switches.poison)],
        "merge_dies": asdict(switches.merge_dies) if switches.merge_dies else None,
    }


def turn(world: World, wanted: Mapping[str, Any]) -> Json:
    """Set the named switches, leave the others, and return the state.

    None turns a switch off. Raises ValueError for an unknown switch or an impossible value, and then sets nothing.
    """
    unknown = set(wanted) - set(_READERS)
    if unknown:
        raise ValueError(f"no such switch: {', '.join(sorted(unknown))}")
    values = {name: _READERS[name](value) for name, value in wanted.items()}
    for name, value in values.items():
        if name == "clock":
            _turn_clock(world, value)
        else:
            setattr(world.switches, name, value)
    return state(world)


def _turn_clock(world: World, wanted: Mapping[str, Any]) -> None:
    """`now` freezes the clock at a moment, or, where None, starts the real one again; `advance` moves it on."""
    if "now" in wanted:
        world.clock.at = None if wanted["now"] is None else float(wanted["now"])
        world.clock.moved_by = 0.0
    world.clock.moved_by += float(wanted.get("advance", 0))


def _latency(value: Any) -> float:
    return float(value or 0)


def _timezone(value: Any) -> str:
    try:
        return ZoneInfo(value or "UTC").key
    except ZoneInfoNotFoundError as error:
        raise ValueError(f"no such time zone: {value}") from error


def _cap(value: Any) -> int:
    rows = MOST_ROWS if value is None else int(value)
    if not 0 < rows <= MOST_ROWS:
        raise ValueError(f"per_page_cap must be from 1 to {MOST_ROWS}")
    return rows


def _clock(value: Any) -> Mapping[str, Any]:
    wanted = {"now": None} if value is None else dict(value)
    if set(wanted) - {"now", "advance"}:
        raise ValueError("clock takes `now` and `advance`")
    return wanted


def _faults(value: Any) -> list[Fault]:
    return [_fault(rule) for rule in value or ()]


def _fault(rule: Mapping[str, Any]) -> Fault:
    unknown = set(rule) - FAULT_FIELDS
    if unknown or rule.get("do") not in DOINGS:
        raise ValueError(
            f"a fault does one of {', '.join(DOINGS)}, and takes {', '.join(sorted(FAULT_FIELDS))}: {rule}"
        )
    seconds = rule.get("seconds")
    return Fault(**{**rule, "seconds": None if seconds is None else float(seconds)})


def _poison(value: Any) -> frozenset[int]:
    numbers = [hashids.decode(text) for text in value or ()]
    if None in numbers:
        raise ValueError("poison takes the ids of clients")
    return frozenset(number for number in numbers if number is not None)


def _merge_dies(value: Any) -> MergeDeath | None:
    """`after` so many of a merge's steps, `do` one of three things, `times` of it (once), `seconds` for `hang`."""
    if value is None:
        return None
    unknown = set(value) - {"after", "do", "times", "seconds"}
    after, how, seconds = int(value["after"]), str(value["do"]), value.get("seconds")
    if unknown or how not in MERGE_DEATHS or not 0 <= after <= MERGE_STEPS:
        raise ValueError(f"a merge dies after 0 to {MERGE_STEPS} steps, by {', '.join(MERGE_DEATHS)}: {value}")
    return MergeDeath(after, how, int(value.get("times", 1)), None if seconds is None else float(seconds))


_READERS: dict[str, Callable[[Any], Any]] = {
    "latency_ms": _latency,
    "timezone": _timezone,
    "per_page_cap": _cap,
    "shuffle": bool,
    "clock": _clock,
    "faults": _faults,
    "poison": _poison,
    "merge_dies": _merge_dies,
}
