"""Commands about judges: evaluate, compare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.printable import counted, printable_lines
from orchestration.cli.deployment import DAY_SHOWN, opened_deployment, progress, written_day
from orchestration.terminal.tables import text_table

if TYPE_CHECKING:
    from analysis.evaluation.estimate import CostEstimate
    from analysis.labels.versions import FlipRate, VersionComparison
    from orchestration.deployment import Deployment
    from orchestration.operations.narrowing import Narrowing

app = typer.Typer()


@app.command()
def evaluate(
    since: Annotated[
        datetime | None,
        typer.Option(parser=written_day, metavar=DAY_SHOWN, help="First day of their end (UTC)."),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(parser=written_day, metavar=DAY_SHOWN, help="Last day of their end (UTC)."),
    ] = None,
    criterion: Annotated[
        list[str] | None,
        typer.Option(help="Only this criterion or field; may stand several times."),
    ] = None,
    judge: Annotated[
        str | None, typer.Option(help="Model string in place of the agents' judges.")
    ] = None,
    sample: Annotated[
        int, typer.Option(min=0, help="Ask everything so many times more, to see how steady it is.")
    ] = 0,
    agent: Annotated[str | None, typer.Option(help="Only this agent's conversations.")] = None,
    max_usd: Annotated[
        float | None, typer.Option(min=0, help="Stop before the cost would pass this.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help="Stop before the tokens would pass this.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be asked, and the cost.")
    ] = False,
) -> None:
    """Judge what has not been judged yet, then publish the reports.

    Only what is missing is asked, and an answer that is stored is never paid for again: stop it
    and start it again at any time.
    """
    from orchestration.operations.narrowing import Narrowing
    from orchestration.operations.operations import outdated_days, publish_reports
    from orchestration.operations.published_agents import broken_agents, broken_agents_text
    from orchestration.schedule.done_elsewhere import note_judged

    narrowing = Narrowing(
        since=_day(since),
        until=_day(until),
        agent_id=agent,
        only=tuple(criterion or ()),
        judge=judge,
        max_usd=max_usd,
        max_tokens=max_tokens,
    )
    samples = [replace(narrowing, sample=number) for number in range(sample + 1)]
    with opened_deployment(progress()) as deployment:
        broken = broken_agents(deployment)
        if broken:
            typer.echo(broken_agents_text(broken), err=True)
        if dry_run:
            typer.echo(_estimates(deployment, samples))
            return
        failed = [not _evaluate_once(deployment, each) for each in samples]
        # Days whose rows changed are those that something was judged of.
        whole = not (any(failed) or criterion or judge or agent or sample)
        note_judged(deployment.settings, outdated_days(deployment), whole=whole)
        published = publish_reports(deployment)
    typer.echo(
        f"Published {published.row_counts['conversations']} conversations to {published.path}; "
        "`vivavoce report` shows them."
    )
    if any(failed) or broken:
        raise typer.Exit(1)


@app.command()
def compare(
    criterion: Annotated[str, typer.Argument(help="Id of the criterion.")],
    old: Annotated[str, typer.Argument(help="A version, such as v2.")],
    new: Annotated[str, typer.Argument(help="Another one, or the same for two judges.")],
    judge_a: Annotated[str | None, typer.Option(help="Judge of the first version.")] = None,
    judge_b: Annotated[str | None, typer.Option(help="Judge of the second version.")] = None,
    agent: Annotated[
        str | None, typer.Option(help="Agent, when several have such a criterion.")
    ] = None,
) -> None:
    """List the conversations on which two versions of a criterion, or two judges, disagree."""
    from analysis.labels.versions import compare_versions, flip_rates
    from analysis.reports import open_reports
    from orchestration.operations.operations import renew_reports

    with opened_deployment(progress()) as deployment:
        renew_reports(deployment)
        with open_reports(deployment.reports_file) as connection:
            found = compare_versions(
                connection,
                criterion,
                old=old,
                new=new,
                agent_id=agent,
                judge_old=judge_a,
                judge_new=judge_b,
            )
            steady = flip_rates(connection, criterion)
    typer.echo(comparison_text(found))
    if steady:
        typer.echo(f"\n{_flip_rate_text(steady)}")


def comparison_text(found: VersionComparison) -> str:
    """Both questions, the headline, and each conversation that flips with both rationales."""
    lines = [f"{found.old}: {found.old_question}"]
    if found.new_question != found.old_question:
        lines.append(f"{found.new}: {found.new_question}")
    lines.append(found.headline)
    for flip in found.flips:
        lines += [
            f"\n{flip.conversation_id}: {flip.old_verdict} -> {flip.new_verdict}",
            f"  {found.old}: {flip.old_rationale or 'no rationale'}",
            f"  {found.new}: {flip.new_rationale or 'no rationale'}",
        ]
    return "\n".join(printable_lines(line) for line in lines)


def _evaluate_once(deployment: Deployment, narrowing: Narrowing) -> bool:
    from orchestration.operations.operations import evaluate as evaluate_ended
    from orchestration.terminal.rows import evaluation_summary

    run = evaluate_ended(deployment, narrowing=narrowing)
    again = f"Sample {narrowing.sample}: " if narrowing.sample else ""
    typer.echo(f"{again}{evaluation_summary(run)}")
    for conversation_id, reason in run.failures.items():
        typer.echo(f"{conversation_id} could not be judged: {reason}")
    judged_nothing = run.answer_errors > 0 and run.answers == 0
    return not (run.stopped or run.failed or judged_nothing)


def _estimates(deployment: Deployment, samples: Iterable[Narrowing]) -> str:
    from analysis.evaluation.estimate import estimate_plan
    from analysis.evaluation.opening import without_a_model
    from orchestration.operations.narrowing import plan_narrowed

    now = datetime.now(UTC)
    shown: list[str] = []
    for narrowing in samples:
        plan = plan_narrowed(deployment, narrowing, now=now)
        refused = without_a_model(plan)
        plan = plan.without(refused)
        again = f"Sample {narrowing.sample}: " if narrowing.sample else ""
        estimate = estimate_plan(plan, deployment.price_usd)
        asked = _estimate_text(estimate) if estimate.conversations or not refused else ""
        known = "has" if plan.cached == 1 else "have"
        cached = counted(plan.cached, "conversation")
        lines = [f"{again}{asked}{cached} {known} every answer already."]
        lines += [f"{agent_id} would not be judged: {refused[agent_id]}" for agent_id in refused]
        shown.append("\n".join(lines))
    return "\n\n".join([*shown, "Nothing was asked."])


def _estimate_text(estimate: CostEstimate) -> str:
    if not estimate.conversations:
        return "Nothing is left to ask. "
    headers = ["judge", "calls", "input tokens", "output tokens", "about USD"]
    rows = [
        [
            each.model,
            each.calls,
            each.input_tokens,
            each.output_tokens,
            "price unknown" if each.cost_usd is None else f"{each.cost_usd:.4f}",
        ]
        for each in estimate.by_model
    ]
    asked = counted(estimate.questions, "question")
    about = counted(estimate.conversations, "conversation")
    return f"{asked} about {about} would be asked:\n{text_table(headers, rows)}\n"


def _flip_rate_text(rates: Iterable[FlipRate]) -> str:
    lines = ["Asked again, the judge changes its mind:"]
    lines += [
        f"  {each.judge_model}, version {each.criterion_version}: {each.flipping:,} of "
        f"{each.conversations:,} conversations ({100 * each.rate:.1f} %)"
        for each in rates
    ]
    return "\n".join(lines)


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
