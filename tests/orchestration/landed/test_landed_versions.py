"""What earlier landed versions left opens with today's code, and goes on.

`make.py` says how the archive was made. Its folders are named after revisions.
"""

import tarfile
from pathlib import Path

import pytest

from analysis.reports import open_reports
from orchestration.checks.reports import row_count_problems
from orchestration.definitions import defs
from orchestration.deployment import Deployment
from orchestration.knowledge.ingesting import ingest
from orchestration.operations.operations import evaluate, publish_reports
from orchestration.processes.runs import opened_instance, run_job
from orchestration.settings import Settings
from tests.orchestration.sample import sample_deployment

ARCHIVE = Path(__file__).with_name("landed.tar.xz")
AGENT = "shop-desk"
REVISIONS = ("7a733e2", "8aafc50", "441bf77", "0f88f0a", "b3e84c4", "8023119")
SLOW = {"441bf77"}
"""Between two others in time, and read by the same steps."""
IDS = {"c0", "c1", "c2"}


def left_by(revision: str, folder: Path) -> Settings:
    with tarfile.open(ARCHIVE) as archive:
        wanted = [each for each in archive if each.name.split("/")[0] == revision]
        # An argument since 3.11.4 only.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # pyright: ignore[reportAttributeAccessIssue]
        archive.extractall(folder, wanted)
    return Settings(data_dir=folder / revision)


def best(deployment: Deployment, query: str) -> str:
    return deployment.knowledge_base(AGENT).retrieve(query, limit=1)[0].text


@pytest.mark.parametrize(
    "revision",
    [pytest.param(r, marks=pytest.mark.slow) if r in SLOW else r for r in REVISIONS],
)
def test_a_store_and_a_knowledge_base_go_on(revision: str, tmp_path: Path):
    with sample_deployment(left_by(revision, tmp_path)) as deployment:
        listed = deployment.conversations.conversations(agent_id=AGENT)
        assert {each.conversation_id for each in listed} == IDS
        transcripts = deployment.conversations.transcripts(sorted(IDS))
        assert all(each.turns for each in transcripts.values())  # type: ignore[union-attr]
        judged = deployment.evaluations.evaluations(sorted(IDS))
        assert {each.conversation_id for each in judged} == IDS
        documents = deployment.knowledge_base(AGENT).documents()
        assert {each.name for each in documents} == {"refunds.md", "delivery.md"}
        assert "five days" in best(deployment, "How long do refunds take?")
        ingest(deployment, AGENT)
        assert "two days" in best(deployment, "How long do parcels take?")
        evaluate(deployment)
        assert evaluate(deployment).answers == 0
        publish_reports(deployment)
        assert row_count_problems(deployment) == []
        with open_reports(deployment.reports_file) as reports:
            assert reports.sql("select count(*) from success_rates").fetchone() != (0,)


@pytest.mark.slow
@pytest.mark.parametrize("revision", REVISIONS)
def test_a_dagster_instance_goes_on(revision: str, tmp_path: Path):
    with (
        sample_deployment(left_by(revision, tmp_path)) as deployment,
        opened_instance(deployment) as instance,
    ):
        assert {run.job_name for run in instance.get_runs()} == {"evaluate_days", "publish_reports"}
        outcome = run_job("publish_reports", deployment, definitions=defs, instance=instance)
        assert outcome.failed_checks == ()
        assert len(instance.get_runs()) == 3
