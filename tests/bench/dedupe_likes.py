"""Families of people and unrelated clients that look alike: homes, houses, namesakes, placeholders."""

from __future__ import annotations

from tests.bench.dedupe_fields import LANDS, WORDS, Making, Row, family_name, first_name, phone, private_mail, slug
from tests.bench.dedupe_makes import PLACE, client, company, elsewhere, land_of, masked, person

REACHED = ("emails", "phones")


def household(m: Making) -> list[Row]:
    """Members of one family in one home: name, address and phone, now and then the mailbox."""
    return _home(
        m, m.chance.choice((2, 2, 3, 4)), one_mailbox=m.chance.random() < 0.35, one_phone=m.chance.random() < 0.7
    )


def couple(m: Making) -> list[Row]:
    """Two people in one home, each with an own mailbox and phone."""
    return _home(m, 2, one_mailbox=False, one_phone=False)


def _home(m: Making, size: int, *, one_mailbox: bool, one_phone: bool) -> list[Row]:
    land = land_of(m)
    first = person(m, land)
    first["phones"] = [phone(m, land, first["_town"])] if one_phone else first["phones"]
    firsts = {first["_first"]}
    rows = [first]
    while len(rows) < size:
        other = person(m, land, last=first["_last"] if one_phone or m.chance.random() < 0.7 else "")
        if other["_first"] in firsts:
            continue
        firsts.add(other["_first"])
        shared = [*PLACE, *(("emails",) if one_mailbox else ()), *(("phones",) if one_phone else ())]
        rows.append({**other, **{field: first[field] for field in shared}})
    kept = ("address",) if m.character.fill["address"] > 0.1 else ()
    return [masked(m, row, kept) for row in rows]


def father_son(m: Making) -> list[Row]:
    """Firms of two people of one family and trade, at one address or with one phone."""
    chance = m.chance
    row = company(m, land_of(m))
    land, last, trade = row["country"], family_name(m, row["country"]), row["_trade"]
    first, other = first_name(m, land), first_name(m, land)
    while other == first:
        other = first_name(m, land)
    names = [f"{first} {last}", f"{other} {last}"]
    if chance.random() < 0.3:
        senior, junior = ("sen.", "jun.") if land in ("DE", "AT", "CH") else ("Sr.", "Jr.")
        names = [f"{first} {last} {senior}", f"{first} {last} {junior}"]
    shape = chance.choice(("{} {}", "{} {}", "{} - {}", "{}, Inh. {}"))
    house, line = chance.choice(((True, True), (True, False), (False, True)))
    rows = []
    for name in names:
        new = company(m, land)
        new |= {
            "name": shape.format(trade, name),
            "persons": [name],
            "_form": "",
            "emails": [private_mail(m, land, name.split()[0], last)],
        }
        new |= {field: row[field] for field in PLACE} if house else {}
        new |= {"phones": row["phones"]} if line else {}
        rows.append(masked(m, {**new, "website": None}, PLACE if house else ("phones",)))
    return rows


def agency(m: Making) -> list[Row]:
    """Clients of one accountant or agency, whose mail and phone they have; he may be their contact too."""
    chance = m.chance
    agent = company(m, land_of(m))
    shared = chance.choice((REACHED, REACHED, ("emails",), ("phones",), (*REACHED, "persons")))
    rows = []
    for _ in range(chance.choice((2, 3, 3, 4))):
        new = {**client(m, agent["country"]), **{field: agent[field] for field in shared}}
        rows.append(masked(m, {**new, "website": None}))
    return rows


def colleagues(m: Making) -> list[Row]:
    """People of one company who are clients themselves: its domain, phone or address; some records have no name."""
    chance = m.chance
    row = company(m, land_of(m))
    shared = [name for name in (*PLACE, "phones") if chance.random() < 0.5]
    nameless = chance.random() < 0.3
    rows = []
    for _ in range(chance.choice((2, 2, 3))):
        new = person(m, row["country"])
        mail = f"{slug(new['_first'])}.{slug(new['_last'])}@{row['_domain']}"
        new |= {"emails": [mail], "website": row["website"], **{name: row[name] for name in shared}}
        rows.append(masked(m, {**new, "name": None if nameless else new["name"]}, ("emails", "persons")))
    return rows


