"""Commands about conversations: chat, import."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from conversation.session import Session
from orchestration.cli.opening import opened_deployment
from orchestration.operations import import_transcripts, unread_sources
from orchestration.progress import Progress
from orchestration.replying import printable, show_reply
from orchestration.showing import import_summary

app = typer.Typer()

Agent = Annotated[str, typer.Argument(help="Id of the agent, or the path of its file.")]


@app.command()
def chat(agent: Agent) -> None:
    """Hold a conversation; it is stored turn by turn. An empty line or Ctrl-D ends it."""
    with opened_deployment() as deployment:
        configured = deployment.agent(agent).agent
        knowledge_base = deployment.knowledge_base(agent)
        unread = unread_sources(deployment, agent)
        if unread:
            typer.echo(
                f"Not read yet, so not known to the agent: {', '.join(unread)}. "
                f"`vivavoce ingest {agent}` reads them.\n",
                err=True,
            )
        model = deployment.chat_model(configured.llm)
        model.check()
        session = Session.start(
            configured,
            knowledge_base=knowledge_base,
            store=deployment.conversations,
            chat_model=model,
        )
        try:
            _converse(session, configured.first_message, configured.name)
        finally:
            session.end()
    typer.echo(f"Stored as {session.conversation_id}. `vivavoce evaluate` judges it.")


@app.command(name="import")
def import_command(
    path: Annotated[Path, typer.Argument(help="A transcript file, or a folder of them.")],
    agent: Annotated[str, typer.Option(help="Agent of transcripts that name none.")],
) -> None:
    """Take in finished conversations from elsewhere; those that are there already are left."""
    with opened_deployment() as deployment:
        report = import_transcripts(deployment, path, deployment.agent(agent).agent.agent_id)
    typer.echo(import_summary(report))
    if report.rejected:
        raise typer.Exit(1)


def _converse(session: Session, first_message: str, name: str) -> None:
    progress = Progress(sys.stdout)
    if first_message:
        typer.echo(f"{name}: {printable(first_message)}")
    while True:
        try:
            text = input("\nyou: ").strip()
        except (EOFError, KeyboardInterrupt):
            typer.echo()
            return
        if not text:
            return
        try:
            show_reply(name, session.reply(text), progress)
        except KeyboardInterrupt:
            typer.echo(" ... stopped")
