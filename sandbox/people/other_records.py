"""A few quotes, recurring invoices, products, vendors, projects, tasks and expenses of the company's own clients."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from sandbox.papers.statuses import DRAFT, SENT
from sandbox.people.business import amount, invent, secret
from sandbox.people.filed import DESIGN, columns_of_lines
from sandbox.people.paper_lines import CATALOGUE, CENT, TAXES, lines_of
from sandbox.records.quotes import APPROVED, CONVERTED
from sandbox.records.recurring import ACTIVE, COMPLETED, PAUSED
from sandbox.store.database import Row, insert, insert_all, next_id, select
from sandbox.store.world import MICROS, World

DAY = 86_400 * MICROS
RECENT = 300
"""Days within which all of these were made."""
MONTHLY, YEARLY = 5, 11
"""Frequencies of recurring invoices."""
QUOTE_STATES = (DRAFT, SENT, SENT, SENT, APPROVED, CONVERTED)
RECURRING_STATES = (DRAFT, ACTIVE, ACTIVE, PAUSED, COMPLETED)
JOBS = ("Website relaunch", "Office move", "Umbau Lager", "Réseau", "Audit", "Training", "サポート")
WORK = ("Call with the customer", "Entwurf", "Visite sur place", "Tests", "Fixing what broke")
COSTS = ("Train tickets", "Druckerpapier", "Hotel", "Cloud server", "Lunch")


def add_other_records(world: World, company: int, clients: Sequence[int], *, seed: str) -> None:
    """Add some records of every other kind for the first of these clients."""
    if not clients:
        return
    rng, some = Random(f"others {seed}"), list(clients[:40])
    _add(world, company, "products", [_product(place) for place in range(len(CATALOGUE))], rng)
    _add(world, company, "vendors", [_vendor(rng) for _ in range(6)], rng)
    vendors = [row["id"] for row in select(world.db, "vendors", "company_id = ?", (company,))]
    insert_all(world.db, "vendor_contacts", (_vendor_contact(rng, number, world) for number in vendors))
    projects = [{"client_id": rng.choice(some), "name": name, **_budget(rng)} for name in JOBS]
    _add(world, company, "projects", projects, rng)
    made = select(world.db, "projects", "company_id = ?", (company,))
    _add(world, company, "tasks", [_task(rng, rng.choice(made), world.clock.stamp()) for _ in range(20)], rng)
    _add(world, company, "expenses", [_expense(rng, world, some, vendors) for _ in range(15)], rng)
    _add(world, company, "quotes", [_quote(rng, world, rng.choice(some), place) for place in range(18)], rng)
    _add(
        world,
        company,
        "recurring_invoices",
        [_recurring(rng, world, rng.choice(some), place) for place in range(10)],
        rng,
    )


def _add(world: World, company: int, table: str, rows: Sequence[Row], rng: Random) -> None:
    """Add rows in the order of their creation, with stamps, a state, and numbers where the kind has some."""
    first, now = next_id(world.db, table), world.clock.stamp()
    stamps = sorted(now - rng.randrange(MICROS * 60, RECENT * DAY) for _ in rows)
    for place, (row, stamp) in enumerate(zip(rows, stamps, strict=True)):
        chance, changed = rng.random(), rng.randrange(stamp, now)
        own: Row = {"id": first + place, "company_id": company, "created_at": stamp, "updated_at": changed}
        own |= {"deleted_at": changed if chance < 0.15 else None, "is_deleted": int(chance < 0.05)}  # noqa: PLR2004 - few
        own |= {} if table == "products" else {"number": f"{place + 1:04d}"}
        insert(world.db, table, row | own)
    if table != "products":
        world.db.execute("INSERT INTO counters VALUES (?, ?, ?)", (company, table, len(rows) + 1))


# ---- records without lines ------------------------------------------------------------------------------------------


def _product(place: int) -> Row:
    key, notes, price = CATALOGUE[place]
    return {"product_key": key, "notes": notes, "price": str(price), "cost": amount(price * MICROS * 6 // 10)}


def _vendor(rng: Random) -> Row:
    business = invent(rng)
    return {
        "name": business.name or "Lieferant",
        "address1": business.address,
        "postal_code": business.postal_code,
        "city": business.city,
        "country_id": business.land.country_id,
        "currency_id": int(business.land.currency_id),
        "vat_number": business.vat_number,
        "phone": business.phone,
    }


def _vendor_contact(rng: Random, vendor: int, world: World) -> Row:
    stamp = world.clock.stamp()
    own = {"vendor_id": vendor, "is_primary": 1, "email": f"orders{vendor}@example.com", "contact_key": secret(rng, 32)}
    return own | {"created_at": stamp, "updated_at": stamp}


def _budget(rng: Random) -> Row:
    return {"task_rate": str(rng.choice((0, 60, 85))), "budgeted_hours": str(rng.choice((0, 20, 80))), "color": "#fff"}


def _task(rng: Random, project: Row, now: int) -> Row:
    """Work of one to four hours, and some of it still going on."""
    started = now // MICROS - rng.randrange(4 * 3600, RECENT * 86_400)
    ended = 0 if rng.random() < 0.1 else started + rng.randrange(3600, 4 * 3600)  # noqa: PLR2004 - few are at it now
    own = {"client_id": project["client_id"], "project_id": project["id"], "description": rng.choice(WORK)}
    log = {"time_log": json.dumps([[started, ended]]), "is_running": int(not ended)}
    return own | log | {"rate": str(rng.choice((0, 80))), "status_id": 1}


def _expense(rng: Random, world: World, clients: Sequence[int], vendors: Sequence[int]) -> Row:
    day = _day(world, rng.randrange(RECENT))
    return {
        "client_id": rng.choice((None, rng.choice(clients))),
        "vendor_id": rng.choice((None, rng.choice(vendors))),
        "amount": amount(rng.randrange(500, 90_000) * CENT),
        "currency_id": 1,
        "date": day,
        "payment_date": day if rng.random() < 0.5 else None,  # noqa: PLR2004 - half are paid
        "public_notes": rng.choice(COSTS),
        "should_be_invoiced": int(rng.random() < 0.3),  # noqa: PLR2004 - some are passed on
    }


def _day(world: World, ago: int) -> str:
    now = datetime.fromtimestamp(world.clock.now(), UTC)
    return (now - timedelta(days=ago)).date().isoformat()


# ---- papers that move no figure -------------------------------------------------------------------------------------


def _lined(rng: Random) -> Row:
    worth = rng.randrange(2_000, 900_000) * CENT
    lines = lines_of(rng, worth, CENT, taxed=rng.choice((None, *TAXES)))
    return {"amount": amount(worth), "design_id": DESIGN, **columns_of_lines(lines)}


def _quote(rng: Random, world: World, client: int, place: int) -> Row:
    """A quote, open for a month: every second one still is. One that became an invoice has this invoice's lines."""
    ago, state = rng.randrange(25 if place % 2 else RECENT), QUOTE_STATES[place % len(QUOTE_STATES)]
    row = _lined(rng) | {"client_id": client, "date": _day(world, ago), "due_date": _day(world, ago - 30)}
    if state == CONVERTED:
        invoices = select(world.db, "invoices", "client_id = ? AND is_deleted = 0 LIMIT 1", (client,))
        taken = {name: invoices[0][name] for name in ("amount", "line_items", "total_taxes")} if invoices else {}
        state, row = (CONVERTED if invoices else APPROVED), row | taken
        row["invoice_id"] = invoices[0]["id"] if invoices else None
    return row | {"status_id": state}


def _recurring(rng: Random, world: World, client: int, place: int) -> Row:
    row, state = _lined(rng), RECURRING_STATES[place % len(RECURRING_STATES)]
    left = 0 if state == COMPLETED else rng.choice((-1, -1, 3, 12))
    return row | {
        "client_id": client,
        "balance": row["amount"],
        "status_id": state,
        "frequency_id": rng.choice((MONTHLY, MONTHLY, YEARLY)),
        "remaining_cycles": left,
        "next_send_date": f"{_day(world, -rng.randrange(1, 30))} 00:00:00",
        "auto_bill": "off",
        "due_date_days": "terms",
    }
