"""The commands for files, mail and tax: upload, statement, reactivate-email, update-tax-data, template."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from connector import clients
from flows.ask.company_day import company_day
from flows.cli.options import AsJson, ConfigFile, SourceName
from flows.configuration.load import choose_source, load_settings
from flows.session.api import open_api
from flows.show.confirm import confirm
from flows.show.counted import counted
from flows.show.show import progress_bar, say, show_json, show_table
from flows.statements.fetch import amount_of, make_folder, named, owing, period_of
from flows.statements.run import Run, fetch_into, mail, until_stopped
from schemas.client import as_dict
from schemas.errors import NotVerified, SettingsError

if TYPE_CHECKING:
    from flows.session.progress import Progress

MOST = 50
"""The most clients to show; clients with a problem come first."""
Item = TypeVar("Item")
ClientId = Annotated[str, typer.Argument(metavar="ID", help="The client's id, as in mart.clients.")]


def upload(
    client_id: ClientId,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="PDF, image, office, text or zip files.")],
    private: Annotated[bool, typer.Option("--private", help="Hide it from the client in the portal.")] = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Attach files to a client.

    Kind and size are checked first. Afterwards the client's documents are read back, because the server answers 200
    even if it does not store a file. If you run this twice, each file is attached twice.
    """
    with open_api(source, config=config) as api:
        documents = clients.upload(api, client_id, files, is_public=False if private else None)
    if as_json:
        show_json({"client_id": client_id, "documents": [as_dict(document) for document in documents]})
    else:
        show_table("Attached", ("file", "kind", "bytes", "id"), [(d.name, d.type, d.size, d.id) for d in documents])


def statement(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="The clients' ids.")] = None,
    all_with_balance: Annotated[
        bool, typer.Option("--all-with-balance", help="All clients with a balance, positive or negative.")
    ] = False,
    debtors: Annotated[bool, typer.Option("--debtors", help="All clients that owe something.")] = False,
    at_least: Annotated[
        str, typer.Option(metavar="AMOUNT", help="Of these, only balances of at least this, in the client's currency.")
    ] = "",
    start: Annotated[str, typer.Option(metavar="DATE", help="The first day; else January 1 of this year.")] = "",
    end: Annotated[str, typer.Option(metavar="DATE", help="The last day; else today for the company.")] = "",
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="The folder for the files.")] = Path("statements"),
    no_payments: Annotated[bool, typer.Option("--no-payments", help="Leave out the table of payments.")] = False,
    no_credits: Annotated[bool, typer.Option("--no-credits", help="Leave out the table of credits.")] = False,
    no_aging: Annotated[bool, typer.Option("--no-aging", help="Leave out the aging table.")] = False,
    status: Annotated[str, typer.Option(help="The invoices to show: all, paid or unpaid.")] = "all",
    again: Annotated[bool, typer.Option("--again", help="Fetch files again even if they exist.")] = False,
    email: Annotated[bool, typer.Option("--email", help="Have the server mail them to the contacts instead.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before mails are sent.")] = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Save statements of account as PDF files.

    After an interrupted run, the next one continues: it skips files already fetched. A failure for one client
    does not stop the others; the exit code is then 4. With --email, each run sends all mails again.
    """
    if bool(ids) + all_with_balance + debtors != 1:
        raise SettingsError("Choose the clients: their ids, --all-with-balance or --debtors.")
    if at_least and ids:
        raise SettingsError("--at-least goes with --all-with-balance or --debtors.")
    least = amount_of(at_least)
    settings = load_settings(config)
    name = choose_source(settings, source)
    period = period_of(
        start, end, payments=not no_payments, credits=not no_credits, aging=not no_aging, status=status,
        today=partial(company_day, settings, name),
    )  # fmt: skip
    if not email:
        make_folder(to)
    with open_api(name, settings=settings) as api:
        wanted, left = named(api, ids) if ids else (list(owing(api, debtors=debtors, at_least=least)), [])
        if email and wanted:
            question = f"Have the server mail {counted(len(wanted), 'statement')}?"
            confirm(question, yes=yes, as_json=as_json)
        with progress_bar("clients", quiet=as_json) as progress:
            if email:
                run = mail(api, wanted, left, period, progress=progress)
            else:
                run = fetch_into(api, wanted, left, period, to, again=again, progress=progress)
    _show_run(run, as_json=as_json)


def reactivate_email(
    bounce_id: Annotated[str, typer.Argument(metavar="BOUNCE", help="The bounce's id in Postmark.")],
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Allow mail again to an address that bounced.

    For servers that send mail through Postmark. If Postmark refuses, this command fails, although the server answers
    200.
    """
    with open_api(source, config=config) as api:
        said = clients.reactivate_email(api, bounce_id)
    if as_json:
        show_json({"bounce_id": bounce_id, "message": said})
    else:
        say(f"The server says: {said}")


def update_tax_data(
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="The clients' ids.")],
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Have the server look up the tax data of clients.

    It uses the client's address, handles three clients a minute, and does this for paid accounts only.
    """
    with open_api(source, config=config) as api, progress_bar("clients", quiet=as_json) as progress:
        looked_up, stopped = until_stopped(_counted(clients.update_tax_data(api, ids), len(set(ids)), progress))
    if as_json:
        show_json([{"client_id": client.id, "tax_info": client.tax_info} for client in looked_up])
    elif looked_up:
        rows = [(client.id, client.display_name, "yes" if client.tax_info else "none") for client in looked_up]
        show_table("Looked up", ("id", "client", "tax data"), rows)
    if stopped:
        say(f"Looked up: {len(looked_up):,} of {counted(len(set(ids)), 'client')}.")
        raise stopped


def template(
    template_id: Annotated[str, typer.Argument(metavar="TEMPLATE", help="The design's id.")],
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="The clients' ids.")],
    email: Annotated[bool, typer.Option("--email", help="Have the server mail it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before mails are sent.")] = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Fill one of the company's designs with clients.

    The server makes the PDF later. Its answer names the file, which you can fetch then.
    """
    if email:
        confirm(f"Have the server mail it to {counted(len(ids), 'client')}?", yes=yes, as_json=as_json)
    with open_api(source, config=config) as api:
        said = clients.run_template(api, ids, template_id, send_email=email)
    if as_json:
        show_json({"template_id": template_id, "message": said})
    else:
        say(f"The server says: {said}")


def _counted(run: Iterable[Item], of: int, progress: Progress) -> Iterator[Item]:
    """Yield the items, and report progress."""
    for done, item in enumerate(run, start=1):
        progress("tax data", done, of)
        yield item


def _show_run(run: Run, *, as_json: bool) -> None:
    """Print the results. Raises the error that stopped the run, or NotVerified if statements are missing."""
    if as_json:
        show_json([
            {"client_id": row.client_id, "did": row.did or None, "file": row.file, "problem": row.problem or None}
            for row in run.drawn
        ])  # fmt: skip
    else:
        first = sorted(run.drawn, key=lambda row: not row.problem)
        rows = [(row.client_id, row.name, row.did or row.problem, row.file) for row in first]
        show_table("Statements", ("id", "client", "", "file"), rows, most=MOST)
    say(run.state())
    if run.stopped:
        raise run.stopped
    if missing := run.missing():
        raise NotVerified(missing)
