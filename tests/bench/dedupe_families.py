"""Families of clients that look alike and are different: what a book-keeper must not merge.

Each function makes one family: rows with an identity each. Some pairs cannot be told apart by their data, such as two
clients "Müller" without anything else; they are not to be merged either.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.bench.dedupe_fields import (
    LANDS,
    WORDS,
    Making,
    Row,
    coined,
    domain_of,
    office_mail,
    own_number,
    register_number,
    slug,
    vat_number,
    website,
)  # fmt: skip
from tests.bench.dedupe_likes import (
    agency,
    colleagues,
    couple,
    father_son,
    household,
    namesake_company,
    namesake_person,
    neighbours,
    one_word,
    placeholder,
)  # fmt: skip
from tests.bench.dedupe_makes import PLACE, company, elsewhere, land_of, masked, seat

LANGUAGE = {"AT": "DE", "CH": "DE", "US": "GB"}
"""Countries whose offices are named as another country's."""


def numbered(m: Making) -> list[Row]:
    """Companies that differ in a number only: project companies, funds, units of one house."""
    chance = m.chance
    row = company(m, land_of(m))
    town = LANDS[row["country"]]["towns"][row["_town"]][0]
    stem = chance.choice((
        chance.choice(WORDS["projects"]), f"{coined(m)} {chance.choice(WORDS['projects'])}",
        f"{chance.choice(WORDS['projects'])} {town}", coined(m), f"{row['_stem']} {row['_trade']}",
    ))  # fmt: skip
    style, start = chance.choice("nnnnrlz"), chance.choice((1, 1, 2, chance.randint(3, 90), chance.randint(10, 30)))
    numbers = range(start, start + 40, chance.choice((1, 1, 1, 2, 3, 10)))
    same_vat = chance.random() < 0.15
    mail, form = chance.random() < 0.85, row["_form"] or chance.choice(LANDS[row["country"]]["forms"])[0]
    rows = []
    for number in list(numbers)[: chance.choice((2, 2, 3, 3, 4, 6))]:
        shown = {"n": f"{number}", "r": _roman(number), "l": "ABCDEFGHIJKLMNOP"[number % 16], "z": f"{number:02}"}[
            style
        ]
        new = {**row, **_numbers(m, row), "name": f"{stem} {shown} {form}"}
        new["vat_number"] = row["vat_number"] if same_vat else new["vat_number"]
        new["emails"] = row["emails"] if mail else [office_mail(m, row["_domain"], row["_first"], row["_last"])]
        rows.append(masked(m, new))
    return rows


def owners(m: Making) -> list[Row]:
    """Associations of flat owners with one manager: his mail and phone, often his address."""
    chance = m.chance
    row = company(m, land_of(m))
    land = row["country"]
    kinds = {
        "DE": ("WEG", "WEG", "Eigentümergemeinschaft", "Wohnungseigentümergemeinschaft", "Hausgemeinschaft"),
        "FR": ("Copropriété", "SDC", "Syndicat des copropriétaires"), "IT": ("Condominio", "Supercondominio"),
        "ES": ("Comunidad de Propietarios", "C.P."), "NL": ("VvE", "Vereniging van Eigenaars"),
        "PL": ("Wspólnota Mieszkaniowa", "WM"),
    }.get(LANGUAGE.get(land, land), ())  # fmt: skip
    ends = ("Residents' Association", "Management Company", "Freehold Ltd", "Condominium Association", "HOA")
    kind, end, street = chance.choice(kinds or ("",)), chance.choice(ends), chance.choice(LANDS[land]["streets"])
    one_street, at_managers = chance.random() < 0.5, chance.random() < 0.7
    rows, house = [], chance.randint(1, 80)
    for name in chance.sample(WORDS["houses"], chance.choice((2, 3, 3, 4, 5))):
        house += chance.choice((1, 2, 2, 4, 11))
        street = street if one_street else chance.choice(LANDS[land]["streets"])
        site = f"{house} {street}" if land == "FR" else f"{street} {house}"
        site += f"-{house + 4}" if chance.random() < 0.15 else ""
        called = f"{kind} {site}" if kinds else f"{name} {'Court' if one_street else 'House'} {end}"
        if not kinds and chance.random() < 0.3:
            called = f"{end} {name} Court"
        if called in m.used:
            continue  # another manager's house
        m.used.add(called)
        new = {**row, **_numbers(m, row), "name": called, "vat_number": None, "website": None}
        rows.append(masked(m, new if at_managers else {**new, "address": site}))
    return rows


