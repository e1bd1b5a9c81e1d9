"""Names of judges and panels in an agent file, and where each judge is reached."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from conversation.agent.models.llm_config import EXTRACTIVE, LLMConfig, reached
from conversation.agent.models.reached_model import ReachedModel

_PANEL = "majority("
_LONGEST_PANEL = 255
"""What the stores keep of a judge's name."""


@dataclass(frozen=True, slots=True)
class AgentJudge:
    """The judge of an agent, or its panel, with where the agent reaches each of them."""

    name: str
    """Model string, or the string of a panel: what answers are kept under."""
    llm: LLMConfig
    """Of the agent: a judge that it names too is reached where the agent reaches it."""
    endpoints: tuple[ReachedModel, ...] = ()
    """Judges with an endpoint or a key of their own."""

    def reached(self, model: str) -> LLMConfig:
        """Where the judge with this model string is."""
        own = (each for each in self.endpoints if each.model == model)
        found = next(own, None)
        return self.llm.named(model) if found is None else reached(found)

    def __str__(self) -> str:
        return self.name


def panel_of(judges: Sequence[str]) -> str:
    """Return the one string that stands for a panel of judges: `majority(a/x, b/y)`."""
    return f"{_PANEL}{', '.join(judges)})"


def panel_members(judge: str) -> tuple[str, ...]:
    """Return the model strings of a panel, or the one of a single judge."""
    if not (judge.startswith(_PANEL) and judge.endswith(")")):
        return (judge,)
    return tuple(name.strip() for name in judge[len(_PANEL) : -1].split(",") if name.strip())


def judge_from_judges(section: Any) -> Any:
    """Bring `judge` and `judges` of a section into one form; to be used by validators.

    Either may hold model strings or `{model, api_base, api_key_env}`. `judge` becomes the string
    that answers are kept under, `judges` the members of a panel, `judge_endpoints` what is reached
    elsewhere than where its provider is.

    Raises:
        ValueError: Both are given and differ, or the list is no panel.
    """
    if not isinstance(section, Mapping):
        return section
    given = dict(cast("Mapping[str, Any]", section))
    judges = given.get("judges")
    if isinstance(judges, str):
        raise ValueError("`judges` lists two or more different model strings, not one text")
    entries = list(cast("Sequence[object]", judges or ()))
    placed: list[object] = [
        each for each in (given.get("judge"), *entries) if isinstance(each, Mapping)
    ]
    if placed:
        given["judge_endpoints"] = [*(given.get("judge_endpoints") or ()), *placed]
    if isinstance(given.get("judge"), Mapping):
        given["judge"] = _name(given["judge"])
    if not entries:
        _require_a_model(given.get("judge"))
        return given
    names = [_name(each) for each in entries]
    if len(names) < 2 or len(set(names)) < len(names):
        raise ValueError(f"`judges` lists two or more different model strings, not {names!r}")
    for name in names:
        _require_a_model(name)
    panel = panel_of(names)
    if len(panel) > _LONGEST_PANEL:
        raise ValueError(
            f"`judges` names {len(names)} models in {len(panel)} characters; a panel may take "
            f"{_LONGEST_PANEL}. Take fewer of them."
        )
    if given.get("judge") not in (None, panel):
        raise ValueError("give either `judge` or `judges`, not both")
    return given | {"judge": panel, "judges": names}


def require_one_place(endpoints: Iterable[ReachedModel]) -> None:
    """Refuse one name for two judges: their answers are kept under it.

    Raises:
        ValueError: A model string has two endpoints or keys.
    """
    places: dict[str, ReachedModel] = {}
    for each in endpoints:
        if places.setdefault(each.model, each) != each:
            raise ValueError(
                f"the judge {each.model!r} has two endpoints or keys; answers are kept under its "
                "model string, so that each needs a string of its own, e.g. openai/first and "
                "openai/second"
            )


def _require_a_model(name: object) -> None:
    if name == EXTRACTIVE:
        raise ValueError(
            f"{EXTRACTIVE!r} quotes documents and can judge nothing; name a language model as "
            "judge, e.g. 'embedded/qwen2.5-coder-1.5b-instruct'"
        )


def _name(judge: object) -> str:
    if not isinstance(judge, Mapping):
        return str(judge)
    model = cast("Mapping[str, object]", judge).get("model")
    if not isinstance(model, str):
        raise ValueError("a judge with an endpoint needs its `model`: {model: openai/own, ...}")
    return model
