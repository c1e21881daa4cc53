from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import pprint
import traceback

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.door.secret import Secret
from schemas.errors import SettingsError

CANARY = "canary-Zx81pQ"


@dataclasses.dataclass
class Holder:
    secret: Secret


def test_it_shows_three_stars_however_it_is_printed(caplog):
    secret = Secret(CANARY)
    logging.getLogger("test").warning("%s %r", secret, secret)
    texts = [str(secret), repr(secret), f"{secret}", f"{secret!r:>30}", f"{secret:>30}", "%s" % secret]  # noqa: UP031
    texts += [
        pprint.pformat({"a": [secret]}),
        repr(Holder(secret)),
        caplog.text,
        repr(dataclasses.asdict(Holder(secret))),
    ]
    assert not [text for text in texts if CANARY in text]
    assert str(secret) == "***"


def test_it_has_no_written_form():
    secret = Secret(CANARY)
    for write in (pickle.dumps, json.dumps, msgspec.json.encode, msgspec.msgpack.encode, msgspec.to_builtins):
        with pytest.raises(TypeError) as caught:
            write(secret)
        assert CANARY not in str(caught.value)
    with pytest.raises(TypeError):
        vars(secret)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError):
            pickle.dumps(secret, protocol)


def test_a_copy_is_the_same_closed_object():
    secret = Secret(CANARY)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_equality_does_not_answer_guesses():
    secret = Secret(CANARY)
    assert secret != CANARY
    assert secret != Secret(CANARY)
    assert secret == secret  # noqa: PLR0124
    assert hash(secret) != hash(CANARY)


def test_it_does_not_change():
    secret = Secret(CANARY)
    with pytest.raises(AttributeError):
        secret._text = "other"
    assert secret.reveal() == CANARY


def test_it_is_hidden_in_a_text_that_repeats_it():
    assert Secret(CANARY).hidden_in(f"a {CANARY} b {CANARY}") == "a *** b ***"


TOKEN = "0N2g5YVhJMlVNMzlWUUlhMXNZSTZoanpSaVJLSnNl"


@pytest.mark.parametrize("part", [TOKEN[:20], TOKEN[-20:], TOKEN[9:29], TOKEN[:8], TOKEN[-8:], TOKEN.upper()[5:30]])
@pytest.mark.parametrize("around", ["", " ", "x", "…", "İ"])
def test_a_part_of_it_is_hidden_too(part, around):
    assert Secret(TOKEN).hidden_in(f"{around}{part}{around}") == f"{around}***{around}"


def test_two_parts_side_by_side_are_hidden_and_other_words_stay():
    assert (
        Secret(TOKEN).hidden_in(f"Token {TOKEN[:12]}{TOKEN[-9:]} was bad, {TOKEN[:7]}")
        == f"Token *** was bad, {TOKEN[:7]}"
    )
    assert Secret(TOKEN).hidden_in("The token of the user is not accepted.") == "The token of the user is not accepted."


def test_half_of_a_short_password_is_hidden():
    assert Secret("hunter2-ab").hidden_in("hunter2 hunte hunt") == "*** *** hunt"
    assert Secret("abc").hidden_in("abc ab") == "*** ab"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        CANARY + "\x00",
        CANARY + "\nX-Other: 1",
        "\t" + CANARY,
        CANARY + "é",
        CANARY + "\u200b",
        " " + CANARY,
        CANARY * 400,
    ],
)
def test_what_cannot_be_a_header_is_refused_without_showing_it(bad):
    with pytest.raises(SettingsError) as caught:
        Secret(bad, name="NINJA_SYNC_TOKEN")
    assert "NINJA_SYNC_TOKEN" in str(caught.value)
    assert_nowhere(CANARY, caught.value)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=100))
def test_every_printable_ascii_text_comes_back_as_it_was(text):
    assert Secret(text).reveal() == text
    assert Secret.from_environment("TOKEN", {"TOKEN": text + "\n"}).reveal() == text


@given(st.text(st.characters(codec="latin-1"), min_size=3, max_size=50))
def test_every_text_is_either_kept_or_refused_in_silence(text):
    try:
        kept = Secret(text).reveal()
    except SettingsError as error:
        kept = None
        said = str(error)
    assert kept == text or text not in said


def test_a_missing_or_bad_variable_is_named():
    with pytest.raises(SettingsError, match="NINJA_SYNC_TOKEN is not set"):
        Secret.from_environment("NINJA_SYNC_TOKEN", {})
    with pytest.raises(SettingsError, match="NINJA_SYNC_TOKEN is empty") as caught:
        Secret.from_environment("NINJA_SYNC_TOKEN", {"NINJA_SYNC_TOKEN": "\n"})
    assert caught.value.exit_code == 2


def test_a_file_is_read_without_its_last_line_break(tmp_path):
    path = tmp_path / "token"
    path.write_text(CANARY + "\r\n")
    path.chmod(0o600)
    assert Secret.from_file(path).reveal() == CANARY
    path.chmod(0o400)
    assert Secret.from_file(str(path)).reveal() == CANARY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_that_others_may_read_is_refused_with_the_remedy(tmp_path, mode):
    path = tmp_path / "token"
    path.write_text(CANARY)
    path.chmod(mode)
    with pytest.raises(SettingsError, match="chmod 600") as caught:
        Secret.from_file(path)
    assert_nowhere(CANARY, caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", "caf\u00e9".encode(), b"x" * 5000, b"two\nlines"])
def test_a_file_that_holds_no_secret_is_refused(tmp_path, content):
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="token"):
        Secret.from_file(path)


def test_a_missing_file_and_a_directory_are_named(tmp_path):
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(SettingsError, match="cannot be read"):
            Secret.from_file(path)


def assert_nowhere(canary: str, error: BaseException) -> None:
    """Neither in the message nor in a local variable of our own frames."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_globals["__name__"].startswith("connector"):
            assert canary not in repr(frame.f_locals)
    assert canary not in str(error)
    assert canary not in repr(error.__dict__)
    assert error.__context__ is None or canary not in repr(error.__context__)
