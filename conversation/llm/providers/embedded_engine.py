"""llama.cpp in this process: one engine per weights file, shared by every session.

Requests run side by side in slots: a token costs 178 ms of CPU when one request runs, 104 ms each
when four do, and no less with eight (Qwen2.5-Coder 1.5B, Q4_K_M). Each slot keeps the prompt that
it read last, so that the next turn reads its own words alone; `prompt_state` holds beginnings.
"""

import atexit
import logging
import secrets
import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from conversation.llm.engine.chunks import guarded, texts
from conversation.llm.engine.known_states import (
    NOTHING,
    KnownStates,
    Restorable,
    open_text,
    prompt_text,
    system_text,
)
from conversation.llm.engine.prompt_state import PromptState, find_state, keep_state, state_key
from conversation.llm.engine.server import (
    EngineOptions,
    EngineRequestError,
    JSONObject,
    LlamaServer,
    ModelServer,
    runtime_version,
)
from conversation.llm.engine.slots import Slots, common_chars
from conversation.llm.providers.gguf import (
    kept_bytes_per_token,
    trained_context_tokens,
    weights_fingerprint,
)

__all__ = [
    "Engine",
    "EngineOptions",
    "EngineRequestError",
    "JSONObject",
    "configure_engine",
    "embedded_context_tokens",
    "kept_state",
    "known_states",
    "shared_engine",
]

EXIT_WAIT_S = 5.0
MAX_KEPT_BYTES = 2_200_000_000
"""Memory for the prompts of all slots: four of Qwen2.5 1.5B (0.9 GB) or 7B, two of Llama 3 8B."""
StartServer = Callable[[Path, EngineOptions, Path], ModelServer]

_log = logging.getLogger(__name__)


def _start(path: Path, options: EngineOptions, folder: Path) -> ModelServer:
    return LlamaServer(path, options, folder=folder)


