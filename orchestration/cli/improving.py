"""Commands that say what to improve: gaps, topics, impact."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.deployment import DAY_SHOWN, opened_deployment, progress, written_day

if TYPE_CHECKING:
    from orchestration.deployment import Deployment

app = typer.Typer()

_Agent = Annotated[str | None, typer.Option(help="Only this agent.")]
_NameWith = Annotated[
    str | None, typer.Option(help="Model string that writes titles, e.g. openai/gpt-4.1-mini.")
]


@app.command()
def gaps(
    agent: _Agent = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=written_day, metavar=DAY_SHOWN, help="Asked on this day or later."),
    ] = None,
    recheck: Annotated[
        bool, typer.Option("--recheck", help="Ask every question again, changed or not.")
    ] = False,
    name_with: _NameWith = None,
) -> None:
    """Show what users asked and the documents do not answer; after an ingest, what is fixed."""
    from analysis.gaps.text import gaps_as_text
    from orchestration.operations.improving import default_embedder, update_gaps

    with opened_deployment(progress()) as deployment:
        embedder = default_embedder(deployment)
        found = [
            gap
            for agent_id in _agents(deployment, agent)
            for gap in update_gaps(
                deployment, agent_id, embedder=embedder, recheck=recheck, model=name_with
            ).gaps
            if since is None or gap.last_asked_at.date() >= since.date()
        ]
    typer.echo(gaps_as_text(found, today=_today(), width=_width()))


@app.command()
def topics(agent: _Agent = None, name_with: _NameWith = None) -> None:
    """Find what conversations are about, and how many there are of each topic."""
    from analysis.gaps.text import topics_as_text
    from orchestration.operations.improving import default_embedder, update_topics

    with opened_deployment(progress()) as deployment:
        embedder = default_embedder(deployment)
        for agent_id in _agents(deployment, agent):
            run = update_topics(deployment, agent_id, embedder=embedder, model=name_with)
            typer.echo(topics_as_text(run, width=_width()))


def _agents(deployment: Deployment, agent: str | None) -> list[str]:
    """The agent that is asked for, or every agent that has conversations."""
    from orchestration.agents import agent_ids

    if agent is not None:
        return [deployment.agent(agent).agent.agent_id]
    known = set(deployment.conversations.agent_ids())
    return [agent_id for agent_id in agent_ids(deployment.settings) if agent_id in known]


def _today() -> date:
    return datetime.now(UTC).date()


def _width() -> int:
    return max(80, shutil.get_terminal_size((110, 40)).columns)


@app.command()
def impact(
    agent: Annotated[str, typer.Argument(help="Id of the agent, or the path of its file.")],
    add: Annotated[
        list[str] | None, typer.Option(help="A file or link to try; repeatable.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option(help="A document to try without; repeatable.")
    ] = None,
    from_version: Annotated[
        int | None, typer.Option(help="Compare with this index version, not the present one.")
    ] = None,
    to_version: Annotated[
        int | None, typer.Option(help="Try this earlier index version, not files.")
    ] = None,
    from_snapshot: Annotated[
        str | None, typer.Option(help="Compare with this snapshot, not the live one.")
    ] = None,
    to_snapshot: Annotated[
        str | None, typer.Option(help="Try this snapshot of a shared knowledge base.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(parser=written_day, metavar=DAY_SHOWN, help="Only conversations since then."),
    ] = None,
    max_turns: Annotated[int, typer.Option(min=1, help="The newest turns that are tried.")] = 2_000,
    show: Annotated[int, typer.Option(min=0, help="Changed turns that are shown.")] = 10,
    replay: Annotated[
        int, typer.Option(min=0, help="Also hold so many conversations again, and judge both.")
    ] = 0,
    agent_file: Annotated[
        str | None, typer.Option(help="Replay with this agent file on the new side.")
    ] = None,
) -> None:
    """Show what a change of the documents does to past turns, before it is switched on.

    Tried on a copy that is deleted afterwards. Without options the change is what `ingest` would
    do now.
    """
    from analysis.gaps.impact_text import differences_as_text, impact_as_text
    from orchestration.operations.impact import ProposedChange, change_impact, replay_both, tried

    change = ProposedChange(
        tuple(add or ()), tuple(remove or ()), from_version, to_version, from_snapshot, to_snapshot
    )
    versions = (from_version, to_version) != (None, None)
    if (add or remove or versions) and (from_snapshot or to_snapshot):
        raise typer.BadParameter("give either snapshots, or documents, or index versions")
    if (add or remove) and not change.is_of_documents:
        raise typer.BadParameter("give either documents to add and remove, or index versions")
    with opened_deployment(progress()) as deployment, tried(deployment, agent, change) as trial:
        found = change_impact(
            deployment,
            agent,
            trial,
            since=since and since.replace(tzinfo=UTC),
            max_turns=max_turns,
        )
        typer.echo(f"{change.text}: {trial.documents_before} -> {trial.documents_after} documents")
        typer.echo(impact_as_text(found, shown=show, width=_width()))
        if replay:
            affected = [turn.question.conversation_id for turn in found.changed]
            ids = list(dict.fromkeys(affected))[:replay]
            new = deployment.agent(agent_file).agent if agent_file else None
            replayed = replay_both(deployment, agent, trial, ids, new_agent=new)
            typer.echo(
                f"{replayed.conversations} affected conversations were held and judged again, "
                "with the old and the new documents:"
            )
            typer.echo(differences_as_text(replayed.differences, scored=replayed.scored))
