"""Forget what an earlier demo made: `vivavoce demo --fresh`."""

from analysis.printable import counted
from orchestration.demo.conversing import CHANNEL
from orchestration.deployment import Deployment


def clear_demo(deployment: Deployment, agent_id: str) -> str:
    """Delete the agent's knowledge base, and the conversations that demos held or imported.

    Conversations that people held with the agent stay, and so does the history of Dagster runs.

    Returns:
        What was deleted, in one sentence.
    """
    ids = [
        found.conversation_id
        for found in deployment.conversations.conversations(agent_id=agent_id)
        if found.source != "session"
        or deployment.conversations.transcript(found.conversation_id).metadata.get("channel")
        == CHANNEL
    ]
    for conversation_id in ids:
        deployment.evaluations.forget(conversation_id)
        deployment.conversations.delete(conversation_id)
    deployment.delete_knowledge_base(agent_id)
    return f"Started over: {counted(len(ids), 'conversation')} and the knowledge base deleted."
