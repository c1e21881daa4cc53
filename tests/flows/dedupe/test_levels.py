"""Conflicts that keep two clients apart whatever else agrees, and what is no evidence at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.dedupe.clusters import clusters
from flows.dedupe.comparable import comparable
from flows.dedupe.model import HIGHEST_IN_CONFLICT, predicted
from flows.dedupe.rules import Rules
from tests.bench.dedupe_numbers import vat_number_of
from tests.flows.dedupe.drawn import Client, client, mailbox, person, phone, word

CONFLICTS: dict[str, Callable[[Random], Sequence[Client]]] = {
    "VAT numbers": lambda chance: tuple({"vat_number": vat_number_of(chance, land)} for land in ("DE", "AT")),
    "ID numbers": lambda chance: tuple({"id_number": f"{of}{chance.randrange(999)}"} for of in ("HRB 42", "FN 777")),
    "numbers": lambda chance: ({"name": f"Solarpark {(at := chance.randint(2, 99))}"}, {"name": f"Solarpark {at + 1}"}),
    "letters": lambda _: ({"name": "Haus Sternwald B"}, {"name": "Haus Sternwald C"}),
    "generations": lambda _: ({"name": "Hans Huber sen."}, {"name": "Hans Huber jun."}),
    "parts": lambda _: ({"name": "Sternwald GmbH"}, {"name": "Sternwald Beteiligungs GmbH"}),
    "offices": lambda _: ({"name": "Stadt Sternwald"}, {"name": "Stadt Sternwald - Bauamt"}),
    "owners": lambda _: ({"name": "Laurel Court Residents Union"}, {"name": "Willow Court Residents Union"}),
    "first names": lambda _: ({"name": "Hans Huber"}, {"name": "Peter Huber"}),
}  # fmt: skip


def shared(chance: Random) -> Client:
    """What two clients have in common: all that makes two clients one."""
    return {
        "name": f"{word(chance)} {word(chance)}", "emails": [mailbox(chance)], "phones": [phone(chance)],
        "vat_number": vat_number_of(chance, "DE"), "id_number": f"HRB {chance.randrange(10**5, 10**6)}",
        "address": f"{word(chance)}weg 4", "city": word(chance), "postal_code": "10115", "country": "DE",
        "website": f"{word(chance)}.de", "persons": [person(chance)],
    }  # fmt: skip


def found(rows: Sequence[Client]) -> tuple[dict[tuple[str, str], float], list[list[str]]]:
    """The probabilities, and the clusters under the default rules."""
    table, rules = predicted([comparable(**row) for row in rows]), Rules()
    pairs = {(row["id_l"], row["id_r"]): row["match_probability"] for row in table.to_pylist()}
    conflicts = {(row["id_l"], row["id_r"]) for row in table.to_pylist() if row["in_conflict"]}
    return pairs, clusters(pairs, {}, threshold=rules.threshold, floor=rules.floor, conflicts=conflicts)


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32), third=st.booleans())
def test_a_hard_conflict_keeps_two_apart_whatever_else_agrees_also_by_way_of_a_third(seed: int, third: bool) -> None:
    chance = Random(seed)  # noqa: S311 - drawn data, not cryptography
    rows: list[Client] = []
    for at, kind in enumerate(kind for kind in CONFLICTS for _ in range(5)):
        common = {key: value for key, value in shared(chance).items() if chance.random() < 0.8 or key == "emails"}
        one, other = CONFLICTS[kind](chance)
        between = {"name": None, **common}
        for key in one:
            between[key] = None if key != "name" else str(one["name"]).rsplit(maxsplit=1)[0]
        sides = {"a": {"name": None, **common, **one}, "b": {"name": None, **common, **other}}
        rows += ({**row, "id": f"{at:03}{side}"} for side, row in (sides | ({"c": between} if third else {})).items())
    pairs, grouped = found(rows)
    for at in range(len(CONFLICTS) * 5):
        assert pairs.get((f"{at:03}a", f"{at:03}b"), 0) <= HIGHEST_IN_CONFLICT
        assert not [ids for ids in grouped if {f"{at:03}a", f"{at:03}b"} <= set(ids)]
    if third:
        assert grouped


def test_a_number_that_many_hold_still_tells_one_with_another_number_apart() -> None:
    chance = Random(4)  # noqa: S311 - as above
    number, other, common = vat_number_of(chance, "DE"), vat_number_of(chance, "DE"), shared(chance)
    branches = [{"id": f"{at:02}", "name": f"Alpha{at} Ltd", "vat_number": number} for at in range(13)]
    pairs, grouped = found(
        [*branches, {**common, "id": "a", "vat_number": number}, {**common, "id": "b", "vat_number": other}]
    )
    assert pairs["a", "b"] <= HIGHEST_IN_CONFLICT
    assert grouped == []


@pytest.mark.parametrize("others", [0, 100, pytest.param(1_000, marks=pytest.mark.proof)])
def test_clients_of_no_concern_change_no_cluster(others: int) -> None:
    chance = Random(7)  # noqa: S311 - as above
    rows: list[Client] = []
    for kind, conflict in CONFLICTS.items():
        common = shared(chance)
        rows += ({**common, **row, "id": f"{kind} {side}"} for side, row in zip("ab", conflict(chance), strict=True))
    twin = shared(chance)
    rows += ({**twin, "id": f"twin {side}"} for side in "ab")
    crowd = [{**client(chance), "id": f"z{at:04}"} for at in range(others)]
    _, grouped = found([*rows, *crowd])
    assert [ids for ids in grouped if not ids[0].startswith("z")] == [["twin a", "twin b"]]


@pytest.mark.parametrize("name", ["Test", "Walk-in customer", "N/A", "Laufkunde", "", "-"])
def test_a_generic_name_alone_is_no_evidence_but_a_mailbox_is(name: str) -> None:
    assert found([{"id": one, "name": name} for one in "ab"]) == ({}, [])
    pairs, _ = found([{"id": one, "name": name, "emails": ["jane@firma.de"]} for one in "ab"])
    assert 0 < pairs["a", "b"] < 1


def test_what_fills_a_field_is_no_evidence() -> None:
    filled: dict[str, Any] = {
        "emails": ["noreply@firma.de"], "phones": ["000000"], "vat_number": "N/A", "id_number": "0000", "address": "-",
        "city": "?", "website": "facebook.com/x",
    }  # fmt: skip
    assert found([{"id": one, "name": None, **filled} for one in "ab"]) == ({}, [])


def test_two_contacts_in_another_order_are_no_conflict() -> None:
    common = {"name": None, "emails": ["office@firma.de"], "vat_number": "DE136695976"}
    people = ["Hans Huber", "Maria Maier"]
    table = predicted(
        [comparable(id="a", **common, persons=people), comparable(id="b", **common, persons=people[::-1])]
    )
    assert table["in_conflict"].to_pylist() == [False]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"name": "Origolux SAS"}, {"name": "Wexsimont GmbH"}),
        ({"name": "Xelda Huber", "persons": ["Xelda Huber"]}, {"name": "Zorvin Huber", "persons": ["Zorvin Huber"]}),
        ({"name": "Dr. Huber"}, {"name": "Dr. Maier"}),
    ],
)
def test_firms_of_one_group_and_people_of_one_house_are_apart(one: Client, other: Client) -> None:
    common = shared(Random(5))  # noqa: S311 - as above
    pairs, grouped = found([{**common, **one, "id": "a"}, {**common, **other, "id": "b"}])
    assert pairs.get(("a", "b"), 0) <= HIGHEST_IN_CONFLICT
    assert grouped == []
