"""Open the warehouse as a SQLAlchemy engine, for notebooks, BI tools and `pandas.read_sql`.

import pandas as pd
from flows import engine
owed = pd.read_sql("select name, balance from mart.clients", engine(), coerce_float=False)

`coerce_float=False` keeps money exact: otherwise pandas turns decimals into floats.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flows.ask.ask import readable_file
from flows.configuration.load import load_settings, place_of
from flows.configuration.values import Settings
from schemas.extras import needs
from warehouse.engine.place import PostgresUrl

if TYPE_CHECKING:
    import sqlalchemy as sa


def engine(*, settings: Settings | None = None, config: Path | None = None) -> sa.Engine:
    """Return a read-only SQLAlchemy engine for the warehouse; its schema `mart` has the views for people.

    On DuckDB it opens the published copy, so that pulls and readers never block each other. Without a copy it opens the
    warehouse's own file, and then no pull can open it while a connection is open. A released connection is closed.
    Times are in UTC. Raises SettingsError without the extra `sqlalchemy`, or if the settings name no warehouse.
    """
    settings = settings or load_settings(config)
    place = place_of(settings)
    with needs("sqlalchemy"):
        import duckdb_engine  # noqa: F401, PLC0415 - registers the dialect
        import sqlalchemy as sa  # noqa: PLC0415 - takes half a second

    if isinstance(place, PostgresUrl):
        url = sa.make_url(place.url).set(drivername="postgresql+psycopg")
        return sa.create_engine(url, poolclass=sa.NullPool, execution_options={"postgresql_readonly": True})
    file = str(readable_file(settings, place))
    opened = sa.create_engine(
        sa.URL.create("duckdb", database=file), poolclass=sa.NullPool, connect_args={"read_only": True}
    )
    sa.event.listen(opened, "connect", lambda connection, _: connection.execute("set timezone = 'UTC'"))
    return opened
