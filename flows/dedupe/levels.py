"""How two clients are compared: each comparison's levels of agreement, from "nothing to compare" to "all else".

Values that go together are one comparison, or they would count twice: a mailbox and its domain, a postal code and its
city, a street and its house. Names are compared word by word. If one name holds the other, they are probably the same.
"Stern Opticians" and "Stern Builders" each have a word of their own, like two firms of one family.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from schemas.extras import needs

with needs("dedupe"):
    import splink.comparison_level_library as levels

ALIKE: Final = 0.88
"""Jaro-Winkler similarity, from 0 to 1: one or two typos in a street or a city."""
LEFT_OVER: Final = """
create temp macro left_over(a, b) as len(list_filter(a, lambda x:
    not list_contains(b, x) and coalesce(list_max(list_transform(b, lambda y: jaro_winkler_similarity(x, y))), 0) < 0.86
))
"""
"""The number of words in a name without a similar word in the other. Defined on the connection before use."""
FEWER_OWN: Final = "least(left_over(words_l, words_r), left_over(words_r, words_l))"
MORE_OWN: Final = "greatest(left_over(words_l, words_r), left_over(words_r, words_l))"
NAME_ALIKE: Final = f"(tight_l = tight_r or {FEWER_OWN} = 0)"
"""A shared key says more if the names are alike too. Otherwise it may belong to an accountant, or to a family."""
FEW_NAMESAKES: Final = 6


def comparison_levels() -> dict[str, dict[str, Any]]:
    """Return the levels of each comparison by name, in the order they are tried. The first means nothing to compare."""
    return {
        "name": _name(), "street": _street(), "place": _place(), "mail": _mail(),
        "phone": _phone(), "vat_number": _number("vat_number"), "id_number": _number("id_number"),
        "country": {
            "nothing": levels.NullLevel("country"), "same": levels.ExactMatchLevel("country"),
            "different": levels.ElseLevel(),
        },
    }  # fmt: skip


def configured(comparisons: Mapping[str, Any], weights: Mapping[str, float]) -> list[Any]:
    """Return the levels, each with its weight in bits of the odds; without weights, Splink's defaults."""
    made = []
    for name, level in comparisons.items():
        if name in weights:
            odds = 2.0 ** weights[name]
            level.configure(m_probability=odds / (1 + odds), u_probability=1 / (1 + odds))
        made.append(level.configure(label_for_charts=name))
    return made


def _name() -> dict[str, Any]:
    return {
        "nothing": levels.NullLevel("name"),
        "same": _said(f"name_l = name_r and namesakes_l <= {FEW_NAMESAKES}"),
        "same, as many are called": _said("name_l = name_r"),
        "every word alike": _said(f"tight_l = tight_r or {MORE_OWN} = 0"),
        "one holds the other": _said(f"{FEWER_OWN} = 0"),
        "alike as a whole": _said("jaro_winkler_similarity(tight_l, tight_r) >= 0.9"),
        "a rare word in common": _said("len(list_intersect(rare_words_l, rare_words_r)) >= 1"),
        "a word in common": _said("left_over(words_l, words_r) < len(words_l)"),
        "different": levels.ElseLevel(),
    }


def _street() -> dict[str, Any]:
    same, house = "street_l = street_r", "house_l = house_r"
    alike = f"({_like('street')} or starts_with(street_l, street_r) or starts_with(street_r, street_l))"
    return {
        "nothing": levels.NullLevel("street"),
        "same, and house": _said(f"{same} and {house}"),
        "alike, and house": _said(f"{alike} and {house}"),
        "same": _said(f"{same} and coalesce({house}, true)"),
        "same, another house": _said(same),
        "alike": _said(alike),
        "house alone": _said(house),
        "different": levels.ElseLevel(),
    }


def _place() -> dict[str, Any]:
    code, near = "postal_code_l = postal_code_r", "damerau_levenshtein(postal_code_l, postal_code_r) <= 1"
    city = f"(city_l = city_r or {_like('city')})"
    missing = "(postal_code_l is null or postal_code_r is null)"
    nowhere = f"{missing} and (city_l is null or city_r is null)"
    return {
        "nothing": levels.CustomLevel(nowhere, "nothing").configure(is_null_level=True),
        "same code and city": _said(f"{code} and {city}"),
        "same code": _said(code),
        "same city, a code alike": _said(f"{city} and {near}"),
        "same city, no code": _said(f"{city} and {missing}"),
        "same city, another code": _said(city),
        "a code alike": _said(near),
        "different": levels.ElseLevel(),
    }


def _mail() -> dict[str, Any]:
    nothing = "(emails_l is null or emails_r is null) and (domain_l is null or domain_r is null)"
    shared = "len(list_intersect(emails_l, emails_r)) >= 1"
    return {
        "nothing": levels.CustomLevel(nothing, "nothing").configure(is_null_level=True),
        "same mailbox, and the name alike": _said(f"{shared} and {NAME_ALIKE}"),
        "same mailbox, another name": _said(shared),
        "same domain, and the name alike": _said(f"domain_l = domain_r and {NAME_ALIKE}"),
        "same domain, another name": _said("domain_l = domain_r"),
        "another domain": _said("domain_l <> domain_r"),
        "different": levels.ElseLevel(),
    }


def _phone() -> dict[str, Any]:
    shared = "len(list_intersect(phones_l, phones_r)) >= 1"
    return {
        "nothing": levels.NullLevel("phones"),
        "same, and the name alike": _said(f"{shared} and {NAME_ALIKE}"),
        "same, another name": _said(shared),
        "different": levels.ElseLevel(),
    }


def _number(column: str) -> dict[str, Any]:
    same = f"{column}_l = {column}_r"
    return {
        "nothing": levels.NullLevel(column),
        "same, and the name alike": _said(f"{same} and {NAME_ALIKE}"),
        "same, another name": _said(same),
        "a slip of the pen": _said(f"damerau_levenshtein({column}_l, {column}_r) <= 1"),
        "different": levels.ElseLevel(),
    }


def _said(condition: str) -> Any:
    return levels.CustomLevel(condition, condition)


def _like(column: str) -> str:
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= {ALIKE}"