def neighbours(m: Making) -> list[Row]:
    """Clients in one house, with nothing else in common."""
    first = client(m)
    others = [client(m, first["country"]) for _ in range(m.chance.choice((1, 2, 2, 3)))]
    rows = [first, *({**other, **{field: first[field] for field in PLACE}} for other in others)]
    return [masked(m, row, ("address",) if m.character.fill["address"] > 0.1 else ()) for row in rows]


def namesake_person(m: Making) -> list[Row]:
    """People of the same ordinary name who live elsewhere."""
    land = land_of(m)
    first, last = first_name(m, land), family_name(m, land)
    return _apart(m, [person(m, land, first, last) for _ in range(m.chance.choice((2, 2, 3, 4)))])


def namesake_company(m: Making) -> list[Row]:
    """Companies of the same ordinary name elsewhere."""
    chance, land = m.chance, land_of(m)
    trade, last = chance.choice(LANDS[land]["trades"]), family_name(m, land)
    name = chance.choice(
        (
            f"{trade} {last}",
            f"{last} {trade}",
            f"{trade} {chance.choice(('Zentral', 'Central', 'Europa', 'Sonne', 'Royal', 'Adler', 'Nord'))}",
        )
    )
    form = chance.choice(LANDS[land]["forms"])[0]
    rows = []
    for _ in range(chance.choice((2, 2, 3))):
        new = company(m, land, last, trade)
        rows.append({**new, "name": f"{name} {form}" if chance.random() < 0.5 else name, "_form": ""})
    return _apart(m, rows)


def _apart(m: Making, rows: list[Row]) -> list[Row]:
    """Return the rows in different towns, and with what shows that they are different."""
    for at, row in enumerate(rows):
        for _ in range(5):
            if all(row["_town"] != other["_town"] for other in rows[:at]):
                break
            row.update(elsewhere(m, row))
    kept = PLACE if m.character.fill["address"] > 0.1 else REACHED
    return [masked(m, row, kept if m.chance.random() < 0.9 else ()) for row in rows]


def one_word(m: Making) -> list[Row]:
    """Clients with a first or a family name only, and nothing or little else."""
    land = land_of(m)
    name = first_name(m, land) if m.chance.random() < 0.5 else family_name(m, land)
    rows = []
    for _ in range(m.chance.choice((2, 3, 4))):
        new = {**person(m, land), "name": name, "persons": []}
        kept = m.chance.choice(((), (), ("city",), REACHED[:1], REACHED[1:], PLACE))
        rows.append({field: value if field[0] == "_" or field in ("name", "country", *kept) else
                     [] if isinstance(value, list) else None for field, value in new.items()})  # fmt: skip
    return rows


def placeholder(m: Making) -> list[Row]:
    """Clients that are a placeholder in name, or unrelated clients with one placeholder for data."""
    chance = m.chance
    values = {
        "vat_number": ("N/A", "n/a", "keine", "none", "000000000", "DE000000000", "-", "XX"),
        "phones": ("000000", "0", "123456", "+49 000 000000", "0000000000", "n/a"),
        "emails": ("noreply@example.com", "info@example.com", "keine@email.de", "test@test.de", "no@mail.com"),
    }  # fmt: skip
    size = chance.choice((2, 3, 4))
    if chance.random() < 0.5:
        name = chance.choice(WORDS["placeholders"])
        rows = [masked(m, {**client(m), "name": name}) for _ in range(size)]
        bare = chance.random() < 0.4
        return [{**row, "emails": [], "phones": [], "vat_number": None, "persons": []} if bare else row for row in rows]
    field = chance.choice(list(values))
    value = chance.choice(values[field])
    rows = [masked(m, client(m)) for _ in range(size)]
    return [{**row, field: value if field == "vat_number" else [value]} for row in rows]
