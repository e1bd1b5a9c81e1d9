"""The judges of a plan, each opened once, where the agent that needs it reaches it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from analysis.evaluation.plan import EvaluationPlan
from conversation.agent.models.llm_config import EXTRACTIVE, LLMConfig
from conversation.errors import ModelError, ModelSetupError
from conversation.llm.chat_model import ChatModel


@dataclass(frozen=True, slots=True)
class OpenedJudges:
    """Judges that can be asked, and agents whose judge cannot."""

    models: Mapping[LLMConfig, ChatModel]
    refused: Mapping[str, ModelError]
    """By agent: why its judge cannot be used."""


def open_judges(plan: EvaluationPlan, open_model: Callable[[LLMConfig], ChatModel]) -> OpenedJudges:
    """Open what `plan` needs. A judge that cannot be used keeps only its own agents from theirs."""
    needed: dict[LLMConfig, set[str]] = {}
    for planned in plan.conversations:
        for name in planned.judges:
            needed.setdefault(planned.reached(name), set()).add(planned.agent_id)
    models: dict[LLMConfig, ChatModel] = {}
    refused: dict[str, ModelError] = {}
    for llm, agent_ids in sorted(needed.items(), key=lambda each: each[0].model):
        try:
            _require_a_model(llm.model)
            opened = open_model(llm)
            opened.check()
            models[llm] = opened
        except ModelError as error:
            for agent_id in sorted(agent_ids):
                refused.setdefault(agent_id, error)
    return OpenedJudges(models, refused)


def without_a_model(plan: EvaluationPlan) -> dict[str, ModelError]:
    """By agent of `plan`: why its judge is none. Opens nothing."""
    refused: dict[str, ModelError] = {}
    for planned in plan.conversations:
        for model in sorted(planned.judges):
            try:
                _require_a_model(model)
            except ModelError as error:
                refused.setdefault(planned.agent_id, error)
    return refused


def _require_a_model(model: str) -> None:
    if model == EXTRACTIVE:
        raise ModelSetupError(
            f"{EXTRACTIVE!r} quotes documents and can judge nothing. Name a language model as "
            "judge: VIVAVOCE_JUDGE, or `analysis.judge` in the agent file."
        )
