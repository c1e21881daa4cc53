"""`ninja-sync dedupe learn` and `dedupe models`: weights learned from decisions."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.dedupe.rules import RulesFile, read_rules
from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.configuration.load import choose_source, load_settings
from flows.session.ready import open_ready
from flows.show.counted import counted
from flows.show.show import say, show_json, show_table
from warehouse.control.duplicate_models import models_of

if TYPE_CHECKING:
    from flows.dedupe.learn import Learned


def learn(
    rules: RulesFile = None, source: SourceName = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Learn from your decisions how much each agreement counts.

    Decisions made with `dedupe review` and `dedupe decide` change the weights of the comparisons. The new model is used
    only if it is clearly better on decisions that it has not seen; else the model before stays. No agreement ever
    counts against, no conflict for, and clients that contradict each other are still kept apart. The next
    `dedupe find` uses the model. `dedupe models --use` goes back to an earlier one.
    """
    from flows.dedupe.learn import learn as learned_from  # noqa: PLC0415 - an extra

    settings = load_settings(config)
    name = choose_source(settings, source)
    learned = learned_from(settings, name, read_rules(rules))
    if as_json:
        changes = [{**asdict(change), "change": change.in_words} for change in learned.changes]
        show_json({"source": name, **asdict(learned), "changes": changes})
        return
    rows = [
        (change.comparison, change.level, change.in_words, f"{change.before:.2f}", f"{change.after:.2f}")
        for change in learned.changes
    ]
    columns = ("comparison", "if the values are", "change", "before", "after")
    title = "What the decisions changed" if learned.adopted else "What the decisions would change"
    show_table(title, columns, rows, most=20, note=_figures(learned))
    if learned.adopted:
        say(f"The model {learned.model_id} is in use. Next: ninja-sync dedupe find")
    else:
        say(f"The model before stays in use: {learned.model_id} is not clearly better on decisions it has not seen.")


def _figures(learned: Learned) -> str:
    figures = learned.figures
    checked = counted(figures.checked, "decision")
    note = (
        f"learned from {counted(learned.decisions, 'decision')}; of {checked} new to the model before, wrong: "
        f"{figures.wrong_before:,} before, {figures.wrong_after:,} now; log loss {figures.log_loss_before:.3f} before, "
        f"{figures.log_loss_after:.3f} now"
    )
    if learned.in_conflict:
        note += f"; not used, as the clients contradict each other: {learned.in_conflict:,}"
    if learned.lost:
        note += f"; not used, as a client is gone: {learned.lost:,}"
    return note


def models(
    use: Annotated[
        str, typer.Option("--use", metavar="MODEL", help="The model to use from now on; `shipped` for the shipped one.")
    ] = "",
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the models learned from decisions, or choose one.

    Shows how good each was on decisions that it had not seen, beside the model before it. The next `dedupe find` uses
    the chosen model.
    """
    from flows.dedupe.learn import SHIPPED, choose_model  # noqa: PLC0415 - an extra

    settings = load_settings(config)
    name = choose_source(settings, source)
    if use:
        choose_model(settings, name, use)
    with open_ready(settings) as warehouse:
        known = models_of(warehouse, name)
    in_use = next((model.model_id for model in known if model.in_use), SHIPPED)
    if as_json:
        show_json({"source": name, "in_use": in_use, "models": [asdict(model) for model in known]})
        return
    rows = [
        (
            model.model_id, "yes" if model.in_use else "", model.made_at, model.decisions,
            f"{model.figures['wrong_before']:,} -> {model.figures['wrong_after']:,}",
            f"{model.figures['log_loss_before']:.2f} -> {model.figures['log_loss_after']:.2f}",
        )
        for model in known
    ]  # fmt: skip
    columns = ("model", "in use", "learned", "decisions", "wrong", "log loss")
    show_table("Models learned from decisions", columns, rows, note=f"in use: {in_use}")
