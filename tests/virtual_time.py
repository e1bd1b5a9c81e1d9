"""An event loop whose time jumps to the next thing that is due: minutes of waiting take none."""

import asyncio
import heapq
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from conversation.llm.model_loop import model_loop

T = TypeVar("T")

_MODEL_WAIT_S = 30.0
"""How long a model in its own thread may take, by the real clock."""


class _NoFiles(selectors.SelectSelector):
    """Nothing outside of the loop ever happens."""

    def select(self, timeout: float | None = None) -> list[Any]:
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Everything runs as on an ordinary loop, in the same order every time.

    What is given to threads runs at once, so that no time passes in it; a model that runs on the
    loop of models, which is a thread, is waited for before time jumps.
    """

    def __init__(self) -> None:
        super().__init__(_NoFiles())
        self._now_s = 0.0

    def time(self) -> float:
        return self._now_s

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> Any:
        done: asyncio.Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        return self.call_soon(callback, *args, context=context)

    def _run_once(self) -> None:
        loop: Any = self
        while loop._scheduled and loop._scheduled[0]._cancelled:
            loop._timer_cancelled_count -= 1
            heapq.heappop(loop._scheduled)._scheduled = False
        if not loop._ready:
            self._wait_for_models()
        if not loop._ready:
            if not loop._scheduled:
                raise AssertionError("everybody waits, and nothing is due any more")
            self._now_s = max(self._now_s, loop._scheduled[0]._when)
        loop_class: Any = super()
        loop_class._run_once()

    def _wait_for_models(self) -> None:
        """Let real time pass while a model is at work and has said nothing yet."""
        loop: Any = self
        models: Any = model_loop()
        until = time.monotonic() + _MODEL_WAIT_S
        while not loop._ready and time.monotonic() < until:
            # Asked on that loop itself, behind whatever was given to it before.
            working = asyncio.run_coroutine_threadsafe(_others_at_work(), models._loop)
            if not working.result(timeout=_MODEL_WAIT_S):
                return
            time.sleep(0.001)


async def _others_at_work() -> int:
    return len(asyncio.all_tasks()) - 1


def run_in_virtual_time(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns, on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)
