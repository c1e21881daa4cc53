"""The automatic numbers of papers: at least four digits; the counter skips those that are taken (GeneratesCounter)."""

from __future__ import annotations

from sandbox.store.world import World

DELETED = "_Deleted"


def next_number(world: World, company_id: int, table: str) -> str:
    """The next free number of this kind of paper."""
    db = world.db
    known = db.execute("SELECT next FROM counters WHERE company_id = ? AND kind = ?", (company_id, table)).fetchone()
    counter = known[0] if known else 1
    while is_taken(world, company_id, table, f"{counter:04d}"):
        counter += 1
    db.execute("INSERT OR REPLACE INTO counters VALUES (?, ?, ?)", (company_id, table, counter + 1))
    return f"{counter:04d}"


def is_taken(
    world: World, company_id: int, table: str, number: str | None, *, but: int = 0, live: bool = False
) -> bool:
    """Whether another paper of the company has this number, in any state unless only live ones count."""
    condition = " AND deleted_at IS NULL" if live else ""
    sql = f"SELECT 1 FROM {table} WHERE company_id = ? AND number = ? AND id <> ?{condition} LIMIT 1"
    return world.db.execute(sql, (company_id, number, but)).fetchone() is not None


def of_deleted(world: World, company_id: int, table: str, number: str | None) -> str:
    """The number of a deleted invoice: `0001_Deleted`, or with the first figure that makes it unique."""
    renamed, again = f"{number or ''}{DELETED}", 0
    while is_taken(world, company_id, table, renamed):
        again += 1
        renamed = f"{number or ''}{DELETED}_{again}"
    return renamed


def of_restored(world: World, company_id: int, table: str, number: str) -> str:
    """The number from before the deletion, or the next automatic one if it was taken meanwhile."""
    before = number.partition(DELETED)[0]
    taken = is_taken(world, company_id, table, before, live=True)
    return next_number(world, company_id, table) if taken or not before else before
