"""What an operator does in the Dagster UI, in a real browser on real processes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from conversation.store.store import ConversationStore
from orchestration.deployment import Deployment
from orchestration.settings import Settings
from tests.analysis.calls import hold_call
from tests.conftest import REPOSITORY
from tests.conversation.server.browser import Page, opened_browser
from tests.orchestration.processes.test_workers import judge_server
from tests.orchestration.sample import FIRST_DAY, write_data
from tests.servers import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DAYS = 31
JUDGED = ("ended_conversations", "call_metrics", "evaluations", "collected_values", "summaries")
LOCATION = "vivavoce"
REPOSITORY_SELECTOR = {"repositoryName": "__repository__", "repositoryLocationName": LOCATION}
DONE = ("COMPLETED_SUCCESS", "COMPLETED_FAILED", "COMPLETED", "FAILED", "CANCELED")


@dataclass(frozen=True)
class Ui:
    """A running `vivavoce ui`."""

    url: str
    settings: Settings

    def ask(self, query: str, **variables: Any) -> Any:
        """What the UI itself asks its server."""
        body = {"query": query, "variables": variables}
        reply = httpx.post(f"{self.url}/graphql", json=body, trust_env=False, timeout=60).json()
        assert "errors" not in reply, reply
        return reply["data"]

    def runs(self, **tags: str) -> list[dict[str, Any]]:
        query = """query($filter: RunsFilter) { runsOrError(filter: $filter) {
            ... on Runs { results { id jobName status } } } }"""
        wanted = {"tags": [{"key": key.replace("_", "/"), "value": tags[key]} for key in tags]}
        return self.ask(query, filter=wanted)["runsOrError"]["results"]


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    folder = tmp_path_factory.mktemp("ui")
    settings = write_data(folder / "data")
    port = free_port()
    with judge_server() as api_base:
        agent_file = settings.agents_dir / "shop-desk.yaml"
        judge = (
            f"llm: {{model: openai/judge, api_base: {api_base!r}}}\nanalysis: {{summary: false}}"
        )
        text = agent_file.read_text().replace("llm: {model: scripted/model}", judge)
        agent_file.write_text(text)
        vivavoce = Path(sys.executable).with_name("vivavoce")
        process = subprocess.Popen(
            [vivavoce, "ui", "--port", str(port), "--api-port", str(free_port())],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "OPENAI_API_KEY": "unused",
                "VIVAVOCE_DATA_DIR": str(settings.data_dir),
                "VIVAVOCE_FIRST_DAY": str(FIRST_DAY.date()),
            },
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            told: list[str] = []
            while not told or not told[-1].startswith("Ctrl-C"):
                told.append(process.stdout.readline())
                assert told[-1], "".join(told)
            ui = Ui(f"http://127.0.0.1:{port}", settings)
            switch_off_automation(ui)
            with Deployment(settings) as deployment:
                hold_a_month(deployment.conversations)
            yield ui
        finally:
            process.terminate()
            process.communicate(timeout=60)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with opened_browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def switch_off_automation(ui: Ui) -> None:
    """Else the sensor would judge the month before anybody can ask for that, and a full hour
    that strikes during the test would publish beside the click."""
    query = """query($selector: RepositorySelector!) {
        schedulesOrError(repositorySelector: $selector) {
            ... on Schedules { results { id scheduleState { status } } } }
        sensorsOrError(repositorySelector: $selector) {
            ... on Sensors { results { id sensorState { status } } } } }"""
    stop = {
        "schedule": "mutation($id: String) { stopRunningSchedule(id: $id) { __typename } }",
        "sensor": "mutation($id: String) { stopSensor(id: $id) { __typename } }",
    }
    found = ui.ask(query, selector=REPOSITORY_SELECTOR)
    for kind, mutation in stop.items():
        running = [
            one["id"]
            for one in found[f"{kind}sOrError"]["results"]
            if one[f"{kind}State"]["status"] == "RUNNING"
        ]
        assert running, f"no {kind} runs by itself any more"
        for one in running:
            (answer,) = ui.ask(mutation, id=one).values()
            assert "Error" not in answer["__typename"], answer


def hold_a_month(store: ConversationStore) -> None:
    for number in range(DAYS):
        hold_call(store, f"c{number}", started_at=FIRST_DAY + timedelta(days=number))


def click(page: Page, label: str) -> None:
    """Press the first button with this label, as soon as it can be pressed."""
    found = (
        "[...document.querySelectorAll('button')]"
        f".find(b => b.textContent.trim().startsWith({label!r}) && !b.disabled)"
    )
    page.wait(found, timeout_s=60)
    page.run(f"{found}.click()")


def shows(page: Page, text: str) -> None:
    page.wait(f"document.body.innerText.includes({text!r})", timeout_s=60)


def test_a_month_is_backfilled_in_one_run_and_its_days_show_as_materialized(ui: Ui, page: Page):
    days = [str((FIRST_DAY + timedelta(days=number)).date()) for number in range(DAYS)]
    assets = [{"path": [name]} for name in (*JUDGED, "report_tables")]
    launch = """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(
        backfillParams: $params) { ... on LaunchBackfillSuccess { backfillId }
        ... on PythonError { message } } }"""
    started = ui.ask(launch, params={"assetSelection": assets, "partitionNames": days})
    backfill_id = started["launchPartitionBackfill"]["backfillId"]

    query = """query($id: String!) { partitionBackfillOrError(backfillId: $id) {
        ... on PartitionBackfill { status } } }"""
    until_s = time.monotonic() + 300
    status = ""
    while status not in DONE:
        assert time.monotonic() < until_s, f"the backfill is {status}"
        time.sleep(1)
        status = ui.ask(query, id=backfill_id)["partitionBackfillOrError"]["status"]

    assert status == "COMPLETED_SUCCESS"
    assert [run["status"] for run in ui.runs(dagster_backfill=backfill_id)] == ["SUCCESS"]
    page.open(f"{ui.url}/assets/evaluations?view=partitions&partition={days[5]}")
    shows(page, f"Materialized ({DAYS})")
    shows(page, "success_rate/shop-desk/helped")
    page.open(f"{ui.url}/assets/evaluations?view=overview")
    shows(page, "A judge's verdict on each success criterion")
    shows(page, "judge_prompt_version")
    shows(page, "holds: personal_data")
    page.open(f"{ui.url}/assets/evaluations?view=checks")
    shows(page, "judging_is_within_budget")
    shows(page, "Succeeded")
    with Deployment(ui.settings) as deployment:
        answers = deployment.evaluations.evaluations([f"c{number}" for number in range(DAYS)])
    assert len(answers) == DAYS


def test_the_report_is_published_with_a_click_and_opens(ui: Ui, page: Page):
    page.open(f"{ui.url}/locations/{LOCATION}/jobs/publish_reports")
    click(page, "Materialize all")
    # Nobody ingested documents or looked for topics yet, which the UI asks about.
    click(page, "Confirm")
    shows(page, "Launched run")
    (run,) = [found for found in ui.runs() if found["jobName"] == "publish_reports"]
    page.open(f"{ui.url}/runs/{run['id']}")
    shows(page, "RUN_SUCCESS")
    page.open(f"{ui.url}/assets/report_page?view=overview")
    shows(page, "reports.html")
    shows(page, "Fresh")

    page.open((ui.settings.store / "reports.html").resolve().as_uri())
    shows(page, "helped")
    assert page.complaints == []
