"""The commands that merge duplicates: `ninja-sync merge`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.ask.names import known_names
from flows.cli.options import Allow, AsJson, ConfigFile, NoRescue, PublicNotes, SourceName, To
from flows.configuration.load import choose_source, load_settings
from flows.merge.apply import apply_merges, close_merges, resume_merges
from flows.merge.pairs import pair_of, pairs_of, with_ids
from flows.merge.plan import plan_merges
from flows.merge.report import merges_as_json, naming, show_merges, tell_applied_merges, tell_planned_merges
from flows.merge.sheet import undo_sheet
from flows.merge.sheet_text import as_markdown
from flows.merge.stored import list_merge_plans, read_merges
from flows.plans.applying import find_plan
from flows.plans.approvals import approval_of_plan, said_as_json, said_of
from flows.session.door import open_door
from flows.session.password import password_reader
from flows.show.output import write_output
from flows.show.show import progress_bar, say, show_json, show_table
from schemas.errors import SettingsError
from schemas.merge_plan import ALLOWABLE
from schemas.plan import MERGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from connector.door.secret import Secret
    from flows.configuration.values import Settings
    from schemas.plan import Plan

PlanId = Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id, such as merge-20261128-1a2b3c.")]
PasswordFile = Annotated[
    Path | None, typer.Option(help="The file (mode 600) with the password; else NINJA_SYNC_PASSWORD, or a prompt.")
]
PasswordEnv = Annotated[str, typer.Option(help="Or the environment variable that holds it.")]
WithoutRescue = Annotated[
    bool, typer.Option("--without-rescue", help="Finish merges without the change that should follow them.")
]


def plan(
    pairs: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEPT:MERGED", help="Numbers or ids: the client kept, and the client merged into it."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="A CSV file with survivor_id and mergeable_id: numbers or ids.")
    ] = None,
    allow: Allow = None,
    no_rescue: NoRescue = False,
    public_notes: PublicNotes = False,
    reason: Annotated[str, typer.Option(help="The reason, for people who read the plan later.")] = "",
    to: To = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Plan merges, and show the result of each.

    Nothing changes yet. The preview shows the resulting balances under this server's version, contacts that move or are
    dropped, every text that is written, and every value that is lost. Before the merge, ordinary changes fill blanks of
    the client kept and append private notes. Chains of merges are put in order. `dedupe plan` plans merges from
    duplicates that `dedupe find` found.
    """
    wrong = sorted(set(allow or []) - set(ALLOWABLE))
    if wrong:
        raise SettingsError(f"--allow takes {', '.join(ALLOWABLE)}, not {wrong[0]!r}.")
    wanted = [pair_of(pair) for pair in pairs or []] + (pairs_of(file) if file else [])
    if not wanted:
        raise SettingsError("Name the clients to merge: KEPT:MERGED, or --file with survivor_id and mergeable_id.")
    settings = load_settings(config)
    name = choose_source(settings, source)
    with open_door(settings, name) as door:
        planned = plan_merges(
            settings, name, door, with_ids(door, wanted), allowed=frozenset(allow or []), rescue=not no_rescue,
            public_notes=public_notes, reason=reason,
        )  # fmt: skip
    raise typer.Exit(tell_planned_merges(planned, known_names(settings, name), to, as_json=as_json))


def list_merges(
    top: Annotated[int, typer.Option(min=1, help="The number of plans, newest first.")] = 20,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the newest plans of merges."""
    plans, _ = list_merge_plans(load_settings(config), source, top=top)
    if as_json:
        show_json(plans.records())
    else:
        show_table("Plans of merges", [column.replace("_", " ") for column in plans.columns], plans.rows)


def show(plan_id: PlanId, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show a plan of merges, and its progress."""
    settings = load_settings(config)
    shown = read_merges(settings, plan_id)
    stored = shown.stored
    approval = approval_of_plan(settings, stored)
    if as_json:
        said = said_as_json(stored, approval)
        show_json({**merges_as_json(stored.plan), "state": stored.state, **said, "states": stored.states})
        return
    show_merges(shown)
    for line in said_of(stored, approval):
        say(line)


def apply(
    plan_id: PlanId,
    digest: Annotated[str, typer.Option(help="The plan's digest, as shown with the plan.")],
    password_file: PasswordFile = None,
    password_env: PasswordEnv = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Apply a plan of merges, one after the other.

    Each merge is compared with the plan, backed up, sent once, and checked: the merged client is gone, and the sums are
    right. It stops at the first surprise, and names the clients to look at. Then `merge resume` continues, or `merge
    close` ends the plan. Asks for the password of the token's user.
    """
    settings = load_settings(config)
    source, stored = _plan_here(settings, plan_id)
    read = _password(settings, source, password_file, password_env)
    with naming(stored, as_json=as_json):
        with open_door(settings, source) as door, progress_bar(source, quiet=as_json) as progress:
            applied = apply_merges(settings, door, plan_id, digest, read, progress=progress)
        tell_applied_merges(applied, as_json=as_json)


def resume(
    plan_id: PlanId,
    without_rescue: WithoutRescue = False,
    password_file: PasswordFile = None,
    password_env: PasswordEnv = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Continue a plan of merges that stopped.

    First asks the server for the outcome of open calls, so that no merge is sent twice. If a merge is done, but the
    server keeps refusing the change that should follow it, --without-rescue finishes the merge without that change.
    """
    settings = load_settings(config)
    source, stored = _plan_here(settings, plan_id)
    read = _password(settings, source, password_file, password_env)
    with naming(stored, as_json=as_json):
        with open_door(settings, source) as door, progress_bar(source, quiet=as_json) as progress:
            applied = resume_merges(settings, door, plan_id, read, without_rescue=without_rescue, progress=progress)
        tell_applied_merges(applied, as_json=as_json)


def close(plan_id: PlanId, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """End a plan of merges for good.

    For a plan that cannot continue or is no longer wanted. It no longer blocks other plans. Sends nothing to the
    server. Merges that are done stay done; the others are not sent.
    """
    tell_applied_merges(close_merges(load_settings(config), plan_id), as_json=as_json)


def sheet(
    backup: Annotated[Path, typer.Argument(help="The backup of a merge; `merge show` names it.")],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write it into this file instead of showing it.")
    ] = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show how to undo a merge by hand.

    Prints a checklist from the backup made before the merge: the client to create again, its values and contacts, and
    the invoices and other documents to move back, with links to them.
    """
    settings = load_settings(config)
    name = choose_source(settings, source) if source else None
    text = as_markdown(undo_sheet(settings, backup, name))
    if to is not None:
        write_output(to, text.encode())
    if as_json:
        show_json({"file": str(to) if to else None, "markdown": text})
    elif to is not None:
        say(f"Written: {to}")
    else:
        typer.echo(text)


def _password(settings: Settings, source: str, file: Path | None, variable: str) -> Callable[[], Secret]:

    return password_reader(settings.sources[source], file=file, variable=variable)


def _plan_here(settings: Settings, plan_id: str) -> tuple[str, Plan]:
    """Return the source of a plan, as configured here, and the plan."""
    plan = find_plan(settings, MERGE, plan_id).plan
    return choose_source(settings, plan.source), plan
