import asyncio
import threading
from collections.abc import Iterator

import pytest

from conversation.voice.models.runner import ModelRunner, Urgency


class Gate:
    """Keeps the only worker busy until it is opened."""

    def __init__(self, runner: ModelRunner) -> None:
        self._opened = threading.Event()
        self._entered = threading.Event()
        self._job = asyncio.create_task(runner.run(self._wait, urgency=Urgency.TRANSCRIPT))

    async def entered(self) -> "Gate":
        while not self._entered.is_set():
            await asyncio.sleep(0.001)
        return self

    async def open(self) -> None:
        self._opened.set()
        await self._job

    def _wait(self) -> None:
        self._entered.set()
        self._opened.wait(10)


async def test_what_a_user_waits_for_goes_first_and_equals_keep_their_order():
    runner, done = ModelRunner(workers=1), list[str]()
    gate = await Gate(runner).entered()

    def job(name: str, urgency: Urgency):
        return asyncio.create_task(runner.run(lambda: done.append(name), urgency=urgency))

    jobs = [
        job("tentative", Urgency.TENTATIVE),
        job("later 1", Urgency.LATER_CLAUSE),
        job("later 2", Urgency.LATER_CLAUSE),
        job("first", Urgency.FIRST_CLAUSE),
        job("transcript", Urgency.TRANSCRIPT),
    ]
    await asyncio.sleep(0)
    await gate.open()
    await asyncio.gather(*jobs)
    runner.close()

    assert done == ["transcript", "first", "later 1", "later 2", "tentative"]


async def test_a_job_that_is_cancelled_before_its_turn_never_runs():
    runner, done = ModelRunner(workers=1), list[str]()
    gate = await Gate(runner).entered()
    job = asyncio.create_task(runner.run(lambda: done.append("no"), urgency=Urgency.FIRST_CLAUSE))
    await asyncio.sleep(0)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    await gate.open()
    await runner.run(lambda: done.append("yes"), urgency=Urgency.TENTATIVE)
    runner.close()

    assert done == ["yes"]


async def test_something_more_urgent_goes_between_two_steps_of_a_stream():
    runner, order = ModelRunner(workers=1), list[str]()

    def steps() -> Iterator[int]:
        for number in range(3):
            order.append(f"step {number}")
            yield number

    async with asyncio.timeout(10):
        async for number in runner.stream(steps, urgency=Urgency.LATER_CLAUSE):
            if number == 0:
                await runner.run(lambda: order.append("urgent"), urgency=Urgency.TRANSCRIPT)
    runner.close()

    assert order == ["step 0", "urgent", "step 1", "step 2"]


async def test_whoever_leaves_a_stream_stops_its_work():
    runner, made = ModelRunner(workers=1), list[int]()

    def steps() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    stream = runner.stream(steps, urgency=Urgency.LATER_CLAUSE)
    assert await anext(stream) == 0
    await stream.aclose()
    await runner.run(lambda: None, urgency=Urgency.TENTATIVE)
    runner.close()

    assert made == [0]


async def test_an_error_of_a_job_is_raised_where_it_is_awaited_and_the_worker_lives_on():
    runner = ModelRunner(workers=1)

    def fail() -> None:
        raise LookupError("no such phoneme")

    with pytest.raises(LookupError, match="no such phoneme"):
        await runner.run(fail, urgency=Urgency.FIRST_CLAUSE)
    assert await runner.run(lambda: 2, urgency=Urgency.FIRST_CLAUSE) == 2
    runner.close()


async def test_closing_cancels_what_waits_and_refuses_what_comes():
    runner = ModelRunner(workers=1)
    gate = await Gate(runner).entered()
    waiting = asyncio.create_task(runner.run(lambda: 1, urgency=Urgency.TENTATIVE))
    await asyncio.sleep(0)
    closing = asyncio.create_task(asyncio.to_thread(runner.close))
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(RuntimeError, match="closed"):
        await runner.run(lambda: 1, urgency=Urgency.TENTATIVE)
    await gate.open()
    await closing
