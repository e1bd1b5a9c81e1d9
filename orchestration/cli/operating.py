"""Commands that run the deployment: settings, demo, ui, worker, doctor."""

from enum import StrEnum
from typing import Annotated

import typer

from orchestration.cli.deployment import opened_deployment, require_data
from orchestration.settings import begin_days_by, load_settings
from orchestration.shown_settings import shown_settings
from orchestration.terminal.tables import text_table

app = typer.Typer()


class DagsterPart(StrEnum):
    """Dagster's two servers."""

    webserver = "webserver"
    daemon = "daemon"


@app.command()
def settings() -> None:
    """Show every setting, its value in force and what it means; passwords are masked."""
    rows = [
        [row.variable, row.value or "(unset)", "default" if row.is_default else "set"]
        for row in shown_settings(load_settings())
    ]
    typer.echo(text_table(["variable", "value", "from"], rows))
    typer.echo()
    for row in shown_settings(load_settings()):
        typer.echo(f"{row.variable}: {row.description}")
    typer.echo("\nSet them in the environment or in a file `.env` in the folder you start from.")


@app.command()
def demo(
    fresh: Annotated[bool, typer.Option(help="Forget the demo's earlier results first.")] = False,
    read_ahead: Annotated[
        bool,
        typer.Option("--read-ahead", help="Have the model read the documents whole, minutes once."),
    ] = False,
) -> None:
    """Run the whole path on sample data: ingest, converse, evaluate, publish, report."""
    from orchestration.schedule.first_day import BEFORE_ANY, first_day

    settings = load_settings()
    # Its sample conversations may be older than those that are there already.
    begin_days_by(min(first_day(settings), BEFORE_ANY))
    from orchestration.demo.running import run_demo  # loads Dagster

    try:
        run_demo(settings, fresh=fresh, read_ahead=read_ahead)
    except KeyboardInterrupt:
        typer.echo("\nStopped. What is done is kept; the next run goes on from there.", err=True)
        raise typer.Exit(130) from None


@app.command()
def ui(
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65_535, help="Port of the Dagster UI; unset: 3000 or any free one, 0: any."
        ),
    ] = None,
    api_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65_535, help="Port of the API server; unset: 8080 or any free one, 0: any."
        ),
    ] = None,
    judge: Annotated[
        bool | None,
        typer.Option(
            "--judge/--no-judge",
            help="May judges be asked by themselves from now on? Unset: as answered before.",
        ),
    ] = None,
    max_usd_per_day: Annotated[
        float | None, typer.Option(min=0, help="With --judge: what judges may cost in a day.")
    ] = None,
) -> None:
    """Start the Dagster UI with its daemon, and the API server; Ctrl-C stops them all.

    Nothing is judged by itself, and nothing is spent, before somebody has said so once.
    """
    from orchestration.operations.unattended import Unattended, keep_answer, variables_of
    from orchestration.processes.ui import serve_ui
    from orchestration.terminal.allowing import unattended_judging

    settings = load_settings()
    require_data(settings)
    if judge is not None or max_usd_per_day is not None:
        keep_answer(settings, Unattended(judge is not False, max_usd_per_day))
    answer = unattended_judging(settings)
    serve_ui(settings, port=port, api_port=api_port, say=typer.echo, judging=variables_of(answer))


@app.command()
def worker(
    name: Annotated[str, typer.Option(help="Tells the workers of one machine apart.")] = "worker",
    processes: Annotated[
        int, typer.Option(min=1, help="Steps at the same time; each loads its own models.")
    ] = 1,
) -> None:
    """Take steps of runs from the broker of VIVAVOCE_CELERY_BROKER_URL until stopped."""
    from orchestration.processes.workers import serve_steps

    serve_steps(load_settings(), name=name, processes=processes)


@app.command()
def dagster(
    part: Annotated[DagsterPart, typer.Argument(help="Which of Dagster's two servers.")],
    host: Annotated[str, typer.Option(help="Address of the webserver.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port of the webserver.")] = 3000,
) -> None:
    """Run Dagster's webserver or its daemon alone, e.g. in a container; `ui` runs both."""
    from orchestration.processes.workers import serve_dagster

    serve_dagster(load_settings(), part.value, host=host, port=port)


@app.command()
def doctor() -> None:
    """Look at every part that the settings point at; say what is wrong and what to do about it."""
    from orchestration.checks.doctor import examine

    failed = 0
    with opened_deployment() as deployment:
        for finding in examine(deployment):
            typer.echo(f"{finding.state:<8} {finding.part}: {finding.told}")
            if finding.remedy:
                typer.echo(f"{'':<8} -> {finding.remedy}")
            failed += finding.state == "failed"
    if failed:
        typer.echo(f"\n{failed} of these parts cannot be used as they are.", err=True)
        raise typer.Exit(1)
