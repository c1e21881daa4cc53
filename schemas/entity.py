"""The types of entities and fields. To add an entity to Ninja Sync, add a value of these types."""

from __future__ import annotations

from enum import Enum

import msgspec


class Kind(Enum):
    """The type of a field's value: its form on the wire and in the warehouse."""

    TEXT = "text"
    """A text. The server sends `''` for "none", which becomes NULL; whitespace and case are kept."""
    LINK = "link"
    """The id of another record, as a text. `''` and the hash of 0 mean "none" and become NULL (see values.NOBODY)."""
    MAIL = "mail"
    """A text that is "none" when blank: the server gives a contact without an address `' '`."""
    SETTING = "setting"
    """A text inside `settings`, where the server keeps numbers, flags and null beside texts."""
    MONEY = "money"
    """An exact decimal, 14 digits before the point and 6 after it, in the client's own currency."""
    TIME = "time"
    """Unix seconds in UTC; the server sends 0 for "never", which becomes NULL."""
    FLAG = "flag"
    """true or false."""
    COUNT = "count"
    """A whole number of 64 bits."""
    DATE = "date"
    """A day without a time zone. The server sends `''` for "none"; a day that its database could not read comes as one
    of the year -1 or 0. Both become NULL. A time behind the day is left out."""
    NUMBER = "number"
    """A quantity, a rate or a total of a line, which the server computes with floats: rounded to six places here. One
    that is too large, or not a number, becomes NULL. The record keeps it as sent."""
    JSON = "json"
    """An object or list, kept as JSON text. PHP sends an empty object as `{}` or `[]`: both are `{}` here."""


class Written(Enum):
    """How a field may be changed on the server (UpdateClientRequest, BulkClientRequest of 5.10.42)."""

    NEVER = "never"
    BULK = "bulk_update"
    GROUP = "assign_group"
    PUT = "put"


class Field(msgspec.Struct, frozen=True, eq=False):  # one object each: compared and hashed by identity, which is cheap
    """One field of an entity: a key of the server's JSON and a column of the warehouse.

    `inside` names the object that holds the key, where that is not the record itself.
    `volatile` marks a field that moves without a change of the record; the row's hash leaves it out.
    `vital` marks a field that every record must have: without it the row goes into quarantine, never by a guess.
    """

    name: str
    kind: Kind
    description: str
    personal: bool = False
    written: Written = Written.NEVER
    key: str = ""
    inside: str = ""
    volatile: bool = False
    vital: bool = False
    max_length: int | None = None

    @property
    def json_key(self) -> str:
        """The key in the server's JSON; the column's name unless the two differ."""
        return self.key or self.name


class Entity(msgspec.Struct, frozen=True, eq=False):
    """A kind of record: its table's name, its path in the API, its fields, and the lists of children inside it.

    `key` is the key of a list of children, where that is not the name. `secrets` are keys that are never stored.
    `elsewhere` are known keys without a column: they stay in the record. `historic` means that every version seen is
    kept, not only the present one. `client_column` holds the id of the client to whom a record belongs; '' if records
    belong to no client. `sparse`: records leave keys out, so a missing one is not reported. `numbered`: the server
    gives these children no ids, so the first two fields are ours: an id, and the place in the parent's list from 1.
    """

    name: str
    path: str
    fields: tuple[Field, ...]
    children: tuple[Entity, ...] = ()
    secrets: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    historic: bool = False
    client_column: str = ""
    key: str = ""
    sparse: bool = False
    numbered: bool = False

    @property
    def json_key(self) -> str:
        """The key of a list of children in the server's JSON; the name unless the two differ."""
        return self.key or self.name

    @property
    def sent(self) -> tuple[Field, ...]:
        """The fields that the server sends: all but our own of numbered children."""
        return self.fields[2:] if self.numbered else self.fields

    @property
    def singular(self) -> str:
        """The word for one record: clients → client, companies → company."""
        return self.name[:-3] + "y" if self.name.endswith("ies") else self.name.removesuffix("s")

    @property
    def parent_column(self) -> str:
        """The column by which this entity's children point to it."""
        return f"{self.singular}_id"
