"""The commands that read clients from the server: get, list, documents, blank."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from connector import clients
from flows.ask.ask import Result
from flows.ask.decimals import in_decimals
from flows.ask.files import check_outputs, write_files
from flows.ask.names import Names, currency_of, known_currencies
from flows.cli.options import AsJson, ConfigFile, CsvFile, DecimalSign, Separator, SourceName, WorkbookFile
from flows.configuration.load import choose_source, load_settings
from flows.session.api import open_api
from flows.show.counted import counted
from flows.show.show import progress_bar, say, show_json, show_records, show_table
from schemas.client import as_dict
from schemas.errors import SettingsError
from schemas.includes import KINDS_OF_ACTIVITY, ClientWith

if TYPE_CHECKING:
    from schemas.client import Client

MOST = 50
BY_ID = "id|asc"
LISTED = ("id", "number", "display_name", "status", "balance", "currency", "email", "updated_at")
SPARE = ("updated_at", "email", "number")
"""Columns to leave out of a list that is too wide, in this order."""
IN_FILE = (
    "id", "number", "display_name", "status", "balance", "paid_to_date", "credit_balance", "currency", "currency_id",
    "email", "updated_at",
)  # fmt: skip
CONTACT = ("id", "first_name", "last_name", "email", "phone", "is_primary", "send_email")
DOCUMENT = ("id", "name", "type", "size", "is_public", "created_at")
LOG = ("id", "category_id", "event_id", "type_id", "created_at")
NESTED = ("contacts", "documents", "settings", "tax_info", "e_invoice")

ClientId = Annotated[str, typer.Argument(metavar="ID", help="The client's id, as in mart.clients.")]
Amount = Annotated[str | None, typer.Option(metavar="AMOUNT", help="A balance, in the client's own currency.")]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="At or after this: 2026-12-31, a date and time, or seconds.")
]


def get(
    client_id: ClientId,
    include: Annotated[
        str, typer.Option(metavar="NAMES", help="Also show some of activities,ledger,system_logs,group_settings.")
    ] = "",
    editable: Annotated[bool, typer.Option("--editable", help="Fail if this token may not change the client.")] = False,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Show one client, as the server has it.

    Also shows archived and deleted clients, with contacts and documents. Links and keys to the client portal are left
    out. --include adds the newest 50 activities, the whole ledger, the newest 50 system logs (their text only with
    --json), or the group.
    """
    asked = [name.strip() for name in include.split(",") if name.strip()]
    with open_api(source, config=config) as api:
        shown = clients.show_with(api, client_id, asked) if asked else ClientWith(client=clients.show(api, client_id))
        if editable:
            clients.edit(api, client_id)
    if as_json:
        show_json(_as_json(shown, asked))
    else:
        _show(shown, asked)


def list_(
    updated_at: Since = None,
    created_at: Since = None,
    status: Annotated[str | None, typer.Option(help="Some of active,archived,deleted; else all.")] = None,
    is_deleted: Annotated[
        bool | None, typer.Option("--is-deleted/--is-not-deleted", help="Only deleted clients, or only others.")
    ] = None,
    with_trashed: Annotated[
        bool | None, typer.Option("--with-trashed/--without-trashed", help="Include deleted clients, or not.")
    ] = None,
    client_id: Annotated[str | None, typer.Option(help="The client with this id.")] = None,
    name: Annotated[str | None, typer.Option(help="Part of the name; no * is needed.")] = None,
    email: Annotated[str | None, typer.Option(help="The whole e-mail address of one of its contacts.")] = None,
    id_number: Annotated[str | None, typer.Option(help="The whole company register number.")] = None,
    number: Annotated[str | None, typer.Option(help="The whole number.")] = None,
    group: Annotated[str | None, typer.Option(help="The id of its group.")] = None,
    filter_: Annotated[
        str | None, typer.Option("--filter", help="Text to find in names, numbers, custom fields, mails and phones.")
    ] = None,
    between_balance: Annotated[
        str | None, typer.Option(metavar="LOW:HIGH", help="A range of balances, both ends included.")
    ] = None,
    balance_gt: Amount = None,
    balance_gte: Amount = None,
    balance_lt: Amount = None,
    balance_lte: Amount = None,
    balance_eq: Amount = None,
    where: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A filter by its name in the API; repeatable.")
    ] = None,
    sort: Annotated[str, typer.Option(metavar="COLUMN|asc", help="In quotes: 'name|asc', 'balance|desc' ...")] = BY_ID,
    limit: Annotated[int, typer.Option(min=0, help="The most clients to show; 0 is all.")] = MOST,
    csv: CsvFile = None,
    xlsx: WorkbookFile = None,
    separator: Separator = None,
    decimal: DecimalSign = None,
    source: SourceName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List clients, filtered and sorted.

    A client is listed if it matches all filters. Filters that the server would ignore or misread are refused, and its
    answers are checked. If clients change meanwhile, the list can miss one; `ninja-sync pull` never does. The codes of
    currencies come from the warehouse; without one, or if it has no such currency, there is only `currency_id`.
    """
    check_outputs(csv, xlsx, separator=separator, decimal=decimal, as_json=as_json)
    options = {
        "updated_at": updated_at, "created_at": created_at, "status": status, "is_deleted": _flag(is_deleted),
        "with_trashed": _flag(with_trashed), "client_id": client_id, "name": name, "email": email,
        "id_number": id_number, "number": number, "group": group, "filter": filter_,
        "between_balance": between_balance, "balance_gt": balance_gt, "balance_gte": balance_gte,
        "balance_lt": balance_lt, "balance_lte": balance_lte, "balance_eq": balance_eq,
    }  # fmt: skip
    by_name = {key: value for key, value in options.items() if value is not None}
    wanted = clients.parse_filter(_and(by_name, where or []))
    settings = load_settings(config)
    name_of_source = choose_source(settings, source)
    with open_api(name_of_source, settings=settings) as api, progress_bar("clients", quiet=as_json) as progress:
        pages = clients.list_clients(api, wanted, sort=sort, page_size=min(limit or 500, 500))
        listed: list[Client] = []
        for client in islice(pages, limit or None):
            listed.append(client)
            progress("reading", len(listed), None)
        more = clients.count_clients(api, wanted) - len(listed) if limit and len(listed) == limit else 0
    if as_json:
        show_json({"clients": [as_dict(client) for client in listed], "more": max(0, more)})
        return
    result = _listed(listed, known_currencies(settings, name_of_source))
    if not write_files(result, csv, xlsx, separator=separator, decimal=decimal):
        _show_list(result, max(0, more))
    elif more > 0:
        say(f"{counted(len(listed), 'client')}, and {more:,} more: --limit 0 writes all.")


def documents(
    client_id: ClientId, source: SourceName = None, config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """List the documents of a client.

    Shows name, kind and size of each file, but neither the file nor a link to it.
    """
    with open_api(source, config=config) as api:
        listed = list(clients.documents(api, client_id))
    if as_json:
        show_json({"client_id": client_id, "documents": [as_dict(document) for document in listed]})
    elif listed:
        show_table(f"Documents of {client_id}", DOCUMENT, _rows(listed, DOCUMENT))
    else:
        say(f"The client {client_id} has no documents.")


def blank(source: SourceName = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Show the values that a new client starts with.

    This creates no client; `ninja-sync clients create` does.
    """
    with open_api(source, config=config) as api:
        values = clients.blank(api)
    if as_json:
        show_json(values)
        return
    filled = [(name, value) for name, value in values.items() if value not in (None, {}, "")]
    show_table("A new client", ("field", "value"), filled, note="all other fields are empty")


