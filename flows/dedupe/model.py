"""The model: which pairs are compared at all, and how probable it is that they are one.

Splink does it (Fellegi and Sunter's model) on DuckDB, in memory. `prior.json` holds the weight of each level of
agreement, in bits: by how much it raises the odds. They were fitted on labelled sets in which clients that are one
stand beside such as only look like it (tests/bench/dedupe_fit.py). Where there are enough clients, Splink measures on
them how often two agree by chance (u, by sampling) and where they are one (m, by expectation maximisation); a share of
that is added to weights of names, streets and places that were fitted for it.
"""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from flows.dedupe.comparable import Comparable
from flows.dedupe.keys import KEY_HOLDERS, KEYS
from flows.dedupe.levels import LEFT_OVER, comparison_levels, configured
from schemas.extras import needs
from warehouse.engine.duckdb import QUIET

with needs("dedupe"):
    import splink.comparison_library as comparisons
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

PRIOR: Final = Path(__file__).with_name("prior.json")
TEXTS: Final = (
    "id", "name", "tight", "vat_number", "id_number", "domain", "street", "house", "city", "postal_code", "country",
)  # fmt: skip
LISTS: Final = ("words", "emails", "phones")
BLOCKS: Final = Path(__file__).with_name("blocks.sql")
ENOUGH: Final = 1_000
"""Clients from which on the model is trained on them: with fewer, rare levels are not seen."""
LEARNED: Final = {"address_key": ("name",), "name_key": ("street", "place")}
"""The comparisons that are trained, by what the clients share that are learned from.

Keys agree by chance too seldom to be measured by sampling.
"""
BESIDE: Final = ("mail", "phone")
"""The comparisons that help to tell who is one among those."""
START: Final = -1.0
"""The odds in bits, where training starts, that two of those are one."""
TRUSTED: Final = 0.5
"""How much of what was measured is added to the weights that are shipped for it."""
SAMPLED: Final = 3e5
"""Pairs drawn at random to see how often two agree by chance."""
MOST_BITS: Final = 12.0
"""What is measured is held within that: levels that were hardly seen have no bounds of their own."""
TWICE: Final = 0.1
"""Of how many of its clients a company is expected to have another one: what the first guess is made of."""
AT_MOST: Final = 3.0
"""The most that the first guess is corrected to, by what the first look has found."""
LARGEST_BLOCK: Final = 200
"""Clients that share a key by which pairs are looked for; what more of them share would make too many pairs."""
RARE: Final = 0.005
"""The share of clients in whose names a word stands that is a rare one."""
LEAST: Final = 0.01
"""Pairs less probable than that are not kept: they count as unlike."""
Weights = Mapping[str, Mapping[str, float]]


def predicted(
    clients: Sequence[Comparable],
    *,
    trained: bool = True,
    seed: int = 1,
    folder: Path | None = None,
    left_out: Callable[[int], None] = lambda _: None,
    untaught: Callable[[], None] = lambda: None,
) -> pa.Table:
    """The pairs of clients that may be one: id_l, id_r, match_probability.

    Untrained, the shipped weights alone decide. `folder` is where DuckDB may put what does not fit into memory.
    `left_out` gets the number of keys by which no pairs were looked for, because more than LARGEST_BLOCK clients share
    each. `untaught` is called where training could not learn from these clients, so that the shipped weights decide.
    """
    with _connected(folder) as connection:
        table = _registered(connection, clients)
        for (too_large,) in connection.sql("select max(too_large) from blocked").fetchall():
            left_out(int(too_large or 0))
        measured = _learned(table, seed, untaught) if trained and len(clients) >= ENOUGH else None
        prior = shipped(trained=measured is not None)
        weights = prior.weights if measured is None else _shifted(prior.weights, measured)
        linker = Linker(table, _settings(weights, prior.base(len(clients))), logging.ERROR)
        found = linker.inference.predict(threshold_match_probability=LEAST / 10, warning_mode="never")
        asked = f"select id_l, id_r, match_probability from {found.physical_name}"
        return _corrected(connection.sql(asked).to_arrow_table(), len(clients))


def candidates(clients: Sequence[Comparable], seed: int = 1) -> tuple[pa.Table, Weights]:
    """The candidates, each with the number of its level in each comparison, and what training measures on the clients.

    Of this the prior is made.
    """
    with _connected(None) as connection:
        table = _registered(connection, clients)
        found = Linker(table, _settings({}, 0.0), logging.ERROR).inference.predict(warning_mode="never")
        names = ", ".join(f"gamma_{name}" for name in comparison_levels())
        seen = connection.sql(f"select id_l, id_r, {names} from {found.physical_name}").to_arrow_table()
        return seen, _measured(table, seed)


@dataclass(frozen=True, slots=True)
class Prior:
    """What the model starts from: weights in bits by comparison and level, and the odds before anything is compared.

    `bias` and `per_doubling` are bits: the odds of a candidate among one client, and by how much they fall with twice
    as many clients, because more of them agree by chance.
    """

    bias: float
    per_doubling: float
    weights: Weights

    def base(self, count: int) -> float:
        """The odds of a candidate among so many clients before anything is compared, in bits."""
        return self.bias + self.per_doubling * math.log2(max(count, 2))


