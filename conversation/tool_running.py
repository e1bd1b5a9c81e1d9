"""Choosing and running tools: the model's decision, then the application's function."""

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from threading import Thread
from typing import Any, NamedTuple, cast

from conversation.config import AgentConfig, ToolConfig
from conversation.errors import AgentConfigError, ModelOutputError
from conversation.llm.chat_model import ChatModel, Completion
from conversation.speaking import storable
from conversation.tools import (
    END_CALL,
    MAX_RESULT_CHARS,
    chosen_tool,
    tool_messages,
    tool_options,
)
from conversation.transcript import ToolCall, Turn, Usage

ToolFunction = Callable[[Mapping[str, Any]], object]
"""Takes the parameters and returns text for the agent, or an awaitable of it."""

_log = logging.getLogger(__name__)


class ToolUse(NamedTuple):
    """What came of asking for a tool."""

    call: ToolCall | None = None
    usage: Usage | None = None
    """Of the decision; None when the agent has no tools."""


class Toolbox:
    """The tools of one session."""

    def __init__(
        self, agent: AgentConfig, *, functions: Mapping[str, ToolFunction], model: ChatModel
    ) -> None:
        """Raises `AgentConfigError` when a tool has no function, or a function no tool."""
        wanted = {tool.name for tool in agent.tools if tool.name != END_CALL}
        if wanted != set(functions):
            raise AgentConfigError(
                f"The agent {agent.agent_id!r} has the client tools {sorted(wanted)}, but "
                f"functions were given for {sorted(functions)}. Pass one function for each: "
                "`Session.start(agent, tools={'NAME': function})`."
            )
        self._agent = agent
        self._functions = dict(functions)
        self._model = model
        self._tools = {tool.name: tool for tool in agent.tools}

    def use(self, turns: Sequence[Turn], *, call_id: str) -> ToolUse:
        """Let the model choose a tool for the last of `turns`, and run it."""
        if not self._tools:
            return ToolUse()
        answer = self._model.complete(tool_messages(self._agent, turns), tool_options(self._agent))
        call = self._chosen(answer, call_id)
        return ToolUse(None if call is None else self._run(call), answer.usage)

    async def ause(self, turns: Sequence[Turn], *, call_id: str) -> ToolUse:
        """Like `use`, without blocking the event loop."""
        if not self._tools:
            return ToolUse()
        answer = await self._model.acomplete(
            tool_messages(self._agent, turns), tool_options(self._agent)
        )
        call = self._chosen(answer, call_id)
        function = None if call is None else self._functions.get(call.tool_name)
        if call is not None and function is not None and inspect.iscoroutinefunction(function):
            call = await self._arun(call, function)
        elif call is not None:
            call = await asyncio.to_thread(self._run, call)
        return ToolUse(call, answer.usage)

    def _chosen(self, answer: Completion, call_id: str) -> ToolCall | None:
        try:
            return chosen_tool(answer.text, self._agent.tools, call_id=call_id)
        except ModelOutputError:
            # The user still gets an answer; the log says that a tool may have been missed.
            _log.warning("no usable choice of a tool in turn %s", call_id)
            return None

    def _run(self, call: ToolCall) -> ToolCall:
        if call.tool_name == END_CALL:
            return call
        tool, function = self._tools[call.tool_name], self._functions[call.tool_name]
        began_s = time.perf_counter()
        outcome: Future[object] = Future()

        def run() -> None:
            try:
                result = function(call.parameters)
                if inspect.isawaitable(result):
                    result = asyncio.run(_awaited(result))
                outcome.set_result(result)
            except BaseException as error:
                outcome.set_exception(error)

        # Not of a pool: a function that hangs must not hold up the end of the process.
        Thread(target=run, name=f"tool {tool.name}", daemon=True).start()
        try:
            result = outcome.result(timeout=tool.timeout_s)
        except Exception as error:
            return _failed(call, tool, error, began_s=began_s)
        return _done(call, result, began_s=began_s)

    async def _arun(self, call: ToolCall, function: ToolFunction) -> ToolCall:
        tool = self._tools[call.tool_name]
        began_s = time.perf_counter()
        try:
            awaitable = function(call.parameters)
            result = await asyncio.wait_for(_awaited(awaitable), tool.timeout_s)
        except Exception as error:
            return _failed(call, tool, error, began_s=began_s)
        return _done(call, result, began_s=began_s)


async def _awaited(value: object) -> object:
    return await cast(Awaitable[object], value) if isinstance(value, Awaitable) else value


def _done(call: ToolCall, result: object, *, began_s: float) -> ToolCall:
    text = "" if result is None else storable(str(result))[:MAX_RESULT_CHARS]
    return call.model_copy(update={"result": text, "latency_ms": _ms_since(began_s)})


def _failed(call: ToolCall, tool: ToolConfig, error: Exception, *, began_s: float) -> ToolCall:
    """A tool that fails is a result too: the agent says so, and the conversation goes on."""
    reason = (
        f"it did not answer within {tool.timeout_s:g} s."
        if isinstance(error, TimeoutError)
        else f"it raised {type(error).__name__}."
    )
    return call.model_copy(
        update={"result": reason, "is_error": True, "latency_ms": _ms_since(began_s)}
    )


def _ms_since(began_s: float) -> float:
    return (time.perf_counter() - began_s) * 1_000
