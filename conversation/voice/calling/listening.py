"""The user's side of a call: frame by frame, whose turn it is."""

import asyncio
import logging
from collections.abc import Callable

from conversation.errors import SpeechError
from conversation.transcript import TurnSound
from conversation.voice.call_events import SpeechFailed, TentativeUserText, VoiceScore
from conversation.voice.calling.agent_turn import AgentTurnInCall, UserTiming
from conversation.voice.calling.answering import Answering
from conversation.voice.calling.call_time import CallTime
from conversation.voice.calling.ears import SOFT_VOICE, Ears, Frame, Utterance
from conversation.voice.calling.outbox import Outbox
from conversation.voice.calling.understanding import (
    Understood,
    may_be_short_answer,
    transcribed,
    understood,
)
from conversation.voice.ports import CallModels
from conversation.voice.turns.barge_in import BargeIn, BargeInRules, Decision
from conversation.voice.turns.endpointing import FRAME_S, Endpointer, Paused, Resumed, Started
from conversation.voice.turns.hush import Hush
from conversation.voice.turns.room_noise import RoomNoise
from conversation.voice.turns.short_answers import (
    ignored_terms,
    is_short_answer,
    likely_answers,
    words_of,
)

TENTATIVE_EVERY_S = 0.6
"""A decode costs about a third of that on one core."""
_ACTIVE_EVERY_S = 0.5
_LET_GO_AFTER_S = 20.0
"""Transcribers read half a minute at once at most; a longer turn is understood in parts."""

_log = logging.getLogger(__name__)


