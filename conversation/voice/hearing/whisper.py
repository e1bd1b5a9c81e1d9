"""Whisper through CTranslate2: the words of a stretch of sound, in a fifth of a second of one core.

The encoder reads no more than the sound and a second of silence instead of the usual 30 s, which
costs a fifth of the work. A window cut so makes the decoder repeat itself now and then; what it
writes then is noticed by its speed or its repetition, and decoded again from a longer window.
"""

import importlib
import importlib.util
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conversation.errors import SpeechError
from conversation.voice.hearing.log_mel import HOP_SAMPLES, Waveform, log_mel, waveform_of
from conversation.voice.hearing.repetition import runs_away, without_repetition
from conversation.voice.hearing.whisper_tokens import TIMESTAMP_S, WhisperTokens
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples, TimedChars, Transcription

MAX_WINDOW_S = 28.0
"""Longer sound is decoded in pieces that end where it is quietest; the encoder reads 30 s."""
SILENCE_AFTER_S = 1.0
"""What the decoder needs to find the end of a sentence."""
SECOND_WINDOW_FRAMES = 1_500
"""Of the second try, 15 s; the first is as short as the sound allows."""
END_TOLERANCE_S = 0.4
"""A time stamp so close to the end of the sound is the end."""
SHORTEST_S = 0.1
"""Less sound holds no word."""
WORKERS = 2
"""Windows that are decoded at the same time, on one core each."""

_BEAM, _SECOND_BEAM = 1, 5
_TOKENS_PER_S = 12
_TOKENS_AT_LEAST = 24
_SEARCH_FOR_QUIET_S = 8.0
_NO_SPEECH = 0.6
_COMPARED_TOKENS = 8
"""Of what would be written: as long as an answer is, whatever is said again and again."""
_LEAST_LIKELY = -1.0


@dataclass(frozen=True, slots=True)
class _Window:
    """What the decoder says of one piece of sound."""

    encoded: Any
    ids: tuple[int, ...]
    text: str
    is_speech: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """The words of one piece of sound, and what they were decoded from where that is known."""

    text: str
    window: _Window | None = None


