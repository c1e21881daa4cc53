"""The commands that set up: init, doctor, source."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.options import AsJson, ConfigFile, SourceName
from flows.show import say, show_json, show_table
from schemas.errors import SettingsError

MARKS = {"good": "✓", "note": "!", "bad": "✗"}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(init)
    app.command()(doctor)
    source = typer.Typer(help="List the sources, or bind one anew.", no_args_is_help=True, rich_markup_mode=None)
    source.command("list")(source_list)
    source.command("rebind")(source_rebind)
    app.add_typer(source, name="source")


def init(
    url: Annotated[str, typer.Option(help="The address of Invoice Ninja, such as https://invoicing.co.")] = "",
    name: Annotated[str, typer.Option(help="A short name for this company on this server.")] = "main",
    warehouse: Annotated[str, typer.Option(help="The DuckDB file to store in.")] = "warehouse.duckdb",
    token_env: Annotated[
        str, typer.Option(help="The environment variable that holds the API token.", show_default="NINJA_SYNC_TOKEN")
    ] = "",
    token_file: Annotated[str, typer.Option(help="Or: the file (mode 600) that holds it.")] = "",
    file: Annotated[Path, typer.Option(help="The configuration file to write.")] = Path("config/ninja-sync.toml"),
    as_json: AsJson = False,
) -> None:
    """Write a configuration file for your server.

    The token stays where it is: the file names the place only. Without --url, the address is asked for.
    """
    from flows.init import write_configuration  # noqa: PLC0415 - each command loads what it needs
    from flows.settings import TOKEN_VARIABLE, places  # noqa: PLC0415

    if not url and not sys.stdin.isatty():
        raise SettingsError("Name the address of your Invoice Ninja: --url https://invoicing.co")
    url = url or typer.prompt("Address of your Invoice Ninja (such as https://invoicing.co)", err=True)
    token_env = token_env or TOKEN_VARIABLE
    write_configuration(file, url=url, name=name, warehouse=warehouse, token_env=token_env, token_file=token_file)
    if as_json:
        show_json({"file": str(file), "source": name})
        return
    say(f"Wrote {file}. Next:")
    if not token_file:
        say(f"  export {token_env}=...      # Settings > Account Management > API Tokens, of an owner or admin")
    found = file.absolute() in places(os.environ)
    for command in ("doctor", "pull"):
        say(f"  ninja-sync {command}" + ("" if found else f" --config {shlex.quote(str(file))}"))


def doctor(source: SourceName = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Say what is wrong with server, token or warehouse.

    Looks at address, token, rights, version, clock, time zone and warehouse, says what to do, and changes nothing.
    """
    from dataclasses import asdict  # noqa: PLC0415

    from flows.doctor import examine  # noqa: PLC0415
    from flows.settings import choose_sources, load_settings  # noqa: PLC0415

    settings = load_settings(config)
    found = {name: examine(settings, name) for name in choose_sources(settings, source)}
    if as_json:
        show_json({name: [asdict(check) for check in checks] for name, checks in found.items()})
    else:
        for name, checks in found.items():
            show_table(f"Source {name}", ("", "check", "found"), [(MARKS[c.state], c.name, c.found) for c in checks])
    worst = [check.exit_code for checks in found.values() for check in checks if check.state == "bad"]
    if worst:
        raise typer.Exit(worst[0])


def source_list(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """The sources that this warehouse is bound to."""
    from flows.ask import asked  # noqa: PLC0415
    from flows.settings import load_settings  # noqa: PLC0415

    found = asked(load_settings(config), "sources", {}, newest=True)
    if as_json:
        show_json(found.records())
    else:
        show_table("Sources", [column.replace("_", " ") for column in found.columns], found.rows)
        if not found.rows:
            say("None yet: the first `ninja-sync pull` binds the configured ones.")


def source_rebind(
    name: Annotated[str, typer.Argument(help="The source.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Bind a source anew, after a move or on a restored server.

    The token is sent to no server but the one that it was first used with: this command allows another one. The
    source is then bound to the company that the token leads to there; another company than before is refused. The next
    pull reads everything, and what the warehouse holds stays until then.
    """
    from flows.rebind import find_company, new_server, rebind  # noqa: PLC0415
    from flows.settings import base_url_of, choose_source, load_settings  # noqa: PLC0415

    settings = load_settings(config)
    name = choose_source(settings, name)
    if not yes and (why := new_server(settings, name)):
        say(why)
        typer.confirm(f"Send the token to {base_url_of(settings.sources[name])}?", err=True, abort=True)
    binding, company = find_company(settings, name)
    question = f"Bind {name!r} to company {company!r} ({binding.company_id}) at {binding.base_url}?"
    if not yes and not typer.confirm(question, err=True):
        raise typer.Abort
    rebind(settings, name, binding)
    if as_json:
        show_json({"source": name, "base_url": binding.base_url, "company_id": binding.company_id})
    else:
        say(f"{name!r} is bound to company {binding.company_id} at {binding.base_url}. Next: ninja-sync pull")
