"""Clients entered twice: two rows of one identity, such that a book-keeper who sees both says "the same"."""

from __future__ import annotations

from collections.abc import Callable

from tests.bench.dedupe_fields import (
    LANDS,
    WORDS,
    Making,
    Row,
    coined,
    domain_of,
    family_name,
    office_mail,
    own_number,
    phone,
    private_mail,
    slug,
)  # fmt: skip
from tests.bench.dedupe_makes import FIELDS, LISTS, PLACE, client, company, elsewhere, land_of, masked, person, place
from tests.bench.dedupe_wear import exchanged, flat, slip, smudged, worn

Pair = tuple[Row, Row]
SMUDGED = 0.25
"""The share of records entered again whose mail, phone, address and VAT number have slips of the pen as well."""
PROOFS = ("emails", "phones", "address", "vat_number")
TITLES = {
    "DE": ("Herr", "Frau", "Herrn", "Dr.", "Prof. Dr.", "Fam."), "GB": ("Mr", "Mrs", "Ms", "Dr", "Mr."),
    "FR": ("M.", "Mme", "Monsieur", "Madame", "Dr"), "IT": ("Sig.", "Sig.ra", "Dott.", "Avv."),
    "ES": ("Sr.", "Sra.", "D.", "Dña."), "NL": ("Dhr.", "Mevr.", "Mw.", "Drs."), "PL": ("Pan", "Pani", "p."),
}  # fmt: skip
FIRM = {"DE": ("Fa.", "Firma"), "GB": ("The", "Messrs"), "FR": ("Ets", "Sté"), "IT": ("Ditta", "Soc."),
        "ES": ("Empresa",),         "NL": ("Firma", "Fa."), "PL": ("Firma", "P.H.U.")}  # fmt: skip
LANGUAGE = {"AT": "DE", "CH": "DE", "US": "GB"}


def proofs(m: Making, row: Row, count: int = 1, of: tuple[str, ...] = PROOFS) -> tuple[str, ...]:
    """Return fields that both records keep, and that prove that they are one: most often those that the book fills."""
    rare = not row["_person"] and str(row["_stem"]) in str(row["name"]) and row["_stem"] != row["_last"]
    if rare and of == PROOFS and count == 1 and m.chance.random() < 0.12:
        return ("city", "postal_code")  # a made-up name and a town are enough
    known = [field for field in of if row.get(field)]
    chosen: list[str] = []
    while known and len(chosen) < count:
        weights = [m.character.fill[field] ** 2 + 0.02 for field in known]
        chosen.append(m.chance.choices(known, weights)[0])
        known.remove(chosen[-1])
    return tuple(place_of for field in chosen for place_of in (PLACE if field == "address" else (field,)))


def again(m: Making, row: Row, keep: tuple[str, ...], **changes: object) -> Pair:
    """Return the row as entered first, and as another person enters it, with these changes."""
    smudges = m.chance.random() < SMUDGED and not {"persons", "address"} & set(changes) and "persons" not in keep
    if smudges:
        keep = tuple(dict.fromkeys((*keep, *proofs(m, row, 2))))
    first = masked(m, row, keep)
    second = {**row, **changes, "id_number": own_number(m) or row["id_number"]}
    second = worn(m, masked(m, second, keep), (*keep, *changes))
    if smudges:
        second |= smudged(m, {field: second[field] for field in keep if field not in changes})
    return first, second


def copied(m: Making) -> Pair:
    """The same name entered again, with data spelt in another way."""
    row = client(m)
    return again(m, row, proofs(m, row))


def retyped(m: Making) -> Pair:
    """A name with slips of the pen."""
    row = client(m)
    words = str(row["name"]).split(" ")
    at = len(words) - 1 if row["_person"] else max(range(len(words)), key=lambda place: len(words[place]))
    words[at] = slip(m, words[at])
    if not row["_person"] and m.chance.random() < 0.2:
        words[at] = slip(m, words[at])
    return again(m, row, proofs(m, row), name=" ".join(words))


def legal_form(m: Making) -> Pair:
    """A legal form left out, written out, or wrong."""
    chance, land = m.chance, land_of(m)
    row = company(m, land)
    bare = str(row["name"]).removesuffix(row["_form"]).strip()
    form, alias = chance.choice(LANDS[land]["forms"])
    row |= {"name": f"{bare} {row['_form'] or form}"}
    alias = next((other for known, other in LANDS[land]["forms"] if known == row["_form"] and other), alias)
    new = chance.choice((bare, bare, f"{bare} {alias}".strip(), f"{bare} {form}", f"{bare}, {row['_form'] or form}"))
    return again(m, row, proofs(m, row), name=new)


