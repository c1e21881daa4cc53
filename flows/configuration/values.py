"""The settings, with their defaults and limits."""

from __future__ import annotations

import math
import re
from difflib import get_close_matches

import msgspec

from flows.configuration.schedules import Prefect, When, fault_of
from schemas.errors import SettingsError

SOURCE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
MINUTE, HOUR = 60, 3600
LARGEST_PAGE = 5000  # records; the server's own limit
MOST_CONNECTIONS = 16
MOST_AT_ONCE = 32
SLOWEST = 0.01  # requests a second


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One company on one Invoice Ninja server. Times are seconds, sizes are records."""

    url: str
    token_env: str = ""
    token_file: str = ""
    token_block: str = ""
    password_env: str = ""
    password_file: str = ""
    password_block: str = ""
    page_size: int = 1000
    connections: int = 4
    look_back: int = 2 * HOUR
    sweep_days: float = 7
    activities: bool = False
    requests_per_second: float = 5.0
    retry_budget: float = 300.0
    proxy: str | None = None
    ca_file: str | None = None


class Erasure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings for erasing clients. With `keep_balances`, balances stay under a pseudonym.

    With `after_purge`, pulls erase clients if there is evidence that they were purged.
    """

    keep_balances: bool = False
    after_purge: bool = False


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number of days to keep history, and the whole records in it; 0 is for ever."""

    history_days: int = 0
    record_days: int = 0


class Push(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The most clients that a plan may change without `--force`: a number or a share of all, whichever is smaller.

    `at_least` clients are never too many. A plan can be applied for `valid_hours` after it was made.
    """

    most_clients: int = 1000
    most_share: float = 0.1
    at_least: int = 20
    valid_hours: float = 24.0


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of an installation. Relative paths start at the folder of their file."""

    warehouse: str = "warehouse.duckdb"
    publish: bool = True
    wait: float = 10.0
    sources: dict[str, Source] = {}
    prefect: Prefect = Prefect()
    erasure: Erasure = Erasure()
    retention: Retention = Retention()
    push: Push = Push()


_UNKNOWN = re.compile(r"unknown field `([^`]*)`(?: - at `([^`]*)`)?")
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


def check_values(settings: Settings) -> None:
    """Raises SettingsError for a value that could make a pull lose changes or never end."""
    _check_range("wait", settings.wait, least=0)
    _check_range("retention.history_days", settings.retention.history_days, least=0)
    _check_range("retention.record_days", settings.retention.record_days, least=0)
    _check_range("push.most_clients", settings.push.most_clients, least=0)
    _check_range("push.most_share", settings.push.most_share, least=0, most=1)
    _check_range("push.at_least", settings.push.at_least, least=0)
    _check_range("push.valid_hours", settings.push.valid_hours, least=0)
    _check_range("prefect.at_once", settings.prefect.at_once, least=1, most=MOST_AT_ONCE)
    for name, when in settings.prefect.schedules.items():
        if fault := fault_of(name, when):
            raise SettingsError(fault)
    for name, source in settings.sources.items():
        if not SOURCE_NAME.fullmatch(name):
            raise SettingsError(f"The source name {name!r} may contain only lower-case letters, digits, - and _.")
        of = f"of the source {name!r}"
        _check_range(f"page_size {of}", source.page_size, least=1, most=LARGEST_PAGE)
        _check_range(f"connections {of}", source.connections, least=1, most=MOST_CONNECTIONS)
        _check_range(f"look_back {of}", source.look_back, least=MINUTE)
        _check_range(f"retry_budget {of}", source.retry_budget, least=0)
        _check_range(f"requests_per_second {of}", source.requests_per_second, least=SLOWEST)


def _check_range(name: str, value: float, *, least: float, most: float = math.inf) -> None:
    if not least <= value <= most or math.isinf(value):  # TOML knows inf and nan
        limit = f"{least:,} to {most:,}" if most < math.inf else f"at least {least:,}"
        raise SettingsError(f"{name} must be {limit}, not {value:,}.")
