"""Ids are shown with their names."""

from __future__ import annotations

import pytest

from flows.ask.names import known_names, with_name

NAMES = {"country_id": {"276": "Germany"}, "size_id": {}}


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("country_id", "276", "Germany (276)"),
        ("shipping_country_id", "276", "Germany (276)"),
        ("country_id", "999", "999"),
        ("size_id", "3", "3"),
        ("city", "276", "276"),
        ("country_id", None, None),
    ],
)
def test_an_id_has_its_name_if_it_is_known(field, value, shown):
    assert with_name(field, value, NAMES) == shown


def test_the_mirror_knows_the_names(pulls, settings):
    assert known_names(settings, "main") == {}
    pulls()
    assert known_names(settings, "main")["country_id"]["276"] == "Germany"
    assert known_names(settings, "another") == {}
