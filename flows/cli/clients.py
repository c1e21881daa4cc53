"""`ninja-sync clients`: the whole clients API for people, one command for each of its operations."""

from __future__ import annotations

import typer

from flows.cli import (
    clients_bulk as cli_clients_bulk,
)
from flows.cli import (
    clients_destroy as cli_clients_destroy,
)
from flows.cli import (
    clients_files as cli_clients_files,
)
from flows.cli import (
    clients_read as cli_clients_read,
)
from flows.cli import (
    clients_write as cli_clients_write,
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    clients = typer.Typer(
        help="Read and change clients on the server, one by one or many.\n\n"
        "Every change is noted in the journal of the warehouse before it is sent, and read back afterwards.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for module in (cli_clients_read, cli_clients_write, cli_clients_bulk, cli_clients_destroy, cli_clients_files):
        module.register(clients)
    app.add_typer(clients, name="clients")
