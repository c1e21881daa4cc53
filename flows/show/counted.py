"""Write numbers with their nouns, for people."""

from __future__ import annotations

from schemas.entity import Entity


def counted(number: int, noun: str) -> str:
    """Return a number with its noun in the right form: `1 client`, `1,200 clients`, `0 entries`."""
    if number == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun[-1] == "y" and noun[-2] not in "aeiou" else f"{noun}s"
    return f"{number:,} {plural}"


def noun_of(entity: Entity, number: int = 1) -> str:
    """Return the word for one record of an entity, or for several."""
    return (entity.singular if number == 1 else entity.name).replace("_", " ")
