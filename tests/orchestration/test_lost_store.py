"""A store that vanished is not taken for a new one while its exported days are there."""

from pathlib import Path

import pytest

from orchestration.deployment import Deployment
from orchestration.errors import LostStoreError
from orchestration.lost_store import refuse_lost_store
from orchestration.operations.operations import publish_reports
from tests.orchestration.sample import hold_calls, sample_deployment, write_data


def test_a_store_that_vanished_leaves_the_reports_as_they_are(tmp_path: Path):
    settings = write_data(tmp_path / "data")
    with sample_deployment(settings) as deployment:
        hold_calls(deployment, 1)
        publish_reports(deployment)
        file, reports = (
            settings.store / "conversations.sqlite",
            deployment.reports_file.read_bytes(),
        )

    for lose, said in ((lambda: file.write_bytes(b""), "is empty"), (file.unlink, "is not there")):
        lose()
        with (
            Deployment(settings) as deployment,
            pytest.raises(LostStoreError, match=f"conversations.sqlite' {said}"),
        ):
            publish_reports(deployment)
        assert deployment.reports_file.read_bytes() == reports
        assert not file.exists() or not file.stat().st_size

    deployment.warehouse_dir.rename(settings.store / "kept")
    with Deployment(settings) as deployment:
        assert deployment.conversations.count() == 0


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql://h/d", "no url"])
def test_only_a_file_can_vanish(tmp_path: Path, url: str):
    (tmp_path / "days").mkdir()
    (tmp_path / "days" / "2026-03-01.json").write_text("{}")
    with pytest.raises(LostStoreError):
        refuse_lost_store(f"sqlite:///{tmp_path}/gone.sqlite", tmp_path)

    refuse_lost_store(url, tmp_path)
