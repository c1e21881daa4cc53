"""Find duplicates: read the mirror, compare the clients, explain the pairs, cluster and store them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from shutil import rmtree
from typing import TYPE_CHECKING, Any

from flows.configuration.load import place_of
from flows.configuration.values import Settings
from flows.dedupe.clusters import clusters
from flows.dedupe.comparable import Comparable, comparable
from flows.dedupe.decisions import carried
from flows.dedupe.explain import keys_of, reasons
from flows.dedupe.levels import COMPARISONS
from flows.dedupe.questions import to_ask
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
from warehouse.control.duplicate_models import since_learned
from warehouse.engine.place import WORKING, staging_of
from warehouse.engine.private import check_ours, make_own_folder
from warehouse.publish.publish import publish_if_due

if TYPE_CHECKING:
    from flows.dedupe.model import Model


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a run: its clusters, all probable pairs, the number of new clusters and of clients compared.

    `left_out` counts the keys (a name, a house, a mailbox) that too many clients share to look for pairs by.
    `unlearned` counts the pairs that people have decided on since `dedupe learn`.
    """

    clusters: Sequence[Sequence[str]]
    pairs: Sequence[FoundPair]
    new: int
    compared: int
    left_out: int
    names: Mapping[str, str] = field(repr=False)
    unlearned: int = 0


@dataclass(frozen=True, slots=True)
class Compared:
    """The pairs that may be the same: their probabilities, those in conflict, and how to explain one."""

    probable: Mapping[Pair, float]
    conflicts: Set[Pair]
    left_out: int
    ranks: Mapping[Pair, Mapping[str, int]] = field(repr=False)

    def explained(self, pair: Pair) -> FoundPair:
        """Return the pair with its reasons."""
        ranks = self.ranks.get(pair, {})
        in_conflict = pair in self.conflicts
        return FoundPair(*pair, self.probable.get(pair, 0.0), keys_of(ranks), *reasons(ranks), in_conflict)


def find_duplicates(
    settings: Settings,
    name: str,
    rules: Rules,
    *,
    deleted: bool = False,
    progress: Progress = silent,
    clock: Clock = SYSTEM_CLOCK,
) -> Found:
    """Find the clients of a source that may be the same, and store pairs and clusters. Decisions of people are obeyed.

    Pairs to ask people about are stored too.

    The warehouse is closed while the clients are compared. Raises SettingsError if there are fewer than two clients,
    or if decisions contradict each other.
    """
    from flows.dedupe.model import model_in_use  # noqa: PLC0415 - pyarrow, as below

    with open_ready(settings, clock) as warehouse:
        progress("reading", 0, None)
        read_at = clock.now()
        rows = read_clients(warehouse, name, deleted=deleted)
        decided = decisions_of(warehouse, name)
        moved = merged_into(warehouse, name)
        before = {tuple(cluster) for cluster in known_clusters(warehouse, name)}
        model, unlearned = model_in_use(warehouse, name), since_learned(warehouse, name)
    if len(rows) < 2:  # noqa: PLR2004 - a pair
        raise SettingsError(f"The mirror of {name!r} has {counted(len(rows), 'client')}: `ninja-sync pull` first.")
    progress("comparing", len(rows), len(rows))
    compared = _compared(settings, rows, rules, model)
    decided = carried(decided, moved, {row["id"] for row in rows})
    grouped = clusters(
        compared.probable, decided, threshold=rules.threshold, floor=rules.floor, conflicts=compared.conflicts
    )
    progress("explaining", len(rows), len(rows))
    kept = _pairs_of(grouped, compared, rules.threshold)
    inside = {(pair.id_a, pair.id_b) for pair in kept}
    asked = to_ask(compared.probable, compared.conflicts, inside, rules.threshold)
    with open_ready(settings, clock) as warehouse:
        store_found(warehouse, name, [*kept, *map(compared.explained, sorted(asked))], grouped, read_at)
        warehouse.execute("update control.published set changed_runs = -1")  # the copies do not show this yet
        if settings.publish:
            publish_if_due(warehouse, now=clock.now())
    names = {row["id"]: called(row) for row in rows}
    new = sum(tuple(cluster) not in before for cluster in grouped)
    return Found(grouped, kept, new, len(rows), compared.left_out, names, unlearned)