def digits(m: Making) -> Pair:
    """Digits exchanged in a phone number, postal code or VAT number."""
    row = client(m)
    kept = proofs(m, row, 2)
    fields = [field for field in ("phones", "postal_code", "vat_number") if row[field]]
    field = m.chance.choices(fields, [m.character.fill[one] + 0.01 for one in fields])[0]
    value = row[field][0] if field == "phones" else row[field]
    new = exchanged(m, str(value))
    return again(m, row, (*kept, field), **{field: [new] if field == "phones" else new})


def transliterated(m: Making) -> Pair:
    """A name in other letters: without accents, or from Greek, Cyrillic, Arabic or Chinese."""
    row = client(m)
    for _ in range(30):
        if slug(row["name"]) != str(row["name"]).lower().replace(" ", "") and not str(row["name"]).isascii():
            break
        row = client(m)
    if m.chance.random() < 0.35:
        firsts, lasts = m.chance.choice(list(WORDS["scripts"].values()))
        one, two = m.chance.choice(firsts), m.chance.choice(lasts)
        written, latin = f"{one[0]} {two[0]}", f"{one[1]} {two[1]}"
        row = {**person(m, row["country"], one[1], two[1]), "name": written, "persons": [written]}
        return again(m, row, proofs(m, row), name=latin, persons=[latin])
    new = str(row["name"])
    pairs = ("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue"), ("ß", "ss")
    if m.chance.random() < 0.3:
        pairs = tuple((letter, plain[0]) for letter, plain in pairs)
    for letter, plain in pairs:
        new = new.replace(letter, plain)
    return again(m, row, proofs(m, row), name=flat(new))


def sparse(m: Making) -> Pair:
    """A second record with nothing but a name and one more field."""
    row = client(m)
    kept = proofs(m, row, 1, ("emails", "phones", "address") if row["_person"] else PROOFS)
    if not row["_person"] and m.chance.random() < 0.25:
        row = company(m, row["country"], coined(m))
        kept = ("city",)
    first = masked(m, row, kept)
    bare = str(row["name"]).removesuffix(row["_form"]).strip() if m.chance.random() < 0.4 else row["name"]
    empty = {field: [] if field in LISTS else None for field in FIELDS if field not in (*kept, "country")}
    return first, {**row, **empty, "name": bare, "id_number": own_number(m)}


def word_order(m: Making) -> Pair:
    """Words of the name in another order."""
    row = client(m)
    bare = str(row["name"]).removesuffix(row["_form"]).strip()
    words = bare.split(" ")
    if row["_person"]:
        new = m.chance.choice((f"{row['_last']}, {row['_first']}", f"{row['_last']} {row['_first']}"))
    else:
        turned = [words[-1], *words[:-1]] if "&" in words else [*words[1:], words[0]]
        new = " ".join(turned) if len(words) > 1 else f"{row['_form']} {bare}"
    return again(m, row, proofs(m, row), name=new)


def initials(m: Making) -> Pair:
    """A first name shortened to its letter."""
    land = land_of(m)
    row = person(m, land) if m.chance.random() < 0.75 else company(m, land)
    letter = m.chance.choice((f"{row['_first'][0]}.", row["_first"][0]))
    if row["_person"]:
        return again(m, row, proofs(m, row, 1, ("emails", "phones")), name=f"{letter} {row['_last']}")
    row["name"] = f"{row['_trade']} {row['_first']} {row['_last']}"
    return again(m, row, proofs(m, row, 2), name=f"{row['_trade']} {letter} {row['_last']}")


def moved(m: Making) -> Pair:
    """Another address, but the same name, and the same mailbox or phone."""
    row = client(m)
    if not row["_person"]:
        row["emails"] = [private_mail(m, row["country"], row["_first"], row["_last"])]
    kept = proofs(m, row, m.chance.choice((1, 1, 2)), ("emails", "phones"))
    new = elsewhere(m, row) if m.chance.random() < 0.5 else place(m, row["country"])
    shown = PLACE if m.character.fill["address"] > 0.1 else ()
    return again(m, row, (*kept, *shown), **{field: new[field] for field in PLACE})


def trading_name(m: Making) -> Pair:
    """A trading name and a legal name with no word in common."""
    chance, land = m.chance, land_of(m)
    row = company(m, land)
    last, form = row["_last"], chance.choice(LANDS[land]["forms"])[0]
    legal = chance.choice((
        f"{row['_first']} {last}", f"{last} {chance.choice(LANDS[land]['trades'])} {form}", f"{coined(m)} {form}",
        f"{row['_first']} {last} {form}",
    ))  # fmt: skip
    row["name"] = f"{chance.choice(LANDS[land]['trades'])} {coined(m)}"
    domain = domain_of(m, row["name"], row)
    row |= {"_domain": domain, "emails": [office_mail(m, domain, row["_first"], last)]}
    kept = ("vat_number", *PLACE, chance.choice(("emails", "phones")))
    if not row["vat_number"] or chance.random() < 0.5:
        kept = ("emails", "phones", *PLACE, "persons")
    return again(m, row, kept, name=legal)


