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
"""Finished items that may wait for the consumer, besides one in each thread: this bounds the memory."""


def side_by_side(sources: Sequence[Iterator[Item]], at_once: int) -> Iterator[tuple[int, Item]]:
    """The items of all sources as (which source, item): each source in its own order, by one thread at a time.

    Raises the first error of a source here, after the items before it. No thread outlives this iterator: at its end,
    at an error and on closing, waits and reads in the threads end (`connector.door.halt`), and the threads are joined.
    """
    ready: SimpleQueue[tuple[int, Item] | BaseException | None] = SimpleQueue()
    room = Semaphore(at_once + AHEAD)
    halt = Halt()

    def run(place: int, source: Iterator[Item]) -> None:
        HALT.set(halt)
        try:
            while room.acquire() and not halt.stopped:
                ready.put((place, next(source)))
        except StopIteration:
            ready.put(None)
        except BaseException as problem:  # noqa: BLE001 - raised again where the items are consumed
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
                del item  # else this frame would hold a page while it waits for the next one
                room.release()
        finally:
            halt.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            room.release(len(sources))
