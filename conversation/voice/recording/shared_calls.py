"""Recordings of several machines: each keeps its own calls, and finished ones lie at an address."""

import logging
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from pathlib import Path
from threading import Timer
from typing import Any

from conversation.errors import AudioError
from conversation.voice.recording.call_file import CallFile
from conversation.voice.recording.kept_calls import KeptCalls, is_safe
from kb.whole_file import written_beside

_log = logging.getLogger(__name__)
_FINISHED = (".flac", ".wav", ".sides")
_FETCHED = "fetched"
"""Ending of the note beside a copy of what another machine recorded."""
FETCHED_FOR_S = 600.0
"""So long such a copy stays: who forgets a conversation reaches the address, not each machine."""


class SharedCalls(KeptCalls):
    """As `KeptCalls`; a call that another machine recorded is fetched when it is asked for.

    What is being recorded is on its own machine alone, until it is finished. The address is one
    that fsspec knows, such as `s3://bucket/recordings`.
    """

    def __init__(self, folder: Path, url: str, *, fetched_for_s: float = FETCHED_FOR_S) -> None:
        """Keep recordings in `folder` and at `url`; copies of an earlier process go at once."""
        super().__init__(folder)
        self._url = url
        self._fetched_for_s = fetched_for_s
        for note in folder.glob(f"*.{_FETCHED}"):
            self._drop_copy(note.stem)

    def begin(self, conversation_id: str) -> CallFile:
        """As of `KeptCalls`, also for a call that another machine began."""
        try:
            if self._found(conversation_id) is not None:
                # From here on it is recorded here.
                self._file(conversation_id, _FETCHED).unlink(missing_ok=True)
        except AudioError as error:
            # A call is not refused for that; hardly any is one that another machine began.
            _log.warning("%s", error)
        return super().begin(conversation_id)

    def finish(self, conversation_id: str) -> None:
        """As of `KeptCalls`; where the address takes nothing, the sound stays here and is told."""
        super().finish(conversation_id)
        try:
            filesystem, root = self._place
            for path in self._files(conversation_id):
                if path.suffix in _FINISHED and not path.name.endswith(".heard.wav"):
                    filesystem.makedirs(root, exist_ok=True)
                    filesystem.put_file(str(path), f"{root}/{path.name}")
        # Each filesystem raises what its own client raises.
        except Exception as error:
            _log.error(
                "the recording of %s is on this machine alone: %s",
                conversation_id,
                type(error).__name__,
            )

    def delete(self, conversation_id: str) -> int:
        """Delete every file of the conversation's sound, here and at the address."""
        count = super().delete(conversation_id)
        with self._telling():
            for path in self._elsewhere(conversation_id):
                self._place[0].rm_file(path)
                count += 1
        return count

    def _found(self, conversation_id: str) -> Path | None:
        found = super()._found(conversation_id)
        if found is not None:
            return found
        with self._telling():
            for path in self._elsewhere(conversation_id):
                self._begin_copy(conversation_id)
                target = self._folder / path.rpartition("/")[2]
                with written_beside(target, private=True) as following:
                    self._place[0].get_file(path, str(following))
        return super()._found(conversation_id)

    def _begin_copy(self, conversation_id: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        note = self._file(conversation_id, _FETCHED)
        if note.exists():
            return
        note.touch(mode=0o600)
        timer = Timer(self._fetched_for_s, self._drop_copy, [conversation_id])
        timer.daemon = True
        timer.start()

    def _drop_copy(self, conversation_id: str) -> None:
        """Delete every local file of a call that was fetched, unless it is recorded here by now."""
        if self._file(conversation_id, _FETCHED).exists():
            super().delete(conversation_id)

    def _elsewhere(self, conversation_id: str) -> Iterator[str]:
        if not is_safe(conversation_id):
            return
        filesystem, root = self._place
        filesystem.invalidate_cache()
        for ending in _FINISHED:
            path = f"{root}/{conversation_id}{ending}"
            if filesystem.exists(path):
                yield path

    @contextmanager
    def _telling(self) -> Generator[None]:
        try:
            yield
        # Each filesystem raises what its own client raises.
        except Exception as error:
            raise AudioError(
                f"the recordings at {self._url!r} cannot be reached ({type(error).__name__}: "
                f"{error}); check VIVAVOCE_RECORDINGS_URL, the credentials and the server"
            ) from error

    @cached_property
    def _place(self) -> tuple[Any, str]:
        core: Any = import_module("fsspec.core")
        filesystem, root = core.url_to_fs(self._url)
        return filesystem, str(root).rstrip("/")