def contact_only(m: Making) -> Pair:
    """A record without a name, which has only a contact and a mail address; the other has the name too."""
    row = client(m)
    if not row["_person"]:
        own = f"{slug(row['_first'])}.{slug(row['_last'])}@{row['_domain']}"
        private = private_mail(m, row["country"], row["_first"], row["_last"])
        row["emails"] = [private if m.chance.random() < 0.3 else own]
    row["persons"] = row["persons"][:1]
    name = m.chance.choice((None, ""))
    first, second = again(m, row, ("emails", "persons"), name=name)
    return first, {**second, "name": name, "address": None, "website": None, "vat_number": None}


def contact_person(m: Making) -> Pair:
    """A company, and its contact entered as a private person with the same mailbox and phone."""
    row = company(m, land_of(m))
    first, last = row["_first"], row["_last"]
    row |= {"emails": [f"{slug(first)}.{slug(last)}@{row['_domain']}"], "persons": [f"{first} {last}"]}
    if m.chance.random() < 0.5:
        row["name"] = f"{row['_trade']} {first} {last}"
    return again(m, row, ("emails", "phones", "persons"), name=f"{first} {last}", vat_number=None)


def abbreviation(m: Making) -> Pair:
    """A word of the name abbreviated."""
    row = company(m, land_of(m))
    full, short = m.chance.choice(WORDS["abbreviations"])
    stem, form = row["_stem"], row["_form"]
    name = m.chance.choice(("{0} {1} {2}", "{1} {0} {2}")).format(stem, "{}", form).strip()
    return again(m, {**row, "name": name.format(full)}, proofs(m, row), name=name.format(short))


def title(m: Making) -> Pair:
    """A title or "Firma" before the name."""
    row = client(m)
    land = LANGUAGE.get(row["country"], row["country"])
    before = m.chance.choice((TITLES if row["_person"] else FIRM)[land])
    return again(m, row, proofs(m, row), name=f"{before} {row['name']}")


def suburb(m: Making) -> Pair:
    """The part of the town instead of the town, or beside it."""
    row = client(m)
    for _ in range(40):
        town, _, suburbs = LANDS[row["country"]]["towns"][row["_town"]]
        if suburbs:
            break
        row = client(m)
    part = m.chance.choice(suburbs or ["Nord", "Süd", "Centre"])
    city = m.chance.choice((part, f"{town}-{part}", f"{town} {part}", f"{part}, {town}", f"{town} ({part})"))
    kept = proofs(m, row, 1, ("emails", "phones", "address"))
    return again(m, {**row, "city": town}, (*kept, "city"), city=city)


def married(m: Making) -> Pair:
    """A new family name, of which the old one is a part, or not; the mailbox is the old one."""
    land = land_of(m)
    row = person(m, land)
    other = family_name(m, land)
    last = m.chance.choice((f"{row['_last']}-{other}", f"{row['_last']}-{other}", f"{other}-{row['_last']}", other))
    of = ("emails", "phones") if last == other else ("emails", "phones", "address")
    kept = proofs(m, row, 2 if last == other else 1, of)
    return again(m, row, kept, name=f"{row['_first']} {last}", persons=[f"{row['_first']} {last}"])


def swapped(m: Making) -> Pair:
    """Values in the wrong field: the company's name in the line for the address, or city and postal code."""
    row = company(m, land_of(m))
    kept = proofs(m, row, 2, ("emails", "phones", "vat_number"))
    if m.chance.random() < 0.5:
        return again(m, row, (*kept, "persons"), name=f"{row['_first']} {row['_last']}", address=row["name"])
    return again(m, row, (*kept, *PLACE), city=row["postal_code"], postal_code=row["city"])


def other_contact(m: Making) -> Pair:
    """A company entered again with another contact: his mailbox at the same domain, his phone."""
    row = company(m, land_of(m))
    other = person(m, row["country"])
    row["emails"] = [office_mail(m, row["_domain"], row["_first"], row["_last"])]
    mail = f"{slug(other['_first'])}.{slug(other['_last'])}@{row['_domain']}"
    kept = (
        *(PLACE if m.character.fill["address"] > 0.1 else ("city", "postal_code")),
        *proofs(m, row, 1, ("vat_number", "website")),
    )
    changes = {"emails": [mail], "persons": other["persons"], "phones": [phone(m, row["country"], row["_town"])]}
    return again(
        m, row, kept, **{field: value if m.character.fill[field] > 0.1 else [] for field, value in changes.items()}
    )


ONE: dict[str, Callable[[Making], Pair]] = {
    "copied": copied, "retyped": retyped, "legal form": legal_form, "digits": digits, "transliterated": transliterated,
    "sparse": sparse, "word order": word_order, "initials": initials, "moved": moved, "trading name": trading_name,
    "contact only": contact_only, "contact person": contact_person, "abbreviation": abbreviation, "title": title,
    "suburb": suburb, "married": married, "swapped": swapped, "other contact": other_contact,
}  # fmt: skip