def shipped(*, trained: bool) -> Prior:
    """What Ninja Sync is shipped with, for a model that is trained on the clients, or not."""
    found = json.loads(PRIOR.read_text(encoding="utf-8"))["trained" if trained else "untrained"]
    return Prior(found["bias"], found["per_doubling"], found["weights"])


@contextmanager
def _connected(folder: Path | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB in memory, which reaches nothing outside of it."""
    with duckdb.connect(config={"temp_directory": str(folder) if folder else ""}) as connection:
        connection.execute(QUIET).fetchall()
        connection.execute(LEFT_OVER).fetchall()
        connection.execute("set enable_external_access = false").fetchall()
        yield connection


def _registered(connection: duckdb.DuckDBPyConnection, clients: Sequence[Comparable]) -> Any:
    connection.register("clients", table_of(clients))
    values = {"largest": LARGEST_BLOCK, "rare_share": RARE}
    query = BLOCKS.read_text(encoding="utf-8")
    connection.execute(f"create table blocked as {query}", values).fetchall()
    connection.unregister("clients")
    return DuckDBAPI(connection=connection).register("blocked")


def _corrected(found: pa.Table, count: int) -> pa.Table:
    """The pairs with probabilities for as many duplicates as there seem to be, the least probable ones left out.

    How many clients are twice there differs from company to company. The probabilities of the first look add up to a
    better guess, and so on: expectation maximisation of that one figure, within bounds.
    """
    probable, guess = found["match_probability"].to_numpy(), TWICE
    odds = probable / (1 - probable).clip(1e-15)
    shares = odds
    for _ in range(10):
        shares = odds * (guess / TWICE)
        guess = min(AT_MOST, max(TWICE, float((shares / (1 + shares)).sum()) * 2 / count))
    column = found.schema.get_field_index("match_probability")
    table = found.set_column(column, "match_probability", pa.array(shares / (1 + shares)))
    return table.filter(pc.greater_equal(table["match_probability"], LEAST))


def _learned(table: Any, seed: int, untaught: Callable[[], None]) -> Weights | None:
    """What training measures, or None where it cannot: books without addresses, with one name, with few pairs.

    Splink ends such training with errors of many types (EMTrainingException, ValueError, its SQL's). None of them is a
    reason not to look for duplicates.
    """
    try:
        return _measured(table, seed)
    except Exception:  # noqa: BLE001 - see above
        untaught()
        return None


def _measured(table: Any, seed: int) -> Weights:
    """What Splink measures on these clients: the weights of names, streets and places, in bits.

    Names are learned from clients at one address, streets and places from such of one name; what too many share is not
    used, or there would be too many pairs.
    """
    found: dict[str, Mapping[str, float]] = {}
    for key, learned in LEARNED.items():
        linker = Linker(table, _settings({name: {} for name in (*learned, *BESIDE)}, START), logging.ERROR)
        linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLED, seed=seed)
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(key))
        for one in linker.misc.save_model_to_json()["comparisons"]:
            if one["output_column_name"] in learned:
                seen = {level["label_for_charts"]: _bits(level) for level in one["comparison_levels"]}
                found[one["output_column_name"]] = {name: bits for name, bits in seen.items() if bits is not None}
    return found


def _bits(level: Mapping[str, Any]) -> float | None:
    """The weight of a level of Splink's, within bounds; None where it was not seen."""
    m, u = level.get("m_probability"), level.get("u_probability")
    if not (isinstance(m, float) and isinstance(u, float) and m > 0 and u > 0):
        return None
    return min(MOST_BITS, max(-MOST_BITS, math.log2(m / u)))


def _shifted(prior: Weights, measured: Weights) -> Weights:
    """The weights, each with its share of what was measured."""
    return {
        name: {level: own + TRUSTED * measured.get(name, {}).get(level, 0.0) for level, own in weights.items()}
        for name, weights in prior.items()
    }


def _settings(weights: Weights, base: float) -> SettingsCreator:
    made: list[Any] = [
        comparisons.CustomComparison(
            output_column_name=name, comparison_levels=configured(found, weights.get(name, {}))
        )
        for name, found in comparison_levels().items()
        if name in weights or not weights
    ]
    return SettingsCreator(
        link_type="dedupe_only", unique_id_column_name="id", comparisons=made,
        blocking_rules_to_generate_predictions=[block_on("keys", arrays_to_explode=["keys"])],
        probability_two_random_records_match=2**base / (1 + 2**base),
        retain_intermediate_calculation_columns=not weights,
    )  # fmt: skip


def table_of(clients: Sequence[Comparable]) -> pa.Table:
    """The clients as a table, without the keys that too many share: they prove nothing."""
    columns = {name: pa.array(_rare([getattr(one, name) for one in clients], name), pa.string()) for name in TEXTS}
    for name in LISTS:
        columns[name] = pa.array(_rare_parts([getattr(one, name) for one in clients], name), pa.list_(pa.string()))
    return pa.table(columns)


def _rare(values: Sequence[str | None], name: str) -> Sequence[str | None]:
    if name not in KEYS:
        return values
    count = Counter(values)
    return [None if count[one] > KEY_HOLDERS else one for one in values]


def _rare_parts(lists: Sequence[Sequence[str]], name: str) -> list[list[str] | None]:
    if name not in KEYS:
        return [list(parts) or None for parts in lists]
    count = Counter(part for parts in lists for part in parts)
    return [[part for part in parts if count[part] <= KEY_HOLDERS] or None for parts in lists]
