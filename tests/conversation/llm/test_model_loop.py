"""The loop that all calls of models run on."""

import asyncio
import threading
from collections.abc import AsyncGenerator

import pytest

from conversation.llm.model_loop import model_loop


async def numbers(count: int) -> AsyncGenerator[int, None]:
    for number in range(count):
        await asyncio.sleep(0)
        yield number


async def failing() -> AsyncGenerator[int, None]:
    yield 1
    raise ValueError("broken")


class Endless:
    """A source that tells whether it was closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    async def __call__(self) -> AsyncGenerator[int, None]:
        try:
            while True:
                yield 1
                await asyncio.sleep(0.001)
        finally:
            self.closed.set()


async def test_both_iterators_yield_everything_in_order():
    assert list(model_loop().iterate(lambda: numbers(100))) == list(range(100))
    assert [n async for n in model_loop().aiterate(lambda: numbers(100))] == list(range(100))


async def test_errors_come_through_after_what_was_yielded():
    got: list[int] = []
    stream = model_loop().iterate(failing)
    got.append(next(stream))
    with pytest.raises(ValueError, match="broken"):
        next(stream)
    astream = model_loop().aiterate(failing)
    got.append(await anext(astream))
    with pytest.raises(ValueError, match="broken"):
        await anext(astream)
    assert got == [1, 1]


async def test_closing_early_closes_the_source_before_returning():
    source = Endless()
    stream = model_loop().iterate(source.__call__)
    next(stream)
    stream.close()
    assert source.closed.is_set()

    other = Endless()
    astream = model_loop().aiterate(other.__call__)
    await anext(astream)
    await astream.aclose()
    assert other.closed.is_set()


def test_a_stream_that_was_never_begun_does_not_run():
    source = Endless()

    model_loop().iterate(source.__call__).close()

    assert not source.closed.is_set()


async def test_cancelling_a_call_cancels_its_work():
    began, cancelled = threading.Event(), threading.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    task = asyncio.create_task(model_loop().acall(work()))
    await asyncio.to_thread(began.wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await asyncio.to_thread(cancelled.wait, 60)


def test_many_threads_share_one_loop():
    loops: set[int] = set()

    def ask() -> None:
        loops.add(id(model_loop()))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loops) == 1


def test_another_thread_can_end_a_stream_that_waits():
    cancelled = threading.Event()

    async def hang() -> AsyncGenerator[str, None]:
        try:
            yield "first"
            await asyncio.sleep(3_600)
        finally:
            cancelled.set()

    stream = model_loop().iterate(hang)
    assert next(stream) == "first"
    threading.Timer(0.01, stream.cancel).start()

    assert list(stream) == []
    assert cancelled.wait(60)


def test_a_stream_that_was_ended_before_it_began_never_begins():
    async def never() -> AsyncGenerator[str, None]:
        raise AssertionError
        yield ""

    stream = model_loop().iterate(never)
    stream.cancel()

    assert list(stream) == []
