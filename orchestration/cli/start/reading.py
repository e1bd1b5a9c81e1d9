"""`vivavoce conversations` and `vivavoce show ID`: what is kept, to read."""

from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal, cast

import typer

from orchestration.cli.deployment import DAY_SHOWN, written_day

app = typer.Typer()

_Day = Annotated[
    datetime | None, typer.Option(parser=written_day, metavar=DAY_SHOWN, help="First day (UTC).")
]
_LastDay = Annotated[
    datetime | None, typer.Option(parser=written_day, metavar=DAY_SHOWN, help="Last day (UTC).")
]

_CUT = (
    "(Words that short, or that common, were looked for in the newest conversations only: give "
    "more of the words, or --until for earlier days.)"
)


@app.command()
def conversations(
    agent: Annotated[str | None, typer.Option(help="Only of this agent.")] = None,
    user: Annotated[str | None, typer.Option(help="Only with this user id.")] = None,
    text: Annotated[str | None, typer.Option(help="Only where this was said.")] = None,
    status: Annotated[
        str | None, typer.Option(help="in_progress, done or failed; unset: any.")
    ] = None,
    since: _Day = None,
    until: _LastDay = None,
    simulated: Annotated[
        bool | None, typer.Option("--simulated/--real", help="Played users only, or none.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many.")] = 20,
) -> None:
    """List kept conversations, the newest first.

    Words of agents that mask personal data are searched and shown masked.
    """
    from orchestration.agents import refuse_unknown_agent
    from orchestration.cli.deployment import opened_deployment
    from orchestration.operations.masking import redacted_conversations
    from orchestration.terminal.tables import text_table

    if status not in (None, "in_progress", "done", "failed"):
        raise typer.BadParameter(f"{status!r} is none of in_progress, done, failed")
    with opened_deployment() as deployment:
        page = redacted_conversations(deployment).page(
            agent_id=agent,
            user_id=user,
            text=text,
            status=cast(Literal["in_progress", "done", "failed"] | None, status),
            since=None if since is None else since.replace(tzinfo=UTC),
            until=None if until is None else _after(until),
            simulated=simulated,
            limit=limit,
        )
        if agent is not None and not page.conversations:
            of_agent = deployment.conversations.page(agent_id=agent, limit=1)
            if not of_agent.conversations:
                refuse_unknown_agent(agent, deployment.settings)
    if not page.conversations:
        if page.is_cut:
            typer.echo(_CUT)
            return
        asked = (agent, user, text, status, since, until, simulated)
        if all(each is None for each in asked):
            typer.echo("No conversation is kept yet. `vivavoce chat AGENT` holds one.")
        else:
            typer.echo("No conversation is kept that fits.")
        return
    rows = [
        [
            each.conversation_id,
            each.agent_id,
            "" if each.started_at is None else f"{each.started_at:%Y-%m-%d %H:%M}",
            each.status,
            each.turn_count,
            each.metadata.get("user_id", ""),
            "simulated" if each.simulated else each.source,
        ]
        for each in page.conversations
    ]
    headers = ["conversation", "agent", "started (UTC)", "status", "turns", "user", "source"]
    typer.echo(text_table(headers, rows))
    if page.is_cut:
        typer.echo(_CUT)
    elif page.next_cursor is not None:
        typer.echo(f"(the newest {len(rows)}; --limit shows more)")
    typer.echo("`vivavoce show CONVERSATION` shows one.")


@app.command()
def show(
    conversation: Annotated[str, typer.Argument(help="Id of the conversation.")],
    passages: Annotated[
        bool, typer.Option(help="The passages that were found for each answer.")
    ] = True,
) -> None:
    """Show a conversation: what was said, the passages behind it, verdicts and values.

    Of agents that mask personal data, the words are shown masked.
    """
    from analysis.results import AnalysisResult
    from orchestration.cli.deployment import opened_deployment
    from orchestration.operations.masking import redacted_conversations, redacted_evaluations
    from orchestration.terminal.conversation_text import conversation_as_text

    with opened_deployment() as deployment:
        readable = redacted_conversations(deployment)
        transcript = readable.transcript(conversation)
        answers = redacted_evaluations(deployment, readable)
        shown = conversation_as_text(
            transcript,
            readable.retrievals(conversation) if passages else [],
            AnalysisResult(
                conversation_id=conversation,
                evaluations=tuple(answers.latest_evaluations(conversation).values()),
                collected=tuple(answers.latest_collected_values(conversation).values()),
                summary=answers.latest_summary(conversation),
            ),
        )
    typer.echo(shown)


def _after(day: datetime) -> datetime:
    return datetime.combine(day.date(), time(), UTC) + timedelta(days=1)
