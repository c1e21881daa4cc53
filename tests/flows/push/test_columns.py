"""Columns of people's files: suggested by their headings, checked as they are chosen."""

from __future__ import annotations

import pytest

from flows.push.columns import FIELD_GROUPS, Suggestion, mapped, suggestions, words_for
from schemas.errors import SettingsError
from schemas.server_form import WRITABLE

LABELS = {"custom_value2": "Kundentyp"}


def choices(*columns):
    return [suggestion.choice for suggestion in suggestions(columns, LABELS)]


def test_every_field_that_can_be_written_can_be_chosen_once():
    offered = [name for names in FIELD_GROUPS.values() for name in names]
    assert sorted(offered) == sorted(set(WRITABLE) - {"settings", "e_invoice"})
    words = [words_for(name, LABELS) for name in offered]
    assert len(set(words)) == len(words)
    assert words_for("custom_value2", LABELS) == "Kundentyp"


def test_headings_are_recognised_by_name_synonym_label_words_and_near_spelling():
    assert suggestions(["City", "ZIP", "kundentyp", "Hourly rate", "Cuntry", "Colour"], LABELS) == [
        Suggestion("city", ""), Suggestion("postal_code", "another name of the field"),
        Suggestion("custom_value2", "your label of the custom field"),
        Suggestion("default_task_rate", "another name of the field"),
        Suggestion("country_id", "nearly the same name: please check"), Suggestion("", ""),
    ]  # fmt: skip


def test_the_words_of_every_field_are_recognised():
    offered = [name for names in FIELD_GROUPS.values() for name in names if name not in {"number", "id_number"}]
    assert choices("id", *(words_for(name, LABELS) for name in offered)) == ["key:id", *offered]


def test_the_safest_key_names_the_client_and_the_other_keys_are_no_new_values():
    assert choices("Number", "City") == ["key:number", "city"]
    assert choices("ID", "Number", "ID number", "City") == ["key:id", "", "", "city"]
    assert choices("City", "ID number") == ["city", "key:id_number"]


def test_without_a_number_an_e_mail_address_or_a_name_says_which_client_a_row_means():
    assert choices("Name", "City") == ["key:name", "city"]
    assert choices("Name", "E-Mail", "City") == ["name", "key:email", "city"]
    assert choices("Name", "E-Mail", "Number") == ["name", "", "key:number"]
    assert suggestions(["Name"], {})[0].why == "no column has a number: please check"


def test_of_two_columns_for_one_field_the_better_heading_wins():
    assert choices("Town", "City", "Cty", "id") == ["", "city", "", "key:id"]


def test_a_column_that_only_the_server_sets_is_left_out_with_the_reason():
    assert suggestions(["balance"], {}) == [Suggestion("", "cannot be written: only the server sets it")]


def test_a_choice_becomes_the_headings_of_a_plan():
    made = mapped(["Kunde", "Ort", "Firma", "Bem."], ["key:number", "city", "source", ""], LABELS)
    assert (made.key, made.key_at, made.source_at, dict(made.fields)) == ("number", 0, 2, {1: "city"})


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (["key:number", "city", "city"], "“Ort” and “Town” are both “City”"),
        (["key:number", "custom_value2", "custom_value2"], "both “Kundentyp”"),
        (["", "city", ""], "Choose the column that says which client a row means, by: Number, ID number"),
        (["key:number", "key:id", "city"], "“Kunde” and “Ort” both say which client"),
        (["key:number", "", ""], "No column holds a value to write"),
        (["key:nonsense", "city", ""], "Choose the column that says which client"),
        (["key:number", "nonsense", ""], "nonsense is not a field"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_with_words(chosen, words):
    with pytest.raises(SettingsError, match=words):
        mapped(["Kunde", "Ort", "Town"], chosen, LABELS)
