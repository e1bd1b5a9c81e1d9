"""One turn of the agent as sound: text in, paced frames out.

Clauses are made ahead of what is sent, so that no hole opens between two sentences, and sound is
sent a quarter of a second ahead of what plays, so that little has to be taken back.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from conversation.errors import SpeechError, UnsayableError
from conversation.language.spoken_text import SpokenPiece
from conversation.language.spoken_titles import NO_TITLES
from conversation.voice.audio import StreamResampler
from conversation.voice.call_events import AgentAudio
from conversation.voice.calling.call_time import CallTime
from conversation.voice.calling.outbox import Outbox
from conversation.voice.calling.said_words import ClauseWords
from conversation.voice.calling.track import Track
from conversation.voice.ports import SAMPLE_RATE_HZ, CallRecorder, SpeechSynthesizer
from conversation.voice.turns.clauses import Clause, ClauseCutter
from conversation.voice.turns.first_words import SpokenTurn
from conversation.voice.turns.playout import HeardText, Playout

LEAD_S = 0.25
FIRST_FRAME_S, FRAME_S, LEAST_FRAME_S = 0.04, 0.08, 0.04
LEAST_AHEAD_S = 0.02
"""What a client keeps to play when it is sent nothing although nobody may have spoken."""
CLAUSES_AHEAD = 2
SILENT_AT_MOST_S = 15.0
"""So long a synthesizer may be silent before it counts as failed."""


class Mouth:
    """Says one turn. Used from the event loop alone."""

    def __init__(
        self,
        event_id: int,
        *,
        language: Callable[[], str],
        voice: Callable[[], Awaitable[SpeechSynthesizer]],
        outbox: Outbox,
        time: CallTime,
        recorder: CallRecorder | None,
        lead_s: Callable[[], float] = lambda: LEAD_S,
    ) -> None:
        self.event_id = event_id
        self.playout = Playout()
        self.heard = HeardText()
        self.failure: SpeechError | None = None
        """Why the rest of the turn cannot be said."""
        self.is_held = False
        self._hushed_until_s = 0.0
        """Until when nothing is sent: a moment, too short to be heard."""
        self.has_words = False
        """Whether there was anything to say so far."""
        self.excuse = ""
        """What is said in place of a text in which there is nothing to say."""
        self._says_something = False
        """Whether any sound of the turn's text was made."""
        self.is_over = False
        """Whether nothing more will be heard."""
        self.titles = NO_TITLES
        """Of the documents that the turn may mention; set before its text."""
        self._language = language
        self._voice = voice
        self._outbox = outbox
        self._time = time
        self._recorder = recorder
        self._lead_s = lead_s
        self._spoken: SpokenTurn | None = None
        self._cutter = ClauseCutter()
        self._clauses: deque[Clause] = deque()
        self._is_whole = False
        self._is_made = False
        self._begins_s: deque[float] = deque()
        """Where clauses begin, in the turn's sound, of which nothing was sent yet."""
        self._track = Track()
        self._words: ClauseWords | None = None
        self._to_make, self._to_send = asyncio.Event(), asyncio.Event()
        self._tasks = [asyncio.create_task(self._make()), asyncio.create_task(self._send())]
        self.when_begun = asyncio.Event()
        """Set with the first sound, or when there will be none."""
        self.when_over = asyncio.Event()

    @property
    def text(self) -> str:
        """What is to be said, as far as it came."""
        return "" if self._spoken is None else self._spoken.text

    @property
    def has_begun(self) -> bool:
        """Whether any sound went out."""
        return self.playout.first_audible_s is not None

    def say(self, delta: str) -> None:
        """More text of the turn."""
        if self._spoken is None:
            self._spoken = SpokenTurn(self._language(), titles=self.titles)
        self._cut(self._spoken.feed(delta), self._spoken.text)

    def flush(self) -> None:
        """No more text for a while: say what there is."""
        if self._spoken is not None:
            self._cut(self._spoken.finish(), self._spoken.text)

    def say_own(self, text: str) -> None:
        """Words that are no part of the turn's text."""
        self.has_words = True
        self._clauses.extend(self._cutter.own(text))
        self._to_make.set()

    def finish(self) -> None:
        """The text is whole."""
        self.flush()
        self._is_whole = True
        self._to_make.set()

    def hold(self) -> None:
        """Send nothing more for now; what was made waits."""
        self.is_held = True

    def release(self) -> None:
        """Go on with the next sample."""
        self.is_held = False
        self._to_send.set()

    def hush(self, seconds: float, *, unheard_s: float) -> None:
        """Send nothing for a moment. It counts as no hold.

        Args:
            seconds: Because a voice is beginning, even if the user then hears a gap.
            unheard_s: Because something may be one; never so long that a gap is heard.
        """
        left_s = self.playout.ahead_s(self._time.now_s) - LEAST_AHEAD_S
        self._hushed_until_s = self._time.now_s + max(seconds, min(unheard_s, left_s))
        self._to_send.set()

    def stop(self) -> None:
        """Be silent for good: what is not heard yet will not be."""
        if self.is_over:
            return
        now_s = self._time.now_s
        self._outbox.drop(self.event_id)
        if self.has_begun:
            self.playout.cut(now_s)
            if self._recorder is not None:
                self._recorder.cut(now_s)
        if self._words is not None:
            self._words.end(self.heard, made_s=self._track.made_s, is_whole=False)
        self._track.clear()
        self._end()

    def heard_chars(self) -> int:
        """How much of the text was heard until now."""
        return self.heard.chars_at(self.playout.heard_s(self._time.now_s))

    @property
    def left_s(self) -> float | None:
        """How long it still speaks; None while that is not known."""
        if not self._is_made:
            return None
        left_s = self._track.left / SAMPLE_RATE_HZ
        return left_s + self.playout.ahead_s(self._time.now_s)

    def _cut(self, pieces: list[SpokenPiece], text: str) -> None:
        for piece in pieces:
            self.has_words = True
            self._clauses.extend(self._cutter.cut(piece, text))
        self._to_make.set()

    def _end(self) -> None:
        self.is_over = True
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self.when_begun.set()
        self.when_over.set()

    async def _make(self) -> None:
        try:
            while await self._has_clause():
                await self._make_clause(self._clauses.popleft())
        except SpeechError as error:
            self.failure = error
            self._clauses.clear()
        self._words = None
        if not self._says_something and self.text.strip() and self._may_say_more():
            await self._make_excuse()
        self._is_made = True
        self._to_send.set()

    def _may_say_more(self) -> bool:
        """Whether the text could not be said; else the voice is broken, or nothing was."""
        return self.failure is None or isinstance(self.failure, UnsayableError)

    async def _make_excuse(self) -> None:
        with suppress(SpeechError):
            for clause in self._cutter.own(self.excuse):
                await self._make_clause(clause)
        self._words = None

    async def _has_clause(self) -> bool:
        while True:
            if self._clauses and len(self._begins_s) < CLAUSES_AHEAD:
                return True
            if self._is_whole and not self._clauses:
                return False
            self._to_make.clear()
            await self._to_make.wait()

    async def _make_clause(self, clause: Clause) -> None:
        begins_s = self._track.made_s
        self._begins_s.append(begins_s)
        try:
            try:
                await self._make_once(clause)
            except SpeechError as error:
                if isinstance(error, UnsayableError):
                    raise
                if self._track.made_s > begins_s:  # half a clause cannot be said again
                    raise
                await self._make_once(clause)
        finally:
            if self._track.made_s > begins_s and clause.marks:
                self._says_something = True
            if self._track.made_s == begins_s and self._begins_s:
                self._begins_s.pop()

    async def _make_once(self, clause: Clause) -> None:
        voice = await self._voice()
        rate = StreamResampler(voice.sample_rate_hz, SAMPLE_RATE_HZ)
        words = self._words = ClauseWords(clause, begins_s=self._track.made_s)
        chunks = voice.speak(clause.text, language=self._language(), is_first=clause.is_first)
        try:
            while True:
                async with asyncio.timeout(SILENT_AT_MOST_S):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    break
                for chars in words.placed(chunk.alignment):
                    self._track.add_chars(chars)
                self._track.add(rate.push(chunk.samples))
                self._to_send.set()
        except TimeoutError as error:
            raise SpeechError(
                f"The voice {voice.name!r} was silent for {SILENT_AT_MOST_S:.0f} s."
            ) from error
        except SpeechError:
            raise
        except Exception as error:
            raise SpeechError(
                f"The voice {voice.name!r} failed with {type(error).__name__}."
            ) from error
        finally:
            close = getattr(chunks, "aclose", None)
            if close is not None:
                await close()
        self._track.add(rate.finish())
        words.end(self.heard, made_s=self._track.made_s)
        self._words = None
        self._to_send.set()

    async def _send(self) -> None:
        while await self._has_sound():
            most_s = FRAME_S if self.has_begun else FIRST_FRAME_S
            ahead_s = self.playout.ahead_s(self._time.now_s)
            early_s = ahead_s + most_s - self._lead_s()
            if early_s > 1e-6:
                await asyncio.sleep(early_s)
                continue
            await self._send_frame(round(most_s * SAMPLE_RATE_HZ))
        await asyncio.sleep(self.playout.ahead_s(self._time.now_s))
        self._end()

    async def _has_sound(self) -> bool:
        least = round(LEAST_FRAME_S * SAMPLE_RATE_HZ)
        while True:
            is_enough = self._track.left >= least or (self._track.left and self._words is None)
            hushed_s = self._hushed_until_s - self._time.now_s
            if is_enough and not self.is_held and hushed_s <= 1e-6:
                return True
            if self._is_made and not self._track.left:
                return False
            self._to_send.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(hushed_s if hushed_s > 1e-6 else None):
                    await self._to_send.wait()

    async def _send_frame(self, most: int) -> None:
        samples, alignment = self._track.take(most)
        while self._begins_s and self._begins_s[0] < self._track.taken_s:
            self._begins_s.popleft()
            self._to_make.set()

        def taken() -> None:
            duration_s = len(samples) / SAMPLE_RATE_HZ
            begins_s = self.playout.sent(duration_s, now_s=self._time.now_s)
            self.when_begun.set()
            if self._recorder is not None:
                self._recorder.said(samples, begins_s)

        await self._outbox.hand_over(AgentAudio(self.event_id, samples, alignment), taken)
