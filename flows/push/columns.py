"""Map the columns of a person's file to the fields of a client: suggestions by heading, and checks of a choice.

A choice is a field's name, LEFT_OUT, SOURCE, or a key such as `key:number`, which says which client a row means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from flows.ask.ask import reading
from flows.ask.field_names import field_labels, field_name
from flows.configuration.values import Settings
from flows.push.wishes import HEADINGS, KEYS, SOURCE, Headings, checked_headings
from flows.sheets.csv_text import heading
from schemas.errors import SettingsError
from schemas.server_form import Refused, writable

LEFT_OUT: Final = ""
KEY: Final = "key:"
"""The beginning of a choice that names the client."""
KEY_WORDS: Final = {
    "key:number": "Number", "key:id_number": "ID number", "key:id": "Id in Invoice Ninja", "key:name": "Name",
    "key:email": "E-mail of a contact",
}  # fmt: skip
EMAIL_HEADINGS: Final = ("email", "e_mail", "mail", "contact_email", "email_address", "e_mail_address")
UNSURE_KEY: Final = "no column has a number: please check"
FIELD_GROUPS: Final[Mapping[str, Sequence[str]]] = {
    "Client": (
        "name", "number", "id_number", "vat_number", "classification", "is_tax_exempt", "phone", "website",
        "routing_id", "group_settings_id", "industry_id", "size_id", "assigned_user_id",
    ),
    "Address": ("address1", "address2", "postal_code", "city", "state", "country_id"),
    "Shipping address": (
        "shipping_address1", "shipping_address2", "shipping_postal_code", "shipping_city", "shipping_state",
        "shipping_country_id",
    ),
    "Custom fields": ("custom_value1", "custom_value2", "custom_value3", "custom_value4"),
    "Settings": (
        "currency_id", "language_id", "payment_terms", "valid_until", "default_task_rate", "send_reminders",
    ),
    "Notes": ("private_notes", "public_notes"),
}  # fmt: skip
HINTS: Final = {
    "payment_terms": "days", "valid_until": "days, of a quote", "default_task_rate": "price of an hour",
    "public_notes": "the client sees them", "number": "new value", "id_number": "new value",
}  # fmt: skip
"""What to know about a field before its name is chosen."""
LEAST_ALIKE: Final = 0.8
"""The least likeness of a heading to a field's name to suggest it, of 1."""
LONG_ENOUGH: Final = 4
"""Letters of a heading to compare by likeness: of shorter ones, too many are alike."""
UNKNOWN: Final = 9
"""The rank of a heading that names no field."""
CHECK: Final = "nearly the same name: please check"
OTHER_NAME: Final = "another name of the field"

Labels = Mapping[str, str]
"""The company's labels of custom fields, by field."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a column seems to be, and why; `why` is empty if the heading is the field's own name, or means none."""

    choice: str = LEFT_OUT
    why: str = ""


def labels_of(settings: Settings, source: str) -> dict[str, str]:
    """Return the company's labels of the client's custom fields, by field."""
    with reading(settings) as warehouse:
        return field_labels(warehouse).get(source, {})


def words_for(name: str, labels: Labels) -> str:
    """Return the name of a field for people, to begin a line; a custom field has the company's label unchanged."""
    words = field_name(name, labels)
    return words if name in labels else f"{words[:1].upper()}{words[1:]}"


