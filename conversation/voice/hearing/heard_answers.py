"""Whether a short voice may well have been "mm-hmm" or "sure", whatever was written down of it.

A transcriber writes words even for a hum: "Emily", "ma'am". Here the model is asked how likely it
finds the usual short answers for the same sound. Where one is nearly as likely as what it wrote,
the words mean little; where somebody said "stop", none is.
"""

from collections.abc import Sequence

from conversation.voice.hearing.whisper import WhisperEngine
from conversation.voice.hearing.whisper_transcriber import spoken_code
from conversation.voice.models.runner import ModelRunner, Urgency
from conversation.voice.ports import Samples
from conversation.voice.turns.short_answers import likely_answers

CLOSE = -5.0
"""Natural logarithm of how much less likely an answer may be than what was written. Chosen on five
made voices and words that the bench does not use: of 20 short answers that were written as
something else it finds 14, and takes 4 of 81 other short words for one (`hearing/README.md`)."""


class HeardAnswers:
    """Compares by Whisper; a quarter of a second of one core."""

    def __init__(self, engine: WhisperEngine, runner: ModelRunner) -> None:
        self._engine = engine
        self._runner = runner

    async def may_be(self, samples: Samples, answers: Sequence[str], *, language: str) -> bool:
        """Whether one of `answers` may be all that is said."""
        code = spoken_code(language)
        if not answers or code not in self._engine.languages:
            return False
        difference = await self._runner.run(
            lambda: self._engine.nearness(
                samples, answers, language=code, keywords=likely_answers(code)
            ),
            urgency=Urgency.TRANSCRIPT,
        )
        return difference is not None and difference >= CLOSE
