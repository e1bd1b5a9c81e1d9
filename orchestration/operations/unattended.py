"""Whether judges may be asked by themselves: nobody pays for what nobody allowed.

`vivavoce ui` asks once, shows what would be asked, and keeps the answer beside the stores.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from analysis.evaluation.estimate import CostEstimate, estimate_plan
from orchestration.deployment import Deployment
from orchestration.errors import SettingsError
from orchestration.operations.narrowing import Narrowing, plan_narrowed
from orchestration.settings import PREFIX, Settings

PROPOSED_USD_PER_DAY = 1.0


@dataclass(frozen=True, slots=True)
class Unattended:
    """What somebody said about judging by itself."""

    allowed: bool
    max_usd_per_day: float | None = None
    """None sets no limit."""


def answer_in_force(settings: Settings) -> Unattended | None:
    """What the settings say, else what was answered before; None where nobody ever said.

    A limit in the settings is an answer: whoever limits what judges cost wants them asked.

    Raises:
        SettingsError: The kept answer cannot be read.
    """
    most = settings.max_judge_usd_per_day
    if "judge_unattended" in settings.model_fields_set:
        return Unattended(settings.judge_unattended, most)
    if most is not None:
        return Unattended(True, most)
    place = _place(settings)
    try:
        return Unattended(**json.loads(place.read_text("utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError) as error:
        raise SettingsError(
            f"{str(place)!r} says who allowed judging by itself, and cannot be read "
            f"({type(error).__name__}). Delete it: `vivavoce ui` asks again."
        ) from error


def keep_answer(settings: Settings, answer: Unattended) -> None:
    """Remember an answer for every later start."""
    place = _place(settings)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(asdict(answer)), "utf-8")


def variables_of(answer: Unattended | None) -> dict[str, str]:
    """What the processes are told that judge by themselves."""
    allowed = answer is not None and answer.allowed
    variables = {f"{PREFIX}JUDGE_UNATTENDED": str(allowed).lower()}
    if answer is not None and answer.max_usd_per_day is not None:
        variables[f"{PREFIX}MAX_JUDGE_USD_PER_DAY"] = str(answer.max_usd_per_day)
    return variables


def waiting_for_a_judge(deployment: Deployment, *, now: datetime) -> CostEstimate:
    """What would be asked as soon as it is allowed, and what that costs. Asks no model."""
    return estimate_plan(plan_narrowed(deployment, Narrowing(), now=now), deployment.price_usd)


def _place(settings: Settings) -> Path:
    return settings.store / "unattended.json"
