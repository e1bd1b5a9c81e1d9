"""The agent's side of a call: the session answers, the mouth says it, what was heard is kept."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from conversation.agent.models.voice_config import VoiceSection, said_in
from conversation.agent.system_tools import was_handed_over
from conversation.errors import ConversationError, SessionEndedError
from conversation.language.set_sentences import FAILURE, PATIENCE, in_words_of
from conversation.language.spoken_titles import DocumentLabel, SpokenTitles
from conversation.session.driver import SessionDriver
from conversation.transcript import TurnFile, TurnSound
from conversation.turn.events import (
    AgentTurn,
    RetrievalDone,
    SessionEvent,
    TextDelta,
    ToolRequest,
)
from conversation.turn.finished_turn import agent_turn_event
from conversation.voice.call_events import (
    AgentText,
    AgentTextCorrected,
    DuringTurn,
    Interrupted,
    SpeechFailed,
    UserTurn,
)
from conversation.voice.calling.agent_turn import AgentTurnInCall, Kind, UserTiming
from conversation.voice.calling.call_time import CallTime
from conversation.voice.calling.mouth import Mouth
from conversation.voice.calling.outbox import Outbox

_ASKED_S, _SAID_S = 1.5, 0.3
"""So long before the end of a question people answer it, and of anything else they take it up."""
_QUESTION_MARKS = ("?", "\u061f", "\uff1f", "\u037e")
_log = logging.getLogger(__name__)


class Answering:
    """One agent turn at a time. Used from the event loop alone."""

    def __init__(
        self,
        driver: SessionDriver,
        *,
        new_mouth: Callable[[int], Mouth],
        new_event_id: Callable[[], int],
        outbox: Outbox,
        time: CallTime,
        handed_over: Callable[[], None],
        left: Callable[[str], None],
        stays: Callable[[], None],
    ) -> None:
        """Answer from now on.

        Args:
            driver: Of the session, with its time.
            new_mouth: What says a turn with this id.
            new_event_id: Greater than every id before.
            outbox: Takes what there is to tell.
            time: Of the call.
            handed_over: Called when another agent took over.
            left: Called when the agent's last words were heard, with the reason for the end.
            stays: Called when they were interrupted: the call goes on.
        """
        self._driver = driver
        self._session = driver.session
        self._new_mouth = new_mouth
        self._new_event_id = new_event_id
        self._outbox = outbox
        self._time = time
        self._handed_over = handed_over
        self._left = left
        self._stays = stays
        self._settling: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.current: AgentTurnInCall | None = None
        """The turn that is being made or heard."""
        self.latest: AgentTurnInCall | None = None
        """The turn that began last."""

    @property
    def voice(self) -> VoiceSection:
        """The agent's settings of now; another one may have taken over."""
        return self._session.agent.voice or VoiceSection()

    @property
    def may_be_interrupted(self) -> bool:
        """Whether the user may take the turn from the agent."""
        turn = self.current
        if turn is None:
            return True
        return turn.is_interruptible and not (turn.announces and turn.mouth.heard_chars() == 0)

    @property
    def is_nearly_done(self) -> bool:
        """Whether what the user says now answers what the agent has just said."""
        if self.current is None:
            return True
        mouth = self.current.mouth
        is_question = mouth.text.rstrip().endswith(_QUESTION_MARKS)
        left_s = mouth.left_s
        return left_s is not None and left_s <= (_ASKED_S if is_question else _SAID_S)

    def is_unheard_at(self, at_s: float) -> bool:
        """Whether an answer is on its way of which the user had heard nothing at `at_s`."""
        turn = self.current
        if turn is None or turn.user is None or turn.has_tools:
            return False
        return turn.is_unheard_at(at_s)

    def hold(self) -> None:
        """Fall silent for now."""
        if self.current is not None and not self.current.mouth.is_held:
            self.current.holds += 1
            self.current.mouth.hold()

    def release(self) -> None:
        """Go on where the voice was held."""
        if self.current is not None:
            self.current.mouth.release()

    def hush(self, seconds: float, *, unheard_s: float) -> None:
        """Send nothing for a moment: the user, who may interrupt, may be beginning to speak."""
        if self.current is not None and self.may_be_interrupted:
            self.current.mouth.hush(seconds, unheard_s=unheard_s)

    def open(self, announcement: str, *, is_new: bool = True) -> None:
        """Say the first message of a new conversation, after what has to be said before it."""
        first = self._session.first_message if is_new else ""
        if not (first or announcement):
            return
        turn = self._begin("opening", is_interruptible=self.voice.turn.first_message_interruptible)
        if announcement:
            turn.announces = True
            turn.mouth.say_own(announcement)
        turns = self._session.transcript.turns
        if first and turns:
            turn.outcome, turn.turn_id = agent_turn_event(turns[0]), turns[0].turn_id
            turn.mouth.say(first)
        turn.mouth.finish()

    def say(self, said: AgentTurn, *, is_interruptible: bool = True) -> None:
        """Say a turn that the agent took by itself."""
        interruptible = is_interruptible and self.voice.turn.interruptions
        turn = self._begin("said", is_interruptible=interruptible)
        turn.outcome, turn.turn_id = said, said.turn.turn_id
        turn.mouth.say(said.text)
        turn.mouth.finish()

    def answer(
        self,
        text: str,
        *,
        sound: TurnSound | None = None,
        user: UserTiming | None = None,
        amends: bool = False,
        files: Sequence[TurnFile] = (),
    ) -> AgentTurnInCall:
        """The user's turn is over: answer it.

        Args:
            text: What they said.
            sound: Where that stands in the call, when it was spoken.
            user: When it ended; None for what was typed, which is not told again.
            amends: Whether the turn goes on from the one before, whose answer was not heard.
            files: Those whose text is in `text`.
        """
        if user is not None:
            self._outbox.tell(UserTurn(self._new_event_id(), text, amends))
        if amends:
            self._discard()
        turn = self._begin("answer", user=user, is_interruptible=self.voice.turn.interruptions)
        turn.mouth.excuse = in_words_of(self._session.agent.language, FAILURE)
        ask = partial(self._driver.areply, text, sound=sound, amends=amends, files=files)
        turn.task = self._spawn(self._reply(turn, ask, after=self._settling))
        if self.voice.turn.soft_timeout_s is not None:
            self._spawn(self._ask_for_patience(turn, self.voice.turn.soft_timeout_s))
        return turn

    def interrupt(self) -> None:
        """The user takes the turn: be silent, and keep as said what was heard."""
        self._stop()
        if self._session.leaving is not None:
            self._session.leaving = None
            self._stays()

    def _stop(self) -> None:
        turn = self.current
        if turn is None:
            return
        self.current, turn.is_left = None, True
        turn.mouth.stop()
        heard = turn.mouth.heard_chars()
        if turn.mouth.has_begun:
            self._tell_text(turn)
            self._outbox.tell(Interrupted(turn.event_id))
        self._settling = self._spawn(self._keep_heard(turn, heard, after=self._settling))

    async def settled(self) -> None:
        """Wait until every interruption is written down."""
        while (settling := self._settling) is not None:
            await asyncio.wait([settling])
            if settling is self._settling:
                self._settling = None

    async def close(self) -> None:
        """The call is over: what is being said is interrupted, and kept as far as it was heard."""
        self._stop()
        await self.settled()
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()
        await asyncio.gather(*self._tasks - {asyncio.current_task()}, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _begin(
        self, kind: Kind, *, is_interruptible: bool, user: UserTiming | None = None
    ) -> AgentTurnInCall:
        self._stop()
        mouth = self._new_mouth(self._new_event_id())
        turn = AgentTurnInCall(kind, mouth, user=user, is_interruptible=is_interruptible)
        self.current = self.latest = turn
        self._driver.agent_speaking()
        self._spawn(self._hear_out(turn))
        return turn

    def _discard(self) -> None:
        """Nobody heard the turn, and nobody will: the user went on."""
        turn = self.current
        if turn is None:
            return
        self.current, turn.is_left = None, True
        turn.mouth.stop()
        if turn.mouth.has_begun:
            self._outbox.tell(Interrupted(turn.event_id))
        if turn.is_text_told:
            self._outbox.tell(AgentTextCorrected(turn.event_id, turn.mouth.text, ""))

    async def _reply(
        self,
        turn: AgentTurnInCall,
        ask: Callable[..., AsyncIterator[SessionEvent]],
        *,
        after: asyncio.Task[None] | None,
    ) -> None:
        if after is not None:
            await asyncio.wait([after])
        try:
            async for event in ask(when_heard=turn.is_asked.set):
                self._take(turn, event)
        except SessionEndedError:  # meanwhile, by whoever holds it
            pass
        except Exception as error:  # its message may quote what was said
            _log.error(
                "a turn of %s failed: %s", self._session.conversation_id, type(error).__name__
            )
            if not turn.mouth.text:  # nor could the session say so, e.g. without its store
                turn.mouth.say_own(in_words_of(self._session.agent.language, FAILURE))
        if turn.is_left:
            return
        turn.mouth.finish()
        self._driver.agent_speaking()
        if turn.mouth.has_begun:
            self._tell_text(turn)

    def _take(self, turn: AgentTurnInCall, event: SessionEvent) -> None:
        if isinstance(event, AgentTurn):
            turn.outcome, turn.turn_id = event, event.turn.turn_id
            return
        if turn.is_left:
            return
        if isinstance(event, TextDelta):
            if turn.first_token_s is None:
                turn.first_token_s = self._time.now_s
            turn.mouth.say(event.text)
            return
        if isinstance(event, RetrievalDone):
            turn.passages_s = self._time.now_s
            turn.mouth.titles = SpokenTitles(
                DocumentLabel(passage.document_name, tuple(passage.heading_path))
                for passage in event.passages
            )
        elif isinstance(event, ToolRequest):
            turn.has_tools = True
            turn.mouth.flush()
        elif was_handed_over([event]):
            self._handed_over()
        self._outbox.tell(DuringTurn(turn.event_id, event))

    async def _ask_for_patience(self, turn: AgentTurnInCall, after_s: float) -> None:
        await asyncio.sleep(after_s)
        if not (turn.is_left or turn.mouth.is_over or turn.mouth.has_words):
            language = self._session.agent.language
            own = said_in(self.voice.turn.soft_timeout_message, language)
            turn.mouth.say_own(own or in_words_of(language, PATIENCE))

    async def _hear_out(self, turn: AgentTurnInCall) -> None:
        """Follow the turn until the user has heard all of it."""
        await turn.mouth.when_begun.wait()
        if not turn.is_left and (turn.task is None or turn.task.done()):
            self._tell_text(turn)
        await turn.mouth.when_over.wait()
        if turn.is_left:
            return
        self._tell_text(turn)
        if turn.mouth.failure is not None:
            failure = SpeechFailed("speaking", str(turn.mouth.failure), turn.event_id)
            self._outbox.tell(failure)
        await self._keep_sound(turn)
        if turn.is_left:  # while it was written down
            return
        self.current = None
        self._tell_outcome(turn)
        self._driver.agent_silent()
        if self._session.leaving is not None:
            self._left(self._session.leaving)

    async def _keep_heard(
        self, turn: AgentTurnInCall, heard: int, *, after: asyncio.Task[None] | None
    ) -> None:
        if after is not None:
            await asyncio.wait([after])
        if turn.task is not None:  # else the turn before would be cut in its place
            asked = asyncio.create_task(turn.is_asked.wait())
            await asyncio.wait([asked, turn.task], return_when=asyncio.FIRST_COMPLETED)
            asked.cancel()
        text = turn.mouth.text
        if turn.turn_id is not None and turn.mouth.failure is not None:
            heard = len(text)  # what could not be said was written
        else:
            with suppress(ConversationError):
                await asyncio.to_thread(self._session.interrupt, heard_chars=heard)
        if turn.task is not None:
            await asyncio.wait([turn.task])
        if turn.is_text_told and heard < len(text):
            self._outbox.tell(AgentTextCorrected(turn.event_id, text, text[:heard]))
        await self._keep_sound(turn)
        self._tell_outcome(turn)
        if self.current is None:
            self._driver.agent_silent()

    async def _keep_sound(self, turn: AgentTurnInCall) -> None:
        sound = turn.sound()
        if sound is not None and turn.turn_id is not None:
            with suppress(ConversationError):
                await asyncio.to_thread(self._session.sounded, turn.turn_id, sound)

    def _tell_text(self, turn: AgentTurnInCall) -> None:
        if not turn.is_text_told and turn.mouth.text:
            turn.is_text_told = True
            self._outbox.tell(AgentText(turn.event_id, turn.mouth.text))

    def _tell_outcome(self, turn: AgentTurnInCall) -> None:
        """The turn as it stands in the record now."""
        outcome = turn.outcome
        if outcome is None:
            return
        for kept in self._session.transcript.turns:
            if kept.turn_id == turn.turn_id:
                now = agent_turn_event(kept, is_answered=outcome.is_answered)
                self._outbox.tell(DuringTurn(turn.event_id, now))
