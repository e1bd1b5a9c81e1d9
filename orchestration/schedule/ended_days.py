"""Which days to judge after conversations ended: what a look costs follows what is new."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Self

from analysis.store.closed_days import Closed, ClosedDay, look_at_closed, state_of_day
from conversation.agent.config import AgentConfig
from orchestration.deployment import Deployment
from orchestration.operations.masking import usable_agents
from orchestration.operations.narrowing import judged_since
from orchestration.operations.operations import outdated_days
from orchestration.schedule.question_versions import joined_version, versions_by_agent


@dataclass(frozen=True, slots=True)
class Looked:
    """How far one has looked: the cursor of the sensor."""

    closed_to: datetime | None = None
    """Conversations that were closed until then have been seen."""
    questions: str | None = None
    """Version of what all agents ask that every day was compared with."""
    waiting: tuple[str, ...] = ()
    """Days that lie ahead, of conversations whose clock is wrong: asked for when they come."""

    @classmethod
    def parse(cls, cursor: str | None) -> Self:
        """Read a cursor; older versions of the sensor kept the time alone."""
        if cursor is None:
            return cls()
        if not cursor.startswith("{"):
            return cls(datetime.fromisoformat(cursor))
        kept = json.loads(cursor)
        closed_to = kept["closed_to"]
        moment = closed_to and datetime.fromisoformat(closed_to)
        return cls(moment, kept["questions"], tuple(kept.get("waiting", ())))

    @property
    def cursor(self) -> str:
        """As text, for `parse`."""
        return json.dumps(asdict(self), default=datetime.isoformat)


def look(deployment: Deployment, looked: Looked, *, now: datetime) -> tuple[Closed, Looked]:
    """Days with conversations that were closed since the last look, and how far one has looked."""
    since = judged_since(deployment, now)
    asking = {agent.agent_id: since.get(agent.agent_id) for agent in _asking(deployment)}
    closed = look_at_closed(deployment.engine, closed_to=looked.closed_to, now=now, asking=asking)
    return closed, Looked(closed.closed_to, joined_version(versions_by_agent(deployment)))


def days_with_other_questions(closed: Closed, before: Looked, after: Looked) -> list[date] | None:
    """Days that may be asked something else than before; None for all of them."""
    if before.questions != after.questions:
        return None
    return [found.day for found in closed.days if _moved(found)]


def days_to_judge(deployment: Deployment, closed: Closed) -> dict[date, str]:
    """Days with something to judge or to report, oldest first.

    Returns:
        By day (UTC) its state, which stays until another conversation of it is closed.
    """
    judged = [found.day for found in closed.days if found.is_new and not found.unjudged]
    unjudged = [found.day for found in closed.days if found.unjudged]
    days = sorted([*unjudged, *(outdated_days(deployment, judged) if judged else ())])
    return {day: state_of_day(deployment.engine, day) for day in days}


def days_that_came(deployment: Deployment, looked: Looked, *, today: date) -> dict[date, str]:
    """Days that lay ahead and do so no longer, each with its state."""
    came = [day for day in map(date.fromisoformat, looked.waiting) if day <= today]
    return {day: state_of_day(deployment.engine, day) for day in came}


def still_ahead(looked: Looked, found: Iterable[date], *, today: date) -> tuple[str, ...]:
    """Days to wait for, oldest first: those that were waited for, and newly found ones."""
    days = {*map(date.fromisoformat, looked.waiting), *found}
    return tuple(day.isoformat() for day in sorted(days) if day > today)


def _moved(found: ClosedDay) -> bool:
    return found.is_new or found.unjudged


def _asking(deployment: Deployment) -> list[AgentConfig]:
    return [
        agent
        for agent in usable_agents(deployment)
        if agent.criteria or agent.data_collection or agent.analysis.summary
    ]
