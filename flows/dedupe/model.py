"""The model: the pairs to compare, and the probability that each is the same client.

Splink does the work (the Fellegi-Sunter model), on DuckDB in memory. `prior.json` holds the weight of each level of
agreement: how many bits it adds to the odds. The weights were fitted on labelled data, in which duplicates stand
beside clients that only look like duplicates (tests/bench/dedupe_fit.py). If there are enough clients, Splink measures
how often two of them agree by chance (u, by sampling), and how often duplicates agree (m, by expectation maximisation).
A share of that is added to the weights of names, streets and places, which were fitted for it.
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
"""The model is trained on at least this many clients: with fewer, rare levels never occur."""
LEARNED: Final = {"address_key": ("name",), "name_key": ("street", "place")}
"""The comparisons to train, by the key that the clients to learn from share.

Two clients' keys agree by chance too rarely for sampling to measure it.
"""
BESIDE: Final = ("mail", "phone")
"""Further comparisons that find the duplicates among those clients."""
START: Final = -1.0
"""The odds, in bits, that two of those clients are the same, at the start of training."""
TRUSTED: Final = 0.5
"""The share of the measured weights that is added to the shipped ones."""
SAMPLED: Final = 3e5
"""Pairs drawn at random to measure how often two clients agree by chance."""
MOST_BITS: Final = 12.0
"""The bound of a measured weight: for a level that hardly occurs, training gives extreme ones."""
TWICE: Final = 0.1
"""The expected number of duplicates per client, for the first guess."""
AT_MOST: Final = 3.0
"""The highest value to which the first guess is corrected."""
LARGEST_BLOCK: Final = 200
"""The most clients that may share a key to look for pairs by; more would make too many pairs."""
RARE: Final = 0.005
"""A word is rare if at most this share of the clients has it in the name."""
LEAST: Final = 0.01
"""Pairs less probable than this are dropped, and count as unlike."""
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
    """Return the pairs of clients that may be the same: id_l, id_r, match_probability.

    Without `trained`, the shipped weights alone decide. DuckDB may spill data into `folder` if memory runs short.
    `left_out` gets the number of keys by which no pairs were looked for, because more than LARGEST_BLOCK clients share
    each. `untaught` is called if training could not learn from these clients, so that the shipped weights decide.
    """
    with _connected(folder) as connection:
        table = _registered(connection, clients)
        for (too_large,) in connection.sql("select max(too_large) from blocked").fetchall():
            left_out(int(too_large or 0))
        measured = _learned(table, seed, untaught) if trained and len(clients) >= ENOUGH else None
        prior = shipped(trained=measured is not None)
        weights = prior.weights if measured is None else _shifted(prior.weights, measured)
        linker = Linker(table, _settings(weights, prior.base(len(clients))), logging.ERROR)
        predictions = linker.inference.predict(threshold_match_probability=LEAST / 10, warning_mode="never")
        asked = f"select id_l, id_r, match_probability from {predictions.physical_name}"
        return _corrected(connection.sql(asked).to_arrow_table(), len(clients))


def candidates(clients: Sequence[Comparable], seed: int = 1) -> tuple[pa.Table, Weights]:
    """Return the candidates with the number of their level in each comparison, and the weights that training measures.

    The prior is made from these.
    """
    with _connected(None) as connection:
        table = _registered(connection, clients)
        predictions = Linker(table, _settings({}, 0.0), logging.ERROR).inference.predict(warning_mode="never")
        names = ", ".join(f"gamma_{name}" for name in comparison_levels())
        seen = connection.sql(f"select id_l, id_r, {names} from {predictions.physical_name}").to_arrow_table()
        return seen, _measured(table, seed)


@dataclass(frozen=True, slots=True)
class Prior:
    """The model's start: weights in bits by comparison and level, and the odds before anything is compared.

    `bias` and `per_doubling` are bits: the odds of a candidate for a single client, and their change each time the
    number of clients doubles, because more of them agree by chance.
    """

    bias: float
    per_doubling: float
    weights: Weights

    def base(self, count: int) -> float:
        """Return the odds of a candidate among `count` clients before anything is compared, in bits."""
        return self.bias + self.per_doubling * math.log2(max(count, 2))


def shipped(*, trained: bool) -> Prior:
    """Return the prior that ships with Ninja Sync, for a model with or without training."""
    prior = json.loads(PRIOR.read_text(encoding="utf-8"))["trained" if trained else "untrained"]
    return Prior(prior["bias"], prior["per_doubling"], prior["weights"])


@contextmanager
def _connected(folder: Path | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB in memory, without access to files or the network."""
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


