"""Agents to look at, that answer from documents."""

from collections.abc import Sequence
from typing import Any

from conversation.agent.config import AgentConfig
from conversation.grounding.passages import PassageSource
from conversation.transcript import Turn
from kb.document import RetrievedPassage
from tests.conversation.server.served import ScriptedAgents, Served

PASSAGE = (
    "Parcels within the country take two days. Send things back within thirty days. Refunds take "
    "five days after the parcel has arrived. You get a message when the money is on its way."
)


class Shelf:
    """A knowledge base that always finds the same passage."""

    def retrieve(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        return [
            RetrievedPassage(
                document_id="d1",
                document_name="Returns and refunds",
                chunk_id="c1",
                text=PASSAGE,
                start_char=0,
                end_char=len(PASSAGE),
                heading_path=("Refunds",),
                page="3",
                score=0.9,
                rank=1,
            )
        ]


class ShelvedAgents(ScriptedAgents):
    """Agents that all answer from the shelf."""

    def knowledge_base(self, agent: AgentConfig) -> PassageSource | None:
        return Shelf()


def shown_agent(agent_id: str, **sections: Any) -> AgentConfig:
    """A public agent."""
    return AgentConfig.model_validate(
        {
            "agent_id": agent_id,
            "name": "Northwind help desk",
            "first_message": "Hello! Ask me about parcels, returns and refunds.",
            "system_prompt": "You help.",
            "access": {"public": True},
            **sections,
        }
    )


def with_shelf(served: Served) -> None:
    """Let the agents of a server answer from documents."""
    agents = served.context.agents
    assert isinstance(agents, ScriptedAgents)
    served.context.agents = ShelvedAgents(agents.found, agents.model)
