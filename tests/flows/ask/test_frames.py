"""Frames and Arrow tables of the marts, and the picture of the docs, on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pandas as pd
import pyarrow as pa
import pytest

from flows.ask.frames import aging, frame, table
from flows.configuration.load import place_of
from schemas.errors import SettingsError
from tests.engines import address
from warehouse.opened.open import open_place
from warehouse.schema.personal import is_personal


@pytest.fixture
def loaded(settings, pulls, place, server):
    """Settings of a warehouse that was pulled, once on each engine."""
    told = msgspec.structs.replace(settings, warehouse=address(place), publish=False)
    pulls(using=told)
    return told


def test_a_mart_is_a_frame_with_exact_money_and_aware_times(loaded, server):
    clients = frame("clients", settings=loaded)
    assert len(clients) == 120
    assert clients["balance"].dtype == pd.ArrowDtype(pa.decimal128(20, 6))
    assert set(clients["balance"]) == {Decimal(c["balance"]) for c in server.clients().values()}
    assert str(clients["created_at"].dtype) == "datetime64[us, UTC]"
    assert clients["is_tax_exempt"].dtype == pd.BooleanDtype()
    assert clients["contacts"].dtype == pd.Int64Dtype()
    assert table("clients", settings=loaded).schema.field("balance").type == pa.decimal128(20, 6)


def test_every_mart_is_a_table_and_a_frame(loaded):
    with open_place(loaded_place(loaded), read_only=True) as warehouse:
        views = [
            name for (name,) in warehouse.rows("select viewname from pg_catalog.pg_views where schemaname = 'mart'")
        ]
    for view in views:
        assert frame(view, settings=loaded).shape[1] == table(view, settings=loaded).num_columns > 3


def loaded_place(settings):

    return place_of(settings)


def test_a_mart_that_there_is_none_of_is_refused_with_those_that_there_are(loaded):
    with pytest.raises(SettingsError, match="client_balance_daily"):
        table("nothing", settings=loaded)


def test_a_frame_without_personal_data_has_the_columns_that_are_not_personal(loaded):
    public = frame("clients", personal=False, settings=loaded)
    whole = frame("clients", settings=loaded)
    names = [name for name in whole.columns if not is_personal("clients", name)]
    assert list(public.columns) == names != list(whole.columns)
    assert set(public["id"]) == set(whole["id"])
    assert table("aging", personal=False, settings=loaded).num_rows == table("aging", settings=loaded).num_rows
    with pytest.raises(SettingsError, match="mart_public"):
        table("nothing", personal=False, settings=loaded)


def test_aging_without_personal_data_has_the_same_rows_today_and_on_a_day(kept):
    for day in (None, datetime.now(UTC).date() - timedelta(days=100)):
        whole, public = aging(day, settings=kept), aging(day, personal=False, settings=kept)
        assert set(whole.columns) - set(public.columns) == {"client_name"}
        keys = ["source", "client_id"]
        expected = whole[public.columns].sort_values(keys, ignore_index=True)
        assert len(expected)
        assert public.sort_values(keys, ignore_index=True).equals(expected)
