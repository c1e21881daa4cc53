"""Erased clients: recognised only by a salted hash of their ids."""

from __future__ import annotations

import hashlib

import msgspec


class Erased(msgspec.Struct, frozen=True):
    """The marks of the erased clients of a source; the salt is the warehouse's own."""

    source: str
    salt: str
    marks: frozenset[str]

    def has(self, client_id: object) -> bool:
        """Whether this client was erased."""
        return bool(self.marks) and self.mark(client_id) in self.marks

    def mark(self, client_id: object) -> str:
        """The salted hash of a client's id."""
        return hashlib.sha256(f"{self.salt}|{self.source}|{client_id}".encode()).hexdigest()

    def mark_of(self, entity: str, record_id: object) -> str:
        """The salted hash of a record's id: ids repeat between entities. A client's is the mark that `has` knows."""
        return self.mark(record_id if entity == "clients" else f"{entity}/{record_id}")


NOBODY = Erased("", "", frozenset())
