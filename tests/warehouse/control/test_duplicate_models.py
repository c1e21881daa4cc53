"""Models learned from decisions are kept, and at most one of a source is in use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from warehouse.control.dedupe import LATER, NEVER_MERGE, SAME_AS, decide
from warehouse.control.duplicate_models import StoredModel, models_of, since_learned, store_model, use_model
from warehouse.opened.migrate import open_migrated

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
FIRST = StoredModel(
    "learned-1", NOW, "eva@desk", "book", 40, {"wrong_before": 3}, {"bias": -1.5, "weights": {"name": {"same": 2.25}}}
)


@pytest.fixture
def warehouse(place):
    with open_migrated(place, now=NOW) as opened:
        yield opened


def test_models_are_listed_as_they_were_stored_the_newest_first(warehouse):
    second = replace(FIRST, model_id="learned-2", made_at=NOW + timedelta(days=1))
    store_model(warehouse, "main", FIRST)
    store_model(warehouse, "main", second)
    store_model(warehouse, "other", FIRST)
    assert models_of(warehouse, "main") == [second, FIRST]
    assert models_of(warehouse, "other") == [FIRST]


def test_one_model_of_a_source_is_in_use_or_none(warehouse):
    for source in ("main", "other"):
        store_model(warehouse, source, replace(FIRST, in_use=True))
    store_model(warehouse, "main", replace(FIRST, model_id="learned-2", in_use=True))
    store_model(warehouse, "main", replace(FIRST, model_id="learned-3"))

    def used(source):
        return [model.model_id for model in models_of(warehouse, source) if model.in_use]

    assert (used("main"), used("other")) == (["learned-2"], ["learned-1"])
    use_model(warehouse, "main", "learned-1")
    assert used("main") == ["learned-1"]
    use_model(warehouse, "main", "")
    assert (used("main"), used("other")) == ([], ["learned-1"])


def test_decisions_count_as_unlearned_until_a_model_is_made_after_them(warehouse):
    for seconds, (pair, decision) in enumerate(
        [(("a", "b"), SAME_AS), (("a", "b"), NEVER_MERGE), (("a", "c"), SAME_AS), (("c", "d"), LATER)]
    ):
        decide(warehouse, "main", [pair], decision, author="eva", reason="", now=NOW + timedelta(seconds=seconds))
    assert (since_learned(warehouse, "main"), since_learned(warehouse, "other")) == (2, 0)
    store_model(warehouse, "main", replace(FIRST, made_at=NOW + timedelta(seconds=1)))
    assert since_learned(warehouse, "main") == 1
    store_model(warehouse, "main", replace(FIRST, model_id="learned-2", made_at=NOW + timedelta(hours=1)))
    assert since_learned(warehouse, "main") == 0
