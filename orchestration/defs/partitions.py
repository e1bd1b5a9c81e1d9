"""How assets are cut: by agent, and by the UTC day on which conversations ended."""

import dagster as dg

from orchestration.agents import agent_ids
from orchestration.deployment import Deployment
from orchestration.schedule.first_day import first_day
from orchestration.settings import load_settings

agents = dg.DynamicPartitionsDefinition(name="agents")
"""One for each agent file; the sensor `agent_files` adds new ones."""

_SETTINGS = load_settings()

FIRST_DAY = first_day(_SETTINGS)
"""As it was when the definitions were loaded."""

days = dg.DailyPartitionsDefinition(
    start_date=FIRST_DAY.isoformat(),
    timezone="UTC",
    # Today has a partition too: conversations are judged soon after they end.
    end_offset=1,
)

days_in_a_run = (
    dg.BackfillPolicy.single_run()
    if _SETTINGS.celery_broker_url is None
    else dg.BackfillPolicy.multi_run(max_partitions_per_run=1)
)
"""On one machine a range of days runs as one, so that models are loaded once. Over workers each
day is a run of its own, so that they share the days."""


def checked_agents(context: dg.AssetCheckExecutionContext, deployment: Deployment) -> list[str]:
    """Agents that a check looks at: all of them, the one of its run first.

    A check has one state for all agents, and what is right with one must not hide another's fault.
    """
    own = [context.partition_key] if context.op_execution_context.has_partition_key else []
    usable = set(agent_ids(deployment.settings))
    known = context.instance.get_dynamic_partitions("agents")
    return list(dict.fromkeys([*own, *(each for each in known if each in usable)]))
