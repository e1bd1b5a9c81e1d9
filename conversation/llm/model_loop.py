"""One event loop in a thread of its own, on which every call of a language model runs.

Providers' HTTP clients belong to the loop they were opened on, so all calls share one loop that
outlives every session; the caller's own loop is never blocked by a provider's code; and the
synchronous and asynchronous methods of a model are one implementation. Whoever closes a stream
early cancels the task behind it, and thereby the request.
"""

import asyncio
import atexit
import concurrent.futures
import contextlib
import os
import queue
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")

CANCEL_WAIT_S = 5.0
"""How long a closed stream waits until its request is really gone."""


class _End:
    """Ends a stream; carries the error that ended it, if any."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class BackgroundLoop:
    """An event loop in a daemon thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._last_steps: list[Callable[[], Awaitable[None]]] = []
        self._thread = threading.Thread(target=self._run, name="vivavoce-models", daemon=True)
        self._thread.start()
        atexit.register(self._close, os.getpid())

    def before_exit(self, step: Callable[[], Awaitable[None]]) -> None:
        """Have `step` awaited on this loop when the process ends, e.g. to close clients."""
        self._last_steps.append(step)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    def _close(self, owner: int) -> None:
        """End the thread: one that dies with the interpreter may hold a lock that others need."""
        if os.getpid() != owner:
            return
        future = asyncio.run_coroutine_threadsafe(self._drain(), self._loop)
        with contextlib.suppress(concurrent.futures.TimeoutError):
            future.result(timeout=CANCEL_WAIT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=CANCEL_WAIT_S)

    async def _drain(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for step in self._last_steps:
            await step()

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` and wait for its result."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        finally:
            future.cancel()

    async def acall(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` and await its result; cancelling the caller cancels the work."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def iterate(self, source: Callable[[], AsyncGenerator[T, None]]) -> "PieceStream[T]":
        """Yield what `source` yields; closing this iterator cancels it and waits for that."""
        return PieceStream(source, self._loop)

    async def aiterate(
        self, source: Callable[[], AsyncGenerator[T, None]]
    ) -> AsyncGenerator[T, None]:
        """Yield what `source` yields; closing this iterator cancels it and waits for that."""
        caller = asyncio.get_running_loop()
        pieces: asyncio.Queue[T | _End] = asyncio.Queue()

        def put(piece: T | _End) -> None:
            caller.call_soon_threadsafe(pieces.put_nowait, piece)

        future = asyncio.run_coroutine_threadsafe(_pump(source, put), self._loop)
        ended = False
        try:
            while not isinstance(piece := await pieces.get(), _End):
                yield piece
            ended = True
            if piece.error is not None:
                raise piece.error
        finally:
            if not ended:
                future.cancel()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CANCEL_WAIT_S):
                        while not isinstance(await pieces.get(), _End):
                            pass


class PieceStream(Generator[T, None, None]):
    """What comes from another thread, piece by piece."""

    def __init__(
        self, source: Callable[[], AsyncGenerator[T, None]], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._source = source
        self._loop = loop
        self._queue: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
        self._future: concurrent.futures.Future[None] | None = None
        self._cancelled = False
        self._pieces = self._read()

    def cancel(self) -> None:
        """End the stream from any thread: who waits for the next piece goes on at once."""
        self._cancelled = True
        if self._future is not None:
            self._future.cancel()
        self._queue.put(_End(None))

    def send(self, value: None, /) -> T:
        """Return the next piece."""
        return self._pieces.send(value)

    def throw(self, *error: Any) -> T:
        """Raise inside of the stream."""
        return self._pieces.throw(*error)

    def close(self) -> None:
        """Cancel what is not finished, and wait until it is gone."""
        self._pieces.close()

    def _read(self) -> Generator[T, None, None]:
        if self._cancelled:
            return
        future = asyncio.run_coroutine_threadsafe(_pump(self._source, self._queue.put), self._loop)
        self._future = future
        ended = False
        try:
            while not isinstance(piece := self._queue.get(), _End):
                yield piece
            ended = True
            if piece.error is not None:
                raise piece.error
        finally:
            if not ended:
                future.cancel()
                with contextlib.suppress(queue.Empty):
                    while not isinstance(self._queue.get(timeout=CANCEL_WAIT_S), _End):
                        pass


_loops: dict[int, BackgroundLoop] = {}
_loops_lock = threading.Lock()


def model_loop() -> BackgroundLoop:
    """Return this process's loop; a forked child gets its own."""
    with _loops_lock:
        if os.getpid() not in _loops:
            _loops[os.getpid()] = BackgroundLoop()
        return _loops[os.getpid()]


async def _pump(
    source: Callable[[], AsyncGenerator[T, None]], put: Callable[[T | _End], None]
) -> None:
    """Move pieces across threads; whatever happens, an `_End` comes last."""
    error: BaseException | None = None
    pieces = source()
    try:
        async for piece in pieces:
            put(piece)
    except asyncio.CancelledError:
        error = None
        raise
    except BaseException as raised:
        error = raised
    finally:
        await pieces.aclose()
        with contextlib.suppress(RuntimeError):  # the caller's loop is closed: nobody listens
            put(_End(error))
