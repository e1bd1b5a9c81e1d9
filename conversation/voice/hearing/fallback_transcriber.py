"""Several transcribers as one: what the first cannot hear, the next one hears."""

import logging
from collections.abc import Sequence

from conversation.errors import SpeechError
from conversation.voice.ports import Samples, Transcriber, Transcription

_LOG = logging.getLogger(__name__)


class FallbackTranscriber:
    """Asks each in turn until one answers, anew for every turn."""

    def __init__(self, transcribers: Sequence[Transcriber]) -> None:
        """Take them in order, at least one."""
        self._transcribers = tuple(transcribers)
        self._failures = {each.name: 0 for each in self._transcribers}

    @property
    def name(self) -> str:
        """The model string of the first."""
        return self._transcribers[0].name

    @property
    def failures(self) -> dict[str, int]:
        """How often each has failed since the process began, by model string."""
        return dict(self._failures)

    async def transcribe(
        self,
        samples: Samples,
        *,
        language: str | None = None,
        keywords: Sequence[str] = (),
        is_tentative: bool = False,
    ) -> Transcription:
        """The words in `samples`.

        A tentative transcript is asked of the first one only: others are for words that count.

        Raises:
            SpeechError: All of them failed.
        """
        asked = self._transcribers[:1] if is_tentative else self._transcribers
        reasons: list[str] = []
        for transcriber in asked:
            try:
                return await transcriber.transcribe(
                    samples, language=language, keywords=keywords, is_tentative=is_tentative
                )
            except SpeechError as error:
                self._failures[transcriber.name] += 1
                _LOG.warning(
                    "speech to text by %s failed (%d so far)",
                    transcriber.name,
                    self._failures[transcriber.name],
                )
                reasons.append(str(error))
        raise SpeechError(" ".join(reasons))
