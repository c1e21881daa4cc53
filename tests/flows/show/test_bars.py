"""The parts of a bar fill it, and none is lost."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from flows.show.bars import stacked

AMOUNTS = st.lists(st.decimals(-100, 10**12, allow_nan=False, places=2), min_size=1, max_size=6)


@given(amounts=AMOUNTS, width=st.integers(20, 900))
def test_the_parts_fill_the_bar_and_each_amount_is_seen(amounts, width):
    parts = stacked(amounts, width)
    assert [wide > 0 for _, wide in parts] == [amount > 0 for amount in amounts]
    assert sum(wide for _, wide in parts) == (width if any(amount > 0 for amount in amounts) else 0)
    end = 0
    for start, wide in parts:
        if wide:
            assert start == end
        end = start + wide if wide else end


def test_widths_follow_the_amounts():
    assert stacked([Decimal(1), Decimal(0), Decimal(3)], 100) == [(0, 25), (25, 0), (25, 75)]
