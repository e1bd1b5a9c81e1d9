"""Beginnings of prompts that embedded weights have read before a conversation needs them."""

import logging
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from conversation.errors import ModelError, ModelUnavailableError
from conversation.llm.chat_model import ChatMessage, KeptPrompt
from conversation.llm.engine.prompt_state import PromptState
from conversation.llm.engine.server import EngineRequestError
from conversation.llm.providers.embedded_engine import (
    Engine,
    embedded_context_tokens,
    kept_state,
    known_states,
    shared_engine,
)

ROOM_FOR_ANSWERS = 1_500
"""Tokens of history, question and answer that must fit behind a beginning."""
SPARE_BYTES = 1_000_000_000
"""Room on the disk that a kept prompt leaves to others."""
MAX_STATE_BYTES = 1_000_000_000
"""Of one kept prompt; larger models need more for each token."""

_log = logging.getLogger(__name__)


class EmbeddedPromptMemory:
    """What the engine of one weights file has read ahead."""

    def __init__(
        self,
        model: str,
        weights_file: Callable[[], Path],
        *,
        engine: Callable[[Path], Engine] = shared_engine,
        load_client: Callable[[], object] = lambda: None,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        """Nothing is looked for yet.

        Args:
            model: The model string, for messages.
            weights_file: Where the weights lie; fetches what is missing.
            engine: Of a weights file.
            load_client: Readies what calls go through (seconds), before the first one waits for it.
            free_bytes: Room on the disk of a folder.
        """
        self._model = model
        self._weights_file = weights_file
        self._engine = engine
        self._load_client = load_client
        self._free_bytes = free_bytes

    def has(self, beginning: str, folder: Path) -> bool:
        """Whether system messages that begin so need not be read from their start."""
        kept = self._kept(folder)
        return kept is not None and kept.text.startswith(beginning)

    def make(
        self,
        beginning: str,
        folder: Path,
        *,
        on_read: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> KeptPrompt:
        """Read how system messages begin, which takes minutes, and keep it.

        Raises:
            ModelError: It cannot be read, does not fit, or cannot be kept.
        """
        kept = self._kept(folder)
        if kept is not None and kept.text == beginning:
            return KeptPrompt(kept.tokens, kept.size_bytes, was_there=True)
        path = self._weights_file()
        most = embedded_context_tokens(path) - ROOM_FOR_ANSWERS
        too_long = False

        def told(done: int, total: int) -> None:
            nonlocal too_long
            too_long = total > most
            if not too_long:
                on_read(done, total)

        try:
            self._require_room(folder)
            made = self._engine(path).make_state(
                beginning, folder, on_read=told, stopped=lambda: too_long
            )
        except (EngineRequestError, OSError) as error:
            raise self._not_kept(str(error)) from error
        if made is None:
            raise self._not_kept(
                f"it leaves less than {ROOM_FOR_ANSWERS:,} tokens for a conversation. Set "
                "`prompt.whole_knowledge_base_tokens` of the agent to less"
            )
        return KeptPrompt(made.tokens, made.size_bytes)

    def prepare(
        self,
        messages: Sequence[ChatMessage],
        folder: Path | None,
        *,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """Have the beginning of a prompt read, beside whatever follows, before it is asked."""
        path = self._weights_file()
        kept = None if folder is None else kept_state(path, folder)
        if kept is not None:
            known_states(path).add(kept)

        asked = [{"role": each.role, "content": each.content} for each in messages]

        def read() -> None:
            try:
                self._engine(path).warm(asked, is_wanted=is_wanted)
                self._load_client()
            except EngineRequestError as error:
                # The first turn says what is wrong, to whoever waits for it.
                _log.warning("prompt of %s not read ahead: %s", self._model, error)

        threading.Thread(target=read, name="vivavoce-reading-ahead", daemon=True).start()

    def _kept(self, folder: Path) -> PromptState | None:
        return kept_state(self._weights_file(), folder)

    def _require_room(self, folder: Path) -> None:
        there = next(each for each in (folder, *folder.parents) if each.exists())
        free = self._free_bytes(there)
        if free < MAX_STATE_BYTES + SPARE_BYTES:
            raise self._not_kept(f"only {free / 1e6:,.0f} MB are free at {str(there)!r}")

    def _not_kept(self, reason: str) -> ModelError:
        return ModelUnavailableError(
            f"The prompt was not read ahead for model {self._model!r}: {reason}. The agent answers "
            "all the same; each conversation reads its prompt itself."
        )