def across(
    settings: Settings, rules: Rules, *, deleted: bool = False, clock: Clock = SYSTEM_CLOCK
) -> list[tuple[FoundPair, str, str]]:
    """Report pairs of clients from two sources that may be the same, with their names. Nothing is stored.

    Ids are written SOURCE:ID. Raises SettingsError if the warehouse has only one source.
    """
    with open_ready(settings, clock) as warehouse:
        sources = [str(source) for (source,) in warehouse.rows("select source from control.sources order by source")]
        rows = [
            {**row, "id": f"{source}:{row['id']}"}
            for source in sources
            for row in read_clients(warehouse, source, deleted=deleted)
        ]
    if len(sources) < 2:  # noqa: PLR2004 - a pair
        raise SettingsError("The warehouse has fewer than two sources, so there is nothing to compare.")
    names = {row["id"]: called(row) for row in rows}
    compared = _compared(settings, rows, rules)
    pairs = [
        (compared.explained(pair), names[pair[0]], names[pair[1]])
        for pair, probability in compared.probable.items()
        if probability >= rules.threshold and pair[0].partition(":")[0] != pair[1].partition(":")[0]
    ]
    return sorted(pairs, key=lambda pair: (-pair[0].probability, pair[0].id_a, pair[0].id_b))


def called(row: Mapping[str, Any]) -> str:
    """Return the client as people know it: number and name."""
    return " ".join(str(row[name]) for name in ("number", "display_name") if row.get(name)) or str(row["id"])


def _comparable(row: Mapping[str, Any], rules: Rules) -> Comparable:
    columns = {key: value for key, value in row.items() if key not in {"address1", "number", "display_name"}}
    return comparable(**columns, address=row["address1"], free=rules.free_mail)


def _compared(
    settings: Settings, rows: Sequence[Mapping[str, Any]], rules: Rules, model: Model | None = None
) -> Compared:
    """Compare the clients, by a model if it is of their kind.

    Data that does not fit into memory goes into a folder beside the warehouse.
    """
    from flows.dedupe.model import scored  # noqa: PLC0415 - pyarrow, which `dedupe list` does not need
    from flows.dedupe.pairs import left_out, prepared  # noqa: PLC0415 - as above

    folder = staging_of(place_of(settings)) / WORKING
    check_ours(folder.parent)
    make_own_folder(folder)
    probable: dict[Pair, float] = {}
    conflicts: set[Pair] = set()
    ranks: dict[Pair, Mapping[str, int]] = {}
    try:
        with prepared([_comparable(row, rules) for row in rows], folder) as connection:
            skipped = left_out(connection)
            for part in scored(connection, model):
                for row in part.to_pylist():
                    pair = pair_of(row["id_l"], row["id_r"])
                    probable[pair] = row["match_probability"]
                    ranks[pair] = {comparison.name: row[comparison.name] for comparison in COMPARISONS}
                    if row["in_conflict"]:
                        conflicts.add(pair)
    finally:
        rmtree(folder, ignore_errors=True)
    return Compared(probable, conflicts, skipped, ranks)


def _pairs_of(grouped: Sequence[Sequence[str]], compared: Compared, threshold: float) -> list[FoundPair]:
    """Return the pairs inside the clusters, and the pairs above the threshold that no cluster holds."""
    inside = {pair_of(a, b) for ids in grouped for n, a in enumerate(ids) for b in ids[n + 1 :]}
    above = {pair for pair, probability in compared.probable.items() if probability >= threshold}
    kept = [compared.explained(pair) for pair in inside | above]
    return sorted(kept, key=lambda pair: (-pair.probability, pair.id_a, pair.id_b))