def suggestions(columns: Sequence[str], labels: Labels) -> list[Suggestion]:
    """Suggest what each column is. No two are the same: a heading that says it best wins."""
    names = _known_names(labels)
    ranked = [_ranked(column, names) for column in columns]
    for own in KEYS:  # the safest key first; the columns of other keys are left out, not new values
        at = next((at for at, (_, field, _) in enumerate(ranked) if field == own), None)
        if at is not None:
            ranked = [(rank, LEFT_OUT if field in KEYS else field, why) for rank, field, why in ranked]
            ranked[at] = (0, f"{KEY}{own}", "" if heading(columns[at]) == own else ranked[at][2])
            break
    else:
        ranked = _with_unsure_key(columns, ranked)
    best: dict[str, int] = {}
    for at in sorted(range(len(ranked)), key=lambda place: (ranked[place][0], place)):
        best.setdefault(ranked[at][1], at)
    return [
        Suggestion(field, why) if field and best[field] == at else Suggestion(LEFT_OUT, "" if field else why)
        for at, (_, field, why) in enumerate(ranked)
    ]


def _with_unsure_key(columns: Sequence[str], ranked: Sequence[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """Let an e-mail address or a name say which client a row means, if no column has a number or an id."""
    made = list(ranked)
    email = next((at for at, column in enumerate(columns) if heading(column) in EMAIL_HEADINGS), None)
    name = next((at for at, (_, field, _) in enumerate(ranked) if field == "name"), None)
    if email is not None:
        made[email] = (0, "key:email", UNSURE_KEY)
    elif name is not None:
        made[name] = (0, "key:name", UNSURE_KEY)
    return made


def mapped(columns: Sequence[str], choices: Sequence[str], labels: Labels) -> Headings:
    """Return the headings for these choices. Raises SettingsError with advice if they cannot be."""
    for choice in dict.fromkeys(choices):
        twice = [column for column, other in zip(columns, choices, strict=True) if other == choice]
        if choice and len(twice) > 1:
            words = KEY_WORDS.get(choice) or words_for(choice, labels)
            listed = " and ".join(f"“{column}”" for column in twice)
            raise SettingsError(f"The columns {listed} are both “{words}”. Leave one of them out.")
    keys = [at for at, choice in enumerate(choices) if choice.startswith(KEY)]
    if len(keys) != 1 or choices[keys[0]] not in KEY_WORDS:
        words = ", ".join(KEY_WORDS.values())
        listed = " and ".join(f"“{columns[at]}”" for at in keys)
        raise SettingsError(
            f"The columns {listed} both say which client a row means. Choose one of them."
            if len(keys) > 1
            else f"Choose the column that says which client a row means, by: {words}."
        )
    fields = {at: choice for at, choice in enumerate(choices) if choice not in {LEFT_OUT, SOURCE} and at != keys[0]}
    if not fields:
        raise SettingsError("No column holds a value to write. Choose a field for at least one more column.")
    source_at = choices.index(SOURCE) if SOURCE in choices else None
    return checked_headings(choices[keys[0]].removeprefix(KEY), keys[0], fields, source_at)


def _known_names(labels: Labels) -> dict[str, tuple[int, str, str]]:
    """Return the headings that are known, each with how sure it is (0 is surest), its field, and why.

    A field's own name counts before a company's label of a custom field, and that before other names of a field.
    """
    fields = [name for group in FIELD_GROUPS.values() for name in group]
    return {
        **{heading(words_for(name, {})): (1, name, OTHER_NAME) for name in fields},
        **{other: (1, name, OTHER_NAME) for other, name in HEADINGS.items()},
        **{heading(text): (1, name, "your label of the custom field") for name, text in labels.items()},
        **{name: (0, name, "") for name in (*fields, *KEYS, SOURCE)},
    }


def _ranked(column: str, names: Mapping[str, tuple[int, str, str]]) -> tuple[int, str, str]:
    """Return how sure it is what a column is, the field, and why."""
    own = heading(column)
    if own in names:
        return names[own]
    try:
        writable(own)
    except Refused as reason:
        if "cannot be written" in str(reason):
            return UNKNOWN, LEFT_OUT, str(reason)
    near = get_close_matches(own, names, n=1, cutoff=LEAST_ALIKE) if len(own) >= LONG_ENOUGH else []
    return (2, names[near[0]][1], CHECK) if near else (UNKNOWN, LEFT_OUT, "")
