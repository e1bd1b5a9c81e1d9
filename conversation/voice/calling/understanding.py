"""What a stretch of sound says, and whether it sounds and reads finished."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from conversation.agent.models.voice_config import VoiceSection
from conversation.errors import SpeechError
from conversation.transcript import TimedWord
from conversation.voice.calling.ears import Utterance
from conversation.voice.ports import (
    CallModels,
    Samples,
    Transcriber,
    Transcription,
    TurnEndModel,
)
from conversation.voice.turns.short_answers import (
    compared_answers,
    ignored_terms,
    is_short_answer,
    words_of,
)
from conversation.voice.turns.turn_end import is_dictating, seconds_to_wait

HEARD_WITHIN_S = 10.0
"""So long a transcriber may take before it counts as failed."""
SHORT_VOICE_S, SHORT_WORDS = 1.0, 3
"""What lasts longer, or reads longer, is no "mm-hmm"."""
JUDGED_WITHIN_S = 1.0
"""A turn that ends does not wait longer for somebody to say that it sounds finished."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Understood:
    """A pause, understood."""

    text: str
    """Of the whole turn so far; empty when there were no words."""
    wait_s: float
    """Silence after which the turn is over."""
    words: tuple[TimedWord, ...] = ()
    """When each was said; empty where that is not known."""


async def transcribed(
    transcriber: Transcriber,
    sound: Samples,
    *,
    language: str,
    voice: VoiceSection,
    likely: Sequence[str] = (),
    is_tentative: bool = False,
) -> Transcription:
    """The words in `sound`, of which some are `likely`.

    Raises:
        SpeechError: The model failed, or took too long.
    """
    try:
        async with asyncio.timeout(HEARD_WITHIN_S):
            return await transcriber.transcribe(
                sound,
                language=language,
                keywords=(*voice.stt.keywords, *likely),
                is_tentative=is_tentative,
            )
    except TimeoutError as error:
        raise SpeechError(
            f"The speech-to-text model {transcriber.name!r} gave nothing within "
            f"{HEARD_WITHIN_S:.0f} s."
        ) from error
    except SpeechError:
        raise
    except Exception as error:
        raise SpeechError(
            f"The speech-to-text model {transcriber.name!r} failed with {type(error).__name__}."
        ) from error


async def understood(
    utterance: Utterance,
    models: CallModels,
    *,
    language: str,
    voice: VoiceSection,
    likely: Sequence[str] = (),
) -> Understood:
    """What a turn says that pauses, and how long it may pause. Both models work at once.

    Raises:
        SpeechError: The words could not be found out.
    """
    sound = utterance.sound()
    judging = asyncio.create_task(_sounds_finished(models.turn_end, sound))
    try:
        heard = await transcribed(
            models.transcriber, sound, language=language, voice=voice, likely=likely
        )
        audio = await judging
    finally:
        judging.cancel()
    text = f"{utterance.words_before} {heard.text.strip()}".strip()
    words = models.turn_words
    wait_s = seconds_to_wait(
        audio=audio,
        text=words.probability(text, language=language) if words and text else None,
        eagerness=voice.turn.eagerness,
        is_dictating=is_dictating(text, language),
    )
    return Understood(text, wait_s, utterance.timed_words(heard))


async def may_be_short_answer(
    utterance: Utterance, text: str, models: CallModels, *, language: str, voice: VoiceSection
) -> bool:
    """Whether a short voice may have said no more than "go on", though other words were written.

    It is asked only where it decides: of a voice that was short, and words that are no such answer.
    """
    usual = compared_answers(language) if voice.turn.merge_with_default_ignore_terms else ()
    answers = (*usual, *voice.turn.ignore_terms)
    count = len(words_of(text))
    if models.short_answers is None or utterance.ended_s is None or not answers:
        return False
    lasted_s = utterance.ended_s - utterance.began_s
    if not 0 < count <= SHORT_WORDS or lasted_s > SHORT_VOICE_S:
        return False
    ignored = ignored_terms(
        language, voice.turn.ignore_terms, with_usual=voice.turn.merge_with_default_ignore_terms
    )
    if is_short_answer(text, ignored):
        return True
    try:
        async with asyncio.timeout(JUDGED_WITHIN_S):
            return await models.short_answers.may_be(utterance.sound(), answers, language=language)
    except Exception as error:  # the words alone decide
        _log.warning("no opinion on a short voice: %s", type(error).__name__)
        return False


async def _sounds_finished(turn_end: TurnEndModel | None, sound: Samples) -> float | None:
    if turn_end is None:
        return None
    try:
        async with asyncio.timeout(JUDGED_WITHIN_S):
            return await turn_end.probability(sound)
    except Exception as error:  # the words alone decide
        _log.warning("no opinion on the end of a turn: %s", type(error).__name__)
        return None
