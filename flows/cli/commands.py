"""The table of all commands: where each is listed, its summary, and the function that runs it.

The help of a group is printed from here, so that nothing needs to be imported for it. A summary is the first line of
its function's docstring; a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple


class Command(NamedTuple):
    """One command of a group. `function` is `module:function`; empty if the command is itself a group."""

    name: str
    summary: str
    function: str = ""


class Group(NamedTuple):
    """Commands in the panels of `--help`. `function` runs if no command is named."""

    help: str
    panels: Mapping[str, Sequence[Command]]
    function: str = ""

    def commands(self) -> list[Command]:
        """Return all commands in the order of `--help`."""
        return [command for commands in self.panels.values() for command in commands]


NAME: Final = "ninja-sync"

ROOT = Group(
    "Invoice Ninja clients, invoices, payments and balances in SQL: an exact mirror.\n\n"
    "Start with `ninja-sync demo`, or with `ninja-sync init` for your own server. "
    "`ninja-sync COMMAND --help` explains a command.",
    {
        "Everyday": (
            Command("pull", "Bring the warehouse up to date.", "flows.cli.pull:pull"),
            Command("sweep", "Read everything, and find records that have vanished.", "flows.cli.pull:sweep"),
            Command("status", "Show how fresh each mirror is, and what needs attention.", "flows.cli.ask:status"),
            Command("balances", "Show amounts owed and overpaid, and the largest debtors.", "flows.cli.ask:balances"),
            Command("aging", "Show who owes how much for how long.", "flows.cli.aging:aging"),
            Command("client", "Show all that the warehouse has on one client.", "flows.cli.client:client"),
            Command(
                "history",
                "Show amounts owed and overpaid over time.",
                "flows.cli.history:history",
            ),
            Command("sql", "Query the warehouse in SQL.", "flows.cli.ask:sql"),
            Command(
                "reconciliation",
                "Show clients whose figures differ from their documents.",
                "flows.cli.reconciliation:reconciliation",
            ),
            Command("rates", "Show rates of exchange, and add some from a file."),
            Command("desk", "Serve the desk, pages in the browser, until Ctrl-C.", "flows.cli.desk:desk"),
        ),
        "Writing": (
            Command("push", "Change many clients, as plans you review first."),
            Command("clients", "Read and change clients on the server, one by one or many."),
            Command(
                "approve",
                "Approve or reject a plan, or list plans that wait.",
                "flows.cli.approve:approve",
            ),
            Command("journal", "Show and settle the calls that wrote to the server."),
        ),
        "Duplicates": (
            Command("dedupe", "Find duplicate clients and decide what to do with them."),
            Command("merge", "Merge duplicates, as plans you review first."),
        ),
        "Set-up": (
            Command("demo", "Try everything once, against invented clients.", "flows.cli.demo:demo"),
            Command("init", "Write a configuration file, or add a source to it.", "flows.cli.setup:init"),
            Command("doctor", "Check server, token and warehouse; change nothing.", "flows.cli.setup:doctor"),
            Command("source", "List sources, add one, or bind one to another server."),
            Command("backup", "Write the whole warehouse into one file.", "flows.cli.backup:backup"),
            Command("restore", "Recreate the warehouse from a backup.", "flows.cli.backup:restore"),
            Command("erase", "Erase a client from the warehouse and its files.", "flows.cli.erase:erase"),
        ),
        "For programs": (
            Command("publish", "Write the copies for readers now.", "flows.cli.publish:publish"),
            Command("grant", "Let a Postgres role read the views for people.", "flows.cli.publish:grant"),
            Command("serve", "Run the flows on their schedules, until Ctrl-C.", "flows.cli.serve:serve"),
            Command("sandbox", "Run a stand-in Invoice Ninja server, until Ctrl-C.", "flows.cli.demo:sandbox"),
        ),
    },
)

CLIENTS = Group(
    "Read and change clients on the server, one by one or many.\n\n"
    "Each change is recorded in the warehouse's journal before it is sent, and read back afterwards.",
    {
        "Reading": (
            Command("get", "Show one client, as the server has it.", "flows.cli.clients.read:get"),
            Command("list", "List clients, filtered and sorted.", "flows.cli.clients.read:list_"),
            Command("documents", "List the documents of a client.", "flows.cli.clients.read:documents"),
            Command("blank", "Show the values that a new client starts with.", "flows.cli.clients.read:blank"),
        ),
        "Changing": (
            Command("create", "Create a client.", "flows.cli.clients.write:create"),
            Command("update", "Change fields of a client and of its contacts.", "flows.cli.clients.write:update"),
            Command("archive", "Archive clients.", "flows.cli.clients.bulk:archive"),
            Command("restore", "Restore archived and deleted clients.", "flows.cli.clients.bulk:restore"),
            Command("delete", "Mark clients as deleted.", "flows.cli.clients.bulk:delete"),
            Command("assign-group", "Put clients into a group.", "flows.cli.clients.bulk:assign_group"),
            Command("bulk-update", "Set one field of many clients to one value.", "flows.cli.clients.bulk:bulk_update"),
        ),
        "For good": (
            Command("purge", "Remove a client and all its records for good.", "flows.cli.clients.destroy:purge"),
        ),
        "Files, mail and tax": (
            Command("upload", "Attach files to a client.", "flows.cli.clients.files:upload"),
            Command("statement", "Save statements of account as PDF files.", "flows.cli.clients.files:statement"),
            Command("template", "Fill one of the company's designs with clients.", "flows.cli.clients.files:template"),
            Command(
                "reactivate-email",
                "Allow mail again to an address that bounced.",
                "flows.cli.clients.files:reactivate_email",
            ),
            Command(
                "update-tax-data",
                "Have the server look up the tax data of clients.",
                "flows.cli.clients.files:update_tax_data",
            ),
        ),
    },
)

PUSH = Group(
    "Change many clients, as plans you review first.\n\n"
    "Changes from SQL, a spreadsheet or the queue become a plan. You review it and apply it by its digest; every "
    "value is then read back. `push undo` makes a plan that puts the old values back.",
    {
        "Plans": (
            Command("plan", "Make a plan from changes, and show it.", "flows.cli.push:plan"),
            Command("show", "Show a plan, and its outcomes.", "flows.cli.push:show"),
            Command("list", "List the newest plans, and their outcomes.", "flows.cli.push:list_plans"),
            Command("apply", "Apply a plan: send it, and read it back.", "flows.cli.push:apply"),
            Command("resume", "Continue a plan that was cut off.", "flows.cli.push:resume"),
            Command("close", "End a plan that will not be applied or resumed.", "flows.cli.push:close"),
            Command("undo", "Make a plan that puts back the values a plan changed.", "flows.cli.push:undo"),
        ),
        "The queue of changes": (
            Command("add", "Queue a change of a client.", "flows.cli.push_queue:add"),
            Command("queue", "List queued changes that wait or were refused.", "flows.cli.push_queue:queue"),
            Command(
                "requeue",
                "Queue changes again that were refused, or whose plan was rejected.",
                "flows.cli.push_queue:requeue",
            ),
            Command("withdraw", "Remove queued changes that are in no plan yet.", "flows.cli.push_queue:withdraw"),
        ),
    },
)

MERGE = Group(
    "Merge duplicates, as plans you review first.\n\n"
    "A merge cannot be undone on the server. So you first see the resulting balances and contacts, and approve the "
    "plan by its digest. Each pair is then backed up, sent once, and checked.",
    {
        "Plans of merges": (
            Command("plan", "Plan merges, and show the result of each.", "flows.cli.merge:plan"),
            Command("show", "Show a plan of merges, and its progress.", "flows.cli.merge:show"),
            Command("list", "List the newest plans of merges.", "flows.cli.merge:list_merges"),
            Command("apply", "Apply a plan of merges, one after the other.", "flows.cli.merge:apply"),
            Command("resume", "Continue a plan of merges that stopped.", "flows.cli.merge:resume"),
            Command("close", "End a plan of merges for good.", "flows.cli.merge:close"),
            Command("sheet", "Show how to undo a merge by hand.", "flows.cli.merge:sheet"),
        ),
    },
)

DEDUPE = Group(
    "Find duplicate clients and decide what to do with them.\n\n"
    "Find, review, plan; then `ninja-sync merge apply`. Decisions are stored, and every later run follows them.",
    {
        "Steps": (
            Command("find", "Find duplicates in the mirror.", "flows.cli.dedupe.find:find"),
            Command("review", "Decide on groups of duplicates, one by one.", "flows.cli.dedupe.review:review"),
            Command("plan", "Plan the merges of groups decided to be the same.", "flows.cli.dedupe.find:plan"),
        ),
        "Lists and single decisions": (
            Command("list", "List the groups that the last run found.", "flows.cli.dedupe.find:list_clusters"),
            Command("decide", "Decide on two clients, or on many from a file.", "flows.cli.dedupe.find:decide"),
        ),
        "Learning": (
            Command(
                "learn", "Learn from your decisions how much each agreement counts.", "flows.cli.dedupe.learn:learn"
            ),
            Command(
                "models", "List the models learned from decisions, or choose one.", "flows.cli.dedupe.learn:models"
            ),
        ),
    },
)

JOURNAL = Group(
    "Show and settle the calls that wrote to the server.\n\n"
    "Each call is recorded before it is sent, and again after it was read back. Before the next write, ninja-sync asks "
    "the server for the outcome of calls that were cut off. If it cannot answer, you do, with `journal settle`.",
    {
        "Open calls and checks": (
            Command("settle", "Find out the outcome of open calls.", "flows.cli.journal:settle"),
        ),
    },
    "flows.cli.journal:list_calls",
)

RATES = Group(
    "Show rates of exchange, and add some from a file.\n\n"
    "A rate converts a currency into the company's. Exact amounts stay unchanged: converted ones stand beside them.",
    {
        "Rates": (
            Command("add", "Add rates from a CSV or an Excel workbook.", "flows.cli.rates:add"),
            Command("remove", "Remove a rate that a file brought.", "flows.cli.rates:remove"),
        ),
    },
    "flows.cli.rates:list_rates",
)

SOURCE = Group(
    "List sources, add one, or bind one to another server.\n\nA source is one company on one Invoice Ninja server.",
    {
        "Sources": (
            Command("list", "List the sources, and the server of each.", "flows.cli.setup:source_list"),
            Command("add", "Add a company to the configuration file.", "flows.cli.setup:source_add"),
            Command(
                "rebind",
                "Bind a source again, after a move or on a restored server.",
                "flows.cli.setup:source_rebind",
            ),
        ),
    },
)

GROUPS: Final[Mapping[str, Group]] = {
    NAME: ROOT, "clients": CLIENTS, "push": PUSH, "merge": MERGE, "dedupe": DEDUPE, "journal": JOURNAL,
    "source": SOURCE, "rates": RATES,
}  # fmt: skip
