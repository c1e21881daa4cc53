"""The model: how two clients are compared, which pairs are compared at all, and how probable it is that they are one.

Splink does it (Fellegi and Sunter's model) on DuckDB, in memory. `prior.json` holds what it starts from: how often each
level of agreement is seen between two records of one client (m) and of two clients (u). Where there are enough clients,
u is measured on them anew, and m is trained by expectation maximisation where their keys give pairs to learn from.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import splink.comparison_level_library as levels
import splink.comparison_library as comparisons
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from flows.dedupe.comparable import Comparable

PRIOR: Final = Path(__file__).with_name("prior.json")
TEXTS: Final = ("id", "name", "vat_number", "id_number", "domain", "street", "house", "city", "postal_code", "country")
LISTS: Final = ("words", "emails", "phones")
KEYS: Final = ("emails", "phones", "vat_number", "id_number", "domain")
ENOUGH_FOR_U: Final = 1_000
"""Clients from which on u is measured on them: with fewer, rare levels are not seen."""
ENOUGH_FOR_M: Final = 5_000
"""Clients from which on m is trained on them."""
TWICE: Final = 0.1
"""Of how many of its clients a company is expected to have another one: what the first guess is made of."""
LARGEST_BLOCK: Final = 500
"""Clients that share a mail, number or word; what more of them share (info@, the word "trading") proves nothing."""
LEAST: Final = 0.01
"""Pairs less probable than that are not kept: they count as unlike."""
SIMILAR, ALIKE, LIKE = 0.92, 0.88, 0.8
"""By Jaro and Winkler, from 0 to 1: one slip of the pen, several, a common beginning."""


def predicted(clients: Sequence[Comparable], *, trained: bool = True, seed: int = 1) -> pa.Table:
    """The pairs of clients that may be one, with their probability and the levels at which they agree.

    Columns: id_l, id_r, match_probability, gamma_name and so on. Untrained it is the prior's word alone.
    """
    prior = _prior()
    with duckdb.connect() as connection:
        connection.execute("set enable_external_access = false").fetchall()
        table = DuckDBAPI(connection=connection).register(table_of(clients))
        if trained and len(clients) >= ENOUGH_FOR_U:
            prior = _trained(Linker(table, _settings(len(clients), prior), logging.ERROR), len(clients), prior, seed)
        linker = Linker(table, _settings(len(clients), prior), logging.ERROR)
        found = linker.inference.predict(threshold_match_probability=LEAST, warning_mode="never")
        columns = ", ".join(["id_l", "id_r", "match_probability", *(f"gamma_{name}" for name in _levels())])
        return connection.sql(f"select {columns} from {found.physical_name}").to_arrow_table()


def learned(clients: Sequence[Comparable], labels: Sequence[str]) -> dict[str, dict[str, list[float | None]]]:
    """m and u of each comparison, from clients of which it is known who is one: of this the prior is made."""
    with duckdb.connect() as connection:
        table = table_of(clients).append_column("label", pa.array(labels, pa.string()))
        linker = Linker(DuckDBAPI(connection=connection).register(table), _settings(len(clients), {}), logging.ERROR)
        linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=1)
        linker.training.estimate_m_from_label_column("label")
        told = linker.misc.save_model_to_json()
    return _told(told)


def _trained(linker: Linker, count: int, prior: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The prior with what these clients say of names and addresses.

    Of keys (mails, numbers) the prior's word stays: by chance they agree too seldom to be measured by sampling.
    """
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=seed)
    if count >= ENOUGH_FOR_M:
        for rule in (block_on("street", "house"), block_on("name", "city")):
            linker.training.estimate_parameters_using_expectation_maximisation(
                rule, fix_probability_two_random_records_match=True
            )
    seen = _told(linker.misc.save_model_to_json())
    return {
        name: told if name in KEYS else {which: _filled(seen[name][which], told[which]) for which in ("m", "u")}
        for name, told in prior.items()
    }


def _filled(seen: Sequence[float | None], prior: Sequence[float]) -> list[float]:
    """What was measured, and the prior's word for a level that was not seen."""
    return [one if one and 0 < one < 1 else other for one, other in zip(seen, prior, strict=True)]


