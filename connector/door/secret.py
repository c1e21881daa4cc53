"""A text that never shows itself: the API token, and the password for merge and purge."""

from __future__ import annotations

import os
import stat
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn, Self, final

from schemas.errors import SettingsError

HIDDEN: Final = "***"
_SHORTEST: Final = 4  # characters of a secret that is hidden only as a whole
_PART: Final = 8  # characters of a part that is hidden
_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_LONGEST = 4096  # bytes of a secret's file; a longer one is some other file


@final
class Secret:
    """Holds a text that goes to the server and is shown to nobody.

    `str`, `repr` and `format` give `***`. It cannot be pickled and has no JSON form. A copy is the same object, so
    `dataclasses.asdict` keeps it closed. It equals only itself, so nobody can guess it with `==`.
    Raises `SettingsError`, without the text, where the text cannot be a header: empty, too long, not ASCII, with
    control characters, or with blanks around it (HTTP drops those, and the server would see another text).
    """

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str, *, name: str = "The secret") -> None:
        fault = _fault(text)
        if fault:
            del text  # a traceback that prints local variables must not show it
            raise SettingsError(f"{name} {fault}")
        object.__setattr__(self, "_text", text)

    @classmethod
    def from_environment(cls, name: str, environ: Mapping[str, str] | None = None) -> Self:
        """The secret in the environment variable `name`, without the line break at its end."""
        environ = os.environ if environ is None else environ
        if name not in environ:
            raise SettingsError(f"{name} is not set: put the secret into this environment variable.")
        return cls(environ[name].rstrip("\r\n"), name=name)

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """The secret in a file that only its owner may read, without the line break at its end."""
        try:
            with Path(path).open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode  # of the opened file; the name may be replaced meanwhile
                text = file.read(_LONGEST + 1) if _is_private(mode) else None
        except OSError as error:
            raise SettingsError(f"The secret's file {path} cannot be read: {error.strerror}.") from None
        if text is None:
            raise SettingsError(f"Others may read the secret in {path}: run `chmod 600 {path}`.")
        return cls(text.decode("latin-1").rstrip("\r\n"), name=f"The secret in {path}")

    def reveal(self) -> str:
        """The text itself. Called where a request is signed, and nowhere else."""
        return self._text

    def hidden_in(self, text: str) -> str:
        """The text with `***` in place of this secret, in any case, and of longer parts of it.

        A server or a proxy may repeat only a piece. Parts of eight characters are hidden, of a short password half.
        """
        secret, lowered = self._text.translate(_LOWER), text.translate(_LOWER)
        size = len(secret) if len(secret) <= _SHORTEST else min(_PART, max(_SHORTEST, len(secret) // 2))
        parts = {secret[at : at + size] for at in range(len(secret) - size + 1)}
        shown: list[str] = []
        at = end = 0
        for place in range(len(lowered) - size + 1):
            if lowered[place : place + size] in parts:
                shown += [text[at:place], HIDDEN] if place > end or not shown else [text[at:place]]
                at = end = place + size
        return "".join([*shown, text[at:]])

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return HIDDEN

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("A secret cannot be stored: pass the name of its environment variable or file instead.")

    def __setattr__(self, _name: str, _value: object) -> NoReturn:
        raise AttributeError("A secret cannot be changed.")


def _fault(text: str) -> str | None:
    if not text:
        return "is empty."
    if len(text) > _LONGEST:
        return f"is longer than {_LONGEST} characters: it cannot be a token or a password."
    if not text.isascii():
        return "holds a character that is not ASCII: it cannot be sent. Copy it again."
    if not text.isprintable():
        return "holds a control character (a line break, a tab, …): copy it again."
    if text != text.strip(" "):
        return "has a blank at its beginning or end: remove it."
    return None


def _is_private(mode: int) -> bool:
    return os.name != "posix" or not mode & (stat.S_IRWXG | stat.S_IRWXO)
