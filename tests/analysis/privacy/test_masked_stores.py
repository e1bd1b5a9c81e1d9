from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from analysis.errors import PrivacyError
from analysis.privacy.masked_stores import RedactedAnalysis, RedactedConversations, open_detector
from analysis.privacy.presidio_detector import PresidioDetector
from analysis.results import Label
from analysis.store import tables
from conversation.agent.config import AgentConfig
from conversation.agent.privacy_config import PrivacySection
from tests.analysis.calls import (
    AGENT,
    DAY,
    Stores,
    a_value,
    a_verdict,
    hold_call,
    open_stores,
    save_answers,
)

MASKING = PrivacySection(redact=True)
QUESTION = "I am ann@example.org, where is my refund?"


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    with open_stores(tmp_path) as stores:
        hold_call(stores.conversations, "c1", question=QUESTION)
        yield stores


def masked(stores: Stores, **policies: PrivacySection) -> RedactedConversations:
    by_agent = {name.replace("_", "-"): policy for name, policy in policies.items()}
    return RedactedConversations(stores.conversations.engine, by_agent, now=lambda: DAY)


def test_judges_get_the_masked_words_and_the_store_keeps_the_said_ones(stores: Stores):
    seen = masked(stores, shop_desk=MASKING)
    assert seen.transcript("c1").turns[1].text == "I am [EMAIL_1], where is my refund?"
    assert [r.query for r in seen.retrievals("c1")] == ["I am [EMAIL_1], where is my refund?"]
    assert stores.conversations.transcript("c1").turns[1].text == QUESTION


def test_masked_words_are_not_found(stores: Stores):
    def found(seen: RedactedConversations, text: str) -> list[str]:
        return [each.conversation_id for each in seen.page(text=text).conversations]

    seen, plain = masked(stores, shop_desk=MASKING), masked(stores, shop_desk=PrivacySection())
    for text in ("ann@example.org", "ANN@", "n@e"):
        assert (found(seen, text), found(plain, text)) == ([], ["c1"])
    assert found(seen, "Where is my REFUND") == ["c1"]


def test_feedback_has_the_placeholders_of_its_conversation(stores: Stores):
    said = {"rating": 2, "comment": "ann@example.org got no answer. Call +1 415 555 0132!"}
    stores.conversations.add_event("c1", "feedback", at=DAY, payload=said)
    masked_events = masked(stores, shop_desk=MASKING).events("c1")
    [feedback] = masked(stores, shop_desk=MASKING).events("c1", kind="feedback")
    [plain] = masked(stores, shop_desk=PrivacySection()).events("c1", kind="feedback")

    assert feedback.payload == {
        "rating": 2,
        "comment": "[EMAIL_1] got no answer. Call [PHONE_1]!",
    }
    assert (feedback.kind, feedback.turn_id, feedback.occurred_at) == ("feedback", None, DAY)
    assert plain.payload == said
    assert "ann@example" not in str(masked_events)
    assert len(masked_events) == len(stores.conversations.events("c1"))


def test_an_agent_that_masks_nothing_is_read_as_it_is(stores: Stores):
    seen = masked(stores, shop_desk=PrivacySection())
    assert seen.transcript("c1") == stores.conversations.transcript("c1")
    assert seen.retrievals("c1") == stores.conversations.retrievals("c1")


def test_conversations_of_an_agent_without_a_file_are_masked(stores: Stores):
    assert "ann@" not in masked(stores).transcript("c1").model_dump_json()


def test_masked_transcripts_are_kept_and_made_anew_when_the_policy_changes(stores: Stores):
    table = tables.redacted_transcripts
    first = masked(stores, shop_desk=MASKING).transcript("c1")
    assert masked(stores, shop_desk=MASKING).transcript("c1") == first
    phones_only = PrivacySection(redact=True, kinds=("phone",))
    assert masked(stores, shop_desk=phones_only).transcript("c1").turns[1].text == QUESTION
    with stores.conversations.engine.connect() as connection:
        [row] = connection.execute(sa.select(table)).all()
    assert row.counts == {}


def test_answers_from_before_masking_reach_reports_masked(stores: Stores):
    said = {"rationale": "ann@example.org asked.", "unsupported_quotes": ("ann@example.org",)}
    save_answers(
        stores.evaluations,
        "c1",
        a_verdict("c1", **said),
        a_value("c1", "status", "ann@example.org"),
        summary="Ann, ann@example.org, asked.",
    )
    note = Label(
        conversation_id="c1", criterion_id="polite", verdict="success", annotator="bo",
        note="see ann@example.org",
    )  # fmt: skip
    stores.evaluations.add_labels([note], now=DAY)
    seen = RedactedAnalysis(stores.evaluations.engine, masked(stores, shop_desk=MASKING))
    rows = [
        *seen.evaluations(["c1"]),
        *seen.collected_values(["c1"]),
        *seen.runs(["c1"]),
        *seen.labels(["c1"]),
    ]
    assert len(rows) == 4
    assert "ann@" not in repr(rows)
    assert "[EMAIL_1]" in repr(rows)
    plain = RedactedAnalysis(stores.evaluations.engine, masked(stores, shop_desk=PrivacySection()))
    assert plain.evaluations(["c1"]) == stores.evaluations.evaluations(["c1"])


def test_what_cannot_be_kept_or_found_is_refused_in_the_agent_file():
    with pytest.raises(ValidationError, match="detector: presidio"):
        AgentConfig.model_validate(
            AGENT.model_dump() | {"privacy": {"redact": True, "kinds": ["person"]}}
        )
    with pytest.raises(ValidationError, match=r"evaluations_days \(30\) cannot exceed"):
        PrivacySection(transcripts_days=7, evaluations_days=30)
    assert PrivacySection(transcripts_days=30, recordings_days=7).recordings_days == 7


def test_presidio_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr("analysis.privacy.presidio_detector.import_module", missing)
    with pytest.raises(PrivacyError, match=r"pip install 'vivavoce\[privacy\]'"):
        open_detector(PrivacySection(redact=True, detector="presidio"), "en")


@pytest.mark.slow
def test_presidio_finds_names_with_a_model_of_spacy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("presidio_analyzer", reason="the extra `privacy` is not installed")
    spacy = pytest.importorskip("spacy")
    rules = spacy.blank("en")
    ruler = rules.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "PERSON", "pattern": "Ann Lee"}])
    rules.to_disk(tmp_path / "names")

    def no_network(*_: object) -> object:
        raise AssertionError("the detector opened the network")

    monkeypatch.setattr("socket.socket.connect", no_network)
    detector = PresidioDetector(model=str(tmp_path / "names"))
    text = "Ann Lee here, ann@example.org or five five five oh one two three."
    found = detector.find(text, ("person", "email", "phone"))
    assert [(f.kind, text[f.start : f.end]) for f in found] == [
        ("person", "Ann Lee"),
        ("email", "ann@example.org"),
        ("phone", "five five five oh one two three"),
    ]


@pytest.mark.slow
def test_presidio_without_its_model_says_which_is_missing():
    pytest.importorskip("presidio_analyzer", reason="the extra `privacy` is not installed")
    with pytest.raises(PrivacyError, match="spacy download xx_none"):
        PresidioDetector(model="xx_none")
