"""The commands that find and decide on duplicates: `ninja-sync dedupe`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from flows.ask.names import known_names
from flows.cli.dedupe.rules import RulesFile, read_rules
from flows.cli.options import Allow, AsJson, ConfigFile, NoRescue, PublicNotes, SourceName, To
from flows.configuration.load import choose_source, load_settings
from flows.sheets.spreadsheets import read_sheet
from flows.show.counted import counted
from flows.show.show import progress_bar, say, show_json, show_table
from schemas.errors import SettingsError
from warehouse.control.dedupe import pair_of

if TYPE_CHECKING:
    from flows.dedupe.review import Case
    from warehouse.control.dedupe import FoundPair

MANY: Final = 20
"""From this number of decisions on, `dedupe find` reminds of `dedupe learn`, which needs as many."""


def find(
    threshold: Annotated[
        float | None,
        typer.Option(min=0.01, max=1, help="The lowest probability of a duplicate; else 0.85."),
    ] = None,
    with_deleted: Annotated[bool, typer.Option("--with-deleted", help="Include deleted clients.")] = False,
    across_sources: Annotated[
        bool, typer.Option("--across-sources", help="Only report clients of different sources that may be the same.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Compare all clients again, not only those that something changed for.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="The number of groups to show; all are stored.")] = 50,
    rules: RulesFile = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Find duplicates in the mirror.

    Compares names without legal forms, mails, phones, VAT and register numbers, websites and addresses of clients and
    all their contacts. Each pair gets a probability, and reasons in words. Two clients that only resemble a third one
    are not put into one group. Nothing changes on the server: next come `dedupe review` and `dedupe plan`.
    """
    chosen = read_rules(rules)
    if threshold is not None:
        chosen = msgspec.structs.replace(chosen, threshold=threshold, floor=min(chosen.floor, threshold))
    settings = load_settings(config)
    from flows.dedupe.explain import shown  # noqa: PLC0415 - an extra
    from flows.dedupe.find import across, find_duplicates  # noqa: PLC0415 - an extra

    if across_sources:
        _show_across(across(settings, chosen, deleted=with_deleted), as_json=as_json)
        return
    name = choose_source(settings, source)
    with progress_bar(name, quiet=as_json) as progress:
        duplicates = find_duplicates(
            settings, name, chosen, deleted=with_deleted, everything=everything, progress=progress
        )
    reasons = {(pair.id_a, pair.id_b): pair for pair in duplicates.pairs}
    if as_json:
        pairs = [
            {"id_a": p.id_a, "id_b": p.id_b, "probability": p.probability, "keys": p.keys, "reasons": p.reasons,
             "against": p.against, "in_conflict": p.in_conflict} for p in duplicates.pairs
        ]  # fmt: skip
        counts = {
            "new": duplicates.new,
            "compared": duplicates.compared,
            "keys_left_out": duplicates.left_out,
            "compared_again": duplicates.again,
            "decisions_to_learn": duplicates.unlearned,
        }
        show_json({"clusters": duplicates.clusters, "pairs": pairs, **counts})
        return
    rows = []
    for ids in duplicates.clusters:
        best = max((reasons[a, b] for n, a in enumerate(ids) for b in ids[n + 1 :] if (a, b) in reasons), key=_probable)
        why_best = "; ".join([*best.reasons, *(f"but {why}" for why in best.against)])
        rows.append(
            (
                " = ".join(duplicates.names.get(client_id, client_id) for client_id in ids),
                shown(best.probability),
                why_best,
            )
        )
    note = duplicates.in_words
    if duplicates.left_out:
        note += f". Keys skipped because too many clients share them: {duplicates.left_out:,}"
    if duplicates.unlearned >= MANY:
        note += f". {counted(duplicates.unlearned, 'decision')} since the last `dedupe learn`"
    show_table("Duplicates", ("clients", "probability", "best pair"), rows, most=limit, note=note)
    say("Next: ninja-sync dedupe review")


def _show_across(pairs: Sequence[tuple[FoundPair, str, str]], *, as_json: bool) -> None:
    if as_json:
        show_json([{"a": p.id_a, "b": p.id_b, "probability": p.probability, "reasons": p.reasons} for p, _, _ in pairs])
        return
    from flows.dedupe.explain import shown  # noqa: PLC0415 - an extra

    rows = [(source, p.id_a, other, p.id_b, shown(p.probability), "; ".join(p.reasons)) for p, source, other in pairs]
    columns = ("client", "source:id", "client", "source:id", "probability", "why")
    show_table(
        "Clients of two sources that may be the same",
        columns,
        rows,
        most=50,
        note="a report only: clients of different sources are never merged",
    )


