"""Tools that run at the client: the agent asks over the socket, and the client answers in time."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from conversation.config import AgentConfig
from conversation.server.dialogue import ToolAnswer, client_tool_frames
from conversation.server.protocol import ServerMessage
from conversation.tool_running import ToolFunction
from conversation.transcript import ToolCall

Send = Callable[[ServerMessage], Awaitable[None]]


class ClientToolError(Exception):
    """The client said that its tool failed."""


class ClientTools:
    """The functions that a session calls, and the answers that it waits for."""

    def __init__(
        self, agent: AgentConfig, *, new_id: Callable[[], str] = lambda: uuid.uuid4().hex
    ) -> None:
        self.kinds = {tool.name: tool.kind for tool in agent.all_tools}
        self.event_id = 0
        """Of the turn that is under way."""
        self._new_id = new_id
        self._send: Send | None = None
        self._waiting: dict[str, asyncio.Future[ToolAnswer]] = {}
        self._last_ids: dict[str, str] = {}

    def connect(self, send: Send) -> None:
        """Tell how frames are sent."""
        self._send = send

    def functions(self) -> dict[str, ToolFunction]:
        """One function for each client tool of the agent, as `Session.start` takes them.

        A session gives up after the tool's `timeout_s`; a later answer is dropped.
        """
        names = [name for name, kind in self.kinds.items() if kind == "client"]
        return {name: _as_coroutine_function(partial(self._ask, name)) for name in names}

    def as_known(self, call: ToolCall) -> ToolCall:
        """The call under the id by which the client knows it."""
        call_id = self._last_ids.get(call.tool_name, call.tool_call_id)
        return call.model_copy(update={"tool_call_id": call_id})

    def take(self, answer: ToolAnswer) -> bool:
        """Hand on what the client answered; False when nobody waits for it."""
        waiting = self._waiting.pop(answer.tool_call_id, None)
        if waiting is None or waiting.done():
            return False
        waiting.set_result(answer)
        return True

    def give_up(self) -> None:
        """Nobody wants the answers any more: the user took another turn."""
        for waiting in list(self._waiting.values()):
            if not waiting.done():
                waiting.set_exception(ClientToolError("the user went on"))

    async def _ask(self, name: str, parameters: Mapping[str, Any]) -> str:
        if self._send is None:
            raise ClientToolError("the client is not connected")
        call_id = f"call_{self._new_id()}"
        waiting: asyncio.Future[ToolAnswer] = asyncio.get_running_loop().create_future()
        self._waiting[call_id] = waiting
        self._last_ids[name] = call_id
        try:
            for frame in client_tool_frames(name, call_id, parameters, event_id=self.event_id):
                await self._send(frame)
            answer = await waiting
        finally:
            self._waiting.pop(call_id, None)
        if answer.is_error:
            raise ClientToolError(answer.text)
        return answer.text


def _as_coroutine_function(ask: Callable[[Mapping[str, Any]], Awaitable[str]]) -> ToolFunction:
    """Sessions look whether a function is asynchronous before they call it."""

    async def function(parameters: Mapping[str, Any]) -> str:
        return await ask(parameters)

    return function
