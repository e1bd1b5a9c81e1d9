"""A changed criterion shows exactly the days that it concerns as out of date."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from orchestration.definitions import defs
from orchestration.defs.questions import report_changed_questions
from orchestration.deployment import Deployment
from orchestration.processes.runs import opened_instance, run_job
from orchestration.schedule.question_versions import versions_by_day
from tests.analysis.calls import hold_call
from tests.orchestration.sample import FIRST_DAY, sample_deployment, write_data

DAYS = ("2026-03-01", "2026-03-02", "2026-03-03")


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    settings = write_data(tmp_path / "data")
    other = settings.agents_dir / "shop-desk.yaml"
    (settings.agents_dir / "night-desk.yaml").write_text(
        other.read_text().replace("shop-desk", "night-desk")
    )
    with sample_deployment(settings) as opened:
        hold_call(opened.conversations, "c0", started_at=FIRST_DAY)
        opened.conversations.begin(
            "c1", agent_id="night-desk", started_at=FIRST_DAY + timedelta(days=1)
        )
        opened.conversations.end(
            "c1", reason="user_ended", at=FIRST_DAY + timedelta(days=1, seconds=9)
        )
        yield opened


def out_of_date(instance: dg.DagsterInstance) -> set[str]:
    context = LoadingContextForTest(instance)
    resolver = CachingStaleStatusResolver(instance, defs.resolve_asset_graph(), context)
    key = dg.AssetKey("evaluations")
    return {day for day in DAYS if resolver.get_status(key, day) is StaleStatus.STALE}


@pytest.mark.slow
def test_only_the_days_of_the_changed_agent_are_out_of_date(deployment: Deployment):
    with opened_instance(deployment) as instance:
        assert len(report_changed_questions(instance, versions_by_day(deployment))) == 2
        run_job(
            "evaluate_days",
            deployment,
            definitions=defs,
            instance=instance,
            partition_range=(DAYS[0], DAYS[-1]),
        )
        assert report_changed_questions(instance, versions_by_day(deployment)) == []
        assert out_of_date(instance) == set()

        agent_file = deployment.settings.agents_dir / "shop-desk.yaml"
        agent_file.write_text(agent_file.read_text().replace("got an answer", "was helped"))
        report_changed_questions(instance, versions_by_day(deployment))

        assert out_of_date(instance) == {DAYS[0]}
        run_job(
            "evaluate_days",
            deployment,
            definitions=defs,
            instance=instance,
            partition=DAYS[0],
        )
        assert out_of_date(instance) == set()
