"""When the user begins to speak, pauses and goes on: probabilities of frames to events. Pure.

The state is a value, in the time of the sound itself:

    endpointer, event = endpointer.heard(probability, at_s=frame_begins_s)
"""

from dataclasses import dataclass, replace

from conversation.voice.ports import FRAME_SAMPLES, SAMPLE_RATE_HZ

FRAME_S = FRAME_SAMPLES / SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class EndpointingRules:
    """Thresholds between voice and silence.

    Silero's own hysteresis; 192 ms of silence is the shortest that does not fall between the
    words of a fluent speaker.
    """

    voice_from: float = 0.5
    silence_below: float = 0.35
    start_frames: int = 3
    pause_frames: int = 6


@dataclass(frozen=True, slots=True)
class Started:
    """The user begins to speak."""

    at_s: float
    """Of the first frame with a voice."""


@dataclass(frozen=True, slots=True)
class Paused:
    """The user is silent; whether the turn is over is for others to say."""

    at_s: float
    """Where the voice ended."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The user goes on after a pause."""

    at_s: float


Endpoint = Started | Paused | Resumed


@dataclass(frozen=True, slots=True)
class Endpointer:
    """Where the user is: silent, speaking, or pausing in a turn that is still open."""

    rules: EndpointingRules = EndpointingRules()
    is_open: bool = False
    """Whether a turn began that nobody closed."""
    is_speaking: bool = False
    since_s: float = 0.0
    """When the voice began, or when it paused."""
    against: int = 0
    """Frames in a row that say otherwise."""
    against_since_s: float = 0.0

    def heard(self, probability: float, *, at_s: float) -> tuple["Endpointer", Endpoint | None]:
        """The state after a frame that begins at `at_s`, and what it means."""
        rules = self.rules
        if self.is_speaking:
            agrees, differs = probability >= rules.voice_from, probability < rules.silence_below
        else:
            agrees, differs = probability < rules.silence_below, probability >= rules.voice_from
        if agrees:
            return (self if not self.against else replace(self, against=0)), None
        if not differs:  # between the thresholds a frame says nothing
            return self, None
        since_s = self.against_since_s if self.against else at_s
        counted = replace(self, against=self.against + 1, against_since_s=since_s)
        needed = rules.pause_frames if self.is_speaking else rules.start_frames
        return (counted, None) if counted.against < needed else counted._turned()

    def _turned(self) -> tuple["Endpointer", Endpoint]:
        at_s = self.against_since_s
        turned = replace(
            self, is_open=True, is_speaking=not self.is_speaking, since_s=at_s, against=0
        )
        if self.is_speaking:
            return turned, Paused(at_s)
        return turned, Resumed(at_s) if self.is_open else Started(at_s)

    def closed(self) -> "Endpointer":
        """The turn is over; a voice that is heard from now on begins another one."""
        return replace(self, is_open=False, is_speaking=False, against=0)
