"""Drawn worlds and wishes: what a plan names is changed, nothing else is, and a second plan has nothing left to do."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.clients.fields import view
from tests.flows.push.conftest import desk_of

WORLDS = int(os.environ.get("NINJA_SYNC_WORLDS", "8"))
"""How many are drawn, on each engine: `make worlds` draws many more."""
PRINTED = st.characters(exclude_categories=["Cs", "Cc"])
TEXT = st.none() | st.text(PRINTED, max_size=12) | st.sampled_from(["VIP", " VIP ", "0", "x" * 300, "a <b", "−"])
WISH = st.fixed_dictionaries(
    {},
    optional={
        "custom_value1": st.sampled_from(["VIP", "gold", None, " VIP"]),
        "custom_value2": TEXT,
        "public_notes": TEXT,
        "private_notes": TEXT,
        "country_id": st.sampled_from([None, "276", "756", "DE", 840]),
        "industry_id": st.sampled_from([None, "1", "2", "999"]),
        "name": TEXT.filter(bool),
        "city": TEXT,
        "payment_terms": st.sampled_from([None, 0, 7, "30", "soon"]),
        "currency_id": st.sampled_from(["1", "3", "nope"]),
        "is_tax_exempt": st.booleans(),
        "classification": st.sampled_from([None, "business", "firm"]),
    },
)
CLIENT = st.fixed_dictionaries(
    {"state": st.sampled_from(["active", "active", "archived", "deleted"]), "contacts": st.integers(0, 3)},
    optional={"custom_value1": st.sampled_from(["VIP", "old"]), "city": st.just("Bern"), "phone": st.just("1")},
)


@pytest.fixture
def at(box, place):
    """A desk on each engine, the same one for all examples."""
    desk = desk_of(box, place)
    with desk.wire.inner:
        yield desk


def made(box, drawn):
    fields = {key: value for key, value in drawn.items() if key in {"custom_value1", "city", "phone"}}
    people = [{"first_name": f"P{n}", "email": f"p{n}@w.test"} for n in range(drawn["contacts"])]
    client = box.make("Drawn", settings={"currency_id": "2"}, **fields, **({"contacts": people} if people else {}))
    if drawn["state"] != "active":
        box.bulk({"archived": "archive", "deleted": "delete"}[drawn["state"]], client["id"])
    return client["id"]


def unnamed(record, named):
    """All that a plan does not name, without stamps; empty settings are no settings."""
    seen = view(record)
    for one in [seen, *seen["contacts"], *seen["documents"]]:
        one.pop("updated_at")
    seen["settings"] = {k: str(v) for k, v in json.loads(seen["settings"]).items() if v and k not in named}
    return {name: value for name, value in seen.items() if name not in {*named, "display_name"}}


@pytest.mark.quick(where=lambda place: place == "duckdb")
@settings(max_examples=WORLDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(st.tuples(CLIENT, WISH), min_size=1, max_size=5))
def test_a_plan_does_what_it_names_and_nothing_else(box, at, drawn):
    ids = [made(box, client) for client, _ in drawn]
    wishes = list(zip(ids, (wish for _, wish in drawn), strict=True))
    before = {key: box.show(key) for key in ids}
    planned = at.plan(*wishes)
    if planned.plan is None:
        return
    at.wire.reset()
    applied = at.apply(planned)
    assert applied.as_planned, applied.outcomes
    assert len(at.wire.writes()) == len(planned.plan.calls) == applied.calls
    now = {key: box.show(key) for key in ids}
    for key in ids:
        named = {c.column: c.after for c in planned.plan.cells if c.client_id == key}
        assert unnamed(now[key], named) == unnamed(before[key], named)
        assert {name: view(now[key])[name] for name in named} == named
        if not named:
            assert now[key] == before[key]
    again = at.plan(*wishes)
    assert again.plan is None
    assert len(again.refused) == len(planned.refused)
