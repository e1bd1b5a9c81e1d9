"""`vivavoce init`: a folder for agents, made by three questions or as many options."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def init(
    name: Annotated[str | None, typer.Option(help="What the agent is called.")] = None,
    documents: Annotated[
        Path | None,
        typer.Option(help="Folder that it answers from, left where it is; unset: a sample."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model string that answers, e.g. openai/gpt-4.1-mini.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing; take what is given and the defaults.")
    ] = False,
) -> None:
    """Make a folder for agents: an agent file, documents, `.env` and `.gitignore`.

    Nothing that is there already is changed.
    """
    from orchestration.cli.start.new_folder import Wanted, begin, default_model
    from orchestration.settings import load_settings

    if not yes and sys.stdin.isatty():
        name = name or typer.prompt("What is the agent called?", default=Wanted().name)
        if documents is None:
            given = typer.prompt("Folder with its documents (empty for a sample)", default="")
            documents = Path(given) if given else None
        model = model or typer.prompt("Which language model answers?", default=default_model())
    wanted = Wanted(name or Wanted().name, documents, model or default_model())
    begun = begin(wanted, Path.cwd(), load_settings().data_dir)
    for path in begun.made:
        typer.echo(f"made {path}")
    for path in begun.left:
        typer.echo(f"left {path} as it was")
    typer.echo(
        f"\nNext:\n  vivavoce ingest {begun.agent_id}    # read the documents\n"
        f"  vivavoce chat {begun.agent_id}      # talk to it"
    )
