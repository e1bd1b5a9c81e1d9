"""What a small model states is compared with the documents before anybody hears it."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conversation.agent.config import AgentConfig
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.turn.events import AgentTurn, TextDelta
from conversation.turn.instead.checking import NEAR_SCORE
from kb.document import RetrievedPassage
from tests.conversation.grounding.checking.test_answer_check import PRICES, PROSE
from tests.conversation.session.test_session import OnePassage
from tests.fakes import ScriptedChatModel

SMALL = "embedded/small"
WRONG = "Pro costs $10 per month, which is a good price for all that you get with it."
RIGHT = "Pro costs $20 per month."
QUOTE = "Prices: Plan: Pro, Price: $20, Users: 25, SSO: yes."


def agent(**changed: Any) -> AgentConfig:
    return AgentConfig(agent_id="shop", name="Shop", system_prompt="You help.", **changed)


@pytest.fixture
def store(tmp_path: Path):
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        yield opened


def asked(
    store: ConversationStore,
    model: ScriptedChatModel,
    question: str,
    *sources: RetrievedPassage,
    config: AgentConfig | None = None,
) -> tuple[str, AgentTurn, str]:
    """What was delivered, the turn, and the id of the conversation."""
    with Session.start(
        config or agent(),
        knowledge_base=OnePassage(*(sources or (PRICES,))),
        store=store,
        chat_model=model,
    ) as session:
        events = list(session.reply(question))
        turn = events[-1]
        assert isinstance(turn, AgentTurn)
        delivered = "".join(event.text for event in events if isinstance(event, TextDelta))
        return delivered, turn, session.conversation_id


def test_a_wrong_price_is_never_said_and_the_row_is_quoted_and_cited(store: ConversationStore):
    model = ScriptedChatModel(WRONG, model=SMALL)

    delivered, turn, conversation_id = asked(store, model, "What does Pro cost?")

    assert delivered == turn.text == f"Pro costs \u2026 {QUOTE}"
    assert "$10" not in turn.text
    assert any("Pro | $20" in citation.quote for citation in turn.citations)
    assert model.cancelled_streams == 1
    (kept,) = store.events(conversation_id, kind="answer_not_in_documents")
    assert kept.payload["text"].startswith("Pro costs $10 per month,")
    assert turn.usage is not None
    assert turn.usage.source == "estimated"
    assert turn.usage.output_tokens > 0


def test_the_same_holds_without_blocking(store: ConversationStore):
    model = ScriptedChatModel(WRONG, model=SMALL)

    async def hold() -> str:
        session = Session.start(
            agent(), knowledge_base=OnePassage(PRICES), store=store, chat_model=model
        )
        text = ""
        async for event in session.areply("What does Pro cost?"):
            text += event.text if isinstance(event, TextDelta) else ""
        session.end()
        return text

    assert asyncio.run(hold()) == f"Pro costs \u2026 {QUOTE}"
    assert model.cancelled_streams == 1


def test_a_right_answer_is_said_as_the_model_wrote_it(store: ConversationStore):
    model = ScriptedChatModel(RIGHT, model=SMALL)

    delivered, turn, _ = asked(store, model, "What does Pro cost?")

    assert delivered == turn.text == RIGHT
    assert turn.error is None


@pytest.mark.parametrize(
    ("model", "check", "is_checked"),
    [
        (SMALL, None, True),
        (SMALL, False, False),
        ("openai/large", None, False),
        ("openai/large", True, True),
        ("embedded/extractive", None, False),
    ],
)
def test_embedded_models_are_checked_and_others_where_the_agent_file_says_so(
    store: ConversationStore, model: str, check: bool | None, is_checked: bool
):
    config = agent(prompt={"check_numbers": check})

    _, turn, _ = asked(
        store, ScriptedChatModel(WRONG, model=model), "What does Pro cost?", config=config
    )

    assert (turn.text != WRONG) is is_checked


def test_where_nothing_fits_the_agent_does_not_know_and_names_what_is_near(
    store: ConversationStore,
):
    model = ScriptedChatModel("A yearly contract is $100.", model=SMALL)

    _, turn, _ = asked(store, model, "How much would it be to hire you?", PROSE)

    near = "The closest that I found is about: Terms."
    assert turn.text.startswith(f"A yearly contract is \u2026 I don't know. {near}")
    assert "$100" not in turn.text


@pytest.mark.parametrize(
    ("score", "model", "is_quoted"),
    [
        (NEAR_SCORE, SMALL, True),
        (NEAR_SCORE - 0.01, SMALL, False),
        (0.9, "openai/large", False),
    ],
)
def test_a_sentence_that_comes_near_is_quoted_in_place_of_not_knowing(
    store: ConversationStore, score: float, model: str, is_quoted: bool
):
    writes = ScriptedChatModel("I don't know.", model=model)
    source = replace(PROSE, score=score)

    delivered, turn, _ = asked(store, writes, "How long do refunds take?", source)

    assert delivered == turn.text
    assert (turn.text == "Terms: Refunds are paid within 14 days.") is is_quoted
    assert bool(turn.citations) is is_quoted
    assert turn.text.startswith("I don't know.") is not is_quoted


@pytest.mark.parametrize(
    ("own", "language", "said"),
    [
        (
            None,
            "en",
            "I don't know. The closest that I found is about: Terms. "
            "If you like, somebody can get back to you about it.",
        ),
        ("", "en", "I don't know."),
        ("Look at {topic}.", "en", "I don't know. Look at Terms."),
        (
            None,
            "de",
            "I don't know. Am nächsten kommt: Terms. "
            "Wenn Sie möchten, meldet sich jemand dazu bei Ihnen.",
        ),
    ],
)
def test_i_do_not_know_is_followed_by_the_nearest_topic_and_an_offer(
    store: ConversationStore, own: str | None, language: str, said: str
):
    config = agent(not_known_message=own, language=language)
    model = ScriptedChatModel("I don't know.", model="openai/large")

    delivered, turn, _ = asked(store, model, "Do you sell bread?", PROSE, config=config)

    assert delivered == turn.text == said
    assert turn.citations == ()


def test_without_anything_near_only_the_offer_follows(store: ConversationStore):
    with Session.start(
        agent(),
        knowledge_base=OnePassage(),
        store=store,
        chat_model=ScriptedChatModel("I don't know."),
    ) as session:
        turn = list(session.reply("Do you sell bread?"))[-1]

    assert isinstance(turn, AgentTurn)
    assert turn.text == "I don't know. If you like, somebody can get back to you about it."
