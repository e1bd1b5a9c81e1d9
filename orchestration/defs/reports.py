"""reports: the published DuckDB file.

No `from __future__ import annotations` here: Dagster needs the annotations as types.
"""

from datetime import timedelta

import dagster as dg

from orchestration.checks.reports import row_count_problems
from orchestration.defs.evaluations import report_tables
from orchestration.defs.policy import (
    AGAIN_LATER,
    OPERATORS,
    PERSONAL,
    only_transient_failures_again,
)
from orchestration.defs.shown.lineage import column_lineage
from orchestration.defs.shown.metadata import check_result, published_metadata
from orchestration.defs.shown.schemas import published_schema
from orchestration.deployment import Deployment
from orchestration.operations.operations import publish_reports

PUBLISHED_HOURLY = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=3), warn_window=timedelta(hours=2)
)
"""The schedule `hourly_reports` publishes; one that was missed is no alarm."""


@dg.asset(
    deps=[report_tables, "documents", "topics", "knowledge_gaps"],
    group_name="reports",
    kinds={"duckdb"},
    tags=PERSONAL,
    owners=[OPERATORS],
    retry_policy=AGAIN_LATER,
    freshness_policy=PUBLISHED_HOURLY,
    metadata={**published_schema(), **column_lineage("reports")},
)
def reports(deployment: dg.ResourceParam[Deployment]) -> dg.MaterializeResult:
    """`reports.duckdb`: tables and documented views that people query with SQL.

    Built beside the old file and exchanged in one step, so that who reads is never disturbed. Days
    whose rows are out of date, e.g. after a killed run, are written anew first.
    """
    with only_transient_failures_again():
        published = publish_reports(deployment)
    return dg.MaterializeResult(
        metadata={**published_metadata(published), **column_lineage("reports")}
    )


@dg.asset_check(asset=reports)
def reports_open_and_are_complete(
    deployment: dg.ResourceParam[Deployment],
) -> dg.AssetCheckResult:
    """The published file opens, every view answers, and no row was lost on the way.

    An error: people would act on figures that are not those of the store.
    """
    return check_result(row_count_problems(deployment))
