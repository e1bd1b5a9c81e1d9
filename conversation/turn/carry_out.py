"""The steps of a turn, carried out: the same plan with and without an event loop."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from typing import Any

from conversation.errors import TurnLimitError
from conversation.llm.chat_model import Completion
from conversation.turn.events import SessionEvent, TextDelta
from conversation.turn.steps import CallModel, Emit, Step, Steps, Use
from conversation.turn.turn_so_far import SpeakingTurn
from conversation.turn.waiting import aparts, parts, unless_over

_GRACE_S = 1.0
"""Models that keep their deadlines say more clearly what was too slow."""


def carry_out(
    steps: Steps, speaking: SpeakingTurn, *, timer_s: Callable[[], float]
) -> Generator[SessionEvent]:
    """Do each step and yield what there is to tell. A step that fails fails inside the plan."""
    outcome: Any = None
    with closing(steps):
        while (step := _next_step(steps, outcome)) is not None:
            if isinstance(step, Emit):
                outcome = None
                yield step.event
                continue
            try:
                if isinstance(step, CallModel):
                    outcome = yield from _ask(step, speaking, timer_s)
                elif isinstance(step, Use):
                    outcome = step.tools.run(step.call)
                else:
                    outcome = step.function()
            except Exception as error:
                speaking.take_failure(error)
                outcome = error


async def acarry_out(
    steps: Steps, speaking: SpeakingTurn, *, timer_s: Callable[[], float]
) -> AsyncGenerator[SessionEvent]:
    """Like `carry_out`, without blocking the event loop; closing the turn ends every wait."""
    outcome: Any = None
    with closing(steps):
        while (step := _next_step(steps, outcome)) is not None:
            if isinstance(step, Emit):
                outcome = None
                yield step.event
                continue
            try:
                if isinstance(step, CallModel):
                    async with aclosing(_aask(step, speaking, timer_s)) as answer:
                        async for event in answer:
                            yield event
                    outcome = speaking.last_completion
                elif isinstance(step, Use):
                    done = await unless_over(step.tools.arun(step.call), speaking)
                    outcome = step.call if done is None else done
                else:
                    outcome = await unless_over(asyncio.to_thread(step.function), speaking)
            except Exception as error:
                speaking.take_failure(error)
                outcome = error


def _next_step(steps: Steps, outcome: Any) -> Step | None:
    """Tell the plan what came of its last step, and get the next one."""
    try:
        return steps.throw(outcome) if isinstance(outcome, Exception) else steps.send(outcome)
    except StopIteration:
        return None


def _ask(
    step: CallModel, speaking: SpeakingTurn, timer_s: Callable[[], float]
) -> Generator[SessionEvent, None, Completion | None]:
    speaking.ask(step.model, step.messages, is_heard=step.is_heard, check=step.check)
    in_time = _clocked(step, timer_s)
    stream = step.model.stream(step.messages, step.options)
    with closing(parts(stream, speaking)) as received:
        for part in received:
            in_time()
            text = _take(step, speaking, part, timer_s)
            if text:
                yield TextDelta(text)
            if speaking.is_refuted:
                break  # which stops the model
    return speaking.last_completion


async def _aask(
    step: CallModel, speaking: SpeakingTurn, timer_s: Callable[[], float]
) -> AsyncGenerator[SessionEvent]:
    speaking.ask(step.model, step.messages, is_heard=step.is_heard, check=step.check)
    in_time = _clocked(step, timer_s)
    stream = step.model.astream(step.messages, step.options)
    async with aclosing(aparts(stream, speaking)) as received:
        async for part in received:
            in_time()
            text = _take(step, speaking, part, timer_s)
            if text:
                yield TextDelta(text)
            if speaking.is_refuted:
                return


def _clocked(step: CallModel, timer_s: Callable[[], float]) -> Callable[[], None]:
    """Raises once the call has had its time: not every model keeps a deadline itself."""
    allowed_s = step.options.total_timeout_s
    began_s = timer_s()

    def check() -> None:
        if allowed_s and timer_s() - began_s > allowed_s + _GRACE_S:
            raise TurnLimitError(
                f"Model {step.model.model!r} was still answering after {allowed_s:.0f} s. Raise "
                "`llm.total_timeout_s`, or name a faster model."
            )

    return check


def _take(
    step: CallModel, speaking: SpeakingTurn, part: str | Completion, timer_s: Callable[[], float]
) -> str:
    began_s = timer_s()
    text = speaking.take(part, now_s=began_s, is_heard=step.is_heard)
    speaking.own_s += timer_s() - began_s
    return text
