"""Commands about what was published: report, dictionary, why."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.deployment import opened_deployment, progress

app = typer.Typer()


@app.command()
def report(
    agent: Annotated[str | None, typer.Option(help="Only this agent.")] = None,
    html: Annotated[
        Path | None, typer.Option(help="Write one self-contained page to this file instead.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Write Markdown to this file instead; - prints it.")
    ] = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="Conversations with played users, not the others.")
    ] = False,
    with_sql: Annotated[bool, typer.Option(help="Show the query below each table.")] = True,
) -> None:
    """Show success rates, topics, gaps, conversations to look at, cost and latency."""
    from analysis.report.text import (
        agents_with_conversations,
        render_report,
        report_as_markdown,
        report_as_text,
    )
    from analysis.reports import open_reports
    from orchestration.agents import refuse_unknown_agent
    from orchestration.operations.exports import Form, ReportForm, export_report
    from orchestration.operations.operations import renew_reports

    with opened_deployment(progress()) as deployment:
        renew_reports(deployment)
        with open_reports(deployment.reports_file) as connection:
            if agent is not None and agent not in agents_with_conversations(connection):
                refuse_unknown_agent(agent, deployment.settings)
            rendered = render_report(connection, agent_id=agent, simulated=simulated)
        forms: dict[Form, Path | None] = {"html": html, "markdown": markdown}
        for form, path in forms.items():
            if path is not None and str(path) != "-":
                written = ReportForm(form, agent, simulated, with_sql)
                export_report(deployment, path, written, now=datetime.now(UTC))
                typer.echo(f"Wrote {path}.")
    if str(markdown) == "-":
        typer.echo(report_as_markdown(rendered, with_sql=with_sql))
    if html is None and markdown is None:
        typer.echo(report_as_text(rendered, width=_terminal_width(), with_sql=with_sql))


@app.command()
def dictionary() -> None:
    """Print what every table, view and column of the reports means, as Markdown."""
    from analysis.dictionary.page import dictionary_as_markdown
    from orchestration.operations.masking import usable_agents

    with opened_deployment() as deployment:
        typer.echo(dictionary_as_markdown(usable_agents(deployment)))


@app.command()
def why(
    conversation: Annotated[str, typer.Argument(help="Id of the conversation.")],
    name: Annotated[str, typer.Argument(help="A criterion or a data collection field.")],
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask the judge for the reason that it did not write.")
    ] = False,
) -> None:
    """Follow a verdict or a value back to quoted turns, passages, documents and their source."""
    from analysis.query.lineage import why as trace
    from analysis.query.lineage_text import lineage_as_text
    from analysis.reports import open_reports
    from orchestration.operations.operations import explain_verdict

    with opened_deployment(progress() if ask else None) as deployment:
        if ask:
            explain_verdict(deployment, conversation, name.removeprefix("criterion:"))
        with open_reports(deployment.reports_file) as connection:
            lineage = trace(connection, conversation, name)
    typer.echo(lineage_as_text(lineage, width=_terminal_width()))


def _terminal_width() -> int:
    return max(80, shutil.get_terminal_size((110, 40)).columns)
