"""Find duplicates: read the mirror, compare the clients, explain the pairs, cluster and store them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flows.configuration.values import Settings
from flows.dedupe.clusters import clusters
from flows.dedupe.decisions import carried
from flows.dedupe.questions import to_ask
from flows.dedupe.rules import Rules
from flows.dedupe.working import working_folder
from flows.session.clock import SYSTEM_CLOCK, Clock
from flows.session.progress import Progress, silent
from flows.session.ready import open_ready
from flows.show.counted import counted
from schemas.errors import SettingsError
from warehouse.control.compared import Before, read_before, read_inputs, read_names, store_after
from warehouse.control.dedupe import FoundPair, decisions_of, known_clusters, merged_into, pair_of, store_found
from warehouse.control.duplicate_models import since_learned
from warehouse.publish.publish import publish_findings

if TYPE_CHECKING:
    from flows.dedupe.compare import Compared


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a run: its clusters, all probable pairs, the number of new clusters and of clients compared.

    `left_out` counts the keys (a name, a house, a mailbox) that too many clients share to look for pairs by, `again`
    the clients compared again, because they had changed, or their book around them. `names` are those of the clients
    in clusters. `unlearned` counts the pairs that people have decided on since `dedupe learn`.
    """

    clusters: Sequence[Sequence[str]]
    pairs: Sequence[FoundPair]
    new: int
    compared: int
    left_out: int
    again: int
    names: Mapping[str, str] = field(repr=False)
    unlearned: int = 0

    @property
    def in_words(self) -> str:
        """How many groups were found, how many of them are new, and among how many clients."""
        groups = f"{counted(len(self.clusters), 'group')} of duplicates"
        return f"{groups} ({self.new:,} new) among {counted(self.compared, 'client')}"


def find_duplicates(
    settings: Settings,
    name: str,
    rules: Rules,
    *,
    deleted: bool = False,
    everything: bool = False,
    progress: Progress = silent,
    clock: Clock = SYSTEM_CLOCK,
) -> Found:
    """Find the clients of a source that may be the same, and store pairs and clusters. Decisions of people are obeyed.

    Pairs to ask people about are stored too. Only pairs are compared that the last search would score otherwise
    (`compare`), or `everything`. The warehouse is closed meanwhile. Raises SettingsError if there are fewer than two
    clients, or if decisions contradict each other.
    """
    from flows.dedupe.compare import can_use, compared  # noqa: PLC0415 - pyarrow, which `dedupe list` does not need
    from flows.dedupe.model import model_in_use  # noqa: PLC0415 - as above

    with open_ready(settings, clock) as warehouse, warehouse.transaction():
        progress("reading", 0, None)
        warehouse.hold(f"loads of {name}")  # a pull or search that stores meanwhile would be read by halves
        read_at = clock.now()
        before = read_before(warehouse, name, deleted=deleted)
        usable = can_use(before, rules) and not everything
        batches = list(read_inputs(warehouse, name, deleted=deleted, usable=usable))
        decided = decisions_of(warehouse, name)
        moved = merged_into(warehouse, name)
        known = {tuple(cluster) for cluster in known_clusters(warehouse, name)}
        model, unlearned = model_in_use(warehouse, name), since_learned(warehouse, name)
    count = sum(batch.num_rows for batch in batches)
    if count < 2:  # noqa: PLR2004 - a pair
        raise SettingsError(
            f"There is nothing to compare: the mirror of {name!r} has {counted(count, 'client')}. If the server has "
            "more, run `ninja-sync pull`."
        )
    if decided:
        decided = carried(decided, moved, {key for batch in batches for key in batch.column("id").to_pylist()})
    with (
        working_folder(settings) as folder,
        compared(batches, before, rules, model=model, folder=folder, progress=progress) as done,
    ):
        progress("grouping", count, count)
        grouped = clusters(
            done.probable, decided, threshold=rules.threshold, floor=rules.floor, conflicts=done.conflicts
        )
        kept = _pairs_of(grouped, done, rules.threshold)
        inside = {(pair.id_a, pair.id_b) for pair in kept}
        asked = to_ask(done.probable, done.conflicts, inside, rules.threshold)
        progress("storing", count, count)
        with open_ready(settings, clock) as warehouse:
            store_found(warehouse, name, [*kept, *map(done.explained, sorted(asked))], grouped, read_at)
            store_after(warehouse, name, before, done.after)
            publish_findings(warehouse, now=clock.now(), write=settings.publish)
            shown = {client_id for ids in grouped for client_id in ids}
            names = {client_id: called(client_id, *named) for client_id, *named in read_names(warehouse, name, shown)}
    new = sum(tuple(cluster) not in known for cluster in grouped)
    return Found(grouped, kept, new, count, done.left_out, done.again, names, unlearned)


def across(
    settings: Settings, rules: Rules, *, deleted: bool = False, clock: Clock = SYSTEM_CLOCK
) -> list[tuple[FoundPair, str, str]]:
    """Report pairs of clients from two sources that may be the same, with their names. Nothing is stored.

    Ids are written SOURCE:ID. Raises SettingsError if the warehouse has only one source.
    """
    from flows.dedupe.compare import compared  # noqa: PLC0415 - as above
    from flows.dedupe.forms import prefixed  # noqa: PLC0415 - as above

    batches = []
    with open_ready(settings, clock) as warehouse, warehouse.transaction():
        sources = [str(source) for (source,) in warehouse.rows("select source from control.sources order by source")]
        for source in sources:
            inputs = read_inputs(warehouse, source, deleted=deleted, usable=False)
            batches += [prefixed(f"{source}:", batch) for batch in inputs]
    if len(sources) < 2:  # noqa: PLR2004 - a pair
        raise SettingsError("The warehouse has fewer than two sources, so there is nothing to compare.")
    with working_folder(settings) as folder, compared(batches, Before(), rules, folder=folder) as done:
        pairs = [
            done.explained(pair)
            for pair, probability in done.probable.items()
            if probability >= rules.threshold and pair[0].partition(":")[0] != pair[1].partition(":")[0]
        ]
    names: dict[str, str] = {}
    with open_ready(settings, clock) as warehouse:
        for source in sources:
            ids = {key.partition(":")[2] for p in pairs for key in (p.id_a, p.id_b) if key.startswith(f"{source}:")}
            for client_id, *named in read_names(warehouse, source, ids):
                names[f"{source}:{client_id}"] = called(client_id, *named)
    ordered = sorted(pairs, key=lambda pair: (-pair.probability, pair.id_a, pair.id_b))
    return [(pair, names.get(pair.id_a, pair.id_a), names.get(pair.id_b, pair.id_b)) for pair in ordered]


def called(client_id: str, number: str, name: str) -> str:
    """Return the client as people know it: number and name."""
    return " ".join(filter(None, (number, name))) or client_id


def _pairs_of(grouped: Sequence[Sequence[str]], compared: Compared, threshold: float) -> list[FoundPair]:
    """Return the pairs inside the clusters, and the pairs above the threshold that no cluster holds."""
    inside = {pair_of(a, b) for ids in grouped for n, a in enumerate(ids) for b in ids[n + 1 :]}
    above = {pair for pair, probability in compared.probable.items() if probability >= threshold}
    kept = [compared.explained(pair) for pair in inside | above]
    return sorted(kept, key=lambda pair: (-pair.probability, pair.id_a, pair.id_b))
