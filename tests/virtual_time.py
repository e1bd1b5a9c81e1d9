"""An event loop whose time jumps to the next thing that is due: minutes of waiting take none."""

import asyncio
import heapq
import selectors
import time
import weakref
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
        self._models = _WatchedModels.watching()
        self._models.begin()

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
        until = time.monotonic() + _MODEL_WAIT_S
        while not loop._ready and time.monotonic() < until and self._models.may_work():
            time.sleep(0.001)


class _WatchedModels:
    """The loop of models, and how often something was given to it.

    Asking it takes two changes of threads, which is long where time jumps every twenty
    milliseconds: it is asked only when something was given to it since it last had nothing to do.
    """

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._give = loop.call_soon_threadsafe
        self._given = 0
        self._idle_at = -1
        self._left: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        loop.call_soon_threadsafe = self._noting

    @classmethod
    def watching(cls) -> "_WatchedModels":
        """Of this process."""
        loop: Any = model_loop()._loop  # pyright: ignore[reportPrivateUsage]
        give = loop.call_soon_threadsafe
        found = getattr(give, "__self__", None)
        return found if isinstance(found, cls) else cls(loop)

    def _noting(self, callback: Any, *args: Any, context: Any = None) -> Any:
        self._given += 1
        return self._give(callback, *args, context=context)

    def begin(self) -> None:
        """What is at work now was left there by somebody else, and is not waited for."""
        left = asyncio.run_coroutine_threadsafe(_others_at_work(), self._loop)
        self._left = weakref.WeakSet(left.result(timeout=_MODEL_WAIT_S))
        self._idle_at = self._given

    def may_work(self) -> bool:
        """Whether a model is at work on it that was asked since `begin`."""
        given = self._given
        if given == self._idle_at:
            return False
        # Asked on that loop itself, behind whatever was given to it before.
        working = asyncio.run_coroutine_threadsafe(_others_at_work(), self._loop)
        if working.result(timeout=_MODEL_WAIT_S) - {*self._left}:
            return True
        # The question was given to it too.
        self._idle_at = given + 1
        return False


async def _others_at_work() -> set[asyncio.Task[Any]]:
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


def run_in_virtual_time(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns, on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work)
