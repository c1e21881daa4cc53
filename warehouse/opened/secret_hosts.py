"""Remember the server of each secret: a token goes to another server only after a person has allowed it.

The warehouse knows a secret only by the name of its place (`env NAME`, `file PATH`, `block NAME`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from schemas.errors import Busy, SettingsError
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
        check_hosts_in(warehouse, source, base_url, names)


def check_hosts_in(warehouse: Warehouse, source: str, base_url: str, names: Sequence[str]) -> None:
    """Like `check_hosts`, in an open warehouse. Before the first pull it has no tables and refuses nothing."""
    tables = warehouse.rows("select table_name from information_schema.tables where table_schema = 'control'")
    if ("sources",) not in tables:
        return
    bound = [str(url) for (url,) in warehouse.rows(statement("read/bound_url"), {"source": source})]
    if bound and base_url not in bound:
        raise SettingsError(
            f"The source {source!r} is bound to {bound[0]}, but the settings lead to {base_url}. Nothing was sent, not "
            f"even the token. If the server has moved: ninja-sync source rebind {source}"
        )
    if ("secret_hosts",) not in tables:
        return
    noted = warehouse.rows("select name, base_url from control.secret_hosts")
    at_home = bound and not any(url == base_url for _, url in noted)  # bound by a version that noted no secrets
    for name in names:
        known = [str(url) for known, url in noted if known == name]
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
