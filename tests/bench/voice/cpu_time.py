"""Calls with real models on a clock that counts only seconds of a core.

A machine that does other work beside makes every stopwatch lie. Here a call runs on an event loop
whose time jumps to what is due next; each run of a model is done at once and then takes as long as
its thread computed, on one of two cores, the urgent first. What comes out is how long a user waits
on two idle cores, the work of the event loop itself left out.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from conversation.voice.models.runner import ModelRunner, Urgency
from tests.virtual_time import VirtualTimeLoop

T = TypeVar("T")


class CpuTimeLoop(VirtualTimeLoop):
    """What is given to threads takes the seconds that it computes, on a core of its own."""

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> Any:
        done: asyncio.Future[T] = self.create_future()
        started = time.thread_time()
        try:
            result = func(*args)
        except Exception as error:
            done.set_exception(error)
            return done

        def finish() -> None:
            if not done.cancelled():
                done.set_result(result)

        self.call_later(time.thread_time() - started, finish)
        return done


class CpuTimedRunner(ModelRunner):
    """Runs models at once, and lets the time pass that their work takes on a few cores."""

    def __init__(self, cores: int = 2) -> None:
        super().__init__(1)
        self._free = cores
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = itertools.count()
        self.took: dict[str, list[float]] = {}
        """Seconds of each run, by urgency."""

    async def run(self, function: Callable[[], T], *, urgency: Urgency) -> T:
        """What `function` returns or raises."""
        await self._core(urgency)
        try:
            # Other threads of a library compute for it as well.
            started = time.process_time()
            result = function()
            took_s = time.process_time() - started
            self.took.setdefault(urgency.name, []).append(took_s)
            await asyncio.sleep(took_s)
            return result
        finally:
            self._leave()

    async def _core(self, urgency: Urgency) -> None:
        if self._free > 0:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (urgency, next(self._count), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        while self._queue:
            turn = heapq.heappop(self._queue)[2]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


def run_on_cpu_time(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns, on a loop of its own."""
    with asyncio.Runner(loop_factory=CpuTimeLoop) as runner:
        return runner.run(work)
