"""A server in place of llama.cpp's: every character is a token."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from conversation.llm.engine.server import EngineRequestError
from conversation.llm.engine.slots import common_chars

Receive = Callable[[dict[str, Any]], bool]


class FakeServer:
    """Answers every chat with `answer`; counts what it had to read."""

    def __init__(self, folder: Path, *, slots: int = 4, answer: str = "All right.") -> None:
        self.folder = folder
        self.answer = answer
        self.held = [""] * slots
        self.read_chars: list[int] = []
        """Of each request, in the order in which they ended."""
        self.restored: list[int] = []
        """Slots that were restored."""
        self.lost_tokens = 0
        """How many tokens a restored state lacks."""
        self.refuses: str | None = None
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def chat(self, body: Mapping[str, Any], receive: Receive) -> None:
        if self.refuses is not None:
            receive({"error": {"message": self.refuses}})
            return
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            self._chat(body, receive)
        finally:
            with self._lock:
                self.at_once -= 1

    def _chat(self, body: Mapping[str, Any], receive: Receive) -> None:
        prompt = self.rendered(body["messages"])
        if receive({"prompt_progress": {"processed": 0, "total": len(prompt)}}):
            return
        self._take_in(prompt, body["id_slot"])
        assert self.may_go_on.wait(30)
        for word in self.answer.split(" "):
            self.held[body["id_slot"]] += word
            if receive({"choices": [{"delta": {"content": f"{word} "}}]}):
                return
        receive({"choices": [{"delta": {}, "finish_reason": "stop"}]})

    def read(self, prompt: str, slot: int, receive: Receive) -> None:
        for done in (0, len(prompt)):
            if receive({"prompt_progress": {"processed": done, "total": len(prompt)}}):
                return
        self._take_in(prompt, slot)

    def rendered(self, messages: Sequence[Mapping[str, str]]) -> str:
        return "".join(f"<{each['role']}>{each['content']}</s>" for each in messages)

    def save(self, slot: int, name: str) -> int:
        (self.folder / name).write_text(json.dumps(self.held[slot]))
        return len(self.held[slot])

    def restore(self, slot: int, name: str) -> int:
        try:
            self.held[slot] = json.loads((self.folder / name).read_text())
        except (OSError, ValueError) as error:
            raise EngineRequestError("llama.cpp answered 400 to /slots") from error
        self.restored.append(slot)
        return len(self.held[slot]) - self.lost_tokens

    def _take_in(self, prompt: str, slot: int) -> None:
        common = common_chars(prompt, self.held[slot])
        self.read_chars.append(len(prompt) - common)
        self.held[slot] = prompt
