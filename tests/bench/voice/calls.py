"""Calls: from the end of a question to the first sound, yielding, and four callers at once.

    python -m tests.bench.voice calls

Every second counts the work of a core and waits that were meant, as `cpu_time` says, so that a busy
machine changes little; the load stands beside each figure all the same.
"""

import asyncio
import resource
import statistics
import sys
from collections.abc import Sequence

import numpy as np

from conversation.agent.models.voice_config import VoiceSection
from conversation.voice.open_voice import VoiceModels, open_voice
from tests.bench.figures import Figure, record
from tests.bench.voice.cpu_time import CpuTimedRunner, run_on_cpu_time
from tests.bench.voice.held_calls import Held, agent, hold
from tests.bench.voice.made_speech import backchannels, interruptions, make_all, questions
from tests.bench.voice.speech_data import Clip, voice_begins_s, voice_ends_s
from tests.fakes import ScriptedChatModel

LONG_MESSAGE = (
    "Welcome to the help desk of the bakery. You can ask me about opening hours, about orders that "
    "you have placed, about birthday cakes, and about everything that is in our bread. If you want "
    "to order for a party, tell me how many people come and on which day you need it."
)
ANSWER = "That is written in the guide. You can add up to five hundred documents to each agent."
SPEAKS_AT_S = 4.0
SILENCE_COUNTS_S = 0.3
"""A pause between two pieces of sent sound from which the agent counts as silent."""
YIELDS_WITHIN_S = 3.5
"""Whoever has not got the turn by then does not get it."""
CALLERS = 4


def main(kinds: Sequence[str] = ("latency", "backchannels", "interruptions", "callers")) -> None:
    """Measure and print."""
    make_all()
    before_mb = _rss_mb()
    runner = CpuTimedRunner()
    models = open_voice(VoiceSection(), language="en", runner=runner)
    run_on_cpu_time(_call(models, questions()[0]))  # the first run of a network takes its memory
    print(f"memory added by voice: {_rss_mb() - before_mb:.0f} MB")
    record("voice", [Figure("voice/memory MB", _rss_mb() - before_mb, 1)])
    for kind in kinds:
        PARTS[kind](models)


def latency(models: VoiceModels) -> None:
    """From the end of a question's sound to the first sound of its answer."""
    waits: list[float] = []
    for clip in questions():
        held = run_on_cpu_time(_call(models, clip))
        begins_s = held.answer_begins_s()
        if begins_s is not None:
            waits.append(begins_s - (SPEAKS_AT_S + voice_ends_s(clip)))
    p50, p95 = (float(np.percentile(waits, q)) for q in (50, 95))
    print(f"end of speech to first audio: p50 {p50:.2f} s, p95 {p95:.2f} s (n={len(waits)})")
    record(
        "voice",
        [
            Figure("voice/end of speech to first audio s", p50, len(waits)),
            Figure("voice/end of speech to first audio p95 s", p95, len(waits)),
        ],
    )


def resumed(models: VoiceModels) -> None:
    """How many who say "okay" and the like do not stop the agent."""
    clips = backchannels()
    held = [run_on_cpu_time(_over(models, clip)) for clip in clips]
    stopped = [
        clip.name
        for clip, each in zip(clips, held, strict=True)
        if each.interrupted_after_s(SPEAKS_AT_S, within_s=YIELDS_WITHIN_S) is not None
    ]
    share = 1 - len(stopped) / len(clips)
    print(f"backchannels: {share:.1%} of {len(clips)} resumed")
    for name in stopped:
        print(f"  stopped the agent: {name}")
    record("voice", [Figure("voice/backchannels resumed", share, len(clips))])


def interrupted(models: VoiceModels) -> None:
    """How many who take the turn get it, and how soon the agent is silent."""
    clips = interruptions()
    yields: list[float] = []
    stops: list[float] = []
    missed: list[str] = []
    for clip in clips:
        held = run_on_cpu_time(_over(models, clip))
        onset_s = SPEAKS_AT_S + voice_begins_s(clip)
        after_s = held.interrupted_after_s(onset_s, within_s=YIELDS_WITHIN_S)
        if after_s is None:
            missed.append(clip.name)
            continue
        yields.append(after_s)
        stops.append(last_sent_s(held, onset_s) - onset_s)
    share = 1 - len(missed) / len(clips)
    print(
        f"interruptions: {share:.1%} of {len(clips)} take the turn, after {_spread(yields)}; "
        f"the last sound is sent {_spread(stops)} after the onset"
    )
    for name in missed:
        print(f"  did not get the turn: {name}")
    record(
        "voice",
        [
            Figure("voice/interruptions taken", share, len(clips)),
            Figure("voice/onset to last audio s", statistics.median(stops), len(stops)),
            Figure("voice/onset to last audio, worst s", max(stops), len(stops)),
            Figure("voice/onset to interruption s", statistics.median(yields), len(yields)),
        ],
    )


def callers(models: VoiceModels) -> None:
    """Four calls at once on two cores: silence inside their answers, and how long they wait."""
    clips = questions()[:CALLERS]

    async def all_at_once() -> list[Held]:
        return await asyncio.gather(*(_call(models, clip) for clip in clips))

    held = run_on_cpu_time(all_at_once())
    gap_s = max(each.longest_gap_s() for each in held)
    begins = [each.answer_begins_s() for each in held]
    waits = [
        begins_s - (SPEAKS_AT_S + voice_ends_s(clip))
        for begins_s, clip in zip(begins, clips, strict=True)
        if begins_s is not None
    ]
    print(
        f"{CALLERS} calls at once: {len(waits)} answered, after {_spread(waits)}; "
        f"longest silence inside an answer {gap_s:.2f} s"
    )
    record(
        "voice",
        [
            Figure("voice/four calls, longest gap s", gap_s, CALLERS),
            Figure("voice/four calls, first audio s", statistics.median(waits), CALLERS),
        ],
    )


PARTS = {
    "latency": latency,
    "backchannels": resumed,
    "interruptions": interrupted,
    "callers": callers,
}


async def _call(models: VoiceModels, clip: Clip) -> Held:
    """A question to an agent that waits for it."""
    model = ScriptedChatModel(always=ANSWER)
    return await hold(agent(), models, [(SPEAKS_AT_S, clip.samples)], lasts_s=14, chat_model=model)


async def _over(models: VoiceModels, clip: Clip) -> Held:
    """Words over an agent that speaks."""
    return await hold(
        agent(first_message=LONG_MESSAGE),
        models,
        [(SPEAKS_AT_S, clip.samples)],
        lasts_s=9,
        chat_model=ScriptedChatModel(always=ANSWER),
    )


def last_sent_s(held: Held, onset_s: float) -> float:
    """When sound was sent last before the agent fell silent."""
    times = held.audio_after(onset_s)
    last_s = onset_s
    for at_s in times:
        if at_s - last_s > SILENCE_COUNTS_S:
            break
        last_s = at_s
    return last_s


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "-"
    return f"{statistics.median(values):.2f} s (at most {max(values):.2f})"


def _rss_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    main(sys.argv[1:] or tuple(PARTS))
