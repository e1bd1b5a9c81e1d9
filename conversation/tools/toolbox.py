"""The tools of one agent in one session, and running those that reach outside of it."""

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from threading import Thread
from typing import Any, cast

from conversation.agent.config import AgentConfig
from conversation.agent.models.llm_config import EXTRACTIVE
from conversation.agent.system_tools import SEARCH
from conversation.agent.tool_config import ToolConfig, ToolKind
from conversation.agent.variables import is_secret, variable_names
from conversation.errors import AgentConfigError, ToolError
from conversation.llm.chat_model import ChatModel, OfferedTool
from conversation.llm.generator import calls_tools
from conversation.tools.deciding import offered_tools
from conversation.tools.naming import names_first
from conversation.tools.results import MAX_RESULT_CHARS, result_text
from conversation.tools.webhook import call_webhook
from conversation.transcript import ToolCall, storable

ToolFunction = Callable[[Mapping[str, Any]], object]
"""Takes the parameters and returns text for the agent, or an awaitable of it."""
ClientTool = Callable[[ToolCall], object]
"""Does any client tool: takes the call with its name, id and parameters, and returns the same."""

_log = logging.getLogger(__name__)


class Toolbox:
    """The tools of one agent in one session."""

    def __init__(
        self,
        agent: AgentConfig,
        *,
        model: ChatModel,
        functions: Mapping[str, ToolFunction],
        client_tool: ClientTool | None = None,
        secrets: Mapping[str, str] | None = None,
        has_knowledge_base: bool = False,
    ) -> None:
        """Check that everything is there.

        Raises:
            AgentConfigError: A client tool has no function, a webhook no secret, or a search
                nothing to search in.
        """
        self._functions = dict(functions)
        self._client_tool = client_tool
        self._secrets = dict(secrets or {})
        self._tools = {tool.name: tool for tool in agent.all_tools}
        self.native = _calls_natively(agent, model)
        """Whether the model is offered tools by its provider."""
        self.names_first = names_first(model, native=self.native)
        """Whether the model names a tool before it fills in its parameters."""
        _require_functions(agent, self._functions, any_of_them=client_tool is not None)
        _require_secrets(agent, self._secrets)
        if SEARCH in self._tools and not has_knowledge_base:
            raise AgentConfigError(
                f"The agent {agent.agent_id!r} has the tool {SEARCH!r} but no knowledge base. Give "
                "it one, or take the tool away."
            )

    def __bool__(self) -> bool:
        return bool(self._tools)

    @property
    def trusted(self) -> frozenset[str]:
        """Names of tools whose results may be read where the next tool is decided on."""
        return frozenset(name for name, tool in self._tools.items() if tool.trusted_result)

    def kind_of(self, name: str) -> ToolKind:
        """Who does the tool; what is not there is answered by the session itself."""
        return self._tools[name].kind if name in self._tools else "system"

    def offered(self, agent: AgentConfig, *, without: frozenset[str]) -> tuple[OfferedTool, ...]:
        """The tools that `agent`, in its present language, may use now."""
        usable = [tool for name, tool in self._tools.items() if name not in without]
        return offered_tools(agent, usable)

    def run(self, call: ToolCall) -> ToolCall:
        """Do a webhook or client tool and wait for its result, at most as long as it may take."""
        tool = self._tools[call.tool_name]
        began_s = time.perf_counter()
        outcome: Future[object] = Future()

        def work() -> None:
            try:
                result = self._call(tool, call)
                if inspect.isawaitable(result):
                    result = asyncio.run(_awaited(result))
                outcome.set_result(result)
            except BaseException as error:
                outcome.set_exception(error)

        # Not of a pool: a function that hangs must not hold up the end of the process.
        Thread(target=work, name=f"tool {tool.name}", daemon=True).start()
        try:
            result = outcome.result(timeout=tool.timeout_s)
        except Exception as error:
            return _failed(call, tool, error, began_s=began_s)
        except BaseException as error:
            if outcome.done() and outcome.exception() is error:  # the function's own
                return _failed(call, tool, error, began_s=began_s)
            raise
        return _done(call, result, began_s=began_s)

    async def arun(self, call: ToolCall) -> ToolCall:
        """Like `run`, without blocking the event loop; coroutine functions run on it."""
        tool = self._tools[call.tool_name]
        if not self._is_coroutine(tool):
            return await asyncio.to_thread(self.run, call)
        began_s = time.perf_counter()
        try:
            result = await asyncio.wait_for(_awaited(self._call(tool, call)), tool.timeout_s)
        except Exception as error:
            return _failed(call, tool, error, began_s=began_s)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return _failed(call, tool, error, began_s=began_s)
        return _done(call, result, began_s=began_s)

    def _call(self, tool: ToolConfig, call: ToolCall) -> object:
        if tool.kind == "webhook":
            return call_webhook(
                tool, call.parameters, secrets=self._secrets, call_id=call.tool_call_id
            )
        function = self._functions.get(tool.name)
        if function is not None:
            return function(call.parameters)
        if self._client_tool is None:
            raise ToolError("nobody can do it here")
        return self._client_tool(call)

    def _is_coroutine(self, tool: ToolConfig) -> bool:
        if tool.kind == "webhook":
            return False
        function = self._functions.get(tool.name, self._client_tool)
        return inspect.iscoroutinefunction(function)