class Engine:
    """A loaded model. Its methods block; call them from a thread."""

    def __init__(
        self,
        path: Path,
        options: EngineOptions,
        *,
        states: KnownStates,
        start_server: StartServer = _start,
    ) -> None:
        """Load the weights (seconds).

        Args:
            path: Of the GGUF file.
            options: How much of the machine it takes.
            states: Beginnings of prompts that need not be read.
            start_server: Loads them into llama.cpp; raises `EngineRequestError` where it cannot.
        """
        # 0700: what lies there for a moment is what was said.
        self._folder = Path(tempfile.mkdtemp(prefix="vivavoce-engine-"))
        self._remove_folder = weakref.finalize(self, shutil.rmtree, self._folder, True)
        self._server: ModelServer | None = start_server(path, options, self._folder)
        self._path = path
        self._slots = Slots(options.parallel)
        self._states, self._closing = states, False

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
        text = prompt_text(request["messages"])
        state = self._states.best_for(text)
        slot = self._take(text, state, stopped)
        if slot is None:
            return
        said: list[str] = []

        def hand_over(chunk: JSONObject) -> None:
            said.extend(texts(chunk))
            on_chunk(chunk)

        left = ""
        try:
            self._restore(slot, text, state)
            self._run(request, slot, hand_over, stopped)
            left = f"{text}assistant\x1e{''.join(said)}"
        finally:
            # What was stopped may have been read in part: that counts as nothing.
            self._slots.give_back(slot, left if any(said) else "")

    def make_state(
        self,
        beginning: str,
        folder: Path,
        *,
        on_read: Callable[[int, int], None] = lambda _done, _total: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> PromptState | None:
        """Read how system messages begin, and keep what was read in a file.

        Args:
            beginning: The text.
            folder: Where the file goes, in place of those of other texts.
            on_read: Told how many tokens of how many were read.
            stopped: Asked at each step; when true, nothing is kept.

        Returns:
            None when it was stopped.

        Raises:
            EngineRequestError: llama.cpp cannot read or keep it.
            OSError: The folder cannot be written.
        """
        text = system_text(beginning)
        slot = self._take(text, NOTHING, stopped)
        if slot is None:
            return None
        left = ""
        try:
            if not self._read(beginning, slot, on_read, stopped):
                return None
            name = secrets.token_hex(16)
            tokens = self._running_server.save(slot, name)
            made = self._folder / name
            state = keep_state(folder, _state_name(self._path), beginning, made, tokens)
            left = text
        finally:
            self._slots.give_back(slot, left)
        self._states.add(state)
        return state

    def warm(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """Read how a request begins before it comes, unless others wait for the engine.

        Args:
            messages: Its first ones; the last of them may go on.
            is_wanted: Asked before anything is read: whether the request is still to come. One that
                came waits for what is read for it.

        Raises:
            EngineRequestError: llama.cpp cannot read it.
        """
        *before, last = messages
        text = f"{prompt_text(before)}{open_text(last['role'], last['content'])}"
        if self.is_full or self._slots.holds(text):
            return
        state = self._states.best_for(text)
        self._slots.wait_for_answer(text, given_up=lambda: self._closing or not is_wanted())
        slot = self._take(text, state, lambda: not is_wanted(), warms=True)
        if slot is None:
            return
        left = ""
        try:
            self._restore(slot, text, state)
            end = secrets.token_hex(16)
            rendered = self._running_server.rendered(
                [*before, {"role": last["role"], "content": f"{last['content']}{end}"}]
            )
            if end not in rendered:
                raise EngineRequestError("the chat template of the weights leaves messages out")
            beginning = rendered[: rendered.rindex(end)]
            if self._read_text(beginning, slot, lambda _done, _total: None, lambda: False):
                left = text
        finally:
            self._slots.give_back(slot, left)

    @property
    def is_full(self) -> bool:
        """Whether somebody waits for a slot."""
        return self._slots.waiting > 0

    @property
    def running(self) -> int:
        """How many requests are being answered."""
        return self._slots.running

    def close(self) -> None:
        """Stop what is running and free the memory."""
        self._closing = True
        self._slots.wake()
        if self._slots.wait_until_idle(EXIT_WAIT_S):
            self._server = None
        self._remove_folder()

    @property
    def _running_server(self) -> ModelServer:
        if self._server is None:
            raise EngineRequestError("the engine was closed")
        return self._server

    def _take(
        self,
        text: str,
        restorable: Restorable,
        stopped: Callable[[], bool],
        *,
        warms: bool = False,
    ) -> int | None:
        return self._slots.take(
            text,
            restorable=restorable.chars,
            given_up=lambda: self._closing or stopped(),
            warms=warms,
        )

    def _restore(self, slot: int, text: str, restorable: Restorable) -> None:
        """Have the slot hold the state, unless it holds as much of the prompt already."""
        state = restorable.state
        known = common_chars(text, self._slots.held(slot))
        if state is None or known >= restorable.chars:
            return
        link = self._folder / secrets.token_hex(16)
        try:
            link.symlink_to(state.path.resolve())
            tokens = self._running_server.restore(slot, link.name)
            if tokens == state.tokens:
                state.mark_used()
                return
            reason = f"{tokens} of {state.tokens} tokens came back"
        except (EngineRequestError, OSError) as error:
            reason = str(error)
        finally:
            link.unlink(missing_ok=True)
        # The prompt is read as if there were no state: slower, and right.
        _log.warning("a kept prompt of %s is not used any more: %s", self._path.name, reason)
        self._states.forget(state)

    def _read(
        self,
        system: str,
        slot: int,
        on_read: Callable[[int, int], None],
        stopped: Callable[[], bool],
    ) -> bool:
        """Read a system message up to its end; False when it was stopped before."""
        server = self._running_server
        messages = ({"role": "system", "content": system}, {"role": "user", "content": "-"})
        rendered = server.rendered(messages)
        begins = rendered.find(system)
        if begins < 0:
            raise EngineRequestError("the chat template of the weights changes system messages")

        return self._read_text(rendered[: begins + len(system)], slot, on_read, stopped)

    def _read_text(
        self,
        beginning: str,
        slot: int,
        on_read: Callable[[int, int], None],
        stopped: Callable[[], bool],
    ) -> bool:
        """Read the beginning of a prompt, special tokens and all; False when it was stopped."""
        server = self._running_server

        def receive(chunk: JSONObject) -> bool:
            progress = chunk.get("prompt_progress")
            if progress:
                on_read(int(progress["processed"]), int(progress["total"]))
            return stopped() or self._closing

        guarded(lambda take: server.read(beginning, slot, take), receive)
        return not (stopped() or self._closing)

    def _run(
        self,
        request: Mapping[str, Any],
        slot: int,
        on_chunk: Callable[[JSONObject], None],
        stopped: Callable[[], bool],
    ) -> None:
        def receive(chunk: JSONObject) -> bool:
            on_chunk(chunk)
            return stopped() or self._closing

        body = {
            **request,
            "id_slot": slot,
            "stream": True,
            "stream_options": {"include_usage": True},
            "cache_prompt": True,
            # A chunk per batch of the prompt, so that a request can be stopped while it is read.
            "return_progress": True,
        }
        server = self._running_server
        guarded(lambda take: server.chat(body, take), receive)


_engines: dict[Path, Engine] = {}
_options: dict[Path, EngineOptions] = {}
_states: dict[Path, KnownStates] = {}
_engines_lock = threading.Lock()
_states_lock = threading.Lock()


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
            options = _options.get(path) or fitting_options(path)
            _engines[path] = Engine(path, options, states=known_states(path))
        return _engines[path]


def fitting_options(path: Path) -> EngineOptions:
    """As many slots, up to the usual number, as `MAX_KEPT_BYTES` hold the prompts of."""
    usual = EngineOptions()
    per_token = kept_bytes_per_token(path)
    if per_token is None:
        return usual
    slots = min(max(MAX_KEPT_BYTES // (per_token * usual.slot_tokens), 1), usual.parallel)
    return EngineOptions(parallel=slots, context_tokens=slots * usual.slot_tokens)


def known_states(path: Path) -> KnownStates:
    """Beginnings of prompts that the engine of this weights file need not read."""
    with _states_lock:
        return _states.setdefault(path, KnownStates())


def embedded_context_tokens(path: Path) -> int:
    """How many tokens one request for this weights file may take.

    One part of the engine's room; never more than the model was trained to read.
    """
    with _engines_lock:
        room = _options.get(path, EngineOptions()).slot_tokens
    return min(room, trained_context_tokens(path) or room)


def kept_state(path: Path, folder: Path) -> PromptState | None:
    """The state in a folder for this weights file; nothing is loaded. None: there is none."""
    return find_state(folder, _state_name(path))


def _state_name(path: Path) -> str:
    return state_key([weights_fingerprint(path), runtime_version(), _STATE_FORM])


_STATE_FORM = "f16 keys and values, values by dimension, one stream a slot"
"""What of the engine's settings the form of a state depends on."""


def _close_all() -> None:
    for engine in list(_engines.values()):
        engine.close()
    _engines.clear()
