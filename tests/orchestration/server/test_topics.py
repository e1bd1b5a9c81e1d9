"""Topics of an agent as the SDKs ask for them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from analysis.store import tables
from analysis.topics.topics import find_topics
from tests.analysis.asked import WordsEmbedder
from tests.analysis.calls import DAY, hold_call
from tests.orchestration.deployed import ServedDeployment, served_deployment

AGENT = "shop-desk"
REFUND, PARCEL = "I want a refund for broken lamp {}", "Where is my parcel from Tuesday {}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedDeployment]:
    folder: Path = tmp_path_factory.mktemp("topics")
    with served_deployment(folder) as opened:
        held = opened.deployment.conversations
        for number in range(10):
            question = (REFUND if number < 6 else PARCEL).format(number)
            at = DAY + timedelta(days=number)
            hold_call(held, f"c{number}", question=question, started_at=at)
        find_topics(
            AGENT,
            conversations=held,
            store=opened.deployment.evaluations,
            embedder=WordsEmbedder(),
            now=DAY + timedelta(days=20),
            name_topic=lambda _texts: None,
        )
        yield opened


def test_topics_have_their_conversations_most_first(served: ServedDeployment):
    found = served.call("GET", f"/agents/{AGENT}/topics")
    first, second = found["topics"]
    assert "refund" in first["label"]
    assert "parcel" in second["description"]
    assert [first["conversation_count"], second["conversation_count"]] == [6, 4]
    assert first["success_rate"] is None  # nobody judged
    assert found["window_end_unix_secs"] == int((DAY + timedelta(days=20)).timestamp())
    page = served.call("GET", f"/agents/{AGENT}/topics", params={"page_size": 1})
    rest = served.call("GET", f"/agents/{AGENT}/topics", params={"cursor": page["next_cursor"]})
    assert [each["topic_id"] for each in (*page["topics"], *rest["topics"])] == [
        first["topic_id"],
        second["topic_id"],
    ]


def test_a_window_begins_with_its_day(served: ServedDeployment):
    late = DAY.astimezone(UTC) + timedelta(days=5, hours=3)
    params = {"from_unix_secs": int(late.timestamp()), "sort_direction": "asc"}
    found = served.call("GET", f"/agents/{AGENT}/topics", params=params)
    begin = datetime.fromtimestamp(found["window_start_unix_secs"], UTC)
    assert (begin.hour, begin.minute, begin.second) == (0, 0, 0)
    assert [each["conversation_count"] for each in found["topics"]] == [1, 4]
    before = {"to_unix_secs": int((DAY - timedelta(days=1)).timestamp())}
    assert served.call("GET", f"/agents/{AGENT}/topics", params=before)["topics"] == []


def test_what_is_not_measured_is_refused_by_name(served: ServedDeployment):
    for name in ("sentiment", "frustration"):
        refused = served.call("GET", f"/agents/{AGENT}/topics", 422, params={"sort_by": name})
        assert name in refused["detail"]["message"]
    served.call("GET", f"/agents/{AGENT}/topics", params={"sort_by": "success_rate"})
    turned = {"from_unix_secs": 10, "to_unix_secs": 5}
    served.call("GET", f"/agents/{AGENT}/topics", 422, params=turned)
    served.call("GET", "/agents/nobody/topics", 404)


@pytest.mark.hostile
def test_topics_found_before_the_agent_masked_are_masked_when_they_are_read(
    served: ServedDeployment,
):
    table = tables.topics
    with served.deployment.engine.begin() as connection:
        words = {"name": "ada@example.com, lamp", "terms": ["ada@example.com", "lamp"]}
        connection.execute(sa.update(table).values(words))
    path = served.settings.agents_dir / f"{AGENT}.yaml"
    written = path.read_text()
    path.write_text(f"{written}\nprivacy: {{redact: true}}\n")
    found = served.call("GET", f"/agents/{AGENT}/topics")["topics"]
    path.write_text(written)
    assert {(each["label"], each["description"]) for each in found} == {
        ("[EMAIL_1], lamp", "[EMAIL_1], lamp")
    }