def _told(model: Mapping[str, Any]) -> dict[str, dict[str, list[float | None]]]:
    """m and u of a model of Splink's, by comparison, without the level of nothing to compare."""
    return {
        one["output_column_name"]: {
            which: [_number(level.get(f"{which}_probability")) for level in one["comparison_levels"][1:]]
            for which in ("m", "u")
        }
        for one in model["comparisons"]
    }


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _settings(count: int, prior: Mapping[str, Any]) -> SettingsCreator:
    made: list[Any] = [
        comparisons.CustomComparison(output_column_name=name, comparison_levels=_configured(found, prior.get(name)))
        for name, found in _levels().items()
    ]
    return SettingsCreator(
        link_type="dedupe_only", unique_id_column_name="id", comparisons=made,
        blocking_rules_to_generate_predictions=_blocking(),
        probability_two_random_records_match=min(0.1, TWICE / max(count, 2)),
        retain_intermediate_calculation_columns=True,
    )  # fmt: skip


def _blocking() -> list[Any]:
    """Pairs are compared that share one of these; each is a value of its own that few have."""
    return [
        block_on("vat_number"),
        block_on("id_number"),
        block_on("emails", arrays_to_explode=["emails"]),
        block_on("phones", arrays_to_explode=["phones"]),
        block_on("name"),
        block_on("domain"),
        block_on("street", "house"),
        block_on("street", "city"),
        block_on("postal_code", "house"),
        block_on("city", "house"),
        block_on("words", "postal_code", arrays_to_explode=["words"]),
        block_on("words", "city", arrays_to_explode=["words"]),
        block_on("words", "house", arrays_to_explode=["words"]),
        block_on("substr(name, 1, 4)", "postal_code"),
    ]


def _levels() -> dict[str, list[Any]]:
    """The levels of agreement of each comparison, from "nothing to compare" over "the same" to "all else"."""
    name = [
        levels.NullLevel("name"), levels.ExactMatchLevel("name"), levels.JaroWinklerLevel("name", SIMILAR),
        levels.And(levels.JaroWinklerLevel("name", LIKE), levels.ArrayIntersectLevel("words", 1)),
        levels.ArrayIntersectLevel("words", 1), levels.JaroWinklerLevel("name", LIKE), levels.ElseLevel(),
    ]  # fmt: skip
    house, street, alike = levels.ExactMatchLevel("house"), levels.ExactMatchLevel("street"), _alike("street")
    address = [
        levels.NullLevel("street"), levels.And(street, house), levels.And(alike, house), street, alike, house,
        levels.ElseLevel(),
    ]  # fmt: skip
    code = [
        levels.NullLevel("postal_code"), levels.ExactMatchLevel("postal_code"),
        levels.DamerauLevenshteinLevel("postal_code", 1), levels.ElseLevel(),
    ]  # fmt: skip
    city = [levels.NullLevel("city"), levels.ExactMatchLevel("city"), _alike("city"), levels.ElseLevel()]
    return {
        "name": name, "street": address, "postal_code": code, "city": city,
        "emails": _shared("emails"), "phones": _shared("phones"), "vat_number": _equal("vat_number"),
        "id_number": _equal("id_number"), "domain": _equal("domain"),
    }  # fmt: skip


def _alike(column: str) -> Any:
    return levels.JaroWinklerLevel(column, ALIKE)


def _shared(column: str) -> list[Any]:
    return [levels.NullLevel(column), levels.ArrayIntersectLevel(column, 1), levels.ElseLevel()]


def _equal(column: str) -> list[Any]:
    return [levels.NullLevel(column), levels.ExactMatchLevel(column), levels.ElseLevel()]


def _configured(found: Sequence[Any], prior: Mapping[str, Sequence[float]] | None) -> list[Any]:
    """The levels with what the prior says of them; the first one is "nothing to compare", which says nothing."""
    if prior is None:
        return list(found)
    told = zip(found[1:], prior["m"], prior["u"], strict=True)
    return [found[0], *(level.configure(m_probability=m, u_probability=u) for level, m, u in told)]


def _prior() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(PRIOR.read_text(encoding="utf-8"))
    return dict(found["comparisons"])


def table_of(clients: Sequence[Comparable]) -> pa.Table:
    """The clients as a table, without what too many share: it would make millions of pairs, and prove nothing."""
    columns = {name: pa.array(_rare([getattr(one, name) for one in clients], name), pa.string()) for name in TEXTS}
    for name in LISTS:
        columns[name] = pa.array(_rare_parts([getattr(one, name) for one in clients]), pa.list_(pa.string()))
    return pa.table(columns)


def _rare(values: Sequence[str | None], name: str) -> Sequence[str | None]:
    if name not in KEYS:
        return values
    count = Counter(values)
    return [None if count[one] > LARGEST_BLOCK else one for one in values]


def _rare_parts(lists: Sequence[Sequence[str]]) -> list[list[str] | None]:
    count = Counter(part for parts in lists for part in parts)
    return [[part for part in parts if count[part] <= LARGEST_BLOCK] or None for parts in lists]
