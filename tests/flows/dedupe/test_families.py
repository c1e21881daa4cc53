"""Fresh drawn books: clients entered twice are found, clients that only look alike are not merged."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.bench.dedupe_books import book
from tests.bench.dedupe_fit import BOOKS as FITTED
from tests.bench.dedupe_judged import BOUNDS, Judged, judged
from tests.bench.dedupe_quality import ninja_sync
from tests.bench.dedupe_sets import BOOKS as MEASURED

SEEDS = (5_001, 5_002, 5_003, 5_004, 5_005, 5_006, 5_007, 5_008)
"""Neither fitted to nor measured by the bench."""
NEVER_MERGED = ("numbered", "vat group", "father and son", "namesake person", "household", "couple")
SELDOM_MERGED = ("owners", "offices", "franchise", "sisters")
"""These share an owner's phone and mailbox, a house or even a VAT number."""
SURE = BOUNDS.index(0.9)


@pytest.mark.parametrize("seeds", [SEEDS[:2], pytest.param(SEEDS[2:], marks=pytest.mark.proof)], ids=len)
def test_fresh_books_are_told_apart(seeds: Sequence[int]) -> None:
    result = Judged()
    for seed in seeds:
        records = book(1_500, seed)
        result += judged(records, *ninja_sync([record.row for record in records]))
    told = str(result)
    assert result.precision >= 0.98, told
    assert result.recall >= 0.85, told
    assert not [kind for kind in NEVER_MERGED if result.merged[kind]], told
    assert all(result.merged[kind] <= 0.02 * result.never[kind] for kind in SELDOM_MERGED), told
    assert all(result.never[kind] for kind in NEVER_MERGED), told
    sure = result.bands[SURE:]
    pairs = sum(band.pairs for band in sure)
    assert pairs > 50 * len(seeds), told
    assert abs(sum(band.said for band in sure) - sum(band.right for band in sure)) <= 0.02 * pairs, told


def test_the_books_are_fresh() -> None:
    assert not set(SEEDS) & ({seed for _, seed in FITTED} | set(MEASURED))
