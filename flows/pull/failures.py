"""The failures of single entities in one pull: the others are still pulled, then the first failure is raised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus

from flows.show.counted import noun_of
from schemas.entities import CLIENTS
from schemas.entity import Entity
from schemas.errors import ApiError, DataError, NotAuthorised, Retryable, SyncError, sentence


class Failures:
    """The errors of the entities that could not be pulled, in their order."""

    def __init__(self) -> None:
        self._errors: dict[Entity, SyncError] = {}

    def __bool__(self) -> bool:
        """Whether any entity has failed."""
        return bool(self._errors)

    @contextmanager
    def of(self, entity: Entity) -> Iterator[None]:
        """Keep an error that is about this entity only; raise any other."""
        try:
            yield
        except SyncError as problem:
            if not _is_of_one_list(problem):
                raise
            self._errors.setdefault(entity, problem)

    def raise_first(self, stored: Sequence[str]) -> None:
        """Raise the first error, if there is one, with the names of all that failed and of those that were `stored`."""
        if not self._errors:
            return
        (entity, first), *others = self._errors.items()
        said = [sentence(first) if entity is CLIENTS else sentence(f"{noun_of(entity, 2).capitalize()}: {first}")]
        said += [sentence(f"{noun_of(other, 2).capitalize()}: {problem}") for other, problem in others]
        if stored:
            said.append(f"Loaded: {', '.join(name.replace('_', ' ') for name in stored)}.")
        if len(said) > 1 or entity is not CLIENTS:
            first.args = (" ".join(said),)
        raise first


def _is_of_one_list(problem: SyncError) -> bool:
    """Whether an error is about one list of the server: its address, the token and the network are about all of them.

    The server answers 500 for a list that it cannot make, and 200 with a body that does not parse. It refuses a token
    with 403.
    """
    if isinstance(problem, Retryable):
        return problem.status in {HTTPStatus.OK, HTTPStatus.INTERNAL_SERVER_ERROR}
    if isinstance(problem, NotAuthorised):
        return problem.status != HTTPStatus.FORBIDDEN
    return isinstance(problem, ApiError | DataError)
