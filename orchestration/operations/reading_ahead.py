"""Read the beginning of an agent's prompts ahead of its conversations, after an ingest."""

from pathlib import Path

from conversation.errors import ModelError
from conversation.grounding.reading_ahead import read_ahead
from conversation.llm.chat_model import KeptPrompt
from conversation.llm.engine.prompt_state import drop_least_used
from kb.ingest.writer import DERIVED
from orchestration.deployment import Deployment


def read_prompt_ahead(deployment: Deployment, agent_id: str) -> KeptPrompt | None:
    """Have the agent's model read how its prompts begin, and keep that with its documents.

    What was read before and did not change is not read again. What was read for other agents and
    served no conversation for longest is deleted where all of it takes more than
    `Settings.prompt_states_mb`.

    Returns:
        None for models that keep nothing, as those of providers.

    Raises:
        ModelError: It cannot be read, does not fit, or cannot be kept; answers only begin later.
    """
    agent, knowledge_base = (
        deployment.agent(agent_id).agent,
        deployment.knowledge_base(agent_id),
    )

    def on_read(done: int, total: int) -> None:
        deployment.progress("prompt tokens", done, total)

    kept = read_ahead(agent, knowledge_base, deployment.chat_model(agent.llm), on_read=on_read)
    if kept is not None and not kept.was_there:
        drop_least_used(
            state_folders(deployment.settings.store),
            most_bytes=deployment.settings.prompt_states_mb * 1_000_000,
            spare=knowledge_base.derived_dir,
        )
    return kept


def state_folders(store: Path) -> list[Path]:
    """Where prompts that were read ahead lie, of all agents; shared ones have them in copies."""
    return sorted((store / "kb").glob(f"**/{DERIVED}"))


def reading_summary(deployment: Deployment, agent_id: str) -> str | None:
    """Read ahead, and say in one sentence what came of it; None where there is nothing to say."""
    try:
        kept = read_prompt_ahead(deployment, agent_id)
    except ModelError as error:
        return str(error)
    if kept is None:
        return None
    verb = "was read before" if kept.was_there else "was read ahead"
    return (
        f"The agent's prompt {verb}: {kept.tokens:,} tokens, {kept.size_bytes / 1e6:,.0f} MB, so "
        "that conversations begin without reading it."
    )