def _corrected(pairs: pa.Table, count: int) -> pa.Table:
    """Return the pairs with probabilities that fit the number of duplicates, without the least probable pairs.

    The share of duplicates differs from company to company. The first probabilities add up to a better guess of it,
    these to a better one, and so on: expectation maximisation of this single figure, within bounds.
    """
    probable, guess = pairs["match_probability"].to_numpy(), TWICE
    odds = probable / (1 - probable).clip(1e-15)
    shares = odds
    for _ in range(10):
        shares = odds * (guess / TWICE)
        guess = min(AT_MOST, max(TWICE, float((shares / (1 + shares)).sum()) * 2 / count))
    column = pairs.schema.get_field_index("match_probability")
    table = pairs.set_column(column, "match_probability", pa.array(shares / (1 + shares)))
    return table.filter(pc.greater_equal(table["match_probability"], LEAST))


def _learned(table: Any, seed: int, untaught: Callable[[], None]) -> Weights | None:
    """Return the weights that training measures, or None if it fails: no addresses, a single name, too few pairs.

    Splink then raises errors of many types (EMTrainingException, ValueError, its SQL engine's). None of them is a
    reason not to look for duplicates.
    """
    try:
        return _measured(table, seed)
    except Exception:  # noqa: BLE001 - see above
        untaught()
        return None


def _measured(table: Any, seed: int) -> Weights:
    """Return the weights of names, streets and places that Splink measures on these clients, in bits.

    Names are learned from clients at one address, streets and places from clients with one name. An address or name
    that too many clients share is not used: it would make too many pairs.
    """
    weights: dict[str, Mapping[str, float]] = {}
    for key, learned in LEARNED.items():
        linker = Linker(table, _settings({name: {} for name in (*learned, *BESIDE)}, START), logging.ERROR)
        linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLED, seed=seed)
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(key))
        for comparison in linker.misc.save_model_to_json()["comparisons"]:
            if comparison["output_column_name"] in learned:
                seen = {level["label_for_charts"]: _bits(level) for level in comparison["comparison_levels"]}
                weights[comparison["output_column_name"]] = {
                    name: bits for name, bits in seen.items() if bits is not None
                }
    return weights


def _bits(level: Mapping[str, Any]) -> float | None:
    """Return the weight of a Splink level, within bounds; None if the level never occurred."""
    m, u = level.get("m_probability"), level.get("u_probability")
    if not (isinstance(m, float) and isinstance(u, float) and m > 0 and u > 0):
        return None
    return min(MOST_BITS, max(-MOST_BITS, math.log2(m / u)))


def _shifted(prior: Weights, measured: Weights) -> Weights:
    """Return the weights, each moved by its share of the measured weight."""
    return {
        name: {level: own + TRUSTED * measured.get(name, {}).get(level, 0.0) for level, own in weights.items()}
        for name, weights in prior.items()
    }


def _settings(weights: Weights, base: float) -> SettingsCreator:
    made: list[Any] = [
        comparisons.CustomComparison(
            output_column_name=name, comparison_levels=configured(levels, weights.get(name, {}))
        )
        for name, levels in comparison_levels().items()
        if name in weights or not weights
    ]
    return SettingsCreator(
        link_type="dedupe_only", unique_id_column_name="id", comparisons=made,
        blocking_rules_to_generate_predictions=[block_on("keys", arrays_to_explode=["keys"])],
        probability_two_random_records_match=2**base / (1 + 2**base),
        retain_intermediate_calculation_columns=not weights,
    )  # fmt: skip


def table_of(clients: Sequence[Comparable]) -> pa.Table:
    """Return the clients as a table, without keys that too many of them share: those prove nothing."""
    columns = {
        name: pa.array(_rare([getattr(client, name) for client in clients], name), pa.string()) for name in TEXTS
    }
    for name in LISTS:
        columns[name] = pa.array(
            _rare_parts([getattr(client, name) for client in clients], name), pa.list_(pa.string())
        )
    return pa.table(columns)


def _rare(values: Sequence[str | None], name: str) -> Sequence[str | None]:
    if name not in KEYS:
        return values
    count = Counter(values)
    return [None if count[value] > KEY_HOLDERS else value for value in values]


def _rare_parts(lists: Sequence[Sequence[str]], name: str) -> list[list[str] | None]:
    if name not in KEYS:
        return [list(parts) or None for parts in lists]
    count = Counter(part for parts in lists for part in parts)
    return [[part for part in parts if count[part] <= KEY_HOLDERS] or None for parts in lists]
