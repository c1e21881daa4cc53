"""Remember the server of each secret: a token goes to another server only after a person has allowed it.

The warehouse knows a secret only by the name of its place (`env NAME`, `file PATH`, `block NAME`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from schemas.errors import Busy, SettingsError, WarehouseError
from warehouse.engine.place import Place, PostgresUrl, is_there, reader_of
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement
from warehouse.opened.open import open_place


def check_hosts(place: Place, source: str, base_url: str, names: Sequence[str], *, wait: float) -> None:
    """Refuse a server that the source or one of its secrets was not used with before. Raises SettingsError.

    The published copy answers while another process has the DuckDB file open. Raises Busy or WarehouseError if the
    warehouse cannot answer: then nothing may be sent either.
    """
    if not is_there(place):
        return
    with _opened(place, wait) as warehouse:
        bound, noted = _hosts(warehouse, source)
    if bound and base_url not in bound:
        raise SettingsError(
            f"The source {source!r} is bound to {bound[0]}, but the settings lead to {base_url}. Nothing was sent, not "
            f"even the token. If the server has moved: ninja-sync source rebind {source}"
        )
    at_home = bound and not any(url == base_url for _, url in noted)  # bound by a version that noted no secrets
    for name in names:
        known = [url for known, url in noted if known == name]
        if known and base_url not in known and not at_home:
            raise SettingsError(
                f"The secret {name} of the source {source!r} was used with {known[0]} until now, and the settings lead "
                f"to {base_url}. Nothing was sent. Give that server's secret a name of its own, or, if both servers "
                f"share the secret: ninja-sync source rebind {source}"
            )


def note_hosts(warehouse: Warehouse, base_url: str, names: Sequence[str], now: datetime) -> None:
    """Remember that these secrets are used with a server."""
    for name in names:
        warehouse.execute(statement("load/note_secret_host"), {"name": name, "base_url": base_url, "now": now})


def _hosts(warehouse: Warehouse, source: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the server that a source is bound to, and the servers of all secrets by name.

    The tables are nearly always there, so we look for them only if a query fails: DuckDB takes 10 ms to list them.
    """
    try:
        return _known(warehouse, source, {"sources", "secret_hosts"})
    except WarehouseError:
        tables = warehouse.rows("select table_name from information_schema.tables where table_schema = 'control'")
        return _known(warehouse, source, {str(name) for (name,) in tables})


def _known(warehouse: Warehouse, source: str, tables: Collection[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Like `_hosts`, from these tables: before the first pull there are none, and older versions noted no secrets."""
    bound = warehouse.rows(statement("read/bound_url"), {"source": source}) if "sources" in tables else []
    noted = warehouse.rows("select name, base_url from control.secret_hosts") if "secret_hosts" in tables else []
    return [str(url) for (url,) in bound], [(str(name), str(url)) for name, url in noted]


def _opened(place: Place, wait: float) -> Warehouse:
    if isinstance(place, PostgresUrl):
        return open_place(place, read_only=True, wait=wait)
    copy = reader_of(place)
    try:
        return open_place(place, read_only=True, wait=0 if copy.exists() else wait)
    except Busy:
        if not copy.exists():
            raise
        return open_place(copy, read_only=True, wait=wait)
