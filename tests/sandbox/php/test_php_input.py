"""Input at the edges of what PHP reads, which odd requests found."""

from __future__ import annotations

import base64

import pytest

from sandbox.php.input import DEEPEST, MOST_FIELDS, read_input
from sandbox.php.text import whole_number

JSON = "application/json"


@pytest.mark.parametrize(
    "body",
    [
        b'{"name":NaN}',
        b'{"name":"\\ud800"}',
        b'{"name":"\xff"}',
        b"[" * 100_000,
        b'{"name":' + b"[" * 64 + b"]" * 64 + b"}",
    ],
)
def test_what_is_no_json_to_php_is_no_data(body):
    assert read_input("", body, JSON) == {}


def test_what_is_json_to_php_is_data():
    deep = b"[" * (DEEPEST - 1) + b"]" * (DEEPEST - 1)
    assert read_input("", b'{"name":"\\ud83d\\ude00", "a":' + deep + b"}", JSON)["name"] == "😀"


def test_numbers_beyond_64_bits_are_floats_and_beyond_those_infinite():
    body = b'{"a":9223372036854775808, "b":1e400, "c":-12, "d":' + b"9" * 400 + b"}"
    assert read_input("", body, JSON) == {"a": 2.0**63, "b": "INF", "c": -12, "d": "INF"}


def test_an_infinite_name_is_a_text(api):
    answer = api.post("/api/v1/group_settings", content=b'{"name":1e400}', headers={"Content-Type": JSON})
    assert answer.json()["data"]["name"] == "INF"


def test_only_so_many_fields_are_read_and_only_so_deep():
    assert len(read_input("&".join(f"a{n}=1" for n in range(2000)), b"", "")) == MOST_FIELDS
    assert read_input("a" + "[b]" * 3000 + "=1&c=2", b"", "") == {"c": "2"}


def test_a_number_of_thousands_of_digits_is_none():
    assert whole_number("9" * 5000) is None


@pytest.mark.parametrize("junk", ["é", "!", "="])
def test_a_password_in_base64_may_hold_letters_that_are_none(api, junk):
    encoded = base64.b64encode(api.sandbox.password.encode()).decode()
    sent = f"{encoded[:3]}{junk}{encoded[3:]}".encode()
    path = f"/api/v1/clients/{api.make()['id']}/purge"
    assert api.post(path, headers={"X-API-PASSWORD-BASE64": sent}).status_code == 200


@pytest.mark.parametrize("wrong", ["é=", "=", "A", "QUJD"])
def test_a_password_that_decodes_to_nothing_is_wrong(api, wrong):
    path = f"/api/v1/clients/{api.make()['id']}/purge"
    assert api.post(path, headers={"X-API-PASSWORD-BASE64": wrong.encode()}).status_code == 412
