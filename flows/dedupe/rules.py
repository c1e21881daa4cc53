"""The rules for finding and merging duplicates, in a file that people can read: config/dedupe.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from flows.dedupe.clusters import FLOOR
from flows.dedupe.comparable import FREE_MAIL
from flows.merge.survivor import DEFAULT
from schemas.errors import SettingsError

PLACES = (Path("config/dedupe.toml"), Path("dedupe.toml"))


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The probability at which two clients are the same, the one below which they are unlike, and which client is kept.

    `free_mail_also` lists more mail domains that do not belong to one company. `allow` lists the differences that a
    merge may have. `public_notes` appends the public notes of the client merged in, which customers can read.
    """

    threshold: float = 0.85
    floor: float = FLOOR
    free_mail_also: Sequence[str] = ()
    survivor: Sequence[str] = DEFAULT
    allow: Sequence[str] = ()
    public_notes: bool = False

    @property
    def free_mail(self) -> frozenset[str]:
        """All mail domains that do not belong to one company."""
        return FREE_MAIL | {domain.lower() for domain in self.free_mail_also}


def load_rules(file: Path | None = None) -> Rules:
    """Return the rules from the named file, else from config/dedupe.toml if it exists, else the defaults.

    Raises SettingsError with the correction to make.
    """
    path = file or next((place for place in PLACES if place.is_file()), None)
    if path is None:
        return Rules()
    try:
        rules = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Rules)
    except OSError as problem:
        raise SettingsError(f"{path} cannot be read: {problem.strerror}.") from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as problem:
        known = ", ".join(Rules.__struct_fields__)
        raise SettingsError(f"{path}: {problem}. Delete or correct that line; the settings are {known}.") from None
    if not 0 < rules.floor <= rules.threshold <= 1:
        raise SettingsError(f"{path}: threshold and floor are probabilities, and floor is not above threshold.")
    return rules
