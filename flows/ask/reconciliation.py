"""The figures of clients that their documents do not explain, with the ledger's balance where it is asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from connector import clients
from connector.api.api import Api
from flows.ask.ask import Result, asked, reading
from flows.ask.balances import check_source
from flows.ask.decimals import in_decimals
from flows.configuration.values import Settings
from flows.session.progress import Progress, silent
from flows.show.counted import counted
from flows.show.show import say, show_table
from schemas.errors import Rejected, UnexpectedShape
from warehouse.engine.seam import Warehouse
from warehouse.engine.sql import statement

WORDS: Final = {"balance": "balance", "paid_to_date": "paid to date", "credit_balance": "credit balance"}
SPARE: Final = ("number", "documents")
"""Columns to leave out of a table that is too wide for the terminal, in this order."""
MOST_LEDGERS: Final = 200
UNREADABLE: Final = "cannot be read"


@dataclass(frozen=True, slots=True)
class Compared:
    """The clients of a source whose documents have been read, and how many of them differ."""

    source: str
    clients: int
    differing: int

    def __str__(self) -> str:
        """One line for people."""
        if not self.differing:
            return f"{self.source}: the figures of {counted(self.clients, 'client')} agree with their documents."
        differ = "differs" if self.differing == 1 else "differ"
        return f"{self.source}: {self.differing:,} of {counted(self.clients, 'client')} {differ} from their documents."


def read_compared(settings: Settings, source: str | None = None) -> list[Compared]:
    """Return how many clients differ, for each source whose invoices, payments and credits have been read."""
    rows = asked(settings, "read/differing_clients", {"source": source}, newest=True).rows
    return [Compared(*row) for row in rows]  # type: ignore[arg-type]  # the statement's columns


def read_reconciliation(settings: Settings, source: str | None = None) -> Result:
    """Return the differing figures, one row each, the largest difference of each currency first.

    Raises SettingsError for an unknown source.
    """
    with reading(settings, newest=True) as warehouse:
        check_source(warehouse, settings, source)
        return _differences(warehouse, source)


def _differences(warehouse: Warehouse, source: str | None) -> Result:
    return in_decimals(warehouse.answer(statement("read/reconciliation"), {"source": source}))


def of_source(result: Result, source: str) -> Result:
    """Return the rows of one source."""
    place = result.columns.index("source")
    return Result(result.columns, [row for row in result.rows if row[place] == source])


def differences_of(warehouse: Warehouse, source: str, ids: Collection[str]) -> dict[str, list[str]]:
    """Return a line for each figure of these clients that their documents do not explain, for people, by client.

    Clients whose documents were not read have none.
    """
    found: dict[str, list[str]] = {}
    for record in _differences(warehouse, source).records():
        if record["client_id"] in ids:
            found.setdefault(str(record["client_id"]), []).append(_line(record))
    return found


def _line(record: Mapping[str, object]) -> str:
    of_client, of_documents = (
        f"{record[name]} {record['currency'] or ''}".strip() for name in ("of_client", "of_documents")
    )
    figure = WORDS[str(record["figure"])]
    return f"{record['client_name']}: {figure} {of_client}, by its documents {of_documents} ({record['reason']})"


def with_ledger(api: Api, result: Result, progress: Progress = silent) -> Result:
    """Return the same rows with the balance of each client's ledger, read from the server now.

    The ledger's balance is its newest row's. It stands beside `balance` only, the one figure that a ledger keeps. The
    ledgers of the first MOST_LEDGERS clients are read; one that the server does not send is called unreadable.
    """
    key, figure = result.columns.index("client_id"), result.columns.index("figure")
    wanted = [str(row[key]) for row in result.rows if row[figure] == "balance"][:MOST_LEDGERS]
    balances: dict[str, Decimal | str | None] = {}
    for number, client_id in enumerate(wanted, start=1):
        progress("reading ledgers", number, len(wanted))
        balances[client_id] = _ledger_balance(api, client_id)
    rows = [[*row, balances.get(str(row[key])) if row[figure] == "balance" else None] for row in result.rows]
    return Result([*result.columns, "ledger"], rows)


def _ledger_balance(api: Api, client_id: str) -> Decimal | str | None:
    try:
        rows = clients.ledger(api, client_id)
    except (Rejected, UnexpectedShape):
        return UNREADABLE
    return rows[0].balance if rows else None


def tell_reconciliation(compared: Sequence[Compared], result: Result, *, most: int) -> None:
    """Print how many clients differ, and the differences for people."""
    if not compared:
        say("Nothing to compare yet: a pull reads invoices, payments and credits first (`ninja-sync pull`).")
        return
    for one in compared:
        say(str(one))
    if not result.rows:
        return
    names: Mapping[str, str] = {
        "client_number": "number", "client_name": "client", "currency": "currency", "figure": "figure",
        "of_client": "of the client", "of_documents": "documents", "difference": "difference", "ledger": "ledger",
        "reason": "likely reason", "other_client": "other client",
    }  # fmt: skip
    if len(compared) > 1:
        names = {"source": "source", **names}
    kept = [result.columns.index(column) for column in names if column in result.columns]
    rows = [[_shown(result.columns[place], row[place]) for place in kept] for row in result.rows]
    headings = [names[result.columns[place]] for place in kept]
    show_table("Figures that documents do not explain", headings, rows, most=most, spare=SPARE)


def _shown(column: str, value: object) -> object:
    return WORDS.get(str(value), value) if column == "figure" else value
