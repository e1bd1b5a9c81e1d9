"""A published file that is damaged is told of, and the next publish makes it anew."""

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.errors import ReportsNotPublishedError
from analysis.reports import open_reports
from orchestration.operations.operations import publish_reports
from tests.orchestration.sample import hold_calls, sample_deployment, write_data

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda good: good[: len(good) // 2],
    "empty": lambda _good: b"",
    "another kind": lambda _good: b"no database" * 1_000,
    "no header": lambda good: bytes(4_096) + good[4_096:],
    "flipped": lambda good: good[:20_000] + bytes(b ^ 255 for b in good[20_000:]),
}


@pytest.mark.slow
def test_a_damaged_published_file_is_made_anew(tmp_path: Path):
    with sample_deployment(write_data(tmp_path)) as deployment:
        hold_calls(deployment, 2)
        publish_reports(deployment)
        for number, (kind, damage) in enumerate(DAMAGE.items(), start=3):
            path = deployment.reports_file
            path.write_bytes(damage(path.read_bytes()))
            with pytest.raises(ReportsNotPublishedError, match="cannot be read"):
                open_reports(path).__enter__()
            hold_calls(deployment, 1, first_number=100 * number)
            publish_reports(deployment)
            with open_reports(path) as reports:
                counted = reports.execute("select count(*) from conversations").fetchone()
            assert counted == (number,), kind
