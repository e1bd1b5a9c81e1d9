import asyncio
import itertools
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversation.agent.config import AgentConfig, KnowledgeBaseSection, TextEntry
from conversation.errors import (
    AgentConfigError,
    FailedAttempt,
    MissingVariableError,
    ModelSetupError,
    ModelUnavailableError,
    SessionEndedError,
)
from conversation.llm.chat_model import ChatMessage, Completion, CompletionOptions
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.transcript import Turn, Usage
from conversation.turn.events import AgentTurn, RetrievalDone, SessionEvent, TextDelta
from kb.document import RetrievedPassage
from kb.errors import KnowledgeBaseError
from tests.fakes import ScriptedChatModel

AGENT = AgentConfig(
    agent_id="support", name="Support", first_message="Hi!", system_prompt="You help."
)
REFUNDS = RetrievedPassage(
    document_id="doc_1",
    document_name="refunds.md",
    chunk_id="c1",
    text="Refunds are paid within 14 days. They go to the original card.",
    start_char=100,
    end_char=162,
    heading_path=("Refunds",),
    page="3",
    score=0.5,
    rank=1,
    document_version=2,
)
ANSWER = "Refunds are paid within 14 days. Shipping is free on Sundays."


class OnePassage:
    """A knowledge base that always finds the same."""

    def __init__(self, *passages: RetrievedPassage) -> None:
        self.passages = list(passages)
        self.asked: list[tuple[str, list[str], int]] = []

    def retrieve(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        self.asked.append((query, [turn.text for turn in history], limit))
        return self.passages


class BrokenKnowledgeBase:
    def retrieve(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        raise KnowledgeBaseError("the index is gone; run `vivavoce ingest`")


class PausingModel(ScriptedChatModel):
    """Gives its words one at a time, and stops before the word at `pause_at` until released."""

    def __init__(self, text: str, *, pause_at: int = 1) -> None:
        super().__init__(always=text)
        self._pause_at = pause_at
        self.reached = threading.Event()
        self.released = threading.Event()

    def _pieces(
        self, messages: Sequence[ChatMessage], options: CompletionOptions
    ) -> Generator[str | Completion]:
        for number, piece in enumerate(super()._pieces(messages, options)):
            if number == self._pause_at:
                self.reached.set()
                assert self.released.wait(60)
            yield piece


class HangingModel(ScriptedChatModel):
    """Says one word and then nothing more, like a provider that hangs."""

    async def astream(self, messages: Sequence[ChatMessage], options: CompletionOptions = ...):  # pyright: ignore[reportArgumentType]
        finished = False
        try:
            self.prompts.append(list(messages))
            yield "Well,"
            await asyncio.sleep(3_600)
            finished = True
        finally:
            self.cancelled_streams += not finished


@pytest.fixture
def store(tmp_path: Path):
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        yield store


def start(
    store: ConversationStore,
    model: ScriptedChatModel,
    *,
    agent: AgentConfig = AGENT,
    knowledge_base: OnePassage | BrokenKnowledgeBase | None = None,
) -> Session:
    ticks = itertools.count()
    numbers = itertools.count(1)
    return Session.start(
        agent,
        store=store,
        chat_model=model,
        knowledge_base=knowledge_base,
        clock=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(seconds=next(ticks)),
        new_id=lambda: f"n{next(numbers)}",
    )


def last(events: Sequence[SessionEvent]) -> AgentTurn:
    assert [isinstance(event, AgentTurn) for event in events].count(True) == 1
    assert isinstance(events[-1], AgentTurn)
    return events[-1]


def said(events: Sequence[SessionEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def test_a_turn_is_retrieved_streamed_cited_and_stored(store: ConversationStore):
    knowledge_base = OnePassage(REFUNDS)
    session = start(store, ScriptedChatModel(ANSWER), knowledge_base=knowledge_base)

    events = list(session.reply("How long do refunds take?"))

    assert isinstance(events[0], RetrievalDone)
    assert events[0].passages == (REFUNDS,)
    turn = last(events)
    assert said(events) == turn.text == ANSWER
    (citation,) = turn.citations
    assert citation.quote == "Refunds are paid within 14 days."
    assert (citation.document_name, citation.chunk_id, citation.page) == ("refunds.md", "c1", "3")
    assert turn.text[citation.turn_start_char : citation.turn_end_char] == citation.quote
    assert turn.grounded_share == 0.5
    assert [turn.text[start:end] for start, end in turn.turn.unsupported_spans] == [
        "Shipping is free on Sundays."
    ]
    assert turn.usage is not None
    assert turn.usage.source == "measured"
    assert knowledge_base.asked == [("How long do refunds take?", ["Hi!"], 4)]

    stored = store.transcript(session.conversation_id)
    assert [(t.role, t.text) for t in stored.turns] == [
        ("agent", "Hi!"),
        ("user", "How long do refunds take?"),
        ("agent", ANSWER),
    ]
    assert stored.turns[2] == turn.turn
    (retrieved,) = store.retrievals(session.conversation_id)
    assert retrieved.turn_id == turn.turn.turn_id == "conv_n1.2"
    assert (retrieved.document_version, retrieved.in_prompt) == (2, True)


async def test_the_async_twin_gives_the_same_events(store: ConversationStore):
    def run_one() -> Session:
        return start(store, ScriptedChatModel(ANSWER), knowledge_base=OnePassage(REFUNDS))

    first = run_one()
    second = Session.start(
        AGENT,
        store=store,
        chat_model=ScriptedChatModel(ANSWER),
        knowledge_base=OnePassage(REFUNDS),
    )
    expected = list(first.reply("How long?"))
    events = [event async for event in second.areply("How long?")]

    assert [type(event) for event in events] == [type(event) for event in expected]
    assert said(events) == said(expected)
    assert last(events).citations == last(expected).citations


def test_the_prompt_holds_static_text_first_and_passages_last(store: ConversationStore):
    model = ScriptedChatModel(ANSWER, "They go to the card.")
    session = start(store, model, knowledge_base=OnePassage(REFUNDS))
    list(session.reply("How long?"))
    list(session.reply("And where to?"))

    first, second = model.prompts
    assert first[0] == second[0]
    assert first[0].content.startswith("You help.")
    assert 'You opened the conversation with: "Hi!"' in first[0].content
    assert [message.role for message in second] == ["system", "user", "assistant", "user"]
    assert second[1].content == "How long?"
    assert second[2].content == ANSWER
    assert "The user says: And where to?" in second[3].content
    assert '<passage id="1" document="refunds.md > Refunds">' in second[3].content


def test_without_a_passage_the_agent_is_told_to_say_that_it_does_not_know(
    store: ConversationStore,
):
    model = ScriptedChatModel("I don't know. The documents say nothing about parrots.")
    session = start(store, model, knowledge_base=OnePassage())

    turn = last(list(session.reply("Do you sell parrots?")))

    assert "State no facts" in model.prompts[0][-1].content
    assert turn.citations == ()
    assert turn.grounded_share is None


def test_a_poor_passage_is_recorded_but_not_read(store: ConversationStore):
    poor = replace(REFUNDS, chunk_id="c2", text="Something else.", score=0.01)
    model = ScriptedChatModel(ANSWER)
    session = start(store, model, knowledge_base=OnePassage(REFUNDS, poor))
    list(session.reply("How long do refunds take?"))

    assert "Something else." not in model.prompts[0][-1].content
    found = store.retrievals(session.conversation_id)
    assert [(each.chunk_id, each.in_prompt) for each in found] == [("c1", True), ("c2", False)]


def test_nothing_is_searched_for_thanks(store: ConversationStore):
    knowledge_base = OnePassage(REFUNDS)
    model = ScriptedChatModel("You're welcome!")
    session = start(store, model, knowledge_base=knowledge_base)

    done, *_, turn = list(session.reply("Thank you very much!"))

    assert isinstance(done, RetrievalDone)
    assert isinstance(turn, AgentTurn)
    assert (done.mode, done.passages, knowledge_base.asked) == ("none", (), [])
    assert "asks for nothing" in model.prompts[0][-1].content
    assert (turn.citations, turn.grounded_share) == ((), None)


def test_an_answer_without_any_passage_is_not_grounded(store: ConversationStore):
    session = start(store, ScriptedChatModel("We sell four parrots."), knowledge_base=OnePassage())

    turn = last(list(session.reply("Do you sell parrots?")))

    assert turn.grounded_share == 0.0
    assert turn.turn.unsupported_spans == ((0, 21),)


def test_the_end_is_durable_and_final(store: ConversationStore):
    session = start(store, ScriptedChatModel("Sure thing."))
    list(session.reply("Thanks"))

    transcript = session.end()

    assert transcript == session.end("silence") == store.transcript("conv_n1")
    assert (transcript.status, transcript.end_reason) == ("done", "user_ended")
    assert transcript.agent_version == AGENT.version
    with pytest.raises(SessionEndedError):
        session.reply("Hello?")
    with pytest.raises(SessionEndedError):
        session.note("left")


def test_the_users_turn_is_stored_before_the_agent_answers(store: ConversationStore):
    session = start(store, ScriptedChatModel("Yes."))

    session.reply("Are you there?")

    assert store.transcript("conv_n1").turns[-1].text == "Are you there?"


def test_a_turn_without_words_is_refused(store: ConversationStore):
    session = start(store, ScriptedChatModel())
    with pytest.raises(ValueError, match="no words"):
        session.reply(" \n")


def test_a_model_that_fails_leaves_a_usable_session(store: ConversationStore):
    model = ScriptedChatModel(ModelUnavailableError("the endpoint is down; start it"), "Back.")
    session = start(store, model)

    failed = last(list(session.reply("Hello")))
    turn = last(list(session.reply("Hello again")))

    assert failed.error == "the endpoint is down; start it"
    assert failed.text.startswith("Sorry, something went wrong")
    assert not failed.is_answered
    assert turn.text == "Back."
    assert [message.role for message in model.prompts[1]] == [
        "system",
        "user",
        "assistant",
        "user",
    ]
    assert store.transcript("conv_n1").turns[2].error == failed.error


def test_a_model_that_fails_midway_keeps_what_it_said(store: ConversationStore):
    class Breaking(ScriptedChatModel):
        def _pieces(
            self, messages: Sequence[ChatMessage], options: CompletionOptions
        ) -> Generator[str | Completion]:
            yield "Refunds take "
            raise ModelUnavailableError("connection lost")

    session = start(store, Breaking())

    turn = last(list(session.reply("How long?")))

    assert turn.text.startswith("Refunds take Sorry, something went wrong")
    assert (turn.error, turn.is_answered) == ("connection lost", True)
    assert turn.usage is not None
    assert turn.usage.source == "estimated"
    assert store.transcript("conv_n1").turns[-1] == turn.turn


def test_an_unexpected_error_is_stored_and_raised(store: ConversationStore):
    session = start(store, ScriptedChatModel(ZeroDivisionError(), "Fine."))

    with pytest.raises(ZeroDivisionError):
        list(session.reply("Hello"))

    assert store.transcript("conv_n1").turns[-1].error == "The turn failed with ZeroDivisionError."
    assert last(list(session.reply("Again"))).text == "Fine."


def test_a_knowledge_base_that_fails_is_an_error_of_the_turn(store: ConversationStore):
    session = start(store, ScriptedChatModel(), knowledge_base=BrokenKnowledgeBase())

    turn = last(list(session.reply("How long do refunds take?")))

    assert turn.error is not None
    assert "the index is gone" in turn.error


@pytest.mark.parametrize(
    ("completion", "expected"),
    [
        (Completion("", Usage(model="m"), "stop"), "empty answer"),
        (Completion("Refunds ta", Usage(model="m"), "length"), "max_output_tokens"),
    ],
)
def test_an_incomplete_answer_says_so(
    store: ConversationStore, completion: Completion, expected: str
):
    turn = last(list(start(store, ScriptedChatModel(completion)).reply("How long?")))

    assert turn.error is not None
    assert expected in turn.error


def test_nothing_is_stored_when_the_session_cannot_start(store: ConversationStore):
    class Unusable(ScriptedChatModel):
        def check(self) -> None:
            raise ModelSetupError("no key")

    documents = KnowledgeBaseSection(texts=(TextEntry(name="a", text="b"),))
    needs_name = AGENT.model_copy(update={"first_message": "Hi {{user_nmae}}"})

    with pytest.raises(ModelSetupError):
        start(store, Unusable())
    with pytest.raises(AgentConfigError, match="no knowledge base was given"):
        start(
            store, ScriptedChatModel(), agent=AGENT.model_copy(update={"knowledge_base": documents})
        )
    with pytest.raises(MissingVariableError, match="'user_nmae'"):
        start(store, ScriptedChatModel(), agent=needs_name)
    with pytest.raises(AgentConfigError, match="no agent file"):
        Session.start("nowhere.yaml", store=store, chat_model=ScriptedChatModel())
    assert store.conversations() == []


def test_variables_are_filled_in(store: ConversationStore):
    agent = AGENT.model_copy(
        update={
            "first_message": "Hi {{user_name}}!",
            "system_prompt": "Plan: {{plan}}. Id: {{system__conversation_id}}.",
            "dynamic_variables": {"plan": "free", "user_name": "you"},
        }
    )
    model = ScriptedChatModel("Hello.")
    session = Session.start(
        agent, store=store, chat_model=model, variables={"user_name": "Ada {{plan}}"}
    )
    list(session.reply("Hi"))

    assert session.first_message == "Hi Ada {{plan}}!"
    assert f"Plan: free. Id: {session.conversation_id}." in model.prompts[0][0].content
    assert session.transcript.agent_version == agent.version


def test_without_a_store_the_default_one_is_used_and_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with Session.start(AGENT, chat_model=ScriptedChatModel("Yes.")) as session:
        list(session.reply("Are you there?"))

    with ConversationStore.open() as store:
        assert store.transcript(session.conversation_id).status == "done"
    assert (tmp_path / "data" / "store" / "conversations.sqlite").is_file()


def test_ids_are_letters_and_digits(store: ConversationStore):
    session = Session.start(AGENT, store=store, chat_model=ScriptedChatModel())
    prefix, _, rest = session.conversation_id.partition("_")
    assert prefix == "conv"
    assert rest.isascii()
    assert rest.isalnum()


def test_a_note_reaches_the_next_prompt_and_the_store(store: ConversationStore):
    model = ScriptedChatModel("I see.")
    session = start(store, model)
    session.note("The user opened <b>billing</b>.")
    list(session.reply("What now?"))

    assert "(Note from the application: The user opened &lt;b>" in model.prompts[0][-1].content
    assert "note" in [event.kind for event in store.events("conv_n1")]


def test_characters_that_no_database_takes_are_left_out(store: ConversationStore):
    session = start(store, ScriptedChatModel("o\x00k \ud83d"))
    turn = last(list(session.reply("a\x00b \udc00")))

    assert turn.text == "ok ?"
    assert [t.text for t in store.transcript("conv_n1").turns[1:]] == ["ab ?", "ok ?"]


# Interruption


LONG = "One two three four five. Six seven eight nine ten."


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(after=st.integers(0, 10), heard_chars=st.none() | st.integers(0, 60))
def test_an_interruption_at_any_point_keeps_what_was_heard(
    store: ConversationStore, after: int, heard_chars: int | None
):
    model = ScriptedChatModel(LONG, "Go on.")
    session = Session.start(AGENT, store=store, chat_model=model)
    events: list[SessionEvent] = []
    for event in session.reply("Count"):
        events.append(event)
        if len(events) == after + 1:
            session.interrupt(heard_chars=heard_chars)

    delivered = said(events)
    turn = store.transcript(session.conversation_id).turns[-1]
    generated = turn.text if turn.generated_text is None else turn.generated_text
    assert generated == delivered
    assert LONG.startswith(delivered)
    assert delivered.startswith(turn.text)
    came_after_the_turn = after >= 10
    if heard_chars is not None:
        assert turn.text == delivered[:heard_chars]
    elif came_after_the_turn:
        assert turn.text == LONG
    assert turn.interrupted == (not came_after_the_turn or turn.text != delivered)
    assert model.cancelled_streams == (0 if came_after_the_turn else 1)

    list(session.reply("Go on"))
    history = [message.content for message in model.prompts[1] if message.role == "assistant"]
    assert history == ([turn.text] if turn.text.strip() else [])


def test_an_interruption_before_the_first_word_keeps_nothing(store: ConversationStore):
    model = ScriptedChatModel(LONG)
    session = start(store, model, knowledge_base=OnePassage(REFUNDS))
    reply = session.reply("Count")
    assert isinstance(next(reply), RetrievalDone)

    session.interrupt()

    turn = last(list(reply))
    assert (turn.text, turn.interrupted) == ("", True)
    assert model.prompts == []


def test_a_negative_count_of_heard_characters_is_refused(store: ConversationStore):
    with pytest.raises(ValueError, match="heard_chars"):
        start(store, ScriptedChatModel()).interrupt(heard_chars=-1)


@pytest.mark.parametrize(
    ("said", "heard_chars", "heard"),
    [
        ("Hi \U0001f469\u200d\U0001f469\u200d\U0001f467!", 6, "Hi "),
        ("Hi \U0001f469\u200d\U0001f467!", 6, "Hi \U0001f469\u200d\U0001f467"),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 3, "\U0001f1e9\U0001f1ea"),
        ("Cafe\u0301", 4, "Caf"),
        ("\u1112\u1161\u11ab\u1100", 2, ""),
        ("\u0915\u094d\u0937\u0924", 2, ""),
        ("a\r\nb", 2, "a"),
        ("\U0001f44d\U0001f3fd!", 1, ""),
        ("abc", 2, "ab"),
    ],
)
def test_what_looks_like_one_sign_is_heard_whole_or_not_at_all(
    store: ConversationStore, said: str, heard_chars: int, heard: str
):
    session = start(store, ScriptedChatModel(said))
    list(session.reply("Hi"))

    session.interrupt(heard_chars=heard_chars)

    turn = store.transcript("conv_n1").turns[-1]
    assert (turn.text, turn.interrupted, turn.generated_text) == (heard, True, said)


def test_what_was_cut_off_is_not_cited(store: ConversationStore):
    session = start(store, ScriptedChatModel(ANSWER), knowledge_base=OnePassage(REFUNDS))
    list(session.reply("How long?"))

    session.interrupt(heard_chars=12)

    turn = store.transcript("conv_n1").turns[-1]
    assert (turn.text, turn.citations, turn.unsupported_spans) == ("Refunds are ", (), ())
    assert turn.generated_text == ANSWER


def test_a_new_user_turn_interrupts_the_agent(store: ConversationStore):
    model = ScriptedChatModel(LONG, "Fine.")
    session = start(store, model)
    first = session.reply("Count")
    next(first)

    second = list(session.reply("Stop"))
    rest = list(first)

    assert last(rest).interrupted
    assert last(second).text == "Fine."
    assert [turn.text for turn in session.transcript.turns] == [
        "Hi!",
        "Count",
        "One",
        "Stop",
        "Fine.",
    ]
    assert model.cancelled_streams == 1


def test_leaving_the_loop_is_an_interruption(store: ConversationStore):
    session = start(store, ScriptedChatModel(LONG))
    reply = session.reply("Count")
    next(reply)
    reply.close()  # pyright: ignore[reportAttributeAccessIssue]

    turn = store.transcript("conv_n1").turns[-1]
    assert (turn.text, turn.interrupted) == ("One", True)


def test_another_thread_can_interrupt_while_the_model_thinks(store: ConversationStore):
    model = PausingModel(LONG, pause_at=3)
    session = start(store, model)
    events: list[SessionEvent] = []
    listening = threading.Thread(target=lambda: events.extend(session.reply("Count")))
    listening.start()
    assert model.reached.wait(60)

    session.interrupt(heard_chars=5)
    stored_at_once = store.transcript("conv_n1").turns[-1]
    model.released.set()
    listening.join(60)

    assert stored_at_once.text == "One t"
    assert last(events).turn == stored_at_once
    assert model.cancelled_streams == 1


async def listened(session: Session, heard: asyncio.Event) -> list[SessionEvent]:
    """What a reply yields; `heard` is set once the agent has begun to speak."""
    events: list[SessionEvent] = []
    async for event in session.areply("Hello"):
        events.append(event)
        if isinstance(event, TextDelta):
            heard.set()
    return events


async def test_a_hanging_stream_is_cancelled_at_once(store: ConversationStore):
    model = HangingModel()
    session = start(store, model)

    heard = asyncio.Event()
    listening = asyncio.create_task(listened(session, heard))
    await asyncio.wait_for(heard.wait(), 60)
    session.interrupt()

    turn = last(await asyncio.wait_for(listening, 60))
    assert (turn.text, turn.interrupted) == ("Well,", True)
    assert model.cancelled_streams == 1


async def test_cancelling_the_listening_task_is_an_interruption(store: ConversationStore):
    model = HangingModel()
    session = start(store, model)

    heard = asyncio.Event()
    listening = asyncio.create_task(listened(session, heard))
    await asyncio.wait_for(heard.wait(), 60)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening

    assert store.transcript("conv_n1").turns[-1].interrupted
    assert model.cancelled_streams == 1


async def test_many_sessions_talk_at_once(store: ConversationStore):
    sessions = [
        Session.start(AGENT, store=store, chat_model=ScriptedChatModel(always=f"I am {number}."))
        for number in range(20)
    ]

    async def talk(session: Session) -> list[str]:
        texts: list[str] = []
        for _ in range(2):
            async for event in session.areply("Who are you?"):
                if isinstance(event, AgentTurn):
                    texts.append(event.text)
        return texts

    texts = await asyncio.gather(*(talk(session) for session in sessions))

    assert texts == [[f"I am {number}."] * 2 for number in range(20)]
    assert {summary.turn_count for summary in store.conversations()} == {5}


def test_ending_while_the_agent_speaks_keeps_what_was_delivered(store: ConversationStore):
    session = start(store, ScriptedChatModel(LONG))
    reply = session.reply("Count")
    next(reply)

    transcript = session.end()

    assert (transcript.turns[-1].text, transcript.turns[-1].interrupted) == ("One", True)
    assert last(list(reply)).turn == transcript.turns[-1]


KILLED_WHILE_SPEAKING = """
import sys
from conversation.agent.config import AgentConfig
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from tests.fakes import ScriptedChatModel

store = ConversationStore.open(sys.argv[1])
agent = AgentConfig(agent_id="a", name="A", first_message="Hi!")
session = Session.start(agent, store=store, chat_model=ScriptedChatModel("Done.", "Half done"))
list(session.reply("First"))
reply = session.reply("Second")
next(reply)
print(session.conversation_id, flush=True)
sys.stdin.read()
"""


@pytest.mark.slow
def test_a_process_killed_while_speaking_loses_that_turn_only(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'c.sqlite'}"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED_WHILE_SPEAKING, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert process.stdout is not None
    conversation_id = process.stdout.readline().strip()
    process.kill()
    process.communicate()

    with ConversationStore.open(url) as store:
        assert store.close_abandoned(datetime.now(UTC), timedelta(hours=1)) == [conversation_id]
        transcript = store.transcript(conversation_id)
    assert [turn.text for turn in transcript.turns] == ["Hi!", "First", "Done.", "Second"]
    assert transcript.end_reason == "interrupted_by_crash"


def test_the_agent_can_say_something_without_the_model(store: ConversationStore):
    model = ScriptedChatModel("Fine.")
    session = start(store, model)

    said_turn = session.say("Are you still there?")
    list(session.reply("Yes"))
    session.interrupt(heard_chars=2)

    assert (said_turn.text, said_turn.usage) == ("Are you still there?", None)
    assert "Are you still there?" in model.prompt_texts[0]
    stored = [turn.text for turn in store.transcript(session.conversation_id).turns]
    assert stored == ["Hi!", "Are you still there?", "Yes", "Fi"]


def test_what_the_agent_says_by_itself_cuts_what_it_was_saying(store: ConversationStore):
    session = start(store, ScriptedChatModel(LONG))
    reply = session.reply("Count")
    next(reply)

    session.say("Goodbye.")

    assert [turn.text for turn in session.transcript.turns[-2:]] == ["One", "Goodbye."]
    session.end()
    with pytest.raises(SessionEndedError):
        session.say("Too late")


def test_every_call_of_a_turn_is_kept(store: ConversationStore):
    failed = FailedAttempt("a/first", "down", "ModelUnavailableError", request_to_failure_ms=3.0)
    answer = Completion("Fine.", Usage(model="b/second", cost_usd=0.5), "stop", 1.0, 2.0)
    down = ModelUnavailableError("all are down")
    down.failed_attempts = (failed, replace(failed, model="b/second"))
    session = start(store, ScriptedChatModel(replace(answer, failed_attempts=(failed,)), down))

    list(session.reply("Hello"))
    list(session.reply("Hello?"))

    turns = store.transcript(session.conversation_id).turns
    assert [(call.usage.model, call.error) for call in turns[2].calls] == [
        ("a/first", "ModelUnavailableError"),
        ("b/second", None),
    ]
    assert turns[2].usage == answer.usage
    assert [call.usage.model for call in turns[4].calls] == ["a/first", "b/second"]
    assert (turns[4].usage, turns[4].error) == (None, "all are down")


def test_a_turn_that_was_heard_whole_after_all_is_not_interrupted(store: ConversationStore):
    session = start(store, ScriptedChatModel("Refunds take five days."))
    list(session.reply("How long?"))

    session.interrupt(heard_chars=7)
    cut = session.transcript.turns[-1]
    session.interrupt(heard_chars=10**9)
    whole = session.transcript.turns[-1]

    assert (cut.text, cut.interrupted) == ("Refunds", True)
    assert (whole.text, whole.interrupted) == ("Refunds take five days.", False)
    assert whole.generated_text is None
    assert store.transcript("conv_n1").turns[-1] == whole
