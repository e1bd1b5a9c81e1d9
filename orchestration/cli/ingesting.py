"""Commands about agents and what they know: agents, ingest, kb."""

from __future__ import annotations

from typing import Annotated

import typer

from analysis.printable import printable_lines
from orchestration.cli.deployment import opened_deployment, progress, require_data
from orchestration.settings import load_settings
from orchestration.terminal.tables import text_table

app = typer.Typer()
kb = typer.Typer(help="Look into an agent's knowledge base.", no_args_is_help=True)
app.add_typer(kb, name="kb")

agents = typer.Typer(
    help="List the agents, also the files that cannot be used, each with the reason.",
    invoke_without_command=True,
)
app.add_typer(agents, name="agents")

Agent = Annotated[str, typer.Argument(help="Id of the agent, or the path of its file.")]


@agents.callback()
def list_all(context: typer.Context) -> None:
    """List the agents, also the files that cannot be used, each with the reason."""
    if context.invoked_subcommand is not None:
        return
    from orchestration.agents import agent_listings, find_agent

    settings = load_settings()
    require_data(settings)
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


@agents.command()
def versions(
    agent: Agent,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Show what changed from one version to another; `live` is one, too."),
    ] = None,
    restore: Annotated[
        str | None, typer.Option(help="Make the agent what it was in this version.")
    ] = None,
    keep_documents: Annotated[
        bool, typer.Option(help="With --restore: keep the documents that it answers from now.")
    ] = False,
) -> None:
    """List what was live of an agent and is kept, newest first; compare, or go back."""
    from orchestration.agent_versions import difference_text, history_text, restore_version

    with opened_deployment() as deployment:
        agent_id = deployment.agent(agent).agent.agent_id
        if restore is not None:
            typer.echo(restore_version(deployment, agent_id, restore, keep_documents))
        elif diff is not None:
            typer.echo(printable_lines(difference_text(deployment, agent_id, *diff)))
        else:
            typer.echo(printable_lines(history_text(deployment, agent_id)))


@app.command()
def ingest(
    agent: Agent,
    strict: Annotated[
        bool, typer.Option(help="Exit with code 1 when any document failed.")
    ] = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show what would be done, and the room left.")
    ] = False,
) -> None:
    """Read the agent's files, links, sites and texts; only what changed is read again.

    Ends with code 1 when there is nothing to answer from, since every document failed.
    """
    if plan:
        _show_plan(agent)
        return
    from orchestration.knowledge.ingesting import ingest as ingest_agent
    from orchestration.operations.reading_ahead import reading_summary
    from orchestration.schedule.done_elsewhere import note_ingested
    from orchestration.terminal.rows import document_table, ingest_summary

    with opened_deployment(progress()) as deployment:
        report = ingest_agent(deployment, agent)
        note_ingested(deployment.settings, deployment.agent(agent).agent.agent_id)
        documents = deployment.knowledge_base(agent).documents()
        typer.echo(document_table(documents))
        typer.echo(f"\n{ingest_summary(report)}")
        read = reading_summary(deployment, agent)
        if read is not None:
            typer.echo(read)
    ready = any(document.status == "ready" for document in documents)
    if report.count("failed") and (strict or not ready):
        raise typer.Exit(1)


def _show_plan(agent: str) -> None:
    from orchestration.knowledge.sources import plan_ingest, room_after
    from orchestration.terminal.rows import plan_table

    with opened_deployment() as deployment:
        planned = plan_ingest(deployment, agent)
        limits = deployment.agent(agent).agent.knowledge_base.limits
    typer.echo(plan_table(planned))
    typer.echo(f"\n{room_after(planned, limits)}")


@kb.command()
def status(agent: Agent) -> None:
    """List the agent's documents, their state, and the room that is left."""
    from orchestration.knowledge.sources import meanings_compared, room_left
    from orchestration.terminal.rows import document_table

    with opened_deployment() as deployment:
        knowledge_base = deployment.knowledge_base(agent)
        documents, compared = knowledge_base.documents(), meanings_compared(knowledge_base)
        limits = deployment.agent(agent).agent.knowledge_base.limits
    typer.echo(document_table(documents))
    typer.echo(f"\n{room_left(documents, limits)} {compared}")


