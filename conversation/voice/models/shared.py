"""What the voice models of a process share: loaded once, for all its calls."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from conversation.voice.models.runner import ModelRunner

T = TypeVar("T")

_LOADED: dict[Hashable, Any] = {}
_LOCKS: dict[Hashable, threading.Lock] = {}
_GUARD = threading.Lock()


def load_once(key: Hashable, load: Callable[[], T]) -> T:
    """Return what `load` gave the first time that somebody asked for `key`.

    Whoever asks meanwhile waits. What `load` raises is kept by nobody: the next one tries again.
    """
    with _GUARD:
        lock = _LOCKS.setdefault(key, threading.Lock())
    with lock:
        if key not in _LOADED:
            _LOADED[key] = load()
        return _LOADED[key]


def shared_runner() -> ModelRunner:
    """Return the threads that all voice models of this process run on."""
    return load_once("runner", ModelRunner)
