"""An OpenAI-compatible endpoint on a real socket that does what a script says."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """How one request is answered."""

    pieces: tuple[str, ...] = ("Refunds ", "take ", "five days.")
    status: int = 200
    message: str = "scripted failure"
    headers: dict[str, str] = field(default_factory=dict)
    usage: dict[str, Any] | None = field(
        default_factory=lambda: {
            "prompt_tokens": 11,
            "completion_tokens": 5,
            "total_tokens": 16,
            "prompt_tokens_details": {"cached_tokens": 4},
        }
    )
    finish_reason: str = "stop"
    first_token_delay_s: float = 0.0
    piece_delay_s: float = 0.0
    cut_after: int | None = None
    """Close the connection after so many pieces, without an ending."""
    breaks_with: Any = None
    """What the server says is wrong after the pieces, in place of an ending."""
    top_logprobs: dict[str, float] | None = None
    tool_calls: tuple[tuple[str, str], ...] = ()
    """Names and arguments of tools that are asked for after the pieces."""
    function_call: tuple[str, str] | None = None
    """The same in the older form, which knows one call."""


class OpenAIStub:
    """The endpoint: `base_url` to call, `requests` that came, a script of replies."""

    def __init__(self, *script: Reply) -> None:
        self.script = list(script)
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.disconnected = threading.Event()
        """Set when a client went away in the middle of an answer."""
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                stub.requests.append(json.loads(body) if body.startswith(b"{") else {})
                stub.keys.append(self.headers.get("authorization"))
                reply = stub.script.pop(0) if stub.script else Reply()
                if reply.status != 200:
                    stub.refuse(self, reply)
                else:
                    stub.answer(self, reply)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def refuse(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        body = json.dumps({"error": {"message": reply.message, "type": "scripted"}}).encode()
        handler.send_response(reply.status)
        for name, value in {"content-type": "application/json", **reply.headers}.items():
            handler.send_header(name, value)
        handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def answer(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("connection", "close")
        handler.end_headers()
        try:
            time.sleep(reply.first_token_delay_s)
            for number, piece in enumerate(reply.pieces):
                if reply.cut_after == number:
                    return
                self._send(handler, _delta(piece, reply.top_logprobs if number == 0 else None))
                time.sleep(reply.piece_delay_s)
            if self._broke_off(handler, reply):
                return
            for index, (name, arguments) in enumerate(reply.tool_calls):
                for delta in _tool_deltas(index, name, arguments):
                    self._send(handler, _choice({"delta": {"tool_calls": [delta]}}))
            for function in _function_deltas(reply.function_call):
                self._send(handler, _choice({"delta": {"function_call": function}}))
            self._send(handler, _choice({"delta": {}, "finish_reason": reply.finish_reason}))
            if reply.usage is not None:
                self._send(handler, {**_chunk([]), "usage": reply.usage})
            handler.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            self.disconnected.set()

    def _broke_off(self, handler: BaseHTTPRequestHandler, reply: Reply) -> bool:
        if reply.breaks_with is not None:
            self._send(handler, {"error": reply.breaks_with})
        return reply.cut_after is not None or reply.breaks_with is not None

    def _send(self, handler: BaseHTTPRequestHandler, chunk: dict[str, Any]) -> None:
        handler.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        handler.wfile.flush()


@contextmanager
def openai_stub(*script: Reply) -> Iterator[OpenAIStub]:
    stub = OpenAIStub(*script)
    try:
        yield stub
    finally:
        stub.close()


def _delta(text: str, top_logprobs: dict[str, float] | None) -> dict[str, Any]:
    choice: dict[str, Any] = {"delta": {"role": "assistant", "content": text}}
    if top_logprobs:
        entries = [
            {"token": token, "logprob": value, "bytes": None}
            for token, value in top_logprobs.items()
        ]
        first = {**entries[0], "top_logprobs": entries}
        choice["logprobs"] = {"content": [first], "refusal": None}
    return _choice(choice)


def _tool_deltas(index: int, name: str, arguments: str) -> list[dict[str, Any]]:
    """One tool call as providers stream it: name first, arguments in pieces."""
    begin = {"index": index, "id": f"call_{index}", "type": "function"}
    half = len(arguments) // 2
    return [
        {**begin, "function": {"name": name, "arguments": ""}},
        {"index": index, "function": {"arguments": arguments[:half]}},
        {"index": index, "function": {"arguments": arguments[half:]}},
    ]


def _function_deltas(call: tuple[str, str] | None) -> list[dict[str, Any]]:
    if call is None:
        return []
    name, arguments = call
    half = len(arguments) // 2
    return [
        {"name": name, "arguments": ""},
        {"arguments": arguments[:half]},
        {"arguments": arguments[half:]},
    ]


def _choice(fields: dict[str, Any]) -> dict[str, Any]:
    return _chunk([{"index": 0, "finish_reason": None, **fields}])


def _chunk(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "stub",
        "choices": choices,
    }
