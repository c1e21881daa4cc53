"""What the server keeps of a value: foreseen, or refused. Held against the sandbox, by PUT and by bulk_update."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.clients.fields import lists_for, view
from sandbox.server import running
from schemas.entities import CONTACTS
from schemas.entity import Kind, Written
from schemas.server_form import (
    CLASSIFICATIONS,
    LONG,
    NO_LISTS,
    PHONE,
    WRITABLE,
    Lists,
    Refused,
    as_sent,
    as_stored,
    check_emptied,
    list_of,
    writable,
)
from tests.connector.clients.conftest import Box
from tests.noted import Noted

held = settings(max_examples=120, derandomize=True, deadline=None, database=None)
COLUMNS = {name: field for name, field in WRITABLE.items() if field.kind is not Kind.JSON and list_of(name) is None}
TEXTS = sorted(
    name for name, f in COLUMNS.items() if f.kind is Kind.TEXT and name not in {"classification", "assigned_user_id"}
)
SETTINGS = sorted(name for name, field in WRITABLE.items() if field.inside == "settings")
LISTED = sorted(name for name in WRITABLE if list_of(name) and not WRITABLE[name].inside)
BULK = sorted(name for name, field in WRITABLE.items() if field.written is Written.BULK)
OF_CONTACTS = {f.name: f for f in CONTACTS.fields if f.written is not Written.NEVER}

odd = st.sampled_from(list(" \t\n\xa0\u200b\u2003\ufeff\x1c\x85\u180e\u00ad<>&\"'\\/%_0-.é€😀İßа日")) | st.characters(
    exclude_categories=[]
)
texts = st.text(odd, max_size=8) | st.sampled_from(
    ["", "0", " 0 ", "00", "a <b", "a < b", "a<", "</script", "null", "true"]
)
long = st.builds(
    lambda text, size: (text * size)[:size],
    st.text(odd, min_size=1, max_size=2),
    st.sampled_from([100, 101, 190, 191, 192, 255, 256]),
)
numbers = st.integers(-(10**10), 10**10) | st.decimals(-(10**7), 10**7, places=3).map(str)
anything = texts | long | numbers | st.booleans() | st.none() | st.floats() | st.just([])


class Server:
    """A sandbox with one client, which is written as an update writes it, and read again."""

    def __init__(self, box, api):
        self.box, self.api = box, api
        self.id = box.make("Formed", contacts=[{"first_name": "Ann", "email": "ann@form.test"}])["id"]
        self.lists = lists_for(api.door, WRITABLE)

    def put(self, **fields):
        """The columns after a PUT; settings among them are put into the others."""
        settings = self.raw()["settings"]
        inside = {name: fields.pop(name) for name in list(fields) if name in SETTINGS}
        self.api.door.put(f"/clients/{self.id}", {"settings": settings | inside, **fields}, repeatable=True)
        return view(self.raw())

    def raw(self):
        return self.api.door.get(f"/clients/{self.id}").json()["data"]


@pytest.fixture(scope="module")
def server():
    with running(clients=1, seed=5) as sandbox:
        box = Box(sandbox)
        api = box.api(Noted())
        with api.door:
            yield Server(box, api)


def promised(field, value, lists=NO_LISTS):
    """What is foreseen; Refused where nothing is. Foreseeing twice is foreseeing once."""
    kept = as_stored(field, value, lists)
    assert as_stored(field, kept, lists) == kept or kept is None
    return kept


def as_named(name, value, kept):
    """What is sent: of an entry of a list its id, by whatever it was named."""
    return value if kept is None or list_of(name) is None else kept


@held
@given(name=st.sampled_from(TEXTS), value=anything)
def test_a_text_is_kept_by_a_put_as_it_was_foreseen(server, name, value):
    try:
        kept = promised(COLUMNS[name], value)
        if kept is None:
            check_emptied(name, by_bulk=False)
    except Refused:
        return
    assert server.put(**{name: value})[name] == kept


@held
@given(
    name=st.sampled_from(BULK),
    value=texts | long | st.sampled_from(["276", "de", "999", "x" * LONG, "é" * (LONG // 2 + 1)]),
)
def test_a_value_is_kept_by_a_bulk_update_as_it_was_foreseen(server, name, value):
    try:
        kept = promised(WRITABLE[name], value, server.lists)
    except Refused:
        return
    server.box.bulk("bulk_update", server.id, column=name, new_value=as_named(name, value, kept))
    assert view(server.raw())[name] == kept


@held
@given(
    name=st.sampled_from(SETTINGS),
    value=anything | st.sampled_from(["1", "3", "7", "-14", "true", "no", "80.50", "-0", "0.1"]),
)
def test_a_setting_is_kept_as_it_was_foreseen_in_the_form_in_which_it_is_sent(server, name, value):
    try:
        kept = promised(WRITABLE[name], value, server.lists)
        if kept is None:
            check_emptied(name, by_bulk=False)
    except Refused:
        return
    assert server.put(**{name: as_sent(name, kept)})[name] == kept


@held
@given(
    name=st.sampled_from(LISTED),
    value=texts | st.sampled_from(["276", 276, "0276", "1", "5", "DE", "Germany", "Retail"]),
)
def test_an_id_of_a_list_is_kept_as_it_was_foreseen(server, name, value):
    try:
        kept = promised(WRITABLE[name], value, server.lists)
        if kept is None:
            check_emptied(name, by_bulk=False)
    except Refused:
        return
    assert server.put(**{name: as_named(name, value, kept)})[name] == kept


@held
@given(name=st.sampled_from(sorted(set(OF_CONTACTS) - {"email", "is_primary", "send_email"})), value=anything)
def test_a_text_of_a_contact_is_kept_as_it_was_foreseen(server, name, value):
    try:
        kept = promised(OF_CONTACTS[name], value)
    except Refused:
        return
    (contact,) = server.raw()["contacts"]
    whole = {key: contact[key] for key in ("id", *OF_CONTACTS)}
    assert server.put(contacts=[{**whole, name: value}])["contacts"][0][name] == kept


def test_flags_classes_and_mails_are_kept_as_they_were_foreseen(server):
    for value in (True, False, "yes", "0"):
        kept = promised(WRITABLE["is_tax_exempt"], value)
        assert server.put(is_tax_exempt=kept)["is_tax_exempt"] is kept
    for value in (*CLASSIFICATIONS, None):
        kept = promised(WRITABLE["classification"], value)
        assert server.put(classification=value)["classification"] == kept
    (contact,) = server.raw()["contacts"]
    for value in (" ann@form.test ", "ANN@form.test", None, f"{'x' * 60}@{'y' * 34}.test"):
        kept = promised(OF_CONTACTS["email"], value)
        assert server.put(contacts=[{"id": contact["id"], "email": value}])["contacts"][0]["email"] == kept


@pytest.mark.parametrize("size", [LONG, LONG - 1])
def test_a_long_text_is_kept_to_its_last_byte(server, size):
    for name in ("private_notes", "public_notes", "custom_value1"):
        text = "x" * size
        assert server.put(**{name: promised(COLUMNS[name], text)})[name] == text


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("name", "a <b", "HTML"),
        ("name", "a<", "HTML"),
        ("name", "<>", "HTML"),
        ("name", "a <\xa0b", "HTML"),  # a blank to us, and none to PHP
        ("name", "x" * 192, "191"),
        ("phone", "1" * (PHONE + 1), "255"),
        ("custom_value2", "é" * (LONG // 2 + 1), "65,535 bytes"),
        ("public_notes", "x</script>", "</sc"),
        ("number", "0", "new number"),
        ("number", 0, "new number"),
        ("city", " 0 ", "shows as empty"),
        ("city", 0.5, "not text"),
        ("city", True, "not text"),
        ("city", ["x"], "not text"),
        ("city", "a\x00b", "NUL"),
        ("city", "a\ud83d", "half a character"),
        ("city", " \x1cBern", "control character"),
        ("city", "Bern\u180e", "control character"),
        ("classification", "Business", "individual, business"),
        ("is_tax_exempt", "maybe", "must be true or false"),
        ("is_tax_exempt", None, "must be true or false"),
        ("send_reminders", "maybe", "must be true or false"),
        ("payment_terms", "14 days", "not a whole number"),
        ("payment_terms", "14.5", "not a whole number"),
        ("default_task_rate", "80,5", "not a number"),
        ("default_task_rate", "1e3", "not a number"),
        ("country_id", "0276", "not one of the server's countries"),
        ("country_id", "Germani", "did you mean Germany"),
        ("currency_id", "999999", "not one of the server's currencies"),
        ("industry_id", "x", "not one of the server's industries"),
    ],
)
def test_what_the_server_would_change_silently_is_refused_with_the_reason_and_without_the_value(
    server, name, value, reason
):
    with pytest.raises(Refused) as refusal:
        as_stored(WRITABLE[name], value, server.lists)
    assert reason in str(refusal.value)
    assert "Bern" not in str(refusal.value)


def test_a_custom_value_of_a_contact_is_shorter_than_one_of_a_client():
    with pytest.raises(Refused, match="191"):
        as_stored(OF_CONTACTS["custom_value1"], "x" * 192)
    assert as_stored(WRITABLE["custom_value1"], "x" * 192) == "x" * 192


@pytest.mark.parametrize("name", ["number", "country_id", "currency_id"])
def test_what_the_server_fills_by_itself_cannot_be_emptied(server, name):
    before = view(server.raw())[name]
    with pytest.raises(Refused, match="in its place"):
        check_emptied(name, by_bulk=False)
    assert server.put(**{name: None})[name] is not None
    server.put(**{name: before})


def test_a_country_can_be_emptied_by_a_bulk_update(server):
    check_emptied("country_id", by_bulk=True)
    server.box.bulk("bulk_update", server.id, column="country_id", new_value=None)
    assert view(server.raw())["country_id"] is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("balance", "only the server sets it"), ("updated_at", "only the server sets it"),
        ("id", "only the server sets it"),
        ("settings", "setting by setting"), ("e_invoice", "setting by setting"), ("shoe_size", "not a field"),
        ("contacts", "not a field"), ("client_hash", "not a field"),
    ],
)  # fmt: skip
def test_what_is_no_column_to_be_written_is_refused_with_the_reason(name, reason):
    with pytest.raises(Refused, match=reason):
        writable(name)


def test_every_column_that_the_entity_has_as_written_can_be_named():
    assert {writable(name).name for name in COLUMNS} == set(COLUMNS)


def test_a_list_that_is_not_there_is_not_checked_against():
    assert as_stored(WRITABLE["country_id"], 5) == "5"
    lists = Lists({"sizes": {"1": "1 - 3"}})
    assert as_stored(WRITABLE["size_id"], "1", lists) == "1"
    assert as_stored(WRITABLE["size_id"], "1 - 3", lists) == "1"
    with pytest.raises(Refused, match="not one of the server's sizes: did you mean 1 - 3"):
        as_stored(WRITABLE["size_id"], "1 -3", lists)


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Deutschland", "276"), ("SCHWEIZ", "756"), ("Österreich", "40"), ("Großbritannien", "826"),
        ("España", "724"), ("Royaume-Uni", "826"), ("États-Unis", "840"),
    ],
)  # fmt: skip
def test_a_country_is_known_by_its_name_in_a_language_of_its_neighbours(server, text, country):
    assert as_stored(WRITABLE["country_id"], text, server.lists) == country


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("Atlantis", "countries: write the English name or the code, such as DE"),
        ("germanY.", "countries: did you mean Germany? Or write the English name or the code, such as DE"),
    ],
)
def test_only_a_near_spelling_is_suggested(server, text, advice):
    with pytest.raises(Refused) as refused:
        as_stored(WRITABLE["country_id"], text, server.lists)
    assert str(refused.value) == f"is not one of the server's {advice}"


def test_an_entry_of_a_list_is_known_by_its_id_its_code_or_its_name(server):
    for name in ("756", "CH", "che", "Switzerland", "switzerland"):
        assert as_stored(WRITABLE["country_id"], name, server.lists) == "756"
    euro = as_stored(WRITABLE["currency_id"], "EUR", server.lists)
    assert server.lists.names["currencies"][euro] == "Euro"
    lists = Lists({"industries": {"1": "Other", "2": "Other"}})
    with pytest.raises(Refused, match=r"several of the industries: use one of the ids 1, 2"):
        as_stored(WRITABLE["industry_id"], "other", lists)


def test_a_field_that_is_misspelt_is_refused_with_the_nearest_one():
    with pytest.raises(Refused, match="did you mean city"):
        writable("ctiy")


def test_settings_are_sent_as_the_server_takes_them():
    sent = {
        name: as_sent(name, value)
        for name, value in (("send_reminders", "false"), ("default_task_rate", "80.5"), ("payment_terms", "14"))
    }
    assert sent == {"send_reminders": False, "default_task_rate": Decimal("80.5"), "payment_terms": "14"}
    assert msgspec.json.Encoder(decimal_format="number").encode(sent["default_task_rate"]) == b"80.5"
    assert [as_sent(name, None) for name in SETTINGS] == [None] * len(SETTINGS)
