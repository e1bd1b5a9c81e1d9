"""Commands that say what to improve: gaps, topics, impact."""

import shutil
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from orchestration.agents import agent_ids
from orchestration.cli.opening import opened_deployment, progress
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
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Asked on this day or later.")
    ] = None,
    recheck: Annotated[
        bool, typer.Option("--recheck", help="Ask every question again, changed or not.")
    ] = False,
    name_with: _NameWith = None,
) -> None:
    """Show what users asked and the documents do not answer; after an ingest, what is fixed."""
    from analysis.gap_text import gaps_as_text
    from orchestration.improving import default_embedder, update_gaps

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
    from analysis.gap_text import topics_as_text
    from orchestration.improving import default_embedder, update_topics

    with opened_deployment(progress()) as deployment:
        embedder = default_embedder(deployment)
        for agent_id in _agents(deployment, agent):
            run = update_topics(deployment, agent_id, embedder=embedder, model=name_with)
            typer.echo(topics_as_text(run, width=_width()))


def _agents(deployment: Deployment, agent: str | None) -> list[str]:
    """The agent that is asked for, or every agent that has conversations."""
    if agent is not None:
        return [deployment.agent(agent).agent.agent_id]
    known = {found.agent_id for found in deployment.conversations.conversations()}
    return [agent_id for agent_id in agent_ids(deployment.settings) if agent_id in known]


def _today() -> date:
    return datetime.now(UTC).date()


def _width() -> int:
    return max(80, shutil.get_terminal_size((110, 40)).columns)
