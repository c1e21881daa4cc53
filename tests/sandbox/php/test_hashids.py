from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.php import hashids


def test_known_ids_of_real_servers():
    assert [hashids.encode(n) for n in (1, 2)] == ["VolejRejNm", "Wpmbk5ezJn"]


@given(st.integers(0, hashids.MAX_ID))
def test_every_number_comes_back_from_at_least_ten_letters_and_digits(number):
    text = hashids.encode(number)
    assert len(text) >= 10
    assert text.isascii()
    assert text.isalnum()
    assert hashids.decode(text) == number


@given(st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890", max_size=12))
def test_only_exact_texts_are_decoded(text):
    number = hashids.decode(text)
    assert number is None or hashids.encode(number) == text


def test_case_length_and_other_types_matter():
    for wrong in (
        "volejrejnm",
        "VolejRejN",
        "VolejRejNmx",
        "zzzzzzzzzz",
        "1",
        "",
        "VolejRejNé",
        hashids.encode(hashids.MAX_ID + 1),
        "VolejRejNm" * 1000,
        None,
        1,
        ["VolejRejNm"],
    ):
        assert hashids.decode(wrong) is None


def test_the_first_ten_thousand_ids_differ():
    assert len({hashids.encode(n) for n in range(10_000)}) == 10_000


def test_a_negative_number_has_no_id():
    assert hashids.encode(-1) == ""
