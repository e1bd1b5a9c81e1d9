"""Commands about agents and what they know: agents, ingest, kb."""

from typing import Annotated

import typer

from orchestration.agents import agent_listings, find_agent
from orchestration.cli.opening import opened_deployment, progress
from orchestration.operations import ingest as ingest_agent
from orchestration.operations import room_left
from orchestration.replying import printable
from orchestration.settings import load_settings
from orchestration.showing import document_table, ingest_summary
from orchestration.tables import text_table

app = typer.Typer()
kb = typer.Typer(help="Look into an agent's knowledge base.", no_args_is_help=True)
app.add_typer(kb, name="kb")

Agent = Annotated[str, typer.Argument(help="Id of the agent, or the path of its file.")]


@app.command()
def agents() -> None:
    """List the agents, also the files that cannot be used, each with the reason."""
    settings = load_settings()
    listings = agent_listings(settings)
    usable = [row.agent.agent_id for row in listings if row.agent is not None]
    rows = [
        [
            agent.agent_id,
            agent.name,
            agent.llm.model,
            len(agent.knowledge_base.files)
            + len(agent.knowledge_base.links)
            + len(agent.knowledge_base.sites)
            + len(agent.knowledge_base.texts),
            len(agent.criteria),
            len(agent.data_collection),
            agent.version,
        ]
        for agent in (find_agent(agent_id, settings).agent for agent_id in usable)
    ]
    headers = ["agent", "name", "language model", "sources", "criteria", "fields", "version"]
    typer.echo(text_table(headers, rows))
    for row in listings:
        if row.error is not None:
            typer.echo(f"\n{row.path.name} cannot be used. {row.error}")


@app.command()
def ingest(
    agent: Agent,
    strict: Annotated[
        bool, typer.Option(help="Exit with code 1 when any document failed.")
    ] = False,
) -> None:
    """Read the agent's files, links and texts; only what changed is read and embedded again."""
    with opened_deployment(progress()) as deployment:
        report = ingest_agent(deployment, agent)
        documents = deployment.knowledge_base(agent).documents()
    typer.echo(document_table(documents))
    typer.echo(f"\n{ingest_summary(report)}")
    if strict and report.count("failed"):
        raise typer.Exit(1)


@kb.command()
def status(agent: Agent) -> None:
    """List the agent's documents, their state, and the room that is left."""
    with opened_deployment() as deployment:
        documents = deployment.knowledge_base(agent).documents()
        limits = deployment.agent(agent).agent.knowledge_base.limits
    typer.echo(document_table(documents))
    typer.echo(f"\n{room_left(documents, limits)}")


@kb.command()
def show(
    agent: Agent,
    document: Annotated[str, typer.Argument(help="Name or id of the document.")],
) -> None:
    """Print the stored text of a document, which the offsets of citations point into."""
    with opened_deployment() as deployment:
        knowledge_base = deployment.knowledge_base(agent)
        for found in knowledge_base.documents():
            if document in (found.document_id, found.name):
                typer.echo(printable(knowledge_base.text_of(found.document_id)))
                return
        names = ", ".join(repr(found.name) for found in knowledge_base.documents())
    raise typer.BadParameter(f"there is no document {document!r}; there are: {names or 'none'}")


@kb.command()
def search(
    agent: Agent,
    query: Annotated[str, typer.Argument(help="What a user would say.")],
    limit: Annotated[int, typer.Option(min=1, max=50, help="Passages to show.")] = 5,
) -> None:
    """Show the passages that a question would find, best first."""
    with opened_deployment() as deployment:
        passages = deployment.knowledge_base(agent).retrieve(query, limit=limit)
    for passage in passages:
        place = " > ".join(passage.heading_path)
        page = f", page {passage.page}" if passage.page else ""
        head = f"{passage.rank}. {passage.document_name}{page}  {place}  ({passage.score:.4f})"
        typer.echo(printable(head))
        typer.echo(printable(f"   {' '.join(passage.text.split())}\n"))
    if not passages:
        typer.echo(f"Nothing found. `vivavoce kb status {agent}` lists what there is.")
