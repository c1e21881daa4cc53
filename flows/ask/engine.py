"""The warehouse for SQLAlchemy: an engine that only reads, and its tables and views, for Core, the ORM and pandas.

import sqlalchemy as sa
from flows import engine, metadata
clients = metadata().tables["mart.clients"]
with engine().connect() as connection:
    rows = connection.execute(sa.select(clients.c.name, clients.c.balance)).all()
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from flows.ask.ask import readable_file, reading, usable_copy
from flows.configuration.load import load_settings, place_of
from flows.configuration.values import Settings
from schemas.errors import SettingsError
from schemas.extras import needs
from warehouse.engine.place import PostgresUrl

if TYPE_CHECKING:
    import sqlalchemy as sa


def engine(*, settings: Settings | None = None, config: Path | None = None) -> sa.Engine:
    """Return a read-only SQLAlchemy engine for the warehouse; its schema `mart` has the views for people.

    On DuckDB each connection opens the newest published copy, so pulls and readers never block each other. Without a
    copy it opens the warehouse's own file, and then no pull can open it while a connection is open. On Postgres it
    connects as the role of the warehouse's URL, and each transaction only reads. A released connection is closed. Times
    are in UTC.

    DuckDB's dialect is duckdb-sqlalchemy: the older duckdb-engine (0.17.0) cannot reflect a table of DuckDB 2.0.

    The trap: `pandas.read_sql` makes floats of money, unless it is called with `coerce_float=False`.

    Raises SettingsError without the extra `sqlalchemy`, or if the settings name no warehouse. On DuckDB, `connect`
    raises WarehouseError if the file is missing or damaged.
    """
    settings = settings or load_settings(config)
    place = place_of(settings)
    if isinstance(place, PostgresUrl):
        return _postgres(place)
    return _duckdb(readable_file(settings, place), place)


def metadata(*, settings: Settings | None = None, config: Path | None = None) -> sa.MetaData:
    """Return the tables of `ninja` and the views of `mart` and `mart_public`, with keys and references.

    The names are like `mart.clients`. A view that the role may not read is not among them: a role of Postgres without
    the right to personal data has `mart_public.clients` and no `mart.clients`. It opens the warehouse once, to read
    which views there are; call it once and keep the result. Raises SettingsError if the settings name no warehouse.
    """
    from warehouse.schema.marts import tables_of  # noqa: PLC0415 - SQLAlchemy takes a third of a second

    with reading(settings or load_settings(config)) as warehouse:
        return tables_of(warehouse)


def _duckdb(file: Path, place: Path) -> sa.Engine:
    import sqlalchemy as sa  # noqa: PLC0415 - as above

    with needs("sqlalchemy"):
        from duckdb_sqlalchemy import ConnectionWrapper  # noqa: PLC0415 - half a second

    from warehouse.engine.duckdb import reader_connection  # noqa: PLC0415 - not for Postgres

    sa.dialects.registry.register("duckdb", "duckdb_sqlalchemy", "Dialect")  # where duckdb-engine is installed too
    url = sa.URL.create("duckdb", database=str(file))

    def connect() -> ConnectionWrapper:
        # Not the dialect's own connection, which would not see a newer copy, nor share the warehouse's own file.
        with usable_copy() if file != place else nullcontext():
            return ConnectionWrapper(reader_connection(file))

    return sa.create_engine(url, creator=connect, poolclass=sa.NullPool)


def _postgres(place: PostgresUrl) -> sa.Engine:
    import sqlalchemy as sa  # noqa: PLC0415 - as above

    with needs("postgres"):
        import psycopg  # noqa: PLC0415 - not for DuckDB

        from warehouse.engine.postgres_session import FORMS, set_for_a_transaction  # noqa: PLC0415 - as above

    forms = set_for_a_transaction(FORMS)  # of a session, they would stay with a pooler's next client

    def connect() -> psycopg.Connection:
        # libpq knows forms of URLs that SQLAlchemy does not. A prepared statement would stay on a pooler's session.
        connection = psycopg.connect(place.url, prepare_threshold=None, client_encoding="UTF8")
        connection.read_only = True
        return connection

    def begin(connection: sa.Connection) -> None:
        if connection.connection.autocommit:  # Postgres would let it write, and return local times
            raise SettingsError("This engine reads in transactions: leave out AUTOCOMMIT.")
        connection.exec_driver_sql(forms)

    opened = sa.create_engine("postgresql+psycopg://", creator=connect, poolclass=sa.NullPool)
    sa.event.listen(opened, "begin", begin)
    return opened
