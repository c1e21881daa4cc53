"""Everything that the clients API of Invoice Ninja does, a function for each of its operations.

All take an `Api` first (`flows.api.open_client` makes one). What writes is noted in the journal before it is sent, and
read back afterwards; each function says whether it may be repeated.
"""

from connector.clients.action import BulkOutcome, Result
from connector.clients.bulk import archive, assign_group, bulk_update, delete, delete_one, restore
from connector.clients.contacts import ContactEdit
from connector.clients.create import check_create, create
from connector.clients.read import show
from connector.clients.update import Update, apply_update, prepare_update, update

__all__ = [
    "BulkOutcome",
    "ContactEdit",
    "Result",
    "Update",
    "apply_update",
    "archive",
    "assign_group",
    "bulk_update",
    "check_create",
    "create",
    "delete",
    "delete_one",
    "prepare_update",
    "restore",
    "show",
    "update",
]
