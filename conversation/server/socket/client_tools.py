"""Tools that run at the client: the agent asks over the socket, and the client answers in time."""

import asyncio

from conversation.errors import ToolError
from conversation.server.socket.actions import (
    ToolAnswer,
)
from conversation.transcript import ToolCall


class ClientTools:
    """Answers that a session waits for. Used from the event loop alone."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[ToolAnswer]] = {}

    def expect(self, tool_call_id: str) -> None:
        """The client is about to be asked, so that its answer finds somebody waiting."""
        self._answer_to(tool_call_id)

    def take(self, answer: ToolAnswer) -> bool:
        """Hand on what the client answered; False when nobody waits for it any more."""
        waiting = self._waiting.get(answer.tool_call_id)
        if waiting is None or waiting.done():
            return False
        waiting.set_result(answer)
        return True

    def forget(self) -> None:
        """The turn is over: nobody waits any more."""
        self._waiting.clear()

    async def result(self, call: ToolCall) -> str:
        """What the client gave; the session stops waiting after the tool's `timeout_s`.

        Raises:
            ToolError: The client says that it failed.
        """
        answer = await self._answer_to(call.tool_call_id)
        if answer.is_error:
            raise ToolError(answer.text or "the client gave no reason", from_outside=True)
        return answer.text

    def _answer_to(self, tool_call_id: str) -> asyncio.Future[ToolAnswer]:
        """In a voice call the session may wait before the client was asked."""
        if tool_call_id not in self._waiting:
            self._waiting[tool_call_id] = asyncio.get_running_loop().create_future()
        return self._waiting[tool_call_id]
