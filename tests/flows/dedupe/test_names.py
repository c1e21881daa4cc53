"""Names in comparable forms: ways to write the same are the same, what counts stands apart, any text is a name."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.dedupe.names import LONGEST, Name, folded, name_of, person_of, plain

SCRIPTS = {
    "Σταύρος Παπαδόπουλος": ("papadopoylos", "stayros"),
    "Иван Петров": ("ivan", "petrov"),
    "محمد علي": ("ly", "mhmd"),
    "Łódź Świat": ("lodz", "swiat"),
}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller & Söhne GmbH & Co. KG", "Muller und Sohne GmbH & Co. KG"),
        ("Mueller Soehne", "Müller Söhne"),
        ("Świat Transport", "SWIAT TRANSPORT"),
        ("O'Connor", "OConnor"),
        ("Herr Dr. Hans Huber", "Hans Huber"),
        ("Mrs Jane Doe, PhD", "Jane Doe"),
        ("The Stern Opticians", "Stern Opticians"),
        ("Stern International", "Stern Intl."),
        ("Stern Haus II", "Stern Haus 2"),
        ("Solarpark 007", "Solarpark 7"),
        ("Alpha 3rd", "Alpha 3"),
        ("山田商事 株式会社", "山田商事 有限会社"),
        ("Sternwald® GmbH", "Sternwald GmbH"),
        ("⭐ Sternwald ⭐", "Sternwald"),
    ],
)
def test_ways_to_write_one_name_are_the_same(one: str, other: str) -> None:
    assert name_of(one) == name_of(other)


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("GmbH", "gmbh"), ("Ges.m.b.H.", "gmbh"), ("Gesellschaft mit beschränkter Haftung", "gmbh"),
        ("UG (haftungsbeschränkt)", "ug"), ("B.V.", "bv"), ("Sp. z o.o.", "zoo"), ("S.r.l.", "srl"), ("S.p.A.", "spa"),
        ("Limited", "ltd"), ("Ltd.", "ltd"), ("Aktiengesellschaft", "ag"), ("d.o.o.", "doo"), ("s.r.o.", "sro"),
        ("Pty Ltd", "ptyltd"), ("GmbH & Co. KG", "gmbhcokg"),
        ("GmbH und Co KG", "gmbhcokg"), ("GmbH u. Co. KG", "gmbhcokg"), ("e.K.", "ek"), ("LLC", "llc"),
    ],
)  # fmt: skip
def test_a_legal_form_is_no_word_of_a_name_and_has_one_spelling(form: str, wanted: str) -> None:
    name = name_of(f"Sternwald Optik {form}")
    assert name.words == ("optik", "sternwald")
    assert name.form == wanted


def test_different_names_stay_different() -> None:
    names = (
        "Acme",
        "Acne",
        "Acme Foods",
        "Foods",
        "Acme 2",
        "Acme 3",
        "Acme B",
        "Acme jun.",
        "H&M",
        "C&A",
        "1&1",
        "3M",
    )
    assert len({name_of(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Solarpark 29 GmbH", ("29",)), ("Solarpark 029", ("29",)), ("Haus B", ("b",)), ("Haus IV", ("4",)),
        ("Real Estate Fund B SCI", ("b",)), ("BriLink E Soc. Coop.", ("e",)),
        ("WEG Ringweg 12a", ("12a",)), ("Hans Huber sen.", ("sen",)), ("Hans Huber Senior", ("sen",)),
        ("Hans Huber jun.", ("jun",)), ("Bau 3 Ost 14", ("14", "3")), ("Stern Optik", ()),
    ],
)  # fmt: skip
def test_numbers_letters_at_the_end_and_generations_stand_apart_from_the_words(text: str, numbers: tuple[str]) -> None:
    name = name_of(text)
    assert name.numbers == numbers
    assert not set(numbers) & set(name.words)


def test_a_single_letter_of_a_person_is_an_initial_and_no_number() -> None:
    name = name_of("Huber H.")
    assert (name.words, name.numbers, name.initials) == (("h", "huber"), (), ("h",))


def test_a_family_name_that_is_also_a_first_name_still_leaves_the_other_a_first_name() -> None:
    assert name_of("Stéphane Bernard").given == ("bernard", "stephane")
    assert name_of("Stéphane Bernard").personal
    assert name_of("Hans Huber").given == ("johannes",)


def test_a_nickname_is_the_whole_first_name_and_keeps_both_initials() -> None:
    bob, robert = name_of("Bob Huber"), name_of("Robert Huber")
    assert bob.given == robert.given == ("robert",)
    assert set(bob.initials) == {"b", "r"}


def test_a_person_a_company_and_a_family_name_alone_are_told_apart() -> None:
    assert name_of("Hans Huber").personal
    assert not name_of("Sternwald Optik").personal
    assert not name_of("Sternwald Optik").given
    assert name_of("Huber").lone
    assert not name_of("Sternwald").lone


@pytest.mark.parametrize(
    "text",
    ["Test", "Test 3", "test kunde", "Walk-in customer", "Cash Sale", "N/A", "n.n.", "Unbekannt", "xxx", "Muster GmbH",
     "Laufkundschaft", "Diverse", "?", "-", "...", "   ", "", "The"],
)  # fmt: skip
def test_a_generic_name_names_nobody(text: str) -> None:
    assert name_of(text) == Name()


@pytest.mark.parametrize(
    ("text", "words"),
    [("1&1", ("1", "1")), ("3M", ("3m",)), ("H&M", ("hm",)), ("B.M.W. AG", ("bmw",)), ("Sternwald", ("sternwald",)),
     ("GmbH", ("gmbh",))],
)  # fmt: skip
def test_a_short_name_is_still_a_name(text: str, words: tuple[str]) -> None:
    assert name_of(text).words == words
    assert name_of(text).tight


@pytest.mark.parametrize("text", SCRIPTS)
def test_other_scripts_are_written_in_ascii(text: str) -> None:
    assert name_of(text).words == SCRIPTS[text]


def test_a_person_has_two_words_or_is_nobody() -> None:
    assert person_of("Hans", "Huber") == person_of("Huber, Hans") == "huber johannes"
    assert person_of("Hans") is None
    assert person_of("Test", "Test") is None
    assert person_of("") is None


@given(st.text(max_size=300))
@example("")
@example("😀😀")
@example("\x00")
@example("a" * 10_000)
@example("GmbH " * 2_000)
@example("1 " * 5_000)
@example("& , . ; :")
def test_any_text_at_all_is_a_name(text: str) -> None:
    name = name_of(text)
    assert bool(name.words) == (name.tight is not None)
    assert list(name.words) == sorted(name.words)
    assert all(word.isascii() and word.isalnum() for word in (*name.words, *name.numbers, *name.given))
    assert len("".join(name.words)) <= 20 * LONGEST
    assert not name.personal or name.given


@given(st.text(max_size=60))
def test_a_plain_or_folded_text_stays_as_it_is(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert plain(text).isascii()
    assert folded(plain(text)) == folded(text)


@given(st.text(max_size=60))
def test_a_person_of_a_person_is_the_same_words(text: str) -> None:
    person = person_of(text)
    assert person is None or len(person.split()) > 1


@given(
    st.lists(st.sampled_from(["stern", "optik", "wald", "huber", "hans", "maria", "zimmer", "bau", "köln"]), min_size=2,
             max_size=5, unique=True).flatmap(lambda words: st.tuples(st.just(words), st.permutations(words)))
)  # fmt: skip
def test_the_order_of_words_does_not_matter_for_the_words(both: tuple[list[str], list[str]]) -> None:
    one, other = (name_of(" ".join(words)) for words in both)
    assert one.words == other.words
    assert (one.given, one.initials, one.numbers) == (other.given, other.initials, other.numbers)


def test_junior_is_a_word_unless_it_ends_a_name_or_follows_a_persons() -> None:
    assert name_of("Todmorden Junior School").numbers == ()
    assert name_of("Hans Huber jun. Malermeister").numbers == ("jun",)
    assert name_of("Todmorden junior").numbers == ("jun",)
