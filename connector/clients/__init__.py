"""Everything that the clients API of Invoice Ninja does, a function for each of its operations.

All take an `Api` first (`flows.api.open_client` makes one). What writes is noted in the journal before it is sent, and
read back afterwards; each function says whether it may be repeated.
"""

from connector.clients.contacts import ContactEdit
from connector.clients.create import check_create, create
from connector.clients.read import show
from connector.clients.update import Update, apply_update, prepare_update, update

__all__ = ["ContactEdit", "Update", "apply_update", "check_create", "create", "prepare_update", "show", "update"]