def _flag(flag: bool | None) -> str | None:
    return None if flag is None else str(flag).lower()


def _and(options: dict[str, str], where: Sequence[str]) -> dict[str, str]:
    """Return the filters with those of `--where` added. Raises SettingsError if one is named twice."""
    filters = dict(options)
    for text in where:
        name, equals, value = text.partition("=")
        if not equals:
            raise SettingsError(f"--where takes NAME=VALUE, not {text!r}.")
        if name in filters:
            raise SettingsError(f"The filter {name} is named twice.")
        filters[name] = value
    return filters


def _as_json(shown: ClientWith, asked: Sequence[str]) -> dict[str, object]:

    document: dict[str, object] = {"client": as_dict(shown.client)}
    for name in asked:
        value = getattr(shown, name)
        document[name] = [as_dict(record) for record in value] if isinstance(value, list) else value and as_dict(value)
    return document


def _show(shown: ClientWith, asked: Sequence[str]) -> None:

    client = shown.client
    columns = {"status": client.status, **as_dict(client), "currency_id": client.currency_id or "(inherited)"}
    fields = {key: value for key, value in columns.items() if value is not None and key not in NESTED}
    show_records(f"Client {client.id}", list(fields), [list(fields.values())])
    show_table("Contacts", CONTACT, _rows(client.contacts, CONTACT))
    if client.documents:
        show_table("Documents", DOCUMENT, _rows(client.documents, DOCUMENT))
    if "activities" in asked:
        kinds = [KINDS_OF_ACTIVITY.get(a.activity_type_id or "", a.activity_type_id) for a in shown.activities]
        rows = [(a.created_at, kind, a.user_id, a.notes) for a, kind in zip(shown.activities, kinds, strict=True)]
        _table("Activities, the newest 50", ("at", "what", "user_id", "notes"), rows)
    if "ledger" in asked:
        entries = [(r.created_at, r.entity, r.entity_id, r.adjustment, r.balance, r.notes) for r in shown.ledger]
        _table("Ledger", ("at", "record", "record_id", "adjustment", "balance", "notes"), entries)
    if "system_logs" in asked:
        _table("System logs, the newest 50 (--json has their text)", LOG, _rows(shown.system_logs, LOG))
    if "group_settings" in asked:
        group = shown.group_settings
        say(f"Group: {group.name} ({group.id})" if group else "The client is in no group, or in an archived one.")


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    if rows:
        show_table(title, columns, rows)
    else:
        say(f"{title}: none.")


def _listed(listed: Sequence[Client], codes: Names) -> Result:
    """Return the clients as rows, each amount in the decimals of its currency."""
    rows = [
        (
            c.id, c.number, c.display_name, c.status, c.balance, c.paid_to_date, c.credit_balance,
            currency_of(c, codes), c.currency_id, _mail(c), c.updated_at,
        )
        for c in listed
    ]  # fmt: skip
    return in_decimals((IN_FILE, rows))


def _show_list(result: Result, more: int) -> None:
    if not result.rows:
        say("No clients match.")
        return
    records = [record | {"currency": record["currency"] or record["currency_id"]} for record in result.records()]
    rows = [[record[name] for name in LISTED] for record in records]
    whole = counted(len(rows) + more, "client")
    note = f"{len(rows):,} of {whole} shown: --limit 0 shows all" if more else whole
    show_table("", LISTED, rows, note=note, spare=SPARE)


def _mail(client: Client) -> str | None:
    return next((contact.email for contact in client.contacts if contact.email), None)


def _rows(records: Sequence[object], columns: Sequence[str]) -> list[list[object]]:
    return [[getattr(record, name) for name in columns] for record in records]
