"""Commands about finished conversations: evaluate, report, dictionary, why, sql."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from analysis.lineage import why as trace
from analysis.lineage_text import lineage_as_text
from analysis.querying import query_as_csv, query_as_table
from analysis.report_html import report_as_html
from analysis.report_text import render_report, report_as_markdown, report_as_text
from analysis.reports import open_reports
from orchestration.cli.opening import opened_deployment, progress
from orchestration.operations import evaluate as evaluate_ended
from orchestration.operations import publish_reports, reports_outdated
from orchestration.showing import evaluation_summary

app = typer.Typer()


@app.command()
def evaluate() -> None:
    """Judge the conversations that have not been judged yet, then publish the reports."""
    with opened_deployment(progress()) as deployment:
        run = evaluate_ended(deployment)
        typer.echo(evaluation_summary(run))
        for conversation_id, reason in run.failures.items():
            typer.echo(f"{conversation_id} could not be judged: {reason}")
        published = publish_reports(deployment)
    typer.echo(
        f"Published {published.row_counts['conversations']} conversations to {published.path}; "
        "`vivavoce report` shows them."
    )
    if run.stopped or run.failed:
        raise typer.Exit(1)


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
    with opened_deployment(progress()) as deployment:
        if reports_outdated(deployment):
            publish_reports(deployment)
        with open_reports(deployment.reports_file) as connection:
            rendered = render_report(connection, agent_id=agent, simulated=simulated)
            if html is not None:
                now = datetime.now(UTC)
                page = report_as_html(
                    connection, generated_at=now, agent_id=agent, simulated=simulated
                )
                _write(html, page)
    if markdown is not None:
        _write(markdown, report_as_markdown(rendered, with_sql=with_sql))
    if html is None and markdown is None:
        typer.echo(report_as_text(rendered, width=_terminal_width(), with_sql=with_sql))


@app.command()
def dictionary() -> None:
    """Print what every table, view and column of the reports means, as Markdown."""
    from analysis.dictionary import dictionary_as_markdown
    from orchestration.redacting import usable_agents

    with opened_deployment() as deployment:
        typer.echo(dictionary_as_markdown(usable_agents(deployment)))


@app.command()
def why(
    conversation: Annotated[str, typer.Argument(help="Id of the conversation.")],
    name: Annotated[str, typer.Argument(help="A criterion or a data collection field.")],
) -> None:
    """Follow a verdict or a value back to quoted turns, passages, documents and their source."""
    with (
        opened_deployment() as deployment,
        open_reports(deployment.reports_file) as connection,
    ):
        lineage = trace(connection, conversation, name)
    typer.echo(lineage_as_text(lineage, width=_terminal_width()))


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help='For example "from success_rates".')],
    csv: Annotated[bool, typer.Option("--csv", help="Every row, as CSV.")] = False,
) -> None:
    """Run a query on the published reports; it can read them and nothing else."""
    with (
        opened_deployment() as deployment,
        open_reports(deployment.reports_file) as connection,
    ):
        shown = query_as_csv(connection, query) if csv else query_as_table(connection, query)
    typer.echo(shown, nl=not csv)


def _write(path: Path, text: str) -> None:
    if str(path) == "-":
        typer.echo(text)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    typer.echo(f"Wrote {path}.")


def _terminal_width() -> int:
    return max(80, shutil.get_terminal_size((110, 40)).columns)
