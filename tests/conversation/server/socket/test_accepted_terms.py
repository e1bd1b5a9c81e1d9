"""Terms that a user accepted, from the first frame to the record."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analysis.privacy.redaction import redact_transcript
from analysis.results import AnalysisResult
from conversation.agent.privacy_config import PrivacySection
from conversation.server.socket.accepted_terms import MAX_AGE_S, MAX_TERMS_CHARS, accepted_terms
from orchestration.terminal.conversation_text import conversation_as_text
from tests.conversation.server.served import INIT, SUPPORT, serving

TERMS = "We keep talks for **30 days**."
NOW = datetime(2026, 11, 30, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "given",
    [
        None,
        True,
        "yes",
        [],
        {},
        {"text": TERMS},
        {"text": "", "age_s": 1},
        {"text": 7, "age_s": 1},
        {"text": TERMS, "age_s": "1"},
        {"text": TERMS, "age_s": True},
        {"text": TERMS, "age_s": -1},
        {"text": TERMS, "age_s": float("nan")},
        {"text": TERMS, "age_s": float("inf")},
        {"text": TERMS, "age_s": MAX_AGE_S + 1},
        {"text": "x" * (MAX_TERMS_CHARS + 1), "age_s": 1},
    ],
)
def test_what_says_nothing_that_can_be_kept_is_left_out(given: Any):
    assert accepted_terms(given) is None


def test_the_time_is_the_servers_less_what_has_passed():
    found = accepted_terms({"text": TERMS, "age_s": 30.5})

    assert found is not None
    assert found.metadata(NOW) == {
        "terms_accepted_at": "2026-11-30T11:59:59+00:00",
        "terms_sha256": hashlib.sha256(TERMS.encode()).hexdigest(),
    }


def test_half_a_letter_can_be_accepted_too():
    found = accepted_terms({"text": "\ud83d", "age_s": 0})

    assert found is not None
    assert len(found.metadata(NOW)["terms_sha256"]) == 64


@pytest.mark.parametrize(("agent_terms", "is_current"), [(TERMS, True), ("Others.", False)])
def test_accepted_terms_stand_in_the_record(tmp_path: Path, agent_terms: str, is_current: bool):
    agent = SUPPORT.model_copy(
        update={"widget": SUPPORT.widget.model_copy(update={"terms": agent_terms})}
    )
    init = {**INIT, "accepted_terms": {"text": TERMS, "age_s": 12.0}}
    with serving(tmp_path, agent) as served:
        with served.dial(init=init) as client:
            client.until("agent_response")
        [found] = served.store.conversations()
        [event] = served.store.events(found.conversation_id, kind="terms_accepted")
        transcript = served.store.transcript(found.conversation_id)
        shown = served.http.get(
            f"/v1/convai/conversations/{found.conversation_id}",
            headers={"xi-api-key": served.key("read")},
        ).json()["metadata"]
    masked, _ = redact_transcript(transcript, PrivacySection(redact=True))

    assert event.payload["terms"] == TERMS
    assert event.payload["is_current"] is is_current
    digest = hashlib.sha256(TERMS.encode()).hexdigest()
    assert shown["terms_sha256"] == digest
    assert shown["terms_accepted_at"] == event.payload["accepted_at"]
    text = conversation_as_text(masked, (), AnalysisResult(conversation_id=masked.conversation_id))
    assert f"terms_accepted_at: {event.payload['accepted_at']}" in text
    assert f"terms_sha256: {digest}" in text


def test_clients_that_know_no_terms_have_none_in_the_record(tmp_path: Path):
    with serving(tmp_path) as served:
        with served.dial() as client:
            client.until("agent_response")
        [found] = served.store.conversations()
        transcript = served.store.transcript(found.conversation_id)
        events = served.store.events(found.conversation_id, kind="terms_accepted")

    assert not [key for key in transcript.metadata if key.startswith("terms")]
    assert events == []
