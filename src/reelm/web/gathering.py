"""Answer together what is asked at the same time.

Under load most of a short request is what it takes to ask the database, to write and to wait for
threads, not its own work. So a few threads take all that waits at once, and one transaction reads
for all of it. Nobody waits for company: what comes alone is answered alone.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from reelm.foundation.errors import Unavailable
from reelm.foundation.logs import Line

log = logging.getLogger(__name__)
NOBODY_WAITS = Line("nobody waits any more for {count} answers")

# One computes while the others wait for the database; more would only make smaller batches.
THREADS = 3
MOST_TOGETHER = 32
STOPPED = "The service is stopping."


class _Waiting(NamedTuple):
    asked: Any
    future: "asyncio.Future[Any]"


class Gathering:
    """Requests of one kind.

    Args:
        name: of its threads.
        answer_all: returns an answer for each that is asked, or the error to raise there; it is
            called from several threads.
    """

    def __init__(self, name: str, answer_all: Callable[[Sequence[Any]], Sequence[Any]]) -> None:
        self._name, self._answer_all = name, answer_all
        self._waiting: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._is_stopped = False

    def start(self) -> None:
        """Begin to answer."""
        for number in range(THREADS):
            name = f"{self._name}-{number}"
            thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Answer no more; what is asked from now on is refused."""
        self._is_stopped = True
        for _ in self._threads:
            self._waiting.put(None)

    async def ask(self, asked: Any) -> Any:
        """Return the answer.

        Raises:
            Unavailable: the service is stopping.
            Exception: what was answered instead.
        """
        if self._is_stopped:
            raise Unavailable(STOPPED)
        future = asyncio.get_running_loop().create_future()
        self._waiting.put(_Waiting(asked, future))
        return await future

    def _run(self) -> None:
        while batch := self._next():
            try:
                answers = self._answer_all([waiting.asked for waiting in batch])
            except Exception as error:  # noqa: BLE001 - it is raised where it was asked
                answers = [error] * len(batch)
            for loop in {waiting.future.get_loop() for waiting in batch}:
                told = [
                    (waiting.future, answer)
                    for waiting, answer in zip(batch, answers, strict=True)
                    if waiting.future.get_loop() is loop
                ]
                try:
                    loop.call_soon_threadsafe(_tell, told)
                except RuntimeError:
                    log.info(NOBODY_WAITS(count=len(told)))

    def _next(self) -> list[_Waiting]:
        """Return what waits, once something does; nothing when it is over."""
        first = self._waiting.get()
        if first is None:
            return []
        batch = [first]
        try:
            while len(batch) < MOST_TOGETHER:
                more = self._waiting.get_nowait()
                if more is None:
                    self._waiting.put(None)
                    break
                batch.append(more)
        except Empty:
            pass
        return batch


def _tell(told: Sequence[tuple["asyncio.Future[Any]", Any]]) -> None:
    for future, answer in told:
        if future.done():
            continue  # the client has gone
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