class WhisperEngine:
    """A loaded model, shared by all calls of a process. It may be used from several threads."""

    def __init__(self, folder: Path) -> None:
        """Load the model from a folder of CTranslate2 files.

        Raises:
            SpeechError: The extra is missing, or the files are damaged.
        """
        require_extra()
        self._ctranslate2: Any = importlib.import_module("ctranslate2")
        try:
            self._model: Any = self._ctranslate2.models.Whisper(
                str(folder),
                device="cpu",
                compute_type="int8",
                inter_threads=WORKERS,
                intra_threads=1,
            )
            self._tokens = WhisperTokens(folder / "tokenizer.json")
        except Exception as error:  # the library has no class of its own for a bad file
            raise SpeechError(
                f"The speech model at {folder} cannot be loaded ({type(error).__name__}). Remove "
                "the folder so that it is fetched again."
            ) from error

    @property
    def languages(self) -> frozenset[str]:
        """Codes of the languages that it can hear."""
        return self._tokens.languages

    def transcribe(
        self,
        samples: Samples,
        *,
        languages: Sequence[str] = (),
        keywords: Sequence[str] = (),
        with_times: bool = False,
    ) -> Transcription:
        """The words in `samples`; blocks for about a tenth of their time.

        Args:
            samples: At `SAMPLE_RATE_HZ`.
            languages: Among which the spoken one is; empty for any that the model knows.
            keywords: Words that are likely to be said.
            with_times: Whether to find out when each word was said: a tenth more work.
        """
        texts: list[str] = []
        words: list[TimedChars] = []
        language: str | None = languages[0] if len(languages) == 1 else None
        begins_s = 0.0
        for piece in pieces(samples):
            waveform = waveform_of(piece)
            encoded = self._encoded(waveform, _frames(len(piece)))
            language = language or self._language(encoded, languages)
            heard = self._heard(waveform, encoded, self._tokens.prompt(language, keywords))
            if heard.text:
                if with_times:
                    blank = " " if texts else ""
                    words += self._timed(heard, language, blank, begins_s, len(piece))
                texts.append(heard.text)
            begins_s += len(piece) / SAMPLE_RATE_HZ
        text = " ".join(texts)
        is_whole = "".join(word.chars for word in words) == text
        return Transcription(text, language, tuple(words) if is_whole else ())

    def nearness(
        self,
        samples: Samples,
        texts: Sequence[str],
        *,
        language: str,
        keywords: Sequence[str] = (),
    ) -> float | None:
        """How much likelier the likeliest of `texts` is than what the model would write.

        As a natural logarithm: below 0 where it is less likely. None where it would write nothing.

        Args:
            samples: At `SAMPLE_RATE_HZ`, of a few seconds.
            texts: What may have been said.
            language: That is spoken.
            keywords: Words that are likely to be said.
        """
        encoded = self._encoded(waveform_of(samples), _frames(len(samples)))
        duration_s = len(samples) / SAMPLE_RATE_HZ
        prompt = self._tokens.prompt(language, keywords)
        written = self._decoded(encoded, prompt, duration_s, beam=_BEAM).ids[:_COMPARED_TOKENS]
        if not written:
            return None
        said = [*(self._tokens.ids(text) for text in texts), list(written)]
        many = np.repeat(np.asarray(encoded), len(said), axis=0)
        found = self._model.align(
            self._ctranslate2.StorageView.from_array(many),
            self._tokens.start(language),
            said,
            len(samples) // HOP_SAMPLES,
        )
        *likely, usual = (_log_likelihood(each.text_token_probs) for each in found)
        return max(likely) - usual

    def _heard(self, waveform: Waveform, encoded: Any, prompt: list[int]) -> _Piece:
        """Decode one piece; again, from a longer window, when the first try runs away."""
        duration_s = len(waveform) / SAMPLE_RATE_HZ
        if duration_s < SHORTEST_S:
            return _Piece("")
        found = self._decoded(encoded, prompt, duration_s, beam=_BEAM)
        if runs_away(found.text, duration_s):
            frames = max(SECOND_WINDOW_FRAMES, _frames(len(waveform)))
            longer = self._encoded(waveform, frames)
            found = self._decoded(longer, prompt, duration_s, beam=_SECOND_BEAM)
            if found.is_speech and runs_away(found.text, duration_s):
                return _Piece(without_repetition(found.text))
        return _Piece(found.text, found) if found.is_speech else _Piece("")

    def _timed(
        self, piece: _Piece, language: str, blank: str, begins_s: float, length: int
    ) -> list[TimedChars]:
        """When each word of a piece was said; its first word gets the blank before the piece."""
        window = piece.window
        if window is None:
            return []
        words = self._tokens.words(window.ids)
        (found,) = self._model.align(
            window.encoded, self._tokens.start(language), [list(window.ids)], length // HOP_SAMPLES
        )
        # Pairs of token and step, in order: a token begins at its first step.
        first_steps: dict[int, int] = {}
        for token, step in found.alignments:
            first_steps.setdefault(token, step)
        starts = [first_steps.get(token, 0) * TIMESTAMP_S for _, token in words]
        ends = [*starts[1:], max(length / SAMPLE_RATE_HZ, *starts)]
        chars = [blank + words[0][0], *(word for word, _ in words[1:])]
        return [
            TimedChars(text, begins_s + start_s, end_s - start_s)
            for text, start_s, end_s in zip(chars, starts, ends, strict=True)
        ]

    def _encoded(self, waveform: Waveform, frames: int) -> Any:
        features = log_mel(waveform, frames)[None]
        return self._model.encode(self._ctranslate2.StorageView.from_array(features))

    def _decoded(self, encoded: Any, prompt: list[int], duration_s: float, *, beam: int) -> _Window:
        room = _TOKENS_AT_LEAST + math.ceil(_TOKENS_PER_S * duration_s)
        (result,) = self._model.generate(
            encoded,
            [prompt],
            beam_size=beam,
            max_length=min(448, len(prompt) + room),
            return_scores=True,
            return_no_speech_prob=True,
        )
        heard = self._tokens.until(result.sequences_ids[0], duration_s - END_TOLERANCE_S)
        is_silence = result.no_speech_prob > _NO_SPEECH and result.scores[0] < _LEAST_LIKELY
        return _Window(encoded, heard.ids, self._tokens.text(heard.ids), not is_silence)

    def _language(self, encoded: Any, languages: Sequence[str]) -> str:
        """The likeliest of `languages`, or of all."""
        (found,) = self._model.detect_language(encoded)
        for token, _ in found:
            code = token[2:-2]
            if code in languages or (not languages and code in self.languages):
                return code
        return "en"


def _log_likelihood(probabilities: Sequence[float]) -> float:
    return sum(math.log(max(each, 1e-9)) for each in probabilities)


def require_extra() -> None:
    """Raise `SpeechError` where the packages for voice are not installed."""
    if importlib.util.find_spec("ctranslate2") is None:
        raise SpeechError(
            "Voice calls need more packages. Install them: pip install 'vivavoce[voice]'"
        )


def pieces(samples: Samples) -> list[Samples]:
    """Cut sound that is too long for one window, each time at the quietest moment near its end."""
    longest = int(MAX_WINDOW_S * SAMPLE_RATE_HZ)
    found: list[Samples] = []
    rest = samples
    while len(rest) > longest:
        cut = _quietest(rest[:longest])
        found.append(rest[:cut])
        rest = rest[cut:]
    return [*found, rest]


def _quietest(window: Samples) -> int:
    """Where the quietest tenth of a second near the end of the window has its middle."""
    step = SAMPLE_RATE_HZ // 10
    start = len(window) - int(_SEARCH_FOR_QUIET_S * SAMPLE_RATE_HZ)
    steps = window[start:][: (len(window) - start) // step * step].astype(np.float32)
    energy = (steps.reshape(-1, step) ** 2).sum(axis=1)
    return start + int(energy.argmin()) * step + step // 2


def _frames(length: int) -> int:
    """Frames of the spectrogram for so many samples and the silence after them; an even number."""
    return 2 * math.ceil((length + SILENCE_AFTER_S * SAMPLE_RATE_HZ) / HOP_SAMPLES / 2)
