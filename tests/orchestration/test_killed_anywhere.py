"""A process is killed at random points of its work: nothing acknowledged is lost or doubled.

`--kill-points 200` kills as often as that; the seed of a run is printed with what fails.
"""

import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from conversation.errors import UnknownConversationError
from orchestration.checks.reports import row_count_problems
from orchestration.deployment import Deployment
from orchestration.knowledge.ingesting import ingest
from orchestration.operations.operations import (
    close_abandoned,
    evaluate,
    outdated_days,
    publish_reports,
)
from tests.orchestration.killed_work import AGENT, settings_of, work
from tests.orchestration.sample import hold_calls, sample_deployment, write_data
from tests.servers import postgresql_server

SEED = 20_261_130
_HALF_MADE = (".next", ".tmp", ".half")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str | None]:
    if request.param == "sqlite":
        yield None
        return
    with postgresql_server(tmp_path) as address:
        yield f"postgresql+psycopg://{address}"


@pytest.mark.slow
@pytest.mark.timeout(7_200)
def test_a_process_killed_anywhere_loses_nothing(
    store_url: str | None, tmp_path: Path, request: pytest.FixtureRequest
):
    points = int(str(request.config.getoption("--kill-points")))
    folder = tmp_path / "data"
    write_data(folder)
    with sample_deployment(settings_of(folder, store_url)) as deployment:
        hold_calls(deployment, 3)
        ingest(deployment, AGENT)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.orchestration.killed_work"])
    chosen = random.Random(SEED)
    said = tmp_path / "acknowledged"
    said.touch()
    reached: Counter[str] = Counter()
    for point in range(points):
        before = len(said.read_text().splitlines())
        process = context.Process(target=work, args=(folder, store_url, SEED + point, said))
        process.start()
        _until_ready(said, before)
        time.sleep(chosen.uniform(0.0, 4.0))
        process.kill()
        process.join()
        lines = [line for line in said.read_text().splitlines()[before:] if line != "ready"]
        last = lines[-1] if lines else "begun nothing"
        reached[last if last.startswith("begin ") else last.split()[0]] += 1
        with sample_deployment(settings_of(folder, store_url)) as deployment:
            problems = _problems(deployment, said.read_text().splitlines())
            assert problems == [], (SEED, point, lines[-3:])
    print(f"killed {points} times; the last acknowledged was {dict(reached)}")
    with sample_deployment(settings_of(folder, store_url)) as deployment:
        _finish(deployment, said.read_text().splitlines())


def _until_ready(said: Path, before: int) -> None:
    deadline_s = time.monotonic() + 120
    while "ready" not in said.read_text().splitlines()[before:]:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def _problems(deployment: Deployment, lines: list[str]) -> list[str]:
    """What was acknowledged and is not there, or is there twice."""
    forgetting = {line.split()[1] for line in lines if line.startswith("forgetting ")}
    forgotten = {line.split()[1] for line in lines if line.startswith("forgotten ")}
    found: list[str] = []
    for conversation_id, words in _turns(lines).items():
        if conversation_id in forgetting:
            if conversation_id in forgotten and _has(deployment, conversation_id):
                found.append(f"{conversation_id} was forgotten and is there")
            continue
        transcript = deployment.conversations.transcript(conversation_id)
        kept = [turn.text for turn in transcript.turns if turn.role == "user"]
        # The turn that was under way may have been stored and not acknowledged.
        if kept[: len(words)] != words or len(kept) > len(words) + 1:
            found.append(f"{conversation_id}: {kept} and not {words}")
        ended = f"ended {conversation_id}" in lines
        if ended and transcript.status == "in_progress":
            found.append(f"{conversation_id} has not ended")
    documents = Counter(each.name for each in deployment.knowledge_base(AGENT).documents())
    if set(documents.values()) != {1} or len(documents) != 2:
        found.append(f"documents {documents}")
    if not deployment.knowledge_base(AGENT).retrieve("How long do refunds take?", limit=1):
        found.append("nothing is found")
    return found


def _turns(lines: list[str]) -> dict[str, list[str]]:
    """What was acknowledged of each conversation."""
    turns: dict[str, list[str]] = {}
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "begun":
            turns.setdefault(rest, [])
        elif kind == "turn":
            conversation_id, _, words = rest.partition(" ")
            turns[conversation_id].append(words)
    return turns


def _has(deployment: Deployment, conversation_id: str) -> bool:
    try:
        deployment.conversations.transcript(conversation_id)
    except UnknownConversationError:
        return False
    return True


def _finish(deployment: Deployment, lines: list[str]) -> None:
    """The next run of everything ends well, and nothing is left of those that were killed."""
    close_abandoned(deployment, datetime.now(UTC))
    assert deployment.conversations.conversations(status="in_progress") == []
    ingest(deployment, AGENT)
    text = (deployment.settings.data_dir / "documents" / "refunds.md").read_text()
    edition = text.rpartition("Edition ")[2].strip(". \n") if "Edition" in text else "five days"
    passages = deployment.knowledge_base(AGENT).retrieve("How long do refunds take?", limit=2)
    assert any(edition in passage.text for passage in passages)
    evaluate(deployment)
    assert evaluate(deployment).answers == 0
    publish_reports(deployment)
    assert outdated_days(deployment) == []
    assert row_count_problems(deployment) == []
    ids = [each.conversation_id for each in deployment.conversations.conversations()]
    judged = Counter(
        (
            each.conversation_id,
            each.criterion_id,
            each.transcript_sha256,
            each.judge_model,
            each.sample,
        )
        for each in deployment.evaluations.evaluations(ids)
    )
    assert set(judged.values()) <= {1}
    left = [
        path
        for path in deployment.settings.data_dir.rglob("*")
        if path.name.endswith(_HALF_MADE) and path.parent.name != "agents"
    ]
    assert left == []
