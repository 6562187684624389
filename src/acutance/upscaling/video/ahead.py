"""Work that runs ahead in a thread of its own, by a few items and no more."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")
_LOOK_S = 0.1  # how often a thread that waits looks whether it is still wanted


def ahead(make: Callable[[], Iterator[Item]], *, held: int = 2) -> Generator[Item, None, None]:
    """The items of `make()`, made in a thread that is at most `held` items ahead.

    What the thread raises is raised here. Closing the generator ends the thread; wait for it.
    """
    queue: Queue[tuple[Item | None, BaseException | None]] = Queue(held)
    unwanted = Event()
    thread = Thread(target=_fill, args=(make, queue, unwanted), daemon=True)
    thread.start()
    try:
        while True:
            item, error = queue.get()
            if error is not None:
                if isinstance(error, StopIteration):
                    return
                raise error
            yield item  # pyright: ignore[reportReturnType]
    finally:
        unwanted.set()
        _empty(queue)
        thread.join()


def _fill(make: Callable[[], Iterator[Item]], queue: Queue, unwanted: Event) -> None:
    try:
        with closing(_generator(make)) as items:
            for item in items:
                if not _put(queue, (item, None), unwanted):
                    return
        _put(queue, (None, StopIteration()), unwanted)
    except BaseException as error:  # whatever it is, it belongs to the caller
        _put(queue, (None, error), unwanted)


def _generator(make: Callable[[], Iterator[Item]]) -> Generator[Item, None, None]:
    yield from make()


def _put(queue: Queue, entry: tuple[object, BaseException | None], unwanted: Event) -> bool:
    while not unwanted.is_set():
        try:
            queue.put(entry, timeout=_LOOK_S)
        except Full:
            continue
        return True
    return False


def _empty(queue: Queue) -> None:
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
