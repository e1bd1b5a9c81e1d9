from pathlib import Path

import dagster as dg

from orchestration.definitions import defs
from orchestration.processes.runs import run_job
from orchestration.settings import Settings
from tests.orchestration.sample import AGENT_FILE, hold_calls, sample_deployment, write_data


def test_the_schedule_deletes_what_is_due_and_logs_counts(tmp_path: Path):
    settings: Settings = write_data(tmp_path / "data")
    text = AGENT_FILE + "privacy: {transcripts_days: 30}\n"
    (settings.agents_dir / "shop-desk.yaml").write_text(text)
    with sample_deployment(settings) as deployment, dg.instance_for_test() as instance:
        hold_calls(deployment, 2)
        outcome = run_job("retention", deployment, definitions=defs, instance=instance)
        assert deployment.conversations.conversations() == []
        assert instance.get_run_by_id(outcome.run_id) is not None
    assert defs.resolve_schedule_def("daily_retention").job_name == "retention"
