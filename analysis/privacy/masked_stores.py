"""Stores as judges and reports see them: the same rows, with personal data masked.

Whoever reads conversations to judge, export or publish them reads them here. The conversation
store keeps the words as they were said; the masked ones are kept beside the evaluations.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from analysis.privacy.pii import BuiltinDetector, Detector
from analysis.privacy.redaction import (
    Redactor,
    policy_version,
    redact_retrievals,
    redact_transcript,
)
from analysis.store import tables
from analysis.store.answer_keys import transcript_sha256
from analysis.store.store import AnalysisStore, StoredEvaluation, StoredRun, StoredValue
from conversation.agent.privacy_config import PrivacySection
from conversation.store.store import ConversationEvent, ConversationStore
from conversation.transcript import Retrieval, Transcript
from conversation.voice.recording.silencing import SilentSpan, silent_spans

STRICTEST = PrivacySection(redact=True)
"""For conversations of agents whose file is gone or cannot be read: nobody said that they are
not to be masked."""


def open_detector(privacy: PrivacySection, language: str) -> Detector:
    """Return the detector that the agent asks for.

    Raises:
        PrivacyError: It is not installed; says what to install.
    """
    if privacy.detector == "builtin":
        return BuiltinDetector()
    from analysis.privacy.presidio_detector import PresidioDetector

    return PresidioDetector(language)


class RedactedConversations(ConversationStore):
    """The conversation store, read through each agent's `privacy` section."""

    def __init__(
        self,
        engine: sa.Engine,
        policies: Mapping[str, PrivacySection],
        *,
        open_detector: Callable[[PrivacySection, str], Detector] = open_detector,
        languages: Mapping[str, str] | None = None,
        keep: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Read what `engine` holds.

        Args:
            engine: Of a conversation store whose database holds the analysis tables too.
            policies: By agent; conversations of other agents are masked as `STRICTEST` says.
            open_detector: Called once for each agent that masks.
            languages: By agent, for the detector; None and those left out are English.
            keep: Whether masked transcripts are kept, so that a slow detector runs once.
            now: The clock.
        """
        super().__init__(engine)
        self._policies = policies
        self._languages = languages or {}
        self._open_detector = open_detector
        self._detectors: dict[tuple[str, str], Detector] = {}
        self._keep = keep
        self._last: tuple[str, Redactor | None] | None = None
        self._now = now

    def policy(self, agent_id: str) -> PrivacySection:
        """What is masked in conversations of this agent."""
        return self._policies.get(agent_id, STRICTEST)

    def transcript(self, conversation_id: str) -> Transcript:
        """The conversation as judges and reports get it."""
        said = super().transcript(conversation_id)
        privacy = self.policy(said.agent_id)
        if not privacy.redact:
            self._last = (conversation_id, None)
            return said
        digest, policy = transcript_sha256(said), policy_version(privacy, self._detector(said))
        kept = self._kept(conversation_id, digest, policy)
        if kept is not None:
            return kept
        masked, redactor = self._redacted(said)
        self._last = (conversation_id, redactor)
        if self._keep and said.status != "in_progress":
            self._remember(masked, redactor, digest, policy)
        return masked

    def retrievals(self, conversation_id: str) -> list[Retrieval]:
        """What was retrieved in the conversation, with masked queries."""
        found = super().retrievals(conversation_id)
        redactor = self.redactor(conversation_id) if found else None
        return found if redactor is None else redact_retrievals(found, redactor)

    def events(self, conversation_id: str, *, kind: str | None = None) -> list[ConversationEvent]:
        """What happened in the conversation, such as feedback, with its words masked."""
        found = super().events(conversation_id, kind=kind)
        redactor = self.redactor(conversation_id) if found else None
        if redactor is None:
            return found
        return [replace(event, payload=redactor.anything(event.payload)) for event in found]

    def redactor(self, conversation_id: str) -> Redactor | None:
        """Masks further texts about the conversation with the same placeholders.

        None when its agent masks nothing.
        """
        last = self._last
        if last is None or last[0] != conversation_id:
            said = super().transcript(conversation_id)
            redactor = self._redacted(said)[1] if self.policy(said.agent_id).redact else None
            last = self._last = (conversation_id, redactor)
        return last[1]

    def silent_spans(self, conversation_id: str) -> tuple[SilentSpan, ...]:
        """What of the conversation's recording nobody may hear, as its agent masks it."""
        redactor = self.redactor(conversation_id)
        if redactor is None:
            return ()
        turns = super().transcript(conversation_id).turns
        masked = {
            index: [(start, end) for start, end, _ in redactor.mask(turn.text).edits]
            for index, turn in enumerate(turns)
        }
        return silent_spans(turns, masked)

    def _redacted(self, said: Transcript) -> tuple[Transcript, Redactor]:
        return redact_transcript(
            said,
            self.policy(said.agent_id),
            detector=self._detector(said),
            retrievals=super().retrievals(said.conversation_id),
        )

    def _detector(self, said: Transcript) -> Detector:
        privacy = self.policy(said.agent_id)
        language = self._languages.get(said.agent_id, "en")
        key = (privacy.detector, language)
        if key not in self._detectors:
            self._detectors[key] = self._open_detector(privacy, language)
        return self._detectors[key]

    def _kept(self, conversation_id: str, digest: str, policy: str) -> Transcript | None:
        table = tables.redacted_transcripts
        statement = sa.select(table.c.transcript).where(
            table.c.conversation_id == conversation_id,
            table.c.transcript_sha256 == digest,
            table.c.policy == policy,
        )
        with self._reading() as connection:
            row = connection.execute(statement).first()
        return None if row is None else Transcript.model_validate(row.transcript)

    def _remember(self, masked: Transcript, redactor: Redactor, digest: str, policy: str) -> None:
        table = tables.redacted_transcripts
        row = {
            "conversation_id": masked.conversation_id,
            "transcript_sha256": digest,
            "policy": policy,
            "transcript": masked.model_dump(mode="json"),
            "counts": redactor.counts,
            "redacted_at": self._now(),
        }
        with self._writing() as connection:
            connection.execute(
                sa.delete(table).where(table.c.conversation_id == masked.conversation_id)
            )
            connection.execute(sa.insert(table), row)


class RedactedAnalysis(AnalysisStore):
    """The analysis store for reports; what was found before an agent masked is masked as well."""

    def __init__(self, engine: sa.Engine, conversations: RedactedConversations) -> None:
        """Read what `engine` holds, masked as `conversations` does."""
        super().__init__(engine)
        self._conversations = conversations

    def evaluations(self, conversation_ids: Sequence[str]) -> list[StoredEvaluation]:
        """Return evaluations with masked rationales and quotes."""
        return [
            StoredEvaluation.model_validate(self._masked(row.conversation_id, row.model_dump()))
            for row in super().evaluations(conversation_ids)
        ]

    def collected_values(self, conversation_ids: Sequence[str]) -> list[StoredValue]:
        """Return collected values with masked values, rationales and quotes."""
        return [
            StoredValue.model_validate(self._masked(row.conversation_id, row.model_dump()))
            for row in super().collected_values(conversation_ids)
        ]

    def runs(self, conversation_ids: Sequence[str]) -> list[StoredRun]:
        """Return analysis runs with masked summaries."""
        return [
            row._replace(**self._masked(row.conversation_id, {"summary": row.summary}))
            for row in super().runs(conversation_ids)
        ]

    def labels(self, conversation_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return labels with masked notes."""
        return [
            row | self._masked(row["conversation_id"], {"note": row["note"]})
            for row in super().labels(conversation_ids)
        ]

    def _masked(self, conversation_id: str, row: dict[str, Any]) -> dict[str, Any]:
        redactor = self._conversations.redactor(conversation_id)
        if redactor is None:
            return row
        return row | {
            key: redactor.anything(row[key])
            for key in _WRITTEN.intersection(row)
            if row[key] is not None
        }


_WRITTEN = frozenset(
    {"rationale", "evidence", "unsupported_quotes", "error", "value", "summary", "note"}
    | {"votes", "windows"}
)
"""Columns of answers that may repeat what was said."""
