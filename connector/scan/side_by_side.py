"""Several iterators at once, each in a thread: the only place that starts threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Semaphore
from typing import TypeVar

from connector.door.halt import HALT, Halt

Item = TypeVar("Item")

AHEAD = 2
"""Items that may wait for whoever takes them, beside one for each thread that is being made: this bounds the memory."""


def side_by_side(sources: Sequence[Iterator[Item]], at_once: int) -> Iterator[tuple[int, Item]]:
    """The items of all sources as (which source, item): each source in its own order, by one thread at a time.

    The first error of a source is raised here, behind what came before it. No thread outlives this iterator: at its
    end, at an error and where it is closed, what waits or reads in them is ended (`connector.door.halt`), and they are
    waited for.
    """
    ready: SimpleQueue[tuple[int, Item] | BaseException | None] = SimpleQueue()
    room = Semaphore(at_once + AHEAD)
    halt = Halt()

    def run(place: int, source: Iterator[Item]) -> None:
        HALT.set(halt)
        try:
            while room.acquire() and not halt.told:
                ready.put((place, next(source)))
        except StopIteration:
            ready.put(None)
        except BaseException as problem:  # noqa: BLE001 - it is raised again where the items are taken
            ready.put(problem)

    with ThreadPoolExecutor(at_once, thread_name_prefix="ninja-sync-read") as pool:
        try:
            for place, source in enumerate(sources):
                pool.submit(run, place, source)
            left = len(sources)
            while left:
                item = ready.get()
                if isinstance(item, BaseException):
                    raise item
                if item is None:
                    left -= 1
                else:
                    yield item
                del item  # this frame would keep a page while it waits for the next one
                room.release()
        finally:
            halt.tell()
            pool.shutdown(wait=False, cancel_futures=True)
            room.release(len(sources))
