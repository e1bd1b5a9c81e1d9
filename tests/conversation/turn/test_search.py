"""Which of the found passages a model reads."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.agent.config import AgentConfig
from conversation.llm.chat_model import ChatModel
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.transcript import Turn
from conversation.turn.search import EMBEDDED_SHARE, worth_reading
from kb.document import RetrievedPassage
from tests.conversation.grounding.test_reading_ahead import RememberingModel
from tests.fakes import ScriptedChatModel

REMOTE = ScriptedChatModel(always="Sure.")
IN_PROCESS = RememberingModel()


def passages(*scores: float) -> list[RetrievedPassage]:
    return [
        RetrievedPassage(
            "d", "a.md", f"c{at}", f"Passage {at}.", 0, 10, (), None, score=score, rank=at + 1
        )
        for at, score in enumerate(scores)
    ]


def an_agent(**section: float) -> AgentConfig:
    return AgentConfig.model_validate(
        {"agent_id": "shop", "name": "Shop", "knowledge_base": section}
    )


def read(agent: AgentConfig, model: ChatModel, *scores: float) -> list[float]:
    return [each.score for each in worth_reading(agent, model, passages(*scores))]


@pytest.mark.parametrize(
    ("model", "section", "scores", "expected"),
    [
        pytest.param(REMOTE, {}, (0.9, 0.3, 0.06, 0.04), [0.9, 0.3, 0.06], id="provider"),
        pytest.param(IN_PROCESS, {}, (0.9, 0.65, 0.6, 0.3), [0.9, 0.65], id="stands out"),
        pytest.param(IN_PROCESS, {}, (0.3, 0.28, 0.25, 0.22), [0.3, 0.28, 0.25, 0.22], id="alike"),
        pytest.param(IN_PROCESS, {}, (0.2, 0.9), [0.9], id="the best need not stand first"),
        pytest.param(IN_PROCESS, {}, (0.04, 0.03), [], id="nothing good"),
        pytest.param(IN_PROCESS, {}, (), [], id="nothing found"),
        pytest.param(
            IN_PROCESS, {"min_passage_share": 0.0}, (0.9, 0.3), [0.9, 0.3], id="all, as asked for"
        ),
        pytest.param(
            REMOTE, {"min_passage_share": 0.5}, (0.9, 0.5, 0.3), [0.9, 0.5], id="as asked for"
        ),
    ],
)
def test_a_model_in_this_process_reads_what_comes_near_the_best(
    model: ChatModel,
    section: dict[str, float],
    scores: tuple[float, ...],
    expected: list[float],
):
    assert read(an_agent(**section), model, *scores) == expected


@given(st.lists(st.floats(0, 1), max_size=6), st.floats(0, 1), st.floats(0, 1))
def test_the_best_stays_and_the_order_too(scores: list[float], least: float, share: float):
    agent = an_agent(min_passage_score=least, min_passage_share=share)

    kept = read(agent, IN_PROCESS, *scores)

    assert kept == [score for score in scores if score in kept]
    assert (max(scores, default=-1.0) >= least) == bool(kept)


class Found:
    """Finds one passage that stands out, and one that does not."""

    def retrieve(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        return passages(0.8, 0.8 * EMBEDDED_SHARE - 0.01)


def test_what_is_not_read_is_kept_with_the_turn(tmp_path: Path):
    model = RememberingModel("Sure.")
    with (
        ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store,
        Session.start(an_agent(), knowledge_base=Found(), store=store, chat_model=model) as session,
    ):
        list(session.reply("How long does a refund take?"))
        found = store.retrievals(session.conversation_id)

    assert "Passage 0." in model.prompts[0][-1].content
    assert "Passage 1." not in model.prompts[0][-1].content
    assert [each.in_prompt for each in found] == [True, False]
