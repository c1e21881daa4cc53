"""Everything that the clients API of Invoice Ninja does, a function for each of its operations.

All take an `Api` first (`flows.open_api` makes one). A write is recorded in the journal before it is sent, and read
back afterwards. Each function says whether it may be repeated.
"""

from connector.clients.action import Result
from connector.clients.bulk import archive, assign_group, bulk_update, delete, delete_one, restore
from connector.clients.contacts import ContactEdit
from connector.clients.create import check_create, create
from connector.clients.documents import documents
from connector.clients.files import upload
from connector.clients.filter_words import parse_filter
from connector.clients.filters import Filter
from connector.clients.includes import activities, group_of, ledger, list_with, show_with, system_logs
from connector.clients.mails import reactivate_email
from connector.clients.merge import merge
from connector.clients.purge import purge
from connector.clients.read import blank, count_clients, edit, find, list_clients, show
from connector.clients.statements import Period, client_statement, email_statement
from connector.clients.tax import update_tax_data
from connector.clients.templates import run_template
from connector.clients.update import Update, apply_update, prepare_update, update
from schemas.includes import INCLUDES
from schemas.journal import Outcome

__all__ = [
    "INCLUDES",
    "ContactEdit",
    "Filter",
    "Outcome",
    "Period",
    "Result",
    "Update",
    "activities",
    "apply_update",
    "archive",
    "assign_group",
    "blank",
    "bulk_update",
    "check_create",
    "client_statement",
    "count_clients",
    "create",
    "delete",
    "delete_one",
    "documents",
    "edit",
    "email_statement",
    "find",
    "group_of",
    "ledger",
    "list_clients",
    "list_with",
    "merge",
    "parse_filter",
    "prepare_update",
    "purge",
    "reactivate_email",
    "restore",
    "run_template",
    "show",
    "show_with",
    "system_logs",
    "update",
    "update_tax_data",
    "upload",
]