@kb.command()
def show(
    agent: Agent,
    document: Annotated[str, typer.Argument(help="Name or id of the document.")],
    plain: Annotated[
        bool, typer.Option("--plain", help="The text alone, without the borders of chunks.")
    ] = False,
    left_out: Annotated[
        bool, typer.Option("--left-out", help="What of the source is not in the text, by kind.")
    ] = False,
) -> None:
    """Print a document as it is stored and indexed, chunk by chunk.

    Offsets of citations point into this text.
    """
    from orchestration.terminal.rows import left_out_table, text_with_borders

    with opened_deployment() as deployment:
        knowledge_base = deployment.knowledge_base(agent)
        for found in knowledge_base.documents():
            if document in (found.document_id, found.name):
                if left_out:
                    typer.echo(left_out_table(found))
                    return
                text = knowledge_base.text_of(found.document_id)
                chunks = knowledge_base.chunks_of(found.document_id)
                typer.echo(printable_lines(text) if plain else text_with_borders(text, chunks))
                return
        names = ", ".join(repr(found.name) for found in knowledge_base.documents())
    raise typer.BadParameter(f"there is no document {document!r}; there are: {names or 'none'}")


@kb.command()
def search(
    agent: Agent,
    query: Annotated[str, typer.Argument(help="What a user would say.")],
    limit: Annotated[int, typer.Option(min=1, max=50, help="Passages to show.")] = 5,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also show what found each passage.")
    ] = False,
) -> None:
    """Show the passages that a question would find, best first."""
    from orchestration.terminal.rows import passage_text

    with opened_deployment() as deployment:
        passages = deployment.knowledge_base(agent).retrieve(query, limit=limit)
    for passage in passages:
        typer.echo(passage_text(passage, explain=explain))
    if not passages:
        typer.echo(f"Nothing found. `vivavoce kb status {agent}` lists what there is.")


@kb.command()
def rebuild(
    agent: Annotated[
        str, typer.Argument(help="Id of the agent, or Library for what was handed in over the API.")
    ],
) -> None:
    """Make catalog and vectors again from the agent's sources, e.g. when a file is damaged."""
    from orchestration.agents import LIBRARY
    from orchestration.knowledge.rebuilding import rebuild as rebuild_agent
    from orchestration.knowledge.rebuilding import rebuild_library
    from orchestration.terminal.rows import document_table, ingest_summary

    with opened_deployment(progress()) as deployment:
        if agent == LIBRARY:
            count = rebuild_library(deployment)
            typer.echo(f"{count} documents will be read again by the server.")
            return
        rebuilt = rebuild_agent(deployment, agent)
    typer.echo(document_table(rebuilt.documents))
    typer.echo(f"\n{ingest_summary(rebuilt.report)}")
    if rebuilt.set_aside is not None:
        typer.echo(
            f"What could not be read again may still be in {str(rebuilt.set_aside)!r}; the next "
            "rebuild that reads everything deletes it."
        )
    if deployment.settings.kb_url is None:
        typer.echo("Servers that run answer from the old files until they are started again.")


@kb.command()
def snapshots(
    agent: Agent,
    collect: Annotated[
        bool, typer.Option("--collect", help="Also delete now what is no longer needed.")
    ] = False,
) -> None:
    """List the snapshots of a shared knowledge base, the live one first."""
    from orchestration.terminal.snapshot_rows import snapshot_table

    with opened_deployment() as deployment:
        shared = deployment.knowledge_base(agent).shared
        if collect:
            gone, strays = shared.collect()
            typer.echo(f"{gone} snapshots and {strays} pieces of none were deleted.\n")
        typer.echo(snapshot_table(shared.snapshots()))


@kb.command()
def rollback(
    agent: Agent,
    to: Annotated[
        str,
        typer.Argument(help="Snapshot, or index version where the knowledge base is not shared."),
    ],
) -> None:
    """Go back to an earlier snapshot on every machine, or to an earlier index version."""
    from orchestration.terminal.snapshot_rows import SHORT_ID, short_id

    with opened_deployment() as deployment:
        knowledge_base = deployment.knowledge_base(agent)
        if deployment.settings.kb_url is not None and not (to.isdigit() and len(to) < SHORT_ID):
            record = knowledge_base.shared.go_back_to(to)
            told = f"The snapshot {short_id(record.snapshot_id)} is live: {record.documents}"
            typer.echo(f"{told} documents, index version {record.index_version}.")
            return
        if not to.isdigit():
            raise typer.BadParameter("give an index version; only shared ones have snapshots")
        version = knowledge_base.rollback(int(to))
        typer.echo(f"Index version {version} has the documents of version {to}.")
