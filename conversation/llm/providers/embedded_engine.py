"""llama.cpp in this process: one engine per weights file, shared by every session.

Requests run side by side in slots: a token costs 178 ms of CPU when one request runs, 104 ms each
when four do, and no less with eight (Qwen2.5-Coder 1.5B, Q4_K_M). llama.cpp picks the slot whose
last prompt is most like the new one and keeps the prompts of the others in memory, so each
conversation finds its own prefix again.
"""

import atexit
import importlib
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from conversation.language.tokens import estimated_tokens
from conversation.llm.providers.gguf import trained_context_tokens

JSONObject = dict[str, Any]

EXIT_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine uses the machine."""

    parallel: int = 4
    """Requests that run at the same time; more wait."""
    context_tokens: int = 16_384
    """Room for the prompts and answers of all running requests together."""
    batch_tokens: int = 128
    """Prompt tokens read in one step, which cannot be stopped and holds up the others.

    Smaller steps cost nothing: 27 ms of CPU per token with 128, 256 and 512 alike (1.5B, Q4_K_M).
    """
    prompt_cache_mb: int = 512
    """Memory for prompts of conversations that are not running."""
    threads: int | None = None
    """None takes all cores."""


class EngineRequestError(Exception):
    """llama.cpp refused a request (too long, bad schema, ...) or the weights."""


class Engine:
    """A loaded model. `generate` blocks; call it from a thread."""

    def __init__(self, path: Path, options: EngineOptions) -> None:
        self._server: Any = _start_server(path, options)
        self._context_tokens = options.context_tokens
        self._slots = threading.Semaphore(options.parallel)
        self._room = threading.Condition()
        self._free_tokens = options.context_tokens
        self._closing = False
        self._running = 0

    def generate(
        self,
        request: Mapping[str, Any],
        on_chunk: Callable[[JSONObject], None],
        *,
        stopped: Callable[[], bool],
    ) -> None:
        """Run one chat completion and hand over its chunks.

        Args:
            request: Body of an OpenAI chat completion.
            on_chunk: Called with each chunk, from this thread.
            stopped: Asked at each step; when true, generation ends at once.

        Raises:
            EngineRequestError: The request cannot be answered.
        """
        need = min(context_needed(request), self._context_tokens)
        with self._slots, _Reservation(self, need):
            if stopped() or self._closing:
                return
            self._run(request, on_chunk, stopped)

    def _run(
        self,
        request: Mapping[str, Any],
        on_chunk: Callable[[JSONObject], None],
        stopped: Callable[[], bool],
    ) -> None:
        failures: list[BaseException] = []

        def receive(chunk: JSONObject) -> bool:
            try:
                if "error" in chunk:
                    raise EngineRequestError(_refusal(chunk["error"]))
                on_chunk(chunk)
            except BaseException as error:  # the caller is C++: carried around it, raised below
                failures.append(error)
                return True
            return stopped() or self._closing

        body = {
            **request,
            "stream": True,
            "stream_options": {"include_usage": True},
            "cache_prompt": True,
            # A chunk per batch of the prompt, so that a request can be stopped while it is read.
            "return_progress": True,
        }
        try:
            self._server.handle_chat_completions(body, receive)
        except ValueError as error:
            raise EngineRequestError(str(error)) from error
        if failures:
            raise failures[0]

    @property
    def running(self) -> int:
        """How many requests are being answered."""
        return self._running

    def close(self) -> None:
        """Stop what is running and free the memory."""
        self._closing = True
        with self._room:
            self._room.notify_all()
            self._room.wait_for(lambda: self._running == 0, timeout=EXIT_WAIT_S)
            idle = self._running == 0
        if idle:
            self._server = None

    def _reserve(self, tokens: int) -> None:
        with self._room:
            self._room.wait_for(lambda: self._closing or self._free_tokens >= tokens)
            self._free_tokens -= tokens
            self._running += 1

    def _release(self, tokens: int) -> None:
        with self._room:
            self._free_tokens += tokens
            self._running -= 1
            self._room.notify_all()


class _Reservation:
    """Room in the shared context, held while a request runs."""

    def __init__(self, engine: Engine, tokens: int) -> None:
        self._engine = engine
        self._tokens = tokens

    def __enter__(self) -> None:
        self._engine._reserve(self._tokens)  # pyright: ignore[reportPrivateUsage]

    def __exit__(self, *_: object) -> None:
        self._engine._release(self._tokens)  # pyright: ignore[reportPrivateUsage]


_engines: dict[Path, Engine] = {}
_options: dict[Path, EngineOptions] = {}
_engines_lock = threading.Lock()


def configure_engine(path: Path, options: EngineOptions) -> None:
    """Say how the engine of this weights file is to be loaded; a loaded one stays as it is."""
    with _engines_lock:
        _options[path] = options


def shared_engine(path: Path) -> Engine:
    """Return the engine of this weights file, loading it on first use (seconds)."""
    with _engines_lock:
        if path not in _engines:
            if not _engines:
                atexit.register(_close_all)
            _engines[path] = Engine(path, _options.get(path, EngineOptions()))
        return _engines[path]


def embedded_context_tokens(path: Path) -> int:
    """How many tokens one request for this weights file may take.

    Half of the engine's room, because a request waits until its room is free, and people talk to
    agents that run on the same engine; never more than the model was trained to read.
    """
    with _engines_lock:
        room = _options.get(path, EngineOptions()).context_tokens // 2
    return min(room, trained_context_tokens(path) or room)


def context_needed(request: Mapping[str, Any]) -> int:
    """Return an upper estimate of the context that a request needs."""
    said = sum(estimated_tokens(str(message.get("content", ""))) for message in request["messages"])
    # A third more than the estimate, which may be too small by about that for some scripts.
    return said * 4 // 3 + 64 + int(request.get("max_tokens") or 256)


def _close_all() -> None:
    for engine in list(_engines.values()):
        engine.close()
    _engines.clear()


def _start_server(path: Path, options: EngineOptions) -> Any:
    # Without this, threads spin at barriers and generation collapses when anything else runs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    xllamacpp: Any = importlib.import_module("xllamacpp")
    params: Any = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_parallel = options.parallel
    params.n_ctx = options.context_tokens
    params.kv_unified = True
    params.n_batch = params.n_ubatch = options.batch_tokens
    params.cache_ram_mib = options.prompt_cache_mb
    params.use_jinja = True
    params.verbosity = -1
    threads = options.threads or os.cpu_count() or 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    # It always listens on a port of 127.0.0.1: without page or list of slots, and with a key that
    # nobody knows.
    params.ui = False
    params.endpoint_slots = False
    params.api_keys = [secrets.token_hex(32)]
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise EngineRequestError(
            f"llama.cpp cannot load {path.name}: it is no GGUF file that this version knows, or "
            "there is too little memory for it"
        ) from error


def _refusal(error: Any) -> str:
    return str(cast(JSONObject, error).get("message")) if isinstance(error, dict) else str(error)
