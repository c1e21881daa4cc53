"""The commands that set up: init, doctor, source."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from connector.door.secret import Secret
from flows.ask.sources import listed
from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.configuration.load import TOKEN_VARIABLE, choose_source, choose_sources, find_file, load_settings, places
from flows.session.door import base_url_of
from flows.setup.doctor import examine
from flows.setup.init import NewSource, add_source, write_configuration
from flows.setup.rebind import find_company, new_server, rebind
from flows.show.show import say, show_json, show_table
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from flows.configuration.values import Settings

Url = Annotated[str, typer.Option(help="The address of your Invoice Ninja, such as https://invoicing.co.")]
TokenVariable = Annotated[
    str, typer.Option(help="The environment variable that holds the API token.", show_default="NINJA_SYNC_TOKEN")
]
TokenFile = Annotated[str, typer.Option(help="Or the file (mode 600) that holds the token.")]
MARKS = {"good": "✓", "note": "!", "bad": "✗"}


def init(
    url: Url = "",
    name: Annotated[str, typer.Option(help="A short name for this company on this server.")] = "main",
    warehouse: Annotated[str, typer.Option(help="The DuckDB file of the warehouse.")] = "warehouse.duckdb",
    token_env: TokenVariable = "",
    token_file: TokenFile = "",
    file: Annotated[Path, typer.Option(help="The configuration file to write.")] = Path("config/ninja-sync.toml"),
    as_json: AsJson = False,
) -> None:
    """Write a configuration file, or add a source to it.

    Asks for the address and the token, stores the token in its own file (mode 600), and checks the connection. With
    --token-env or --token-file the token stays in its place, and the configuration names that place.
    """
    is_there = file.exists()
    if is_there and name == "main" and sys.stdin.isatty():
        name = typer.prompt(f"{file} exists. A short name for the company to add to it", err=True)
    new = _asked(name, url, token_env, token_file, as_json=as_json)
    write_configuration(file, new, warehouse)
    _show_source(new, file, as_json=as_json, added=is_there)


def source_add(
    name: Annotated[str, typer.Argument(help="A short name for this company on this server.")],
    url: Url = "",
    token_env: TokenVariable = "",
    token_file: TokenFile = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Add a company to the configuration file.

    Asks for everything you do not give, like `init` does.
    """
    file = find_file(config, environ=os.environ)
    if file is None:
        raise SettingsError("There is no configuration file yet: `ninja-sync init` writes one.")
    new = _asked(name, url, token_env, token_file, as_json=as_json)
    add_source(file, new)
    _show_source(new, file, as_json=as_json, added=True)


def _asked(name: str, url: str, token_env: str, token_file: str, *, as_json: bool) -> NewSource:
    """Return the source from the options; ask a person for the rest. The token is not shown."""
    asks = sys.stdin.isatty() and not as_json
    if not url and not asks:
        raise SettingsError("Name the address of your Invoice Ninja: --url https://invoicing.co")
    url = url or typer.prompt("Address of your Invoice Ninja (such as https://invoicing.co)", err=True)
    new = NewSource(name, url, token_env or TOKEN_VARIABLE, token_file)  # refuses an unusable address
    if token_env or token_file or not asks:
        return new
    say("API token: Settings > Account Management > API Tokens, of an owner or admin. What you type is not shown.")
    typed = getpass(f"Token (Enter: it is in the environment variable {TOKEN_VARIABLE}): ", sys.stderr).strip()
    return replace(new, token=Secret(typed, name="The token")) if typed else new


def _show_source(new: NewSource, file: Path, *, as_json: bool, added: bool) -> None:
    """Show the file and the next step; if the token was typed, check it like `doctor` does."""
    if as_json:
        show_json({"file": str(file), "source": new.name})
        return
    say(f"Added the source {new.name!r} to {file}." if added else f"Wrote {file}.")
    if new.token is not None:
        say(f"The token is in {file.parent / new.own_file}, which only you may read.")
        settings = load_settings(file, environ={})  # the server and token just written, whatever the environment says
        try:
            _examine(settings, [new.name], as_json=False)
        except typer.Exit:
            say(f"Correct that in {file}, then: ninja-sync doctor")
            raise
    say("Next:")
    if new.token is None and not new.token_file:
        say(f"  export {new.token_env}=...      # Settings > Account Management > API Tokens, of an owner or admin")
    is_usual_place = file.absolute() in places(os.environ)
    for command in ("doctor", "pull") if new.token is None else ("pull",):
        say(f"  ninja-sync {command}" + ("" if is_usual_place else f" --config {shlex.quote(str(file))}"))


def doctor(source: SourceName = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Check server, token and warehouse; change nothing.

    Checks address, token, rights, version, clock, time zone and warehouse, and says how to correct each fault.
    """
    settings = load_settings(config)
    _examine(settings, choose_sources(settings, source), as_json=as_json)


def _examine(settings: Settings, names: Sequence[str], *, as_json: bool) -> None:
    """Show the checks of `doctor`; exit with the code of the first fault."""
    checks_by_source = {name: examine(settings, name) for name in names}
    if as_json:
        show_json({name: [asdict(check) for check in checks] for name, checks in checks_by_source.items()})
    else:
        for name, checks in checks_by_source.items():
            show_table(f"Source {name}", ("", "check", "found"), [(MARKS[c.state], c.name, c.found) for c in checks])
    worst = [check.exit_code for checks in checks_by_source.values() for check in checks if check.state == "bad"]
    if worst:
        raise typer.Exit(worst[0])


def source_list(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List the sources, and the server of each.

    Lists the sources in the configuration and in the warehouse.
    """
    sources = listed(load_settings(config))
    if as_json:
        show_json([asdict(entry) for entry in sources])
        return
    rows = [
        (entry.source, entry.state, entry.configured_url or entry.base_url, entry.secret, entry.server_version)
        for entry in sources
    ]
    show_table("Sources", ("source", "state", "address", "token", "version"), rows)
    if not sources:
        say("None yet: `ninja-sync init` writes a configuration file.")


def source_rebind(
    name: Annotated[str, typer.Argument(help="The source.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Bind a source again, after a move or on a restored server.

    A token is only ever sent to the server it was first used with; this command allows another server. The source is
    then bound to the token's company there, which must be the same company as before. The next pull reads everything;
    until then the warehouse stays unchanged.
    """
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