def vat_group(m: Making) -> list[Row]:
    """A holding and its companies: one VAT number, other names."""
    chance = m.chance
    row = _house_of_firms(m)
    ends = ["Holding", "Beteiligungs", "Services", "Verwaltungs", "Group", "International", "Immobilien", "Vermögens"]
    ends += chance.sample(LANDS[row["country"]]["trades"], 8)
    forms = [form for form, _ in LANDS[row["country"]]["forms"]]
    one_house, one_domain, shared_stem = chance.random() < 0.6, chance.random() < 0.7, chance.random() < 0.8
    one_domain = one_domain and shared_stem  # else it would be one company with two names
    one_mailbox = one_domain and chance.random() < 0.4
    rows = []
    for end in chance.sample(ends, chance.choice((2, 2, 3, 4))):
        other = company(m, row["country"], row["_stem"] if shared_stem else "")
        name = f"{row['_stem']} {end} {chance.choice(forms)}" if shared_stem else other["name"]
        new = {**other, "name": name, "vat_number": row["vat_number"], "_form": ""}
        if one_house:
            new |= {field: row[field] for field in PLACE}
        if one_domain:
            new |= {
                "website": row["website"],
                "emails": [office_mail(m, row["_domain"], other["_first"], other["_last"])],
            }
        new["emails"] = row["emails"] if one_mailbox else new["emails"]
        rows.append(masked(m, new, ("vat_number",) if m.character.fill["vat_number"] > 0.1 else ()))
    return rows


def offices(m: Making) -> list[Row]:
    """Offices of one town hall or university: one VAT number, domain, most often one address, phones alike."""
    chance = m.chance
    row = company(m, land_of(m))
    land = LANGUAGE.get(row["country"], row["country"])
    university = chance.random() < 0.35
    row |= seat(m, row["country"], "university" if university else "town hall")
    town = row["city"]
    halls = {
        "DE": ("Stadt {}", "Stadtverwaltung {}", "Gemeinde {}", "Magistrat der Stadt {}"),
        "GB": ("{} City Council", "{} Borough Council", "City of {}"), "FR": ("Mairie de {}", "Ville de {}"),
        "IT": ("Comune di {}",), "ES": ("Ayuntamiento de {}",), "NL": ("Gemeente {}",), "PL": ("Urząd Miasta {}",),
    }  # fmt: skip
    schools = {
        "DE": ("Universität {}", "Hochschule {}"), "GB": ("University of {}", "{} University"),
        "FR": ("Université de {}",), "IT": ("Università di {}",), "ES": ("Universidad de {}",),
        "NL": ("Universiteit {}",), "PL": ("Uniwersytet {}",),
    }  # fmt: skip
    house = chance.choice((schools if university else halls)[land]).format(town)
    parts = WORDS["institutes" if university else "offices"][land]
    domain, between = f"{slug(house, '-')}.{row['country'].lower()}", chance.choice((", ", " - ", " ", ": ", " / "))
    moved, shared, base = chance.random() < 0.3, chance.random() < 0.25, str(row["phones"][0])
    rows = []
    for part in chance.sample(parts, min(len(parts), chance.choice((2, 3, 3, 4)))):
        other = company(m, row["country"])
        new = {**row, **_numbers(m, row), "name": f"{house}{between}{part}", "vat_number": row["vat_number"]}
        new |= {"website": f"https://www.{domain}", "persons": other["persons"], "phones": [_extension(m, base)]}
        new["emails"] = [f"{'info' if shared else slug(part.split()[-1])}@{domain}"]
        new |= {"address": other["address"]} if moved else {}
        rows.append(masked(m, new))
    return rows


