"""How two clients are compared: each comparison's levels, from the strongest agreement to the strongest conflict.

Values that go together are one comparison, or they would count twice: a mailbox and its domain, a postal code and its
city, a street and its house. Names are compared word by word. If one name holds the other, they are probably the same.
"Stern Opticians" and "Stern Builders" each have a word of their own, like two firms of one family.

A level's place is its rank: no level weighs more than the one before it, an agreement never speaks against, a conflict
never for. A hard conflict keeps two clients apart whatever else agrees: two companies of one owner share everything
but the number in their names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from flows.dedupe.parts import PART


@dataclass(frozen=True, slots=True)
class Level:
    """A degree of agreement or conflict: its name, the reason in words ("" to say none), and its condition in SQL.

    The condition sees both clients' columns of known.sql, as `name_l` and `name_r`, and the columns of PAIR.
    """

    name: str
    reason: str
    condition: str
    agrees: bool = True
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """Values compared together: the condition under which there is nothing to compare, and the levels by rank."""

    name: str
    nothing: str
    levels: Sequence[Level]

    @property
    def agreeing(self) -> int:
        """Return the number of levels that agree; these come first."""
        return sum(level.agrees for level in self.levels)

    @property
    def hard(self) -> list[int]:
        """Return the ranks of its hard conflicts."""
        return [rank for rank, level in enumerate(self.levels, 1) if level.hard]


def _for(name: str, condition: str, reason: str) -> Level:
    return Level(name, reason, condition)


def _against(name: str, condition: str = "true", *, reason: str, hard: bool = False) -> Level:
    return Level(name, reason, condition, agrees=False, hard=hard)


COLUMNS: Final = (
    "id", "name", "words", "tight", "numbers", "given", "initials", "lone", "personal", "form", "named", "persons",
    "street", "house", "city", "postal_code", "country", "namesakes", "vat_valid", "domain_holders", "townsmen",
    "vat_number", "vat_digits", "any_vat", "id_number", "any_id", "domain", "emails", "few_emails", "phones",
    "few_phones", "rare_words",
)  # fmt: skip
_ONE_INVALID: Final = "not (vat_valid_l and vat_valid_r)"
_LEFT: Final = "list_filter(words_{}, lambda x: not list_contains(words_{}, x))"
_GIVEN: Final = "list_filter(given_{}, lambda x: not list_contains(given_{}, x))"
STEPS: Final = (
    {
        "left_l": _LEFT.format("l", "r"), "left_r": _LEFT.format("r", "l"),
        "given_left_l": _GIVEN.format("l", "r"), "given_left_r": _GIVEN.format("r", "l"),
        "mail": "coalesce(list_has_any(emails_l, emails_r), false)",
        "phone": "coalesce(list_has_any(phones_l, phones_r), false)",
        "person": "coalesce(list_has_any(persons_l, persons_r), false)",
        "vat": f"coalesce(vat_number_l = vat_number_r or (vat_digits_l = vat_digits_r and {_ONE_INVALID}), false)",
        "id_same": "coalesce(id_number_l = id_number_r, false)",
        "house": "coalesce(street_l = street_r and house_l = house_r"
                 " and coalesce(city_l = city_r, postal_code_l = postal_code_r, false), false)",
        "single": "least(len(words_l), len(words_r)) = 1",
    },
    {
        "own_l": "left_over(left_l, left_r)", "own_r": "left_over(left_r, left_l)",
        "letters": "list_has_any(list_transform(list_concat(left_l, left_r), lambda x: length(x) = 1), [true])",
        "part": " or ".join(
            f"(len(list_filter({a}, lambda x: regexp_matches(x, '{PART}') and len(list_filter({b},"
            " lambda y: word_alike(x, y))) = 0)) > 0)" for a, b in (("left_l", "left_r"), ("left_r", "left_l"))
        ),
        "unlike_first": "coalesce(unlike_given(given_left_l, given_left_r,"
                        " list_intersect(initials_l, initials_r)), false)",
    },
    {"fewer_own": "least(own_l, own_r)", "more_own": "greatest(own_l, own_r)"},
    {"alike": "name_l is not null and name_r is not null and (tight_l = tight_r or fewer_own = 0)"},
    {"own_words": "coalesce(not alike and len(left_l) < len(words_l) and not (personal_l or personal_r)"
                  " and named_l and named_r, false)",
     "two_firms": "coalesce(not alike and named_l and named_r and vat and form_l is not null and form_r is not null"
                  " and damerau_levenshtein(tight_l, tight_r) > greatest(length(tight_l), length(tight_r)) / 5, false)",
     "a_part": "coalesce(fewer_own = 0 and part and not (personal_l or personal_r) and named_l and named_r, false)",
     "two_lone": "coalesce(not alike and lone_l and lone_r and named_l and named_r, false)"},
    {"backed": "(person or vat or id_same or house) and not own_words"},
)  # fmt: skip
"""What several comparisons look at, computed once a pair, in steps that build on each other."""

_SAME_NAME: Final = "name_l = name_r"
_FEW: Final = f"{_SAME_NAME} and not single and namesakes_l <= 3"
_SLIP: Final = "length(tight_l) > 5 and damerau_levenshtein(tight_l, tight_r) <= 1"
_NAME: Final = Comparison(
    "name",
    "name_l is null or name_r is null or (not (named_l and named_r) and more_own > 0)",
    (
        _for("same, held by few", f"{_FEW} and not (personal_l or personal_r)", "same name"),
        _for("same person's, held by few", _FEW, "same name"),
        _for("same, held by many", f"{_SAME_NAME} and not single", "same name"),
        _for("every word alike", "(tight_l = tight_r or (more_own = 0 and not letters)) and not single", "names alike"),
        _for("initials fit", "more_own = 0 and not single", "names alike but for initials"),
        _for("same single word", f"{_SAME_NAME} and not lone_l and namesakes_l <= 3", "same name"),
        _for("one holds the other", "fewer_own = 0 and not single", "one name holds the other"),
        _for("single word with a slip", f"not lone_l and not lone_r and {_SLIP}", "names alike"),
        _for("single word alike", "more_own = 0", "names alike"),
        _for(
            "alike as a whole",
            "not own_words and damerau_levenshtein(tight_l, tight_r) <= greatest(length(tight_l), length(tight_r)) / 5",
            "names alike",
        ),
        _for("one holds a coined word", "fewer_own = 0 and not lone_l and not lone_r", "one name holds the other"),
        _for("one holds a single word", "fewer_own = 0", "one name holds the other"),
        _for("rare word in common", "list_has_any(rare_words_l, rare_words_r)", "names share a word"),
        _against("word in common", "len(left_l) < len(words_l)", reason="names share only a common word"),
        _against("different", reason="different names"),
    ),
)
_NUMBERS: Final = Comparison(
    "numbers",
    "len(numbers_l) + len(numbers_r) = 0 or name_l is null or name_r is null",
    (
        _for("same", "numbers_l = numbers_r", "same number in the name"),
        _against("one has one", "len(numbers_l) = 0 or len(numbers_r) = 0", reason="a number in one name only"),
        _against("different", reason="different numbers in the names", hard=True),
    ),
)  # fmt: skip
_A_FORM_LESS: Final = "(form_l is null or form_r is null)"
_OWN_WORD: Final = "each name has a word of its own"
_OWN: Final = Comparison(
    "own words",
    "not (own_words or two_firms or a_part or two_lone)",
    (
        _against(
            "each beside two in common, one mailbox",
            f"own_words and mail and len(words_l) - len(left_l) >= 2 and {_A_FORM_LESS} and jaro_winkler_similarity("
            "list_aggregate(left_l, 'string_agg', ''), list_aggregate(left_r, 'string_agg', '')) < 0.7",
            reason=_OWN_WORD, hard=True,
        ),
        _against("each beside common ones", f"own_words and {_A_FORM_LESS}", reason=_OWN_WORD),
        _against("of a part", "a_part", reason="one name is of a part", hard=True),
        _against("in two companies' names", reason=_OWN_WORD, hard=True),
    ),
)  # fmt: skip
_FORM: Final = Comparison(
    "legal form",
    "form_l is null or form_r is null or starts_with(form_l, form_r) or starts_with(form_r, form_l)",
    (_against("different", reason="different legal form"),),
)
_FIRST: Final = Comparison(
    "first names",
    "not unlike_first or (person and not (named_l and named_r))",
    (_against("different", reason="different first names", hard=True),),
)
_PERSON: Final = Comparison(
    "person",
    "persons_l is null or persons_r is null"
    " or (name_l = name_r and len(given_l) > 0 and len(list_intersect(persons_l, persons_r)) <= 1)",
    (
        _for("same", "person", "same person"),
        _against("different", reason="different persons"),
    ),
)
_STREETS: Final = (
    "(jaro_winkler_similarity(street_l, street_r) >= 0.9"
    " or starts_with(street_l, street_r || ' ') or starts_with(street_r, street_l || ' '))"
)
_STREET: Final = Comparison(
    "street",
    "street_l is null or street_r is null",
    (
        _for("same, and house", "street_l = street_r and house_l = house_r", "same street and house"),
        _for("alike, and house", f"{_STREETS} and house_l = house_r", "similar street, same house"),
        _for("same", "street_l = street_r and (house_l is null or house_r is null)", "same street"),
        _for("alike", f"{_STREETS} and (house_l is null or house_r is null)", "similar street"),
        _against("another house", _STREETS, reason="same street, another house"),
        _against("different", reason="different street"),
    ),
)
_CITY: Final = (
    "(city_l = city_r or jaro_winkler_similarity(city_l, city_r) >= 0.9"
    " or starts_with(city_l, city_r || ' ') or starts_with(city_r, city_l || ' '))"
)
_NO_CODE: Final = "(postal_code_l is null or postal_code_r is null)"
_PLACE: Final = Comparison(
    "place",
    f"{_NO_CODE} and (city_l is null or city_r is null)",
    (
        _for("same code and city", f"postal_code_l = postal_code_r and {_CITY}", "same place"),
        _for("same code", "postal_code_l = postal_code_r", "same postal code"),
        _for(
            "same city, code alike", f"{_CITY} and damerau_levenshtein(postal_code_l, postal_code_r) <= 1", "same city"
        ),
        _for("city of few", f"{_CITY} and {_NO_CODE} and greatest(townsmen_l, townsmen_r) <= 0.05", "same city"),
        _for("same city", f"{_CITY} and {_NO_CODE}", "same city"),
        _against("code alike", "damerau_levenshtein(postal_code_l, postal_code_r) <= 1", reason="different place"),
        _against("another code", _CITY, reason="different postal code"),
        _against("different, but the house", "street_l = street_r and house_l = house_r", reason="different place"),
        _against("different", reason="different place"),
    ),
)
_MAIL: Final = Comparison(
    "mail",
    "(emails_l is null or emails_r is null) and (domain_l is null or domain_r is null)",
    (
        _for(
            "private, held by few, names alike",
            "alike and list_has_any(few_emails_l, few_emails_r) and domain_l is null and domain_r is null",
            "same e-mail address",
        ),
        _for("held by few, names alike", "alike and list_has_any(few_emails_l, few_emails_r)", "same e-mail address"),
        _for("names alike", "alike and mail", "same e-mail address"),
        _for("held by few, backed", "backed and list_has_any(few_emails_l, few_emails_r)", "same e-mail address"),
        _for("held by few", "list_has_any(few_emails_l, few_emails_r)", "same e-mail address"),
        _for("same", "mail", "same e-mail address"),
        _for("domain of few, names alike", "domain_l = domain_r and domain_holders_l <= 3 and alike", "same domain"),
        _for("same domain, names alike", "domain_l = domain_r and alike", "same domain"),
        _for("same domain", "domain_l = domain_r", "same domain"),
        _against("different", "domain_l is null or domain_r is null", reason="different e-mail address"),
        _against("different domain", reason="different domain"),
    ),
)
_PHONE: Final = Comparison(
    "phone",
    "phones_l is null or phones_r is null",
    (
        _for("held by few, names alike", "alike and list_has_any(few_phones_l, few_phones_r)", "same phone"),
        _for("names alike", "alike and phone", "same phone"),
        _for("held by few, backed", "backed and list_has_any(few_phones_l, few_phones_r)", "same phone"),
        _for("held by few", "list_has_any(few_phones_l, few_phones_r)", "same phone"),
        _for("same", "phone", "same phone"),
        _against("different", reason="different phone"),
    ),
)
_VAT: Final = Comparison(
    "vat number",
    "any_vat_l is null or any_vat_r is null or (any_vat_l = any_vat_r and not vat)",
    (
        _for("same, names alike", "vat and alike", "same VAT number"),
        _for("same", "vat", "same VAT number"),
        _against(
            "a slip",
            f"{_ONE_INVALID} and damerau_levenshtein(any_vat_l, any_vat_r) <= 1",
            reason="VAT numbers differ by a digit",
        ),
        _against("different", _ONE_INVALID, reason="different VAT number"),
        _against("different, and valid", reason="different VAT number", hard=True),
    ),
)
_DIGITS: Final = "regexp_replace(any_id_{}, '[^0-9]', '', 'g')"
_ID: Final = Comparison(
    "id number",
    "any_id_l is null or any_id_r is null or (any_id_l = any_id_r and not id_same)",
    (
        _for("same, names alike", "id_same and alike", "same ID number"),
        _for("same", "id_same", "same ID number"),
        _for("same digits", f"{_DIGITS.format('l')} = {_DIGITS.format('r')}", "same digits in the ID number"),
        _against("a slip", "damerau_levenshtein(any_id_l, any_id_r) <= 1", reason="ID numbers differ by a digit"),
        _against("different", reason="different ID number", hard=True),
    ),
)
_COUNTRY: Final = Comparison(
    "country",
    "country_l is null or country_r is null",
    (_for("same", "country_l = country_r", ""), _against("different", reason="different country")),
)
COMPARISONS: Final[Sequence[Comparison]] = (
    _NAME, _OWN, _FORM, _NUMBERS, _FIRST, _PERSON, _STREET, _PLACE, _MAIL, _PHONE, _VAT, _ID, _COUNTRY,
)  # fmt: skip
