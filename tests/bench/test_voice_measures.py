"""What the figures of voice calls stand on: by hand, and without a model."""

import asyncio

import numpy as np
import pytest

from conversation.voice.call_events import AgentAudio
from conversation.voice.models.runner import Urgency
from tests.bench.voice.cpu_time import CpuTimedRunner, run_on_cpu_time
from tests.bench.voice.hearing import is_runaway, telephone
from tests.bench.voice.held_calls import Held
from tests.bench.voice.train_turn_words import UserTurn, examples_of
from tests.bench.voice.words import edits, error_rate, words


def test_words_are_compared_as_they_are_spoken():
    assert words("10 of clubs, 7-8!") == ["ten", "of", "clubs", "seven", "eight"]
    assert error_rate([("ten of clubs", "10 of clubs."), ("five five", "five")]) == 1 / 5


@pytest.mark.parametrize(
    ("said", "heard", "count"),
    [("", "", 0), ("a b c", "a b c", 0), ("a b c", "a x c", 1), ("a b", "", 2), ("a", "b a c", 2)],
)
def test_edits_are_the_fewest(said: str, heard: str, count: int):
    assert edits(said.split(), heard.split()) == count


def test_a_runaway_is_more_than_a_slip():
    said = ["ten", "of", "clubs"]

    assert is_runaway(said, said * 4)
    assert not is_runaway(said, [*said, "please"])


def test_a_telephone_leaves_low_tones_and_takes_high_ones():
    times = np.arange(16_000) / 16_000
    low, high = (
        telephone((8_000 * np.sin(2 * np.pi * hertz * times)).astype(np.int16))
        for hertz in (1_000, 6_000)
    )

    assert np.abs(low.astype(int)).max() > 7_000
    assert np.abs(high.astype(int))[1_000:-1_000].max() < 500


def test_gaps_are_silences_inside_an_answer():
    def audio(event_id: int) -> AgentAudio:
        return AgentAudio(event_id, np.zeros(1_600, np.int16))

    late = Held([(0.0, audio(1)), (0.05, audio(1)), (0.5, audio(1)), (3.0, audio(2))])

    assert late.longest_gap_s() == pytest.approx(0.3)
    assert Held([(0.0, audio(1)), (0.1, audio(1))]).longest_gap_s() == pytest.approx(0, abs=1e-9)


def test_two_cores_do_the_urgent_first():
    order: list[str] = []

    async def work() -> float:
        runner = CpuTimedRunner(cores=1)

        async def job(name: str, urgency: Urgency) -> None:
            await runner.run(lambda: order.append(name), urgency=urgency)

        await asyncio.gather(
            job("first", Urgency.TENTATIVE),
            job("tentative", Urgency.TENTATIVE),
            job("clause", Urgency.FIRST_CLAUSE),
            job("words", Urgency.TRANSCRIPT),
        )
        return asyncio.get_running_loop().time()

    assert run_on_cpu_time(work()) < 1
    assert order == ["first", "words", "clause", "tentative"]


def test_threads_take_the_time_that_they_compute():
    async def work() -> float:
        await asyncio.to_thread(lambda: sum(range(2_000_000)))
        return asyncio.get_running_loop().time()

    assert 0.001 < run_on_cpu_time(work()) < 5


def test_examples_are_turns_and_their_beginnings():
    turn = UserTurn("d", ("where", "is", "it"), True)

    found = examples_of([turn])

    assert [(each.words, each.is_done) for each in found] == [
        (("where", "is", "it"), True),
        (("where",), False),
        (("where", "is"), False),
    ]
