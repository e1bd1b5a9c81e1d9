"""Threads that voice models run on, shared by all calls of a process: what a user waits for first.

    runner = ModelRunner()
    text = await runner.run(lambda: decode(samples), urgency=Urgency.TRANSCRIPT)
    async for chunk in runner.stream(lambda: voice.chunks(clause), urgency=Urgency.FIRST_CLAUSE):
        ...

Models keep to one thread each and let go of the interpreter while they compute, so as many jobs
run at a time as there are workers. A stream is one job for each of its steps: between two of them
others may go first, and whoever leaves the stream stops its work at the next step.
"""

import asyncio
import heapq
import itertools
import os
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

T = TypeVar("T")

MAX_WORKERS = 8
CLOSE_WAIT_S = 5.0
_END: Any = object()


class Urgency(IntEnum):
    """Who goes first; within one, who came first."""

    TRANSCRIPT = 0
    """The words of a turn that is over, and whether it is."""
    FIRST_CLAUSE = 1
    """Sound that the user waits for."""
    LATER_CLAUSE = 2
    """Sound that is made ahead."""
    TENTATIVE = 3
    """Words shown while the user still speaks."""


@dataclass(order=True, slots=True)
class _Job:
    urgency: int
    number: int
    function: Callable[[], Any] = field(compare=False)
    outcome: "Future[Any]" = field(compare=False, default_factory=lambda: Future[Any]())

    def work(self) -> None:
        """Do it, unless whoever asked has left."""
        if not self.outcome.set_running_or_notify_cancel():
            return
        try:
            result = self.function()
        except BaseException as error:  # raised where it is awaited
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(result)


class ModelRunner:
    """Worker threads with one queue, ordered by urgency. They start with the first job."""

    def __init__(self, workers: int | None = None) -> None:
        """Take how many jobs may run at the same time; None is one for each core, up to eight."""
        self._workers = workers or max(1, min(MAX_WORKERS, os.cpu_count() or 1))
        self._waiting: list[_Job] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._closed = False

    async def run(self, function: Callable[[], T], *, urgency: Urgency) -> T:
        """What `function` returns or raises. Cancelled before its turn, it never runs.

        Raises:
            RuntimeError: The runner is closed.
        """
        job = _Job(urgency, next(self._numbers), function)
        self._enqueue(job)
        return await asyncio.wrap_future(job.outcome)

    async def stream(
        self, start: Callable[[], Iterator[T]], *, urgency: Urgency
    ) -> AsyncGenerator[T]:
        """The items of the iterator that `start` gives; each is a job of its own.

        Raises:
            RuntimeError: The runner is closed.
        """
        iterator: Iterator[T] | None = None

        def step() -> T:
            nonlocal iterator
            iterator = start() if iterator is None else iterator
            return next(iterator, _END)

        while (item := await self.run(step, urgency=urgency)) is not _END:
            yield item

    def close(self) -> None:
        """Let the jobs that run finish and cancel those that wait. Nothing more is taken."""
        with self._changed:
            self._closed = True
            waiting, self._waiting = self._waiting, []
            self._changed.notify_all()
        for job in waiting:
            job.outcome.cancel()
        for thread in self._threads:
            thread.join(CLOSE_WAIT_S)

    def _enqueue(self, job: _Job) -> None:
        with self._changed:
            if self._closed:
                raise RuntimeError("the voice models are closed: no call may run any more")
            heapq.heappush(self._waiting, job)
            if len(self._threads) < self._workers:
                name = f"vivavoce-voice-{len(self._threads) + 1}"
                thread = threading.Thread(target=self._work, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                job = heapq.heappop(self._waiting)
            job.work()
            del job  # what it holds must not live until the next one comes
