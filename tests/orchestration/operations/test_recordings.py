"""Recordings of a deployment: after a crash, and when they are to be forgotten."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from orchestration.deployment import Deployment
from orchestration.operations.forgetting import forget
from orchestration.operations.operations import close_abandoned
from orchestration.operations.retention import apply_retention
from tests.orchestration.sample import AGENT_FILE, sample_deployment, write_data

NOW = datetime(2026, 3, 20, tzinfo=UTC)
SECOND = np.full(16_000, 500, dtype=np.int16)


def held(deployment: Deployment, conversation_id: str, *, days_ago: int, ends: bool = True) -> None:
    """A call that was recorded, and whose process may have been killed."""
    began = NOW - timedelta(days=days_ago)
    store = deployment.conversations
    store.begin(conversation_id, agent_id="shop-desk", started_at=began)
    recording = deployment.recordings.begin(conversation_id)
    recording.heard(SECOND, 0.0)
    if ends:
        recording.close()
        deployment.recordings.finish(conversation_id)
        deployment.recordings.listened(conversation_id)
        store.end(conversation_id, reason="user_ended", at=began)


def test_recordings_of_crashed_calls_are_finished_and_others_go_on(tmp_path: Path):
    with sample_deployment(write_data(tmp_path / "data")) as deployment:
        held(deployment, "conv_crashed", days_ago=3, ends=False)
        held(deployment, "conv_going", days_ago=0, ends=False)
        assert close_abandoned(deployment, NOW) == ["conv_crashed"]

        names = {path.name for path in (deployment.settings.store / "recordings").iterdir()}
        assert "conv_crashed.sides" in names
        assert "conv_going.wav" in names
        assert "conv_going.sides" not in names
        assert len(deployment.recordings.sound("conv_crashed")) == 16_000


@pytest.mark.parametrize("how", ["forget", "retention"])
def test_nothing_of_the_sound_outlives_what_may_be_kept(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    settings = write_data(tmp_path / "data")
    with sample_deployment(settings) as deployment:
        for name, days_ago in (("conv_old", 9), ("conv_new", 1)):
            held(deployment, name, days_ago=days_ago)
        folder = settings.store / "recordings"
        assert len(list(folder.glob("conv_old.*"))) == 3
        if how == "forget":
            forget(deployment, now=NOW, conversation_id="conv_old")
        else:
            agent_file = settings.agents_dir / "shop-desk.yaml"
            agent_file.write_text(f"{AGENT_FILE}privacy: {{recordings_days: 5}}\n", "utf-8")
            apply_retention(deployment, now=NOW)

        assert not list(folder.glob("conv_old*"))
        assert len(list(folder.glob("conv_new.*"))) == 3
