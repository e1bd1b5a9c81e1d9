"""Under which version the answers of a judge are kept, whatever stands behind its name."""

from conversation.agent.criteria import CODE_JUDGE, JudgeVariant
from conversation.agent.models.judges import panel_members


def judge_prompt_version(judge_model: str, variant: JudgeVariant | None = None) -> str:
    """Return twelve hexadecimal digits that change when the wording of a judge's prompts does.

    Those of a panel change with any of its judges'. Where code decides, the evaluator's version.
    """
    if judge_model.startswith(CODE_JUDGE):
        # Kinds of evaluators load all that asks judges, and whoever lists conversations does not.
        from analysis.evaluators.known import evaluator_version

        return evaluator_version(judge_model)
    from analysis.judge.prompts import digest_of, prompts_version

    members = panel_members(judge_model)
    if len(members) > 1:
        return digest_of([judge_prompt_version(member, variant) for member in members])
    return prompts_version(judge_model, variant)
