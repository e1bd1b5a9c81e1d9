"""The sample agents, documents and conversations say what the demo and the README rely on."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from conversation.agent.agent_file import load_agent
from conversation.agent.config import AgentConfig
from conversation.importing.files import import_path
from conversation.store.store import ConversationStore
from kb.ingest.load import load_file

DATA = Path(__file__).resolve().parent.parent / "data"
AGENT_FILES = sorted((DATA / "agents").glob("*.yaml"))
TRANSCRIPT_FILES = sorted((DATA / "transcripts").glob("*.yaml"))


def read_yaml(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def support() -> AgentConfig:
    return load_agent(DATA / "agents" / "support.yaml")


@pytest.mark.parametrize("path", AGENT_FILES, ids=lambda path: path.stem)
def test_every_sample_agent_loads_and_is_named_like_its_file(path: Path):
    agent = load_agent(path)

    assert agent.agent_id == path.stem
    assert agent.first_message
    assert agent.system_prompt


def test_the_support_agent_asks_for_every_kind_of_value(support: AgentConfig):
    types = {field.type for field in support.data_collection}

    assert {criterion.criterion_id for criterion in support.criteria} >= {
        "handled_inquiry",
        "pleasant_experience",
    }
    assert len(support.criteria) == 3
    assert types == {"string", "integer", "boolean"}
    enums = {field.field_id: field.enum for field in support.data_collection if field.enum}
    assert enums["call_type"] == ("bug_report", "feature_request", "support_issue")
    assert "other" in enums["conversation_topic"]


def test_the_support_agent_stays_inside_the_default_limits(support: AgentConfig):
    section = support.knowledge_base
    files = [DATA / "agents" / name for name in section.files]

    assert all(path.is_file() for path in files)
    assert len(files) + len(section.links) == section.limits.max_documents == 5
    assert section.limits.max_total_bytes is not None
    assert sum(path.stat().st_size for path in files) < section.limits.max_total_bytes


def test_the_loopback_link_is_allowed_by_the_agent_file(support: AgentConfig):
    (link,) = support.knowledge_base.links

    assert link.url == "http://127.0.0.1:8765/troubleshooting.html"
    assert (DATA / "documents" / "site" / "troubleshooting.html").is_file()
    assert support.knowledge_base.allowed_cidrs == ("127.0.0.1/32",)


def test_the_demo_asks_at_least_five_questions_of_which_one_has_no_answer(support: AgentConfig):
    script = read_yaml(DATA / "demo" / "support-questions.yaml")
    questions = script["questions"]
    section = support.knowledge_base
    names = {Path(name).name for name in section.files} | {link.name for link in section.links}

    assert script["agent_id"] == support.agent_id
    assert len(questions) >= 6
    assert {name for question in questions for name in question["expected_documents"]} <= names
    assert [question for question in questions if not question["expected_documents"]]
    assert any(question.get("follow_up") for question in questions[1:])


@pytest.mark.parametrize(
    ("document", "facts"),
    [
        ("getting-started.md", ["VIVAVOCE_LLM", "Python 3.11", "vivavoce ingest", "98 MB"]),
        ("knowledge-base.html", ["5 documents", "20 MB", "max_documents: 50", "10.1.0.0/16"]),
        ("evaluations-and-reports.pdf", ["unknown", "unsupported", "success_rates", "call_type"]),
        ("privacy-and-limits.docx", ["20,971,520", "make clean", "Apache License 2.0"]),
        ("site/troubleshooting.html", ["allowed_cidrs", "no_text_layer", "OPENAI_API_KEY"]),
    ],
)
def test_a_sample_document_keeps_its_facts_through_parsing(document: str, facts: list[str]):
    text = load_file(DATA / "documents" / document).parsed.text

    assert 400 <= len(text.split()) <= 1_200
    assert [fact for fact in facts if fact not in text] == []


def test_the_sample_documents_have_every_answer_that_the_demo_expects():
    texts = {path.name: load_file(path).parsed.text for path in (DATA / "documents").rglob("*.*")}
    texts["Troubleshooting"] = texts.pop("troubleshooting.html")

    for question in read_yaml(DATA / "demo" / "support-questions.yaml")["questions"]:
        for name in question["expected_documents"]:
            missing = [word for word in question["expected_words"] if word not in texts[name]]
            assert missing == [], (question["text"], name)
    assert not any("support contract" in text for text in texts.values())


def test_hidden_text_of_the_sample_page_is_dropped_and_counted():
    parsed = load_file(DATA / "documents" / "knowledge-base.html").parsed

    assert "HIDDEN-MARKER-7Q" not in parsed.text
    assert parsed.hidden_chars_dropped > 50


def test_the_sample_pdf_has_a_text_layer_on_each_of_its_pages():
    parsed = load_file(DATA / "documents" / "evaluations-and-reports.pdf").parsed
    starts = [page.start_char for page in parsed.pages]

    assert [page.label for page in parsed.pages] == ["1", "2", "3"]
    assert all(end - start > 500 for start, end in pairwise([*starts, len(parsed.text)]))


@pytest.mark.parametrize("path", TRANSCRIPT_FILES, ids=lambda path: path.stem)
def test_labels_of_a_sample_conversation_answer_what_the_agent_asks(
    path: Path, support: AgentConfig
):
    labels = read_yaml(path)["labels"]

    assert list(labels["criteria"]) == [criterion.criterion_id for criterion in support.criteria]
    assert set(labels["criteria"].values()) <= {"success", "failure", "unknown"}
    assert list(labels["fields"]) == [field.field_id for field in support.data_collection]
    python_types = {"string": str, "integer": int, "boolean": bool}
    for field in support.data_collection:
        value = labels["fields"][field.field_id]
        assert value is None or type(value) is python_types[field.type]
        assert value is None or field.enum is None or value in field.enum


@pytest.mark.parametrize("path", TRANSCRIPT_FILES, ids=lambda path: path.stem)
def test_a_sample_conversation_lies_in_the_ten_days_before_the_demo_was_written(path: Path):
    started_at = read_yaml(path)["started_at"]

    assert datetime(2026, 11, 12, tzinfo=UTC) <= started_at < datetime(2026, 11, 22, tzinfo=UTC)


def test_every_sample_conversation_goes_into_the_store_once(tmp_path: Path):
    with ConversationStore.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        first = import_path(DATA / "transcripts", store, "support")
        second = import_path(DATA / "transcripts", store, "support")
        lengths = [len(store.transcript(each).turns) for each in first.imported]

    assert first.rejected == []
    assert second.imported == []
    assert sorted(first.imported) == sorted(
        read_yaml(path)["conversation_id"] for path in TRANSCRIPT_FILES
    )
    assert all(2 <= length <= 12 for length in lengths)


def test_sample_conversations_differ_in_outcome_mood_and_reason(support: AgentConfig):
    labels = [read_yaml(path)["labels"] for path in TRANSCRIPT_FILES]

    assert len(labels) >= 12
    for criterion in support.criteria:
        verdicts = {label["criteria"][criterion.criterion_id] for label in labels}
        assert {"success", "failure"} <= verdicts
    assert {label["fields"]["call_type"] for label in labels} == {
        "bug_report",
        "feature_request",
        "support_issue",
    }
    assert {label["fields"]["wants_follow_up"] for label in labels} == {True, False, None}
    assert len({label["fields"]["conversation_topic"] for label in labels}) >= 5