class Listening:
    """What the user does, told to the agent's side. Used from the event loop alone."""

    def __init__(
        self,
        ears: Ears,
        answering: Answering,
        *,
        models: Callable[[], CallModels],
        language: Callable[[], str],
        outbox: Outbox,
        time: CallTime,
        user_active: Callable[[], None],
        not_heard: Callable[[], None],
    ) -> None:
        """Listen from now on.

        Args:
            ears: Where the frames come from.
            answering: The agent's side.
            models: Of now; another agent may have taken over.
            language: That is spoken now.
            outbox: Takes what there is to tell.
            time: Of the call.
            user_active: Called while the user speaks, so that silence is not counted.
            not_heard: Called when the user's words could not be found out.
        """
        self._ears = ears
        self._agent = answering
        self._models = models
        self._language = language
        self._outbox = outbox
        self._time = time
        self._user_active = user_active
        self._not_heard = not_heard
        self._endpointer = Endpointer()
        self._room = RoomNoise()
        self._voice_begins, self._sound_begins = Hush(), Hush()
        self._utterance: Utterance | None = None
        self._known: Understood | None = None
        """Of the pause under way, once its words are known."""
        self._known_s = 0.0
        self._barge_in: BargeIn | None = None
        """While the user speaks over the agent."""
        self._goes_on = False
        """Whether the utterance goes on with the turn before, whose answer was not heard."""
        self._last: tuple[Utterance, str] | None = None
        """The turn before, in case that it goes on."""
        self._answered: AgentTurnInCall | None = None
        """The answer to it."""
        self._understanding: asyncio.Task[None] | None = None
        self._guessing: asyncio.Task[None] | None = None
        self._guessed_s = 0.0
        self._active_s = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the user has begun a turn that is not over."""
        return self._utterance is not None

    def hear(self, frame: Frame) -> None:
        """The next frame."""
        self._outbox.tell(VoiceScore(frame.probability))
        if self._utterance is not None:
            self._utterance.add(frame)
        self._endpointer, event = self._endpointer.heard(frame.probability, at_s=frame.at_s)
        if isinstance(event, Started):
            self._begins(event.at_s)
        elif isinstance(event, Resumed):
            self._resumes(event.at_s)
        elif isinstance(event, Paused):
            self._pauses(event.at_s)
        now_s = frame.at_s + FRAME_S
        self._hush_agent(frame, now_s)
        if self._utterance is not None and now_s - self._active_s >= _ACTIVE_EVERY_S:
            self._active_s = now_s
            self._user_active()
        if self._endpointer.is_speaking:
            self._speaks(now_s)
        else:
            self._is_silent(now_s)

    def _hush_agent(self, frame: Frame, now_s: float) -> None:
        voice, sound = self._voice_begins, self._sound_begins
        self._room, stands_out = self._room.heard(frame.level)
        self._voice_begins = voice.heard(
            may_be_voice=frame.probability >= SOFT_VOICE,
            is_voice=frame.probability >= self._endpointer.rules.voice_from,
            at_s=frame.at_s,
        )
        self._sound_begins = sound.heard(may_be_voice=stands_out, is_voice=False, at_s=frame.at_s)
        if (self._voice_begins, self._sound_begins) != (voice, sound):
            voice_s, sound_s = (
                each.left_s(now_s) for each in (self._voice_begins, self._sound_begins)
            )
            likely_s = voice_s if self._voice_begins.is_likely else 0.0
            self._agent.hush(likely_s, unheard_s=max(voice_s, sound_s))

    def close(self) -> None:
        """The call is over."""
        for task in (self._understanding, self._guessing):
            if task is not None:
                task.cancel()

    # The voice begins, pauses, goes on

    def _begins(self, at_s: float) -> None:
        self._goes_on = (
            self._last is not None
            and self._agent.latest is self._answered
            and self._agent.is_unheard_at(at_s)
        )
        if self._goes_on and self._last is not None:
            utterance, _ = self._last
            last_s = utterance.frames[-1].at_s if utterance.frames else -1.0
            utterance.frames += [frame for frame in self._ears.before if frame.at_s > last_s]
            utterance.go_on(at_s)
            self._agent.hold()
        else:
            utterance = Utterance(at_s, frames=list(self._ears.before))
        self._utterance, self._known = utterance, None
        self._guessed_s = at_s

    def _resumes(self, at_s: float) -> None:
        utterance = self._utterance
        if utterance is None:
            return
        if self._known is not None and utterance.sound_s > _LET_GO_AFTER_S:
            utterance.let_go(self._known.text, self._known.words)
        utterance.go_on(at_s)
        self._forget_pause()
        if self._barge_in is not None:
            self._barge_in = self._barge_in.began(at_s)

    def _pauses(self, at_s: float) -> None:
        utterance = self._utterance
        if utterance is None:
            return
        utterance.ended_s = at_s
        if self._barge_in is not None:
            self._barge_in = self._barge_in.paused(at_s)
        self._forget_pause()
        self._understanding = asyncio.create_task(self._understand(utterance))

    def _speaks(self, now_s: float) -> None:
        if self._barge_in is None and not self._goes_on and self._agent.current is not None:
            self._barge_in = BargeIn(self._rules()).began(
                self._ears.onset_s(self._endpointer.since_s)
            )
        if self._barge_in is not None and not self._endpointer.against:
            self._barge_in, decision = self._barge_in.voice(now_s)
            self._carry_out(decision)
        self._guess(now_s)

    def _is_silent(self, now_s: float) -> None:
        if self._barge_in is not None:
            self._barge_in, decision = self._barge_in.silence(now_s)
            self._carry_out(decision)
        self._decide(now_s)

    # What was said

    def _guess(self, now_s: float) -> None:
        """Show words while the user still speaks, and let them decide whether the agent yields."""
        utterance, voice = self._utterance, self._agent.voice
        if utterance is None or not voice.stt.tentative:
            return
        every_s = max(TENTATIVE_EVERY_S, utterance.sound_s / 10)
        is_busy = self._guessing is not None and not self._guessing.done()
        if now_s - self._guessed_s >= every_s and not is_busy:
            self._guessed_s = now_s
            self._guessing = asyncio.create_task(self._guess_words(utterance))

    async def _guess_words(self, utterance: Utterance) -> None:
        try:
            heard = await transcribed(
                self._models().transcriber,
                utterance.sound(),
                language=self._language(),
                voice=self._agent.voice,
                likely=self._likely(),
                is_tentative=True,
            )
            text = heard.text.strip()
        except SpeechError:  # the final transcript says so
            _log.warning("no tentative transcript")
            return
        if utterance is not self._utterance or not self._endpointer.is_speaking or not text:
            return
        self._outbox.tell(TentativeUserText(f"{utterance.words_before} {text}".strip()))
        # Half an "all right" reads like something else: who falls silent now is understood whole.
        if self._barge_in is not None and not self._endpointer.against:
            self._barge_in, decision = self._barge_in.words(text, now_s=self._ears.position_s)
            self._carry_out(decision)

    async def _understand(self, utterance: Utterance) -> None:
        try:
            known = await understood(
                utterance,
                self._models(),
                language=self._language(),
                voice=self._agent.voice,
                likely=self._likely(),
            )
        except SpeechError as error:
            self._is_lost(error)
            return
        is_short = self._barge_in is not None and await self._may_be_short_answer(
            utterance, known.text
        )
        self._known, self._known_s = known, self._time.now_s
        if not words_of(known.text):
            self._drop(release=True)
        elif self._goes_on:
            self._says_more(known.text)
        elif self._barge_in is not None:
            self._says_over_agent(known.text, is_short=is_short)
        self._decide(self._ears.position_s)

    def _says_more(self, text: str) -> None:
        """More words of a turn that the agent has taken up; a cough is none."""
        before = words_of(self._last[1]) if self._last is not None else []
        words = words_of(text)
        added = words[len(before) :] if words[: len(before)] == before else words
        if not added or is_short_answer(" ".join(added), self._rules().ignored):
            self._drop(release=True)

    async def _may_be_short_answer(self, utterance: Utterance, text: str) -> bool:
        """Whether a short voice over the agent's may have been "mm-hmm", whatever was written."""
        return await may_be_short_answer(
            utterance, text, self._models(), language=self._language(), voice=self._agent.voice
        )

    def _says_over_agent(self, text: str, *, is_short: bool) -> None:
        if self._barge_in is None:
            return
        is_short = is_short or is_short_answer(text, self._rules().ignored)
        self._barge_in, decision = self._barge_in.words(
            text, now_s=self._ears.position_s, is_final=True, is_short_answer=is_short
        )
        if decision == "interrupt":
            self._carry_out(decision)
            return
        self._agent.release()
        is_answer = self._agent.is_nearly_done or not is_short
        if not is_answer:
            self._drop(release=True)

    def _is_lost(self, error: SpeechError) -> None:
        """Nobody knows what the user said: that is told, and the agent goes on or says so."""
        self._outbox.tell(SpeechFailed("hearing", str(error)))
        is_asked_back = self._agent.current is None
        self._drop(release=True)
        if is_asked_back:
            self._not_heard()

    # Whose turn it is

    def _decide(self, now_s: float) -> None:
        """Take the turn for over once the silence is long enough."""
        utterance, known = self._utterance, self._known
        if utterance is None or known is None or utterance.ended_s is None:
            return
        if now_s - utterance.ended_s + 1e-6 < known.wait_s:
            return
        if not self._goes_on and self._agent.current is not None:
            return  # who speaks over an agent that does not yield waits for its end
        sound = TurnSound(start_s=utterance.began_s, end_s=utterance.ended_s, words=known.words)
        # Somebody may have typed meanwhile.
        amends = self._goes_on and self._agent.latest is self._answered
        timing = UserTiming(
            speech_end_s=utterance.ended_s, decided_s=self._time.now_s, transcript_s=self._known_s
        )
        self._last = (utterance, known.text)
        self._drop()
        self._answered = self._agent.answer(known.text, sound=sound, user=timing, amends=amends)

    def _carry_out(self, decision: Decision | None) -> None:
        if decision == "hold":
            self._agent.hold()
        elif decision == "resume":
            self._agent.release()
        elif decision == "interrupt":
            self._barge_in = None
            self._agent.interrupt()

    def _forget_pause(self) -> None:
        self._known = None
        if self._understanding is not None and self._understanding is not asyncio.current_task():
            self._understanding.cancel()

    def _drop(self, *, release: bool = False) -> None:
        """The utterance is over, whatever became of it."""
        if release:
            self._agent.release()
        self._forget_pause()
        self._utterance, self._barge_in, self._goes_on = None, None, False
        self._endpointer = self._endpointer.closed()

    def _likely(self) -> tuple[str, ...]:
        """What people say over somebody who speaks, and transcribers do not expect."""
        return () if self._barge_in is None else likely_answers(self._language())

    def _rules(self) -> BargeInRules:
        turn = self._agent.voice.turn
        return BargeInRules(
            may_interrupt=self._agent.may_be_interrupted,
            ignored=ignored_terms(
                self._language(),
                turn.ignore_terms,
                with_usual=turn.merge_with_default_ignore_terms,
            ),
        )
