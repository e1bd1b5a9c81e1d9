"""Embedded Whisper as a `Transcriber`: for all calls of a process, on their shared threads."""

from collections.abc import Sequence

from conversation.voice.hearing.whisper import WhisperEngine
from conversation.voice.models.runner import ModelRunner, Urgency
from conversation.voice.ports import Samples, Transcription


class WhisperTranscriber:
    """Speech to text by the model that needs no provider.

    A cancelled call is not decoded, unless a thread has begun it.
    """

    def __init__(
        self, engine: WhisperEngine, runner: ModelRunner, *, name: str, languages: Sequence[str]
    ) -> None:
        """Share an engine.

        Args:
            engine: The loaded model.
            runner: Threads of the process.
            name: The model string.
            languages: One of these is spoken where a call does not say which.
        """
        self._engine = engine
        self._runner = runner
        self._name = name
        self._languages = tuple(languages)

    @property
    def name(self) -> str:
        """The model string."""
        return self._name

    async def transcribe(
        self,
        samples: Samples,
        *,
        language: str | None = None,
        keywords: Sequence[str] = (),
        is_tentative: bool = False,
    ) -> Transcription:
        """The words in `samples`."""
        languages = self._languages
        if language is not None and spoken_code(language) in self._engine.languages:
            languages = (spoken_code(language),)
        return await self._runner.run(
            lambda: self._engine.transcribe(
                samples, languages=languages, keywords=keywords, with_times=not is_tentative
            ),
            urgency=Urgency.TENTATIVE if is_tentative else Urgency.TRANSCRIPT,
        )


def spoken_code(language: str) -> str:
    """Return the language without its country: `en` of `en-GB`."""
    return language.replace("_", "-").partition("-")[0].lower()
