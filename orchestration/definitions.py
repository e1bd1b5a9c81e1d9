"""The Dagster code location: `dagster dev -m orchestration.definitions`.

Loads with no key, no network and no model: everything is opened by the run that needs it.
"""

import warnings

import dagster as dg

# `backfill_policy` works the same since Dagster 1.5 and is still marked as beta.
warnings.filterwarnings("ignore", category=dg.BetaWarning, message="Parameter `backfill_policy`")

from orchestration.defs import (  # noqa: E402
    automation,
    conversations,
    evaluations,
    improving,
    knowledge_base,
    questions,
    reports,
    resources,
    retention,
)
from orchestration.defs.execution import executor  # noqa: E402
from orchestration.settings import load_settings  # noqa: E402

_WITH_ASSETS = [knowledge_base, conversations, evaluations, improving, reports]

defs = dg.Definitions(
    assets=[questions.QUESTIONS, *dg.load_assets_from_modules(_WITH_ASSETS)],
    asset_checks=dg.load_asset_checks_from_modules(_WITH_ASSETS),
    jobs=[
        automation.ingest_agent,
        automation.ingest_documents,
        automation.evaluate_days,
        automation.improve_agent,
        automation.publish_reports,
        retention.retention,
    ],
    schedules=[
        automation.hourly_reports,
        automation.hourly_left_overs,
        automation.daily_links,
        automation.daily_findings,
        retention.daily_retention,
    ],
    sensors=[
        automation.conversations_ended,
        automation.agent_files,
        automation.what_follows,
        automation.causes_of_failures,
    ],
    resources={"deployment": resources.deployment},
    executor=executor(load_settings()),
)
