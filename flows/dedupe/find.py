"""Finding duplicates: read from the mirror, made comparable, compared, explained, clustered, kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from shutil import rmtree
from typing import Any

from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.dedupe.clusters import clusters
from flows.dedupe.comparable import Comparable, comparable
from flows.dedupe.decisions import carried
from flows.dedupe.explain import keys_of, reasons
from flows.dedupe.keys import proved
from flows.dedupe.rules import Rules
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.progress import Progress, silent
from flows.session.ready import open_ready
from flows.show.counted import counted
from schemas.errors import SettingsError
from warehouse.control.dedupe import (
    FoundPair,
    Pair,
    decisions_of,
    known_clusters,
    merged_into,
    pair_of,
    read_clients,
    store_found,
)
from warehouse.engine.place import WORKING, staging_of
from warehouse.engine.private import check_ours, make_own_folder
from warehouse.publish.publish import publish_if_due


@dataclass(frozen=True, slots=True)
class Found:
    """What a run has found: its clusters, the pairs in and beside them, how many clusters are new, how many clients.

    `left_out` is by how many keys (words in a town, houses, mailboxes) no pairs were looked for: too many share them.
    `untaught` says that training could not learn from these clients, so that the shipped weights decided.
    """

    clusters: Sequence[Sequence[str]]
    pairs: Sequence[FoundPair]
    new: int
    compared: int
    left_out: int
    names: Mapping[str, str] = field(repr=False)
    untaught: bool = False


def find_duplicates(
    settings: Settings,
    name: str,
    rules: Rules,
    *,
    deleted: bool = False,
    progress: Progress = silent,
    clock: Clock = SYSTEM_CLOCK,
) -> Found:
    """Find the clients of a source that may be one, and keep pairs and clusters; decisions of people are obeyed.

    The warehouse is closed while they are compared. Raises SettingsError where there are fewer than two clients, or
    where decisions contradict each other.
    """
    with open_ready(settings, clock) as warehouse:
        progress("reading", 0, None)
        rows = read_clients(warehouse, name, deleted=deleted)
        decided = decisions_of(warehouse, name)
        moved = merged_into(warehouse, name)
        before = {tuple(cluster) for cluster in known_clusters(warehouse, name)}
    if len(rows) < 2:  # noqa: PLR2004 - a pair
        raise SettingsError(f"The mirror of {name!r} has {counted(len(rows), 'client')}: `ninja-sync pull` first.")
    progress("comparing", len(rows), len(rows))
    made = {row["id"]: _comparable(row, rules) for row in rows}
    left_out: list[int] = []
    untaught: list[bool] = []
    probable = _probable(settings, list(made.values()), rules, left_out.append, lambda: untaught.append(True))
    decided = carried(decided, moved, made.keys())
    found = clusters(probable, decided, threshold=rules.threshold, floor=rules.floor)
    progress("explaining", len(rows), len(rows))
    kept = _pairs_of(found, probable, made, rules)
    with open_ready(settings, clock) as warehouse:
        store_found(warehouse, name, kept, found, clock.now())
        warehouse.execute("update control.published set changed_runs = -1")  # the copies do not show this yet
        if settings.publish:
            publish_if_due(warehouse, now=clock.now())
    names = {row["id"]: called(row) for row in rows}
    new = sum(tuple(one) not in before for one in found)
    return Found(found, kept, new, len(rows), sum(left_out), names, bool(untaught))


def across(
    settings: Settings, rules: Rules, *, deleted: bool = False, clock: Clock = SYSTEM_CLOCK
) -> list[tuple[FoundPair, str, str]]:
    """Pairs of clients of two sources that may be one, with their names: a report, of which nothing is kept.

    Ids are told as SOURCE:ID. Raises SettingsError where the warehouse has but one source.
    """
    with open_ready(settings, clock) as warehouse:
        sources = [str(one) for (one,) in warehouse.rows("select source from control.sources order by source")]
        rows = [
            {**row, "id": f"{source}:{row['id']}"}
            for source in sources
            for row in read_clients(warehouse, source, deleted=deleted)
        ]
    if len(sources) < 2:  # noqa: PLR2004 - a pair
        raise SettingsError("The warehouse has fewer than two sources: there is nothing across them.")
    made = {row["id"]: _comparable(row, rules) for row in rows}
    names = {row["id"]: called(row) for row in rows}
    found = [
        (FoundPair(a, b, probability, keys_of(made[a], made[b]), *reasons(made[a], made[b])), names[a], names[b])
        for (a, b), probability in _probable(settings, list(made.values()), rules).items()
        if probability >= rules.threshold and a.partition(":")[0] != b.partition(":")[0]
    ]
    return sorted(found, key=lambda one: (-one[0].probability, one[0].id_a, one[0].id_b))


def called(row: Mapping[str, Any]) -> str:
    """How people know a client: its number and its name."""
    return " ".join(str(row[name]) for name in ("number", "name") if row.get(name)) or str(row["id"])


def _comparable(row: Mapping[str, Any], rules: Rules) -> Comparable:
    told = {key: value for key, value in row.items() if key not in {"address1", "number"}}
    return comparable(**told, address=row["address1"], free=rules.free_mail)


def _probable(
    settings: Settings,
    made: Sequence[Comparable],
    rules: Rules,
    left_out: Callable[[int], None] = lambda _: None,
    untaught: Callable[[], None] = lambda: None,
) -> dict[Pair, float]:
    """How probable it is of each pair that it is one: by the model, and at least what a key that both share proves.

    What does not fit into memory goes beside the warehouse.
    """
    from flows.dedupe.model import predicted  # noqa: PLC0415 - Splink takes a second

    folder = staging_of(place_of(settings)) / WORKING
    check_ours(folder.parent)
    make_own_folder(folder)
    try:
        table = predicted(made, trained=rules.trained, folder=folder, left_out=left_out, untaught=untaught)
    finally:
        rmtree(folder, ignore_errors=True)
    columns = (table.column(name).to_pylist() for name in ("id_l", "id_r", "match_probability"))
    found = {pair_of(one, other): float(probability) for one, other, probability in zip(*columns, strict=True)}
    for pair, least in proved(made, rules.proves).items():
        found[pair] = max(least, found.get(pair, 0.0))
    return found


def _pairs_of(
    found: Sequence[Sequence[str]], probable: Mapping[Pair, float], made: Mapping[str, Comparable], rules: Rules
) -> list[FoundPair]:
    """The pairs inside of clusters, and those above the threshold that a cluster does not hold."""
    inside = {pair_of(a, b) for ids in found for n, a in enumerate(ids) for b in ids[n + 1 :]}
    above = {pair for pair, probability in probable.items() if probability >= rules.threshold}
    kept = []
    for one, other in sorted(inside | above):
        told, against = reasons(made[one], made[other])
        keys = keys_of(made[one], made[other])
        kept.append(FoundPair(one, other, probable.get((one, other), 0.0), keys, told, against))
    return sorted(kept, key=lambda pair: (-pair.probability, pair.id_a, pair.id_b))
