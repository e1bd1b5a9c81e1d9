"""What Dagster says of the report page: where it opens, and where it lies."""

from pathlib import Path

import dagster as dg
import pytest

from orchestration.definitions import defs
from orchestration.operations.operations import publish_reports
from orchestration.settings import Settings
from tests.analysis.calls import hold_call
from tests.orchestration.sample import sample_deployment, write_data


@pytest.mark.parametrize(
    ("api_url", "opens"),
    [
        (None, "http://127.0.0.1:8080/report"),
        ("https://voice.example.com/", "https://voice.example.com/report"),
    ],
)
def test_the_page_is_linked_where_people_reach_the_server(
    tmp_path: Path, api_url: str | None, opens: str
):
    settings = write_data(tmp_path / "data")
    if api_url is not None:
        settings = Settings(data_dir=settings.data_dir, api_url=api_url)
    with sample_deployment(settings) as deployment:
        hold_call(deployment.conversations, "c1", question="When?", answer="Soon.")
        publish_reports(deployment)
        made = defs.resolve_assets_def("report_page")(deployment)

    assert isinstance(made, dg.MaterializeResult)
    metadata = made.metadata
    assert metadata is not None
    assert metadata["open"] == dg.MetadataValue.url(opens)
    page = metadata["page"]
    assert isinstance(page, dg.PathMetadataValue)
    assert Path(page.value or "").is_file()
