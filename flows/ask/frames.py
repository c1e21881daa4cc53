"""Read the views of `mart` and `mart_public` in programs: as Arrow tables, or as pandas DataFrames with exact money.

from flows import frame
clients = frame("clients")
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flows.ask.aging import DUE, figures
from flows.ask.ask import reading
from flows.configuration.load import load_settings
from flows.configuration.values import Settings
from schemas.errors import SettingsError
from schemas.extras import needs
from warehouse.schema.public import MART, PUBLIC

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MOST_DIGITS: Final = 32
"""Digits of money in a frame. Sums have 38 in SQL, and pandas cannot add two such columns: Arrow has no 39th digit."""


def table(
    view: str, *, personal: bool = True, settings: Settings | None = None, config: Path | None = None
) -> pa.Table:
    """Return a view of `mart` as an Arrow table: money as decimal128, times in UTC, NULL as null.

    Without `personal`, it is the view of `mart_public`, which has no personal data. It reads the warehouse of the
    settings, as `ninja-sync sql` does: on DuckDB the published copy. Raises SettingsError if there is no such view.
    """
    schema = MART if personal else PUBLIC
    with reading(settings or load_settings(config)) as warehouse:
        views = warehouse.rows(
            "select table_name from information_schema.tables where table_schema = $schema order by table_name",
            {"schema": schema},
        )
        known = [str(name) for (name,) in views]
        if view not in known:
            raise SettingsError(f"There is no view {view!r}. {_remedy(schema, known)}")
        return warehouse.table(f'select * from {schema}."{view}"')


def _remedy(schema: str, known: list[str]) -> str:
    if known:
        return f"Views of {schema}: {', '.join(known)}."
    if schema == PUBLIC:
        return "This user may read no view: has anything been pulled yet, and has this user been granted to read it?"
    return "This user may read no view of mart: read mart_public with personal=False."


def frame(
    view: str, *, personal: bool = True, settings: Settings | None = None, config: Path | None = None
) -> pd.DataFrame:
    """Return a view of `mart` as a DataFrame: exact money (Arrow decimals), times in UTC, nullable whole numbers.

    Without `personal`, it is the view of `mart_public`. Raises SettingsError without the extra `pandas`.
    """
    with needs("pandas"):
        import pandas  # noqa: F401, PLC0415 - before the warehouse is opened

    return _as_frame(table(view, personal=personal, settings=settings, config=config))


def aging(
    day: date | None = None, *, personal: bool = True, settings: Settings | None = None, config: Path | None = None
) -> pd.DataFrame:
    """Return who owes how much for how long as a DataFrame, as `frame("aging")`, at the end of a day.

    Without a day it is today, in each company's own time zone. Without `personal`, clients have numbers and no names,
    as in `mart_public`. Raises SettingsError without the extra `pandas`.
    """
    with needs("pandas"):
        import pandas  # noqa: F401, PLC0415 - as above

    if isinstance(day, str):
        raise SettingsError(f"{day!r} is a text: write date.fromisoformat({day!r}).")
    if day is None:
        return frame("aging", personal=personal, settings=settings, config=config)
    with reading(settings or load_settings(config)) as warehouse:
        columns, _ = warehouse.answer(f"select * from {MART if personal else PUBLIC}.aging limit 0")
        rows = figures(DUE, day) if personal else f"{PUBLIC}.aging_as_of(date '{day}')"
        return _as_frame(warehouse.table(f"select {', '.join(columns)} from {rows}"))


def _as_frame(rows: pa.Table) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - as above
    import pyarrow as pa  # noqa: PLC0415

    def exact(kind: Any) -> Any:
        if pa.types.is_decimal(kind):
            return pd.ArrowDtype(pa.decimal128(min(kind.precision, MOST_DIGITS), kind.scale))
        if pa.types.is_date(kind):
            return pd.ArrowDtype(kind)
        if pa.types.is_integer(kind):
            return pd.Int64Dtype()
        return pd.BooleanDtype() if pa.types.is_boolean(kind) else None

    return rows.to_pandas(types_mapper=exact)
