"""Asks once whether judges may be asked by themselves, with what that would cost."""

import sys
from datetime import UTC, datetime

import typer

from analysis.evaluation.estimate import CostEstimate
from analysis.printable import counted
from orchestration.deployment import Deployment
from orchestration.operations.unattended import (
    PROPOSED_USD_PER_DAY,
    Unattended,
    answer_in_force,
    keep_answer,
    waiting_for_a_judge,
)
from orchestration.settings import Settings

HOW_TO_ALLOW = (
    "Nothing is judged by itself: nobody has allowed it yet. Allow it with `vivavoce ui --judge "
    f"--max-usd-per-day {PROPOSED_USD_PER_DAY:g}`, or set VIVAVOCE_MAX_JUDGE_USD_PER_DAY. "
    "`vivavoce evaluate` asks the judges now."
)


def unattended_judging(settings: Settings) -> Unattended | None:
    """The answer in force; on a terminal it is asked for where nobody ever gave one."""
    found = answer_in_force(settings)
    if found is None:
        with Deployment(settings) as deployment:
            typer.echo(told(waiting_for_a_judge(deployment, now=datetime.now(UTC))))
        if sys.stdin.isatty():
            found = _asked()
            keep_answer(settings, found)
    if found is None or not found.allowed:
        typer.echo(HOW_TO_ALLOW)
    return found


def told(estimate: CostEstimate) -> str:
    """What would be asked at once, by whom and for how much."""
    if not estimate.conversations:
        return "No conversation is waiting to be judged."
    costs = [
        f"{each.model} about "
        + ("an unknown price" if each.cost_usd is None else f"{each.cost_usd:.2f} USD")
        for each in estimate.by_model
    ]
    return (
        f"{counted(estimate.conversations, 'conversation')} to be judged: "
        f"{counted(estimate.questions, 'question')}, {', '.join(costs)}."
    )


def _asked() -> Unattended:
    if not typer.confirm("Judge conversations by themselves, from now on?", default=False):
        return Unattended(False)
    most = typer.prompt(
        "What judges may cost in a day, in USD (none for no limit)",
        default=f"{PROPOSED_USD_PER_DAY:g}",
        value_proc=_limit,
    )
    return Unattended(True, most)


def _limit(text: str) -> float | None:
    if text.strip().lower() == "none":
        return None
    try:
        most = float(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no number of dollars") from error
    if not 0 <= most < float("inf"):
        raise typer.BadParameter(f"{text!r} is no limit")
    return most
