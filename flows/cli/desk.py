"""The command that serves the desk, the pages in the browser: `ninja-sync desk`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import AsJson, ConfigFile
from flows.configuration.load import load_settings
from flows.session.ready import make_ready
from flows.show.show import say, show_json
from schemas.errors import Busy, SettingsError
from schemas.extras import needs

if TYPE_CHECKING:
    from flows.desk.jobs import Job


def desk(
    people: Annotated[
        list[str] | None, typer.Option("--for", metavar="NAME", help="Print a link for this person; repeatable.")
    ] = None,
    read_only: Annotated[bool, typer.Option("--read-only", help="Change nothing: for looking only.")] = False,
    port: Annotated[int, typer.Option(help="The port; 0 is a free one.")] = 8137,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    url: Annotated[str, typer.Option(metavar="URL", help="The address of a proxy in front of it.")] = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Serve the desk, pages in the browser, until Ctrl-C.

    Prints a link that works once. Who enters by it can see clients and balances, review duplicates, correct clients
    from a spreadsheet, approve and merge. The journal records the person's name. Needs `pip install
    'ninja-sync[desk]'`. For a team, put it behind a proxy with HTTPS: docs/desk.md.
    """
    settings = load_settings(config)
    if not settings.sources:
        raise SettingsError("No source is configured: `ninja-sync init` writes a configuration.")
    if not url and host not in {"127.0.0.1", "::1", "localhost"}:
        raise SettingsError("At another address than 127.0.0.1, name the proxy's address: --url https://...")
    with needs("desk"):
        from flows.desk.server import open_desk, serve_desk  # noqa: PLC0415 - an extra

    if not read_only:
        with suppress(Busy):  # a run holds the warehouse, and upgrades it
            make_ready(settings)

    def announce(links: Sequence[tuple[str, str]]) -> None:
        if as_json:
            show_json([{"person": person, "link": link} for person, link in links])
            sys.stdout.flush()
            return
        say("The desk is open until Ctrl-C. Open this link in a browser; it works once:\n")
        for person, link in links:
            say(f"  {person}: {link}" if len(links) > 1 else f"  {link}")

    def waiting(jobs: Sequence[Job]) -> None:
        say(f"Waiting for: {', '.join(job.title for job in jobs)}. Press Ctrl-C again to end at once.")

    serve_desk(open_desk(settings, host=host, port=port, url=url, read_only=read_only), people or (), announce, waiting)
    if not as_json:
        say("\nThe desk is closed.")
