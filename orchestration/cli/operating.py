"""Commands that run the deployment: settings, demo, ui."""

from typing import Annotated

import typer

from orchestration.settings import load_settings, shown_settings
from orchestration.tables import text_table

app = typer.Typer()


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
) -> None:
    """Run the whole path on sample data: ingest, converse, evaluate, publish, report."""
    from orchestration.demo.running import run_demo  # loads Dagster

    try:
        run_demo(load_settings(), fresh=fresh)
    except KeyboardInterrupt:
        typer.echo("\nStopped. What is done is kept; the next run goes on from there.", err=True)
        raise typer.Exit(130) from None


@app.command()
def ui(
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; unset: 3000 or any free one.")
    ] = None,
) -> None:
    """Start the Dagster UI and its daemon on this deployment; Ctrl-C stops both."""
    from orchestration.ui import serve_ui

    serve_ui(load_settings(), port=port, say=typer.echo)