def franchise(m: Making) -> list[Row]:
    """Branches of one chain: its name and domain, but another town and address, now and then its VAT number."""
    chance = m.chance
    row = company(m, land_of(m), coined(m) if chance.random() < 0.6 else "")
    land = row["country"]
    word = {"DE": "Filiale", "AT": "Filiale", "CH": "Filiale", "FR": "Agence", "IT": "Filiale di", "ES": "Sucursal",
            "NL": "Vestiging", "PL": "Oddział"}.get(land, "Branch")  # fmt: skip
    shape = chance.choice(("{0}", "{0}", "{0} {2}", "{0} {1} {2}", "{0}, {1} {2}", "{0} ({2})"))
    same_vat, one_mailbox = chance.random() < 0.3, chance.random() < 0.2
    rows: list[Row] = []
    for _ in range(chance.choice((2, 2, 3, 4))):
        other = company(m, land)
        for _ in range(10):
            if all(other["_town"] != known["_town"] for known in rows):
                break
            other |= elsewhere(m, other)
        town = LANDS[land]["towns"][other["_town"]][0]
        new = {**other, "name": shape.format(row["name"], word, town), "website": row["website"], "_form": ""}
        new["vat_number"] = row["vat_number"] if same_vat else new["vat_number"]
        local = slug(town) if chance.random() < 0.5 else slug(other["_last"])
        new["emails"] = row["emails"] if one_mailbox else [f"{local}@{row['_domain']}"]
        rows.append(new)
    return [masked(m, new, PLACE) for new in rows]


def sisters(m: Making) -> list[Row]:
    """Sister companies: a word and the domain in common, often the house and the phone."""
    chance = m.chance
    row = _house_of_firms(m)
    land = row["country"]
    house, line, mailbox = chance.random() < 0.6, chance.random() < 0.4, chance.random() < 0.4
    forms = [form for form, _ in LANDS[land]["forms"]]
    rows = []
    for trade in chance.sample(LANDS[land]["trades"], chance.choice((2, 2, 3))):
        new = company(m, land)
        new |= {"name": f"{row['_stem']} {trade} {chance.choice(forms)}", "website": row["website"], "_form": ""}
        new |= {field: row[field] for field in PLACE} if house else {}
        new |= {"phones": row["phones"] if line else [_extension(m, str(row["phones"][0]))]} if house else {}
        new["emails"] = row["emails"] if mailbox else [office_mail(m, row["_domain"], new["_first"], new["_last"])]
        rows.append(masked(m, new))
    if chance.random() < 0.25 and land in ("DE", "AT"):
        rows[-1]["name"] = f"{str(rows[0]['name']).split()[0]} Verwaltungs GmbH"
    return rows


def successive(m: Making) -> list[Row]:
    """Firms that had the same rooms one after the other: the address, now and then the phone or the trade."""
    chance = m.chance
    first = company(m, land_of(m))
    trade = first["_trade"] if chance.random() < 0.5 else ""
    second = company(m, first["country"], trade=trade)
    second |= {field: first[field] for field in PLACE}
    if chance.random() < 0.35:
        second["phones"] = first["phones"]
    return [masked(m, row, PLACE if m.character.fill["address"] > 0.1 else ()) for row in (first, second)]


NEVER: dict[str, Callable[[Making], list[Row]]] = {
    "numbered": numbered, "owners": owners, "vat group": vat_group, "offices": offices, "household": household,
    "couple": couple, "father and son": father_son, "franchise": franchise, "agency": agency, "neighbours": neighbours,
    "namesake person": namesake_person, "namesake company": namesake_company, "one word": one_word,
    "placeholder": placeholder, "sisters": sisters, "successive": successive, "colleagues": colleagues,
}  # fmt: skip


def _house_of_firms(m: Making) -> Row:
    """Return a company whose domain is the word that its sisters have in their names too."""
    row = company(m, land_of(m), coined(m) if m.chance.random() < 0.45 else "")
    domain = domain_of(m, row["_stem"], row)
    mails = [office_mail(m, domain, row["_first"], row["_last"])]
    return {**row, "_domain": domain, "website": website(m, domain), "emails": mails}


def _numbers(m: Making, row: Row) -> Row:
    land = row["country"]
    return {"vat_number": vat_number(m, land), "id_number": own_number(m) or register_number(m, land)}


def _extension(m: Making, number: str) -> str:
    return number[:-2] + f"{m.chance.randrange(100):02}"


def _roman(number: int) -> str:
    text = ""
    for value, letters in (
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ):
        text += letters * (number // value)
        number %= value
    return text
