"""Fields that several entities share."""

from __future__ import annotations

from schemas.entity import Field, Kind, Written

TEXT, LINK, SETTING = Kind.TEXT, Kind.LINK, Kind.SETTING
MONEY, NUMBER, FLAG, TIME, DATE = Kind.MONEY, Kind.NUMBER, Kind.FLAG, Kind.TIME, Kind.DATE

SHORT = 191
"""Characters of an ordinary text column of the server; it cuts longer ones silently (database strict mode is off)."""


def id_of(thing: str) -> Field:
    """The hashed id of a record."""
    return Field("id", TEXT, f"The {thing}'s hashed id: unique on one server, repeated on others.", vital=True)


def times_of(thing: str) -> tuple[Field, ...]:
    """When a record was created, touched, and archived or deleted."""
    return (
        Field("created_at", TIME, f"When the {thing} was created."),
        Field("updated_at", TIME, f"When the server last touched the {thing}.", volatile=True),
        Field("archived_at", TIME, f"When the {thing} was archived or deleted; NULL while it is active."),
    )


def short_text(name: str, description: str, *, personal: bool = False, written: Written = Written.PUT) -> Field:
    """A text that can be changed, of at most SHORT characters."""
    return Field(name, TEXT, description, personal=personal, written=written, max_length=SHORT)


def custom_values(thing: str, written: Written = Written.PUT) -> tuple[Field, ...]:
    """The four custom fields."""
    return tuple(
        Field(
            f"custom_value{n}",
            TEXT,
            f"Custom field {n} of the {thing}; its label is in the company's `custom_fields`.",
            personal=True,
            written=written,
        )
        for n in (1, 2, 3, 4)
    )


def users_of(thing: str) -> tuple[Field, ...]:
    """The users of a record."""
    return (
        Field("user_id", LINK, f"The user who created the {thing}."),
        Field("assigned_user_id", LINK, f"The user to whom the {thing} is assigned."),
    )


def notes_of(thing: str) -> tuple[Field, ...]:
    """Notes for the client and for the company's own people."""
    return (
        Field("public_notes", TEXT, f"Notes on the {thing} that the client sees.", personal=True),
        Field("private_notes", TEXT, f"Notes on the {thing} that the client does not see.", personal=True),
    )


def taxes(kind: Kind = TEXT) -> tuple[Field, ...]:
    """Three taxes by name and rate; a name of one letter is ignored by the server."""
    return tuple(
        field
        for n in (1, 2, 3)
        for field in (
            Field(f"tax_name{n}", kind, f"Name of tax {n}."),
            Field(f"tax_rate{n}", NUMBER, f"Rate of tax {n} in percent."),
        )
    )


def is_deleted(thing: str) -> Field:
    """Whether a record is deleted."""
    return Field("is_deleted", FLAG, f"Whether the {thing} is deleted; archived alone leaves this false.", vital=True)


def of_client(thing: str) -> Field:
    """The client of a document, which always has one."""
    return Field("client_id", LINK, f"The client of the {thing}; a merge moves it to the client kept.", vital=True)