def _calls_natively(agent: AgentConfig, model: ChatModel) -> bool:
    wanted = agent.tool_use.calls
    if agent.all_tools and model.model == EXTRACTIVE:
        raise AgentConfigError(
            f"The agent {agent.agent_id!r} has tools, but {EXTRACTIVE!r} only quotes documents and "
            "cannot choose tools. Name a language model in `llm.model`, or take the tools away."
        )
    if wanted == "native" and model.model.startswith("embedded/"):
        raise AgentConfigError(
            f"The agent {agent.agent_id!r} asks for native tool calls, which embedded models do "
            "not have. Set `tool_use.calls` to auto."
        )
    if wanted == "auto" and agent.all_tools:
        return calls_tools(model)
    return wanted == "native"


def _require_functions(
    agent: AgentConfig, functions: Mapping[str, ToolFunction], *, any_of_them: bool
) -> None:
    wanted = {tool.name for tool in agent.all_tools if tool.kind == "client"}
    given = set(functions)
    if given - wanted or (wanted - given and not any_of_them):
        raise AgentConfigError(
            f"The agent {agent.agent_id!r} has the client tools {sorted(wanted)}, but "
            f"functions were given for {sorted(given)}. Pass one function for each: "
            "`Session.start(agent, tools={name: function})`, or one that does them all as "
            "`client_tool`."
        )


def _require_secrets(agent: AgentConfig, secrets: Mapping[str, str]) -> None:
    for tool in agent.all_tools:
        for value in (tool.webhook.headers if tool.webhook else {}).values():
            for name in variable_names(value):
                if is_secret(name) and name.removeprefix("secret__") not in secrets:
                    raise AgentConfigError(
                        f"The tool {tool.name!r} of the agent {agent.agent_id!r} needs the secret "
                        f"{name.removeprefix('secret__')!r}. Give it when the session starts: "
                        "`Session.start(agent, secrets={name: value})`."
                    )


async def _awaited(value: object) -> object:
    if not isinstance(value, Awaitable):
        return value
    try:
        return await cast(Awaitable[object], value)
    except SystemExit as error:  # would end the whole event loop
        raise ToolError("it tried to end the process") from error


def _done(call: ToolCall, result: object, *, began_s: float) -> ToolCall:
    text = result_text(result)
    return call.model_copy(update={"result": text, "latency_ms": _ms_since(began_s)})


def _failed(call: ToolCall, tool: ToolConfig, error: BaseException, *, began_s: float) -> ToolCall:
    """A tool that fails is a result too: the agent says so, and the conversation goes on."""
    if isinstance(error, ToolError):
        reason = storable(f"{error}.")[:MAX_RESULT_CHARS]
    elif isinstance(error, TimeoutError):
        reason = f"it did not answer within {tool.timeout_s:g} s."
    else:
        reason = f"it raised {type(error).__name__}."
    _log.warning("tool %s failed: %s", tool.name, type(error).__name__)
    return call.model_copy(
        update={"result": reason, "is_error": True, "latency_ms": _ms_since(began_s)}
    )


def _ms_since(began_s: float) -> float:
    return (time.perf_counter() - began_s) * 1_000