def list_clusters(source: SourceName = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the groups that the last run found.

    Shows the decision on each group of duplicates.
    """
    from flows.dedupe.review import cases  # noqa: PLC0415 - an extra, as for `find`

    settings = load_settings(config)
    name = choose_source(settings, source)
    groups = cases(settings, name, everything=True)
    rows = [
        (
            _title(case),
            ", ".join(case.ids),
            "open" if case.is_open else case.state.replace("not_same", "not the same"),
        )
        for case in groups
    ]
    if as_json:
        show_json([{"ids": case.ids, "decided": row[2]} for case, row in zip(groups, rows, strict=True)])
    else:
        show_table("Groups of duplicates", ("clients", "ids", "decided"), rows, most=50)


def decide(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="CLIENT CLIENT", help="Two clients, by number or id.")
    ] = None,
    same: Annotated[bool, typer.Option("--same", help="They are the same.")] = False,
    not_same: Annotated[bool, typer.Option("--not-same", help="They are different: never merge them.")] = False,
    later: Annotated[bool, typer.Option("--later", help="Remove the decision.")] = False,
    survivor: Annotated[
        str, typer.Option(metavar="CLIENT", help="The client to keep of its group, by number or id.")
    ] = "",
    file: Annotated[
        Path | None, typer.Option(help="A CSV file with id_a, id_b, decision, and optionally reason.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Decide on two clients, or on many from a file.

    Decisions in a file are same_as, never_merge or later. The newest decision on a pair counts. With `--survivor`
    alone, only the client to keep is recorded.
    """
    from flows.dedupe.decide import choose, decide_pairs  # noqa: PLC0415 - an extra, as for `find`

    decisions: list[tuple[tuple[str, str], str, str]] = []
    if survivor and not (ids or file):
        pass
    elif file is not None:
        decisions = [((pair_of(a, b)), decision, why or reason) for a, b, decision, why in _decisions_of(file)]
    elif same + not_same + later != 1 or len(ids or []) != 2:  # noqa: PLR2004 - a pair
        raise SettingsError("Name two ids and one of --same, --not-same and --later; or --file.")
    else:
        first, other = ids or ["", ""]
        decisions = [(pair_of(first, other), "same_as" if same else "never_merge" if not_same else "later", reason)]
    settings = load_settings(config)
    name = choose_source(settings, source)
    count = decide_pairs(settings, name, decisions)
    if survivor:
        choose(settings, name, survivor, reason=reason)
        count += 1
    if as_json:
        show_json({"source": name, "decided": count})
    else:
        say(f"Recorded: {counted(count, 'decision')}. `dedupe list`, `dedupe plan` and the next `dedupe find` follow.")


def plan(
    certain: Annotated[
        bool,
        typer.Option(
            "--certain",
            help="Include undecided groups if every pair is at least 99.9 % probable, with no conflict.",
        ),
    ] = False,
    allow: Allow = None,
    no_rescue: NoRescue = False,
    public_notes: PublicNotes = False,
    to: To = None,
    rules: RulesFile = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Plan the merges of groups decided to be the same.

    A merge cannot be undone. So the plan has only groups that people decided are the same. With `--certain`, it also
    has groups that nobody has decided on, if every pair is at least 99.9 % probable, no two clients contradict each
    other (such as two valid VAT numbers), and no client outside the group may be the same. If one name holds the other,
    or legal forms, contact persons or places differ, a person decides. A pair left for later keeps its group out. The
    rules (`survivor` in config/dedupe.toml) choose the client to keep. The plan is shown like with `merge plan`;
    `ninja-sync merge apply` applies it.
    """
    from flows.dedupe.plan import plan_clusters  # noqa: PLC0415 - an extra, as for `find`
    from flows.merge.report import tell_planned_merges  # noqa: PLC0415 - 0.1 s that `find` need not spend
    from flows.session.door import open_door  # noqa: PLC0415 - as above

    chosen = read_rules(rules)
    settings = load_settings(config)
    name = choose_source(settings, source)
    with open_door(settings, name) as door:
        planned = plan_clusters(
            settings, name, door, chosen, certain=certain, allowed={*chosen.allow, *(allow or [])},
            rescue=not no_rescue, public_notes=public_notes or chosen.public_notes,
        )  # fmt: skip
    raise typer.Exit(tell_planned_merges(planned, known_names(settings, name), to, as_json=as_json))


def _decisions_of(file: Path) -> list[tuple[str, str, str, str]]:

    rows = read_sheet(file, ("id_a",)).texts("id_a", "id_b", "decision", optional=("reason",))
    return [(id_a, id_b, decision, reason) for id_a, id_b, decision, reason in rows]


def _probable(pair: object) -> float:
    return float(getattr(pair, "probability", 0.0))


def _title(case: Case) -> str:
    return " = ".join(case.called(client_id) for client_id in case.ids)
