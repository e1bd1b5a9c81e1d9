"""What a call has to tell, in order. Sound can be taken back until somebody took it out."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable

from conversation.voice.call_events import AgentAudio, CallEvent, CallOver, VoiceScore


class Outbox:
    """Events of a call. One reader; used from the event loop alone."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[CallEvent, Callable[[], object] | None]] = deque()
        self._some = asyncio.Event()
        self._taken = asyncio.Event()
        self.is_closed = False

    def tell(self, event: CallEvent) -> None:
        """Add an event. Of scores that nobody has read, the last one is enough."""
        if self.is_closed:
            return
        newest = self._waiting[-1][0] if self._waiting else None
        if isinstance(event, VoiceScore) and isinstance(newest, VoiceScore):
            self._waiting.pop()
        self.is_closed = isinstance(event, CallOver)
        self._waiting.append((event, None))
        self._some.set()

    async def hand_over(self, audio: AgentAudio, when_taken: Callable[[], object]) -> None:
        """Add sound and wait until it was taken, or dropped: nothing piles up behind it."""
        entry = (audio, when_taken)
        if self.is_closed:
            return
        self._waiting.append(entry)
        self._some.set()
        while any(each is entry for each in self._waiting):
            self._taken.clear()
            await self._taken.wait()

    def drop(self, event_id: int) -> None:
        """Take back the sound of a turn that nobody has taken out yet."""
        kept = [
            entry
            for entry in self._waiting
            if not (isinstance(entry[0], AgentAudio) and entry[0].event_id == event_id)
        ]
        self._waiting = deque(kept)
        self._taken.set()

    async def events(self) -> AsyncIterator[CallEvent]:
        """Everything, until the call is over."""
        while True:
            while not self._waiting:
                if self.is_closed:
                    return
                self._some.clear()
                await self._some.wait()
            event, when_taken = self._waiting.popleft()
            if when_taken is not None:
                when_taken()
                self._taken.set()
            yield event
            if isinstance(event, CallOver):
                return
