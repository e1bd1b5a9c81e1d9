"""The edge to llama.cpp: a server in this process, by calls where it has them, else by its port."""

import http.client
import importlib
import importlib.metadata
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

JSONObject = dict[str, Any]
Receive = Callable[[JSONObject], bool]
"""Takes a chunk; true ends the request."""

RUNTIME = "xllamacpp"
KEY_BYTES = 32
PORT_TIMEOUT_S = 120.0
"""Of a call by the port, which waits while the slots read what others asked."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine uses the machine."""

    parallel: int = 4
    """Requests that run at the same time; more wait in the order in which they came."""
    context_tokens: int = 32_768
    """Room for the prompts and answers of all slots together, in equal parts.

    All of it is taken when the model is loaded: 940 MB for Qwen2.5-Coder 1.5B. Parts that are
    apart cost less than one room for all: a token then attends to its own prompt alone.
    """
    batch_tokens: int = 128
    """Prompt tokens read in one step, which cannot be stopped and holds up the others.

    Smaller steps cost nothing: 27 ms of CPU per token with 128, 256 and 512 alike (1.5B, Q4_K_M).
    """
    threads: int | None = None
    """None takes all cores."""

    @property
    def slot_tokens(self) -> int:
        """Room of one request."""
        return self.context_tokens // self.parallel


class EngineRequestError(Exception):
    """llama.cpp refused a request (too long, bad schema, ...) or the weights."""


class ModelServer(Protocol):
    """What an engine needs of llama.cpp."""

    def chat(self, body: Mapping[str, Any], receive: Receive) -> None:
        """Answer a chat in the form of OpenAI's, chunk by chunk."""
        ...

    def read(self, prompt: str, slot: int, receive: Receive) -> None:
        """Read a prompt into a slot, and answer nothing. Chunks say how far it is."""
        ...

    def rendered(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The prompt that the chat template of the weights makes of messages."""
        ...

    def save(self, slot: int, name: str) -> int:
        """Write what a slot holds into a file of the server's folder; returns its tokens."""
        ...

    def restore(self, slot: int, name: str) -> int:
        """Have a slot hold what is in a file of the server's folder; returns its tokens."""
        ...


class LlamaServer:
    """A loaded model."""

    def __init__(self, path: Path, options: EngineOptions, *, folder: Path) -> None:
        """Load the weights, which takes seconds.

        Args:
            path: Of the GGUF file.
            options: How much of the machine it takes.
            folder: Where `save` and `restore` have their files.

        Raises:
            EngineRequestError: The weights cannot be loaded.
        """
        self._key = secrets.token_hex(KEY_BYTES)
        self._server: Any = _started(path, options, folder=folder, key=self._key)

    @property
    def address(self) -> str:
        """Where it listens, on this machine."""
        return str(self._server.listening_address)

    def chat(self, body: Mapping[str, Any], receive: Receive) -> None:
        """Answer a chat in the form of OpenAI's, chunk by chunk."""
        self._server.handle_chat_completions(dict(body), receive)

    def read(self, prompt: str, slot: int, receive: Receive) -> None:
        """Read a prompt into a slot, and answer nothing. Chunks say how far it is."""
        body = {
            "prompt": prompt,
            "id_slot": slot,
            "max_tokens": 0,
            "n_predict": 0,
            "cache_prompt": True,
            "stream": True,
            "return_progress": True,
        }
        self._server.handle_completions(body, receive)

    def rendered(self, messages: Sequence[Mapping[str, str]]) -> str:
        """The prompt that the chat template of the weights makes of messages."""
        return str(self._posted("/apply-template", {"messages": list(messages)})["prompt"])

    def save(self, slot: int, name: str) -> int:
        """Write what a slot holds into a file of the server's folder; returns its tokens."""
        return int(self._posted(f"/slots/{slot}?action=save", {"filename": name})["n_saved"])

    def restore(self, slot: int, name: str) -> int:
        """Have a slot hold what is in a file of the server's folder; returns its tokens."""
        answer = self._posted(f"/slots/{slot}?action=restore", {"filename": name})
        return int(answer["n_restored"])

    def _posted(self, path: str, body: JSONObject) -> JSONObject:
        # Not by a client that heeds proxies of the environment: it never leaves the machine.
        host = urlsplit(self.address)
        connection = http.client.HTTPConnection(
            host.hostname or "127.0.0.1", host.port, timeout=PORT_TIMEOUT_S
        )
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            answer: Any = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EngineRequestError(
                f"llama.cpp did not answer {path.partition('?')[0]}: {type(error).__name__}"
            ) from error
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK or not isinstance(answer, dict):
            raise EngineRequestError(
                f"llama.cpp answered {response.status} to {path.partition('?')[0]}"
            )
        return cast(JSONObject, answer)


def runtime_version() -> str:
    """The build of llama.cpp, by the version of the package that holds it."""
    return importlib.metadata.version(RUNTIME)


def _started(path: Path, options: EngineOptions, *, folder: Path, key: str) -> Any:
    # Without this, threads spin at barriers and generation collapses when anything else runs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    xllamacpp: Any = importlib.import_module(RUNTIME)
    params: Any = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_parallel = options.parallel
    params.n_ctx = options.context_tokens
    params.kv_unified = False
    # On a processor, flash attention makes a few words behind a long beginning half again as dear:
    # 11 to 19 tokens behind 6,137 take 1.28 to 1.99 s of CPU with it and 0.85 to 1.24 s without, a
    # written token 0.135 and 0.097 s; reading the beginning itself 245 and 251 s (1.5B, Q4_K_M).
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.n_batch = params.n_ubatch = options.batch_tokens
    # The engine says which slot a request takes, so that nothing has to be kept beside the slots.
    params.cache_ram_mib = 0
    params.cache_idle_slots = False
    params.slot_save_path = f"{folder}{os.sep}"
    params.use_jinja = True
    params.verbosity = -1
    # Its one result, pages of the weights in memory, comes with the first prompt as well.
    params.warmup = False
    threads = options.threads or os.cpu_count() or 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    # It always listens on a port of 127.0.0.1: without page or list of slots, and with a key that
    # nobody knows.
    params.ui = False
    params.endpoint_slots = False
    params.api_keys = [key]
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise EngineRequestError(
            f"llama.cpp cannot load {path.name}: it is no GGUF file that this version knows, or "
            "there is too little memory for it"
        ) from error
