"""The rules of finding and merging duplicates, in a file that a person can read: config/dedupe.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from flows.dedupe.comparable import FREE_MAIL
from flows.dedupe.keys import KEYS, PROVES
from flows.merge.survivor import DEFAULT
from schemas.errors import SettingsError

PLACES = (Path("config/dedupe.toml"), Path("dedupe.toml"))


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which probability on two clients are one, below which they are unlike, and who survives.

    `proves` says how probable a pair is at least that shares a key, whatever else it has. `free_mail_also` are mail
    domains of your own that say nothing of a company; `allow` is what may differ in a merge; `public_notes` appends
    the public notes of a client that is merged away, which customers can read.
    """

    threshold: float = 0.85
    floor: float = 0.05
    trained: bool = True
    proves: Mapping[str, float] = msgspec.field(default_factory=lambda: dict(PROVES))
    free_mail_also: Sequence[str] = ()
    survivor: Sequence[str] = DEFAULT
    allow: Sequence[str] = ()
    public_notes: bool = False

    @property
    def free_mail(self) -> frozenset[str]:
        """All mail domains that say nothing of a company."""
        return FREE_MAIL | {one.lower() for one in self.free_mail_also}


def load_rules(file: Path | None = None) -> Rules:
    """The rules in force: of the named file, else of config/dedupe.toml where there is one, else as shipped.

    Raises SettingsError saying what to correct.
    """
    path = file or next((one for one in PLACES if one.is_file()), None)
    if path is None:
        return Rules()
    try:
        rules = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Rules)
    except OSError as problem:
        raise SettingsError(f"{path} cannot be read: {problem.strerror}.") from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as problem:
        raise SettingsError(f"{path}: {problem}") from None
    if not 0 < rules.floor <= rules.threshold <= 1:
        raise SettingsError(f"{path}: threshold and floor are probabilities, and floor is not above threshold.")
    if unknown := [key for key, least in rules.proves.items() if key not in KEYS or not 0 <= least <= 1]:
        raise SettingsError(
            f"{path}: {unknown[0]!r} in [proves]: the keys are {', '.join(KEYS)}, each with a probability."
        )
    return rules
