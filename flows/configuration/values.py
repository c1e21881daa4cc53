"""The settings, with their defaults and limits."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated

import msgspec
from msgspec import Meta

from flows.configuration.schedules import Prefect, When, fault_of
from schemas.entities import CLIENTS, PULLED
from schemas.entity import Entity
from schemas.errors import SettingsError

SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
HOUR, YEAR = 3600, 366 * 86400

Count = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0, le=YEAR)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One company on one Invoice Ninja server. Times are seconds, sizes are records."""

    url: str
    token_env: str = ""
    token_file: str = ""
    token_block: str = ""
    password_env: str = ""
    password_file: str = ""
    password_block: str = ""
    page_size: Annotated[int, Meta(ge=1, le=5000)] = 1000  # the server's own limit
    connections: Annotated[int, Meta(ge=1, le=16)] = 4
    look_back: Annotated[int, Meta(ge=60, le=YEAR)] = 2 * HOUR
    sweep_days: float = 7
    entities: tuple[str, ...] = ("clients", "invoices", "payments", "credits")
    activities: bool = False
    requests_per_second: Annotated[float, Meta(ge=0.01, le=10_000)] = 5.0
    retry_budget: Seconds = 300.0
    proxy: str | None = None
    ca_file: str | None = None

    @property
    def pulled(self) -> list[Entity]:
        """The entities to pull, in the order in which a pull reads them: clients first, and always."""
        return [entity for name, entity in PULLED.items() if entity is CLIENTS or name in self.entities]


class Erasure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings for erasing clients. With `keep_balances`, balances stay under a pseudonym.

    With `after_purge`, pulls erase clients if there is evidence that they were purged.
    """

    keep_balances: bool = False
    after_purge: bool = False


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number of days to keep history, and the whole records in it; 0 is for ever."""

    history_days: Count = 0
    record_days: Count = 0


class Push(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most clients that a plan may change without `--force`: a number or a share of all, whichever is smaller.

    `at_least` clients are never too many. A plan can be applied for `valid_hours` after it was made.
    """

    most_clients: Count = 1000
    most_share: Share = 0.1
    at_least: Count = 20
    valid_hours: Annotated[float, Meta(ge=0, le=YEAR)] = 24.0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of an installation. Relative paths start at the folder of their file."""

    warehouse: str = "warehouse.duckdb"
    publish: bool = True
    wait: Seconds = 10.0
    sources: dict[str, Source] = {}
    prefect: Prefect = Prefect()
    erasure: Erasure = Erasure()
    retention: Retention = Retention()
    push: Push = Push()


_UNKNOWN = re.compile(r"unknown field `([^`]*)`(?: - at `([^`]*)`)?")
_BOUND = re.compile(r"Expected `(?:int|float)` (>=|<=) (\S+) - at `\$\.(.*)`")
_TABLES: dict[str | None, type[msgspec.Struct]] = {
    None: Settings, "$.sources[...]": Source, "$.prefect": Prefect, "$.prefect.schedules[...]": When,
    "$.erasure": Erasure, "$.retention": Retention, "$.push": Push,
}  # fmt: skip


def nearest_key(problem: str) -> str:
    """Return a hint with the key that was probably meant, if msgspec reports an unknown one; else ''.

    It also looks in other tables, for a key in the wrong one.
    """
    match = _UNKNOWN.search(problem)
    table = _TABLES.get(match[2]) if match else None
    if match is None or table is None:
        return ""
    if table is Prefect and match[1] in When.__struct_fields__:
        return ", now [prefect.schedules]: pull = { interval = 900 }"
    if near := get_close_matches(match[1], table.__struct_fields__, n=1):
        return f". Did you mean {near[0]!r}?"
    homes = [place for place, other in _TABLES.items() if match[1] in other.__struct_fields__]
    places = ["the top of the file, before any [table]" if place is None else f"[{place[2:]}]" for place in homes]
    return f". It belongs in {places[0].replace('[...]', '.NAME')}." if places else ""


def in_words(problem: str) -> str:
    """Return msgspec's error for people: which value is out of its bounds, or which key it probably means."""
    if match := _BOUND.fullmatch(problem):
        limit = "at least" if match[1] == ">=" else "at most"
        return f"{match[3].replace('[...]', '.NAME')} must be {limit} {match[2].removesuffix('.0')}."
    return problem + nearest_key(problem)


def check_values(settings: Settings) -> None:
    """Raises SettingsError for a name or a schedule that cannot be used; the types of the fields hold the bounds."""
    for name, when in settings.prefect.schedules.items():
        if fault := fault_of(name, when):
            raise SettingsError(fault)
    for name, source in settings.sources.items():
        for unknown in set(source.entities) - PULLED.keys():
            raise SettingsError(f"The source {name!r} cannot pull {unknown!r}; it can pull: {', '.join(PULLED)}.")
        if not SOURCE_NAME.fullmatch(name):
            raise SettingsError(f"The source name {name!r} may contain only lower-case letters, digits, - and _.")
