"""Time that only the test moves: `wait` jumps from one scheduled event to the next."""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversation.agent.config import AgentConfig
from conversation.errors import SessionEndedError
from conversation.session.driver import SessionDriver
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.turn.events import AgentTurn
from conversation.turn_taking.silence import TurnTakingConfig
from tests.fakes import ScriptedChatModel

TIMED = TurnTakingConfig(
    silence_timeout_s=10,
    reengagement_message="Still there, {{name}}?",
    max_reengagements=2,
    max_duration_s=100,
    goodbye_message="Goodbye.",
)


class FakeTime:
    """A clock, and what happens at which second."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._scheduled: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()

    def __call__(self) -> float:
        return self.now_s

    def at(self, moment_s: float, action: Callable[[], object]) -> None:
        heapq.heappush(self._scheduled, (moment_s, next(self._numbers), action))

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        until_s = float("inf") if seconds is None else self.now_s + seconds
        while not event.is_set() and self._scheduled and self._scheduled[0][0] <= until_s:
            self.now_s, _, action = heapq.heappop(self._scheduled)
            action()
            await asyncio.sleep(0)
        if not event.is_set():
            assert until_s < float("inf"), "nothing would ever wake the driver"
            self.now_s = until_s


@pytest.fixture
def store(tmp_path: Path):
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        yield store


def drive(
    store: ConversationStore,
    config: TurnTakingConfig = TIMED,
    *,
    answer: str = "Fine.",
) -> tuple[SessionDriver, FakeTime]:
    agent = AgentConfig(
        agent_id="a",
        name="A",
        first_message="Hello.",
        turn_taking=config,
        dynamic_variables={"name": "Ada"},
    )
    session = Session.start(agent, store=store, chat_model=ScriptedChatModel(always=answer))
    now = FakeTime()
    return SessionDriver(session, clock=now, wait=now.wait), now


async def said_by_itself(driver: SessionDriver, now: FakeTime) -> list[tuple[float, str]]:
    return [(now.now_s, said.text) async for said in driver.arun()]


async def test_silence_is_met_with_questions_and_then_with_a_goodbye(store: ConversationStore):
    driver, now = drive(store)

    said = await said_by_itself(driver, now)

    assert said == [(10, "Still there, Ada?"), (20, "Still there, Ada?"), (30, "Goodbye.")]
    transcript = store.transcript(driver.session.conversation_id)
    assert transcript.end_reason == "silence"
    assert [turn.text for turn in transcript.turns] == ["Hello.", *[text for _, text in said]]


async def test_activity_and_turns_start_the_silence_anew(store: ConversationStore):
    driver, now = drive(store)
    now.at(9, driver.user_active)
    now.at(18, lambda: list(driver.reply("How are you?")))
    now.at(27, driver.user_active)
    now.at(36, driver.end)

    assert await said_by_itself(driver, now) == []
    assert driver.session.transcript.end_reason == "user_ended"


async def test_silence_does_not_count_while_a_voice_plays(store: ConversationStore):
    driver, now = drive(store)
    now.at(5, driver.agent_speaking)
    now.at(50, driver.agent_silent)
    now.at(61, driver.end)

    assert await said_by_itself(driver, now) == [(60, "Still there, Ada?")]


async def test_the_longest_duration_cuts_even_a_speaking_agent(store: ConversationStore):
    config = TIMED.model_copy(update={"silence_timeout_s": None})
    driver, now = drive(store, config, answer="Once upon a time.")
    speaking: list[Any] = []

    def speak() -> None:
        reply = driver.reply("Tell me a story")
        speaking.extend([next(reply), reply])

    now.at(99, speak)

    assert await said_by_itself(driver, now) == [(100, "Goodbye.")]

    transcript = driver.session.transcript
    assert transcript.end_reason == "max_duration"
    assert [turn.text for turn in transcript.turns[-2:]] == ["Once", "Goodbye."]
    assert isinstance(list(speaking[1])[-1], AgentTurn)


async def test_the_async_twin_keeps_the_time_too(store: ConversationStore):
    driver, now = drive(store)
    seen: list[float | None] = []
    async for _ in driver.areply("Hello"):
        now.now_s += 1
        seen.append(driver.seconds_until_due)

    assert set(seen) == {100 - n for n in range(1, len(seen) + 1)}, "only the duration counts"
    assert driver.seconds_until_due == 10


async def test_a_turn_that_was_interrupted_does_not_end_the_next_one(store: ConversationStore):
    driver, _ = drive(store)
    first = driver.reply("One")
    next(first)
    second = driver.reply("Two")
    next(second)

    list(first)
    assert driver.seconds_until_due == 100
    list(second)
    assert driver.seconds_until_due == 10


def test_an_ended_session_refuses_a_turn_and_is_quiet(store: ConversationStore):
    driver, now = drive(store)
    driver.session.end()
    now.now_s = 50

    assert driver.act() is None
    with pytest.raises(SessionEndedError):
        driver.reply("Hello?")


async def test_without_any_limit_nothing_is_ever_due(store: ConversationStore):
    off = TurnTakingConfig(silence_timeout_s=None, max_duration_s=None)
    driver, now = drive(store, off)
    now.at(1e6, driver.end)

    assert driver.seconds_until_due is None
    assert await said_by_itself(driver, now) == []


HAPPENINGS = st.lists(
    st.tuples(
        st.floats(0, 40),
        st.sampled_from(["active", "reply", "voice begins", "voice ends", "nothing"]),
    ),
    max_size=12,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(happenings=HAPPENINGS, max_reengagements=st.integers(0, 3))
def test_whatever_happens_the_agent_speaks_up_only_into_silence(
    happenings: list[tuple[float, str]], max_reengagements: int, store: ConversationStore
):
    config = TIMED.model_copy(update={"max_reengagements": max_reengagements})
    driver, now = drive(store, config)
    quiet_since_s: float | None = 0.0
    unanswered = 0
    moment_s = 0.0
    for pause_s, kind in [*happenings, (200.0, "nothing")]:
        moment_s += pause_s
        while (left_s := driver.seconds_until_due) is not None and now() + left_s <= moment_s:
            now.now_s += left_s
            said = driver.act()
            if driver.session.is_over:
                break
            if said is None:
                continue  # a rounding error before the moment
            assert quiet_since_s is not None, "it spoke while its voice was playing"
            assert now() - quiet_since_s >= 10 - 1e-9
            unanswered += 1
            assert unanswered <= max_reengagements
            quiet_since_s = now()
        if driver.session.is_over:
            break
        now.now_s = max(now.now_s, moment_s)
        if kind == "active":
            driver.user_active()
            quiet_since_s = None if quiet_since_s is None else now()
            unanswered = 0
        elif kind == "reply":
            list(driver.reply("Hello"))
            quiet_since_s, unanswered = now(), 0
        elif kind == "voice begins":
            driver.agent_speaking()
            quiet_since_s = None
        elif kind == "voice ends":
            driver.agent_silent()
            quiet_since_s = now()

    transcript = driver.session.transcript
    assert transcript.end_reason in {"silence", "max_duration"}, "no conversation lasts for ever"
    assert now() <= 100 + 1e-6
    assert transcript.turns[-1].text == "Goodbye."
