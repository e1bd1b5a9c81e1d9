"""The folder with the sound of all calls: a WAV file while a call is held, a FLAC file afterwards.

It lies beside the conversation store and is its owner's alone. Every file of a conversation begins
with the conversation's id and a full stop, so that whoever forgets the conversation finds them.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conversation.errors import AudioError
from conversation.voice.recording.call_file import (
    AGENT,
    USER,
    CallFile,
    Stereo,
    read_wav,
    wav_header,
)
from conversation.voice.recording.encoding import can_encode, mp3, read_flac, write_flac
from conversation.voice.recording.silencing import SilentSpan, silenced
from kb.whole_file import write_whole

FOLDER = "recordings"
"""Of the recordings, below the folder of the store."""

_COPIES = (".mp3", ".heard.wav")
"""Endings of files to listen to."""


@dataclass(frozen=True, slots=True)
class Listened:
    """A recording as it is listened to."""

    path: Path
    media_type: str


@dataclass(frozen=True, slots=True)
class Sides:
    """Who can be heard in a recording."""

    user: bool
    agent: bool


class KeptCalls:
    """Recordings by conversation. Safe to use from any thread; several processes may."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, conversation_id: str) -> CallFile:
        """Start to record a call, or go on with one that was interrupted.

        Raises:
            OSError: The folder cannot be written.
            AudioError: What was recorded before cannot be read.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path, finished = (self._file(conversation_id, kind) for kind in ("wav", "flac"))
        if finished.is_file():
            sound = read_flac(finished)
            write_whole(path, wav_header(len(sound)) + sound.tobytes(), private=True, at_once=True)
            self._forget_made(conversation_id, *_COPIES, ".sides")
            finished.unlink()
        return CallFile(path)

    def has(self, conversation_id: str) -> bool:
        """Whether there is a recording."""
        return self._found(conversation_id) is not None

    def is_finished(self, conversation_id: str) -> bool:
        """Whether there is a recording that nobody writes any more, and that was made smaller."""
        return is_safe(conversation_id) and self._file(conversation_id, "flac").is_file()

    def sides(self, conversation_id: str) -> Sides | None:
        """Who can be heard; None when there is no recording.

        It is kept beside the sound, so that a list of a hundred conversations reads no sound.
        """
        found = self._found(conversation_id)
        if found is None:
            return None
        noted = self._file(conversation_id, "sides")
        with suppress(OSError):
            letters = noted.read_text("ascii")
            return Sides("u" in letters, "a" in letters)
        # A file that still grows, or that another program put here.
        return _sides(self.sound(conversation_id))

    def sound(self, conversation_id: str) -> Stereo:
        """Both channels, also of a call whose process was killed.

        Raises:
            AudioError: There is no recording, or it cannot be read.
        """
        found = self._found(conversation_id)
        if found is None:
            raise AudioError(f"the conversation {conversation_id!r} has no recording")
        return read_flac(found) if found.suffix == ".flac" else read_wav(found)

    def finish(self, conversation_id: str) -> None:
        """The call is over: make its file smaller. Takes about 2 ms for each second of sound.

        Without `soundfile` the WAV file stays, with a header that is right. Nothing is kept of a
        call in which nobody was heard.
        """
        path = self._file(conversation_id, "wav")
        if not path.is_file():
            return
        sound = read_wav(path)
        if not len(sound):
            path.unlink(missing_ok=True)
            return
        self._note_sides(conversation_id, sound)
        if not can_encode():
            with path.open("r+b") as file:
                file.write(wav_header(len(sound)))
            return
        following = self._file(conversation_id, "flac.next")
        write_flac(sound, following)
        following.replace(self._file(conversation_id, "flac"))
        path.unlink(missing_ok=True)

    def unfinished(self) -> list[str]:
        """Conversations whose recording was never finished: they are being held, or were killed."""
        return sorted(path.stem for path in self._folder.glob("*.wav") if "." not in path.stem)

    def listened(self, conversation_id: str, silent: Sequence[SilentSpan] = ()) -> Listened:
        """The file to listen to, with `silent` taken out; made once, and kept beside the sound.

        Raises:
            AudioError: There is no recording, or it cannot be read.
        """
        # `mp3` alone was the name while noise was made of every sound.
        kind = "heard.mp3" if can_encode() else "heard.wav"
        media_type = "audio/mpeg" if can_encode() else "audio/wav"
        path = self._file(conversation_id, f"{_digest(silent)}{kind}")
        if not path.is_file():
            self._forget_made(conversation_id, *_COPIES)
            sound = silenced(self.sound(conversation_id), silent)
            data = mp3(sound) if can_encode() else wav_header(len(sound)) + sound.tobytes()
            write_whole(path, data, private=True, at_once=True)
        return Listened(path, media_type)

    def delete(self, conversation_id: str) -> int:
        """Delete every file of the conversation's sound. Returns their number."""
        count = 0
        for path in self._files(conversation_id):
            path.unlink(missing_ok=True)
            count += 1
        return count

    def _forget_made(self, conversation_id: str, *endings: str) -> None:
        """Delete what was made of a sound that is another one now."""
        for path in self._files(conversation_id):
            if path.name.endswith(endings):
                path.unlink(missing_ok=True)

    def _found(self, conversation_id: str) -> Path | None:
        if not is_safe(conversation_id):
            return None
        for kind in ("flac", "wav"):
            path = self._file(conversation_id, kind)
            if path.is_file():
                return path
        return None

    def _files(self, conversation_id: str) -> Iterator[Path]:
        if is_safe(conversation_id):
            # What a writer left that was killed is hidden, and forgotten like the others.
            for name in (f"{conversation_id}.*", f".{conversation_id}.*"):
                yield from list(self._folder.glob(name))

    def _file(self, conversation_id: str, kind: str) -> Path:
        if not is_safe(conversation_id):
            raise AudioError("no call can have a recording under such an id")
        return self._folder / f"{conversation_id}.{kind}"

    def _note_sides(self, conversation_id: str, sound: Stereo) -> None:
        sides = _sides(sound)
        letters = "u" * sides.user + "a" * sides.agent
        write_whole(
            self._file(conversation_id, "sides"), letters.encode(), private=True, at_once=True
        )


def _digest(silent: Sequence[SilentSpan]) -> str:
    """Tells listened files apart: what is masked may change with the agent's file."""
    if not silent:
        return ""
    spans = sorted((each.channel, each.start_s, each.end_s or -1.0) for each in silent)
    return hashlib.sha256(repr(spans).encode()).hexdigest()[:12] + "."


def is_safe(conversation_id: str) -> bool:
    """Ids of imports may hold anything; such a one never has a recording of ours."""
    return conversation_id.replace("_", "").replace("-", "").isalnum()


def _sides(sound: Stereo) -> Sides:
    return Sides(bool(np.any(sound[:, USER])), bool(np.any(sound[:, AGENT])))
