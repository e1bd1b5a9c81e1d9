"""Stores as judges and reports see them: the same rows, with personal data masked.

Whoever reads conversations to judge, export or publish them reads them here. The conversation
store keeps the words as they were said; the masked ones are kept beside the evaluations.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from pydantic import ValidationError

from analysis.privacy.pii import BuiltinDetector, Detector
from analysis.privacy.redaction import (
    Redactor,
    policy_version,
    redact_retrievals,
    redact_transcript,
)
from analysis.store import tables
from analysis.store.answer_keys import transcript_sha256
from analysis.store.store import (
    AnalysisStore,
    Answers,
    StoredEvaluation,
    StoredRun,
    StoredValue,
)
from conversation.agent.privacy_config import PrivacySection
from conversation.store.database import batches
from conversation.store.listing.pages import ConversationPage
from conversation.store.reading import WholeConversation
from conversation.store.store import ConversationEvent, ConversationStore
from conversation.store.writing import unknown_conversation
from conversation.transcript import Retrieval, Transcript

if TYPE_CHECKING:
    from conversation.voice.recording.silencing import SilentSpan

STRICTEST = PrivacySection(redact=True)
"""For conversations of agents whose file is gone or cannot be read: nobody said that they are
not to be masked."""
_REDACTORS_KEPT = 1_000


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
        self._said: dict[str, Transcript] = {}
        """The conversations that were read last, as they were said."""
        self._retrieved: dict[str, list[Retrieval]] = {}
        """What was retrieved in those of them that had to be masked."""
        self._redactors: dict[str, Redactor | None] = {}
        self._now = now

    def policy(self, agent_id: str) -> PrivacySection:
        """What is masked in conversations of this agent."""
        return self._policies.get(agent_id, STRICTEST)

    def seen_as(self, agent_id: str) -> str:
        """How conversations of this agent are masked."""
        privacy = self.policy(agent_id)
        if not privacy.redact:
            return super().seen_as(agent_id)
        return policy_version(privacy, self._detector_of(agent_id))

    def shows(self, agent_id: str, text: str) -> bool:
        """Whether nothing in `text` alone is what the agent masks."""
        return self.masked_together(agent_id, [text]) == [text]

    def masked_together(self, agent_id: str, texts: Sequence[str]) -> list[str]:
        """Texts about several conversations of an agent, masked with placeholders of their own."""
        privacy = self.policy(agent_id)
        if not privacy.redact:
            return list(texts)
        redactor = Redactor(privacy, detector=self._detector_of(agent_id))
        redactor.learn(texts)
        return [redactor.text(each) for each in texts]

    def transcript(self, conversation_id: str) -> Transcript:
        """The conversation as judges and reports get it."""
        found = self.transcripts([conversation_id]).get(conversation_id)
        if found is None:
            raise unknown_conversation(conversation_id)
        if isinstance(found, ValidationError):
            raise found
        return found

    def transcripts(
        self, conversation_ids: Sequence[str]
    ) -> dict[str, Transcript | ValidationError]:
        """Conversations as judges and reports get them; what is masked already is read together."""
        found = super().transcripts(conversation_ids)
        said = {key: each for key, each in found.items() if isinstance(each, Transcript)}
        redactors: dict[str, Redactor | None] = {}
        self._said, self._retrieved, self._redactors = said, {}, redactors
        wanted: dict[str, tuple[str, str]] = {}
        for key, each in said.items():
            privacy = self.policy(each.agent_id)
            if privacy.redact:
                policy = policy_version(privacy, self._detector(each))
                wanted[key] = (transcript_sha256(each), policy)
            else:
                redactors[key] = None
        kept = self._kept(wanted)
        self._retrieved = super().retrievals_of([key for key in wanted if key not in kept])
        for key, (digest, policy) in wanted.items():
            found[key] = kept.get(key) or self._masked(said[key], digest, policy)
        return found

    def page(self, **narrowed: Any) -> ConversationPage:
        """Some conversations, as the store lists them; `text` is found as it may be read.

        So there may be fewer on a page than asked for, although the list goes on.
        """
        found = super().page(**narrowed)
        words = narrowed.get("text")
        if not words:
            return found
        saying = self.that_say(words, [each.conversation_id for each in found.conversations])
        shown = [each for each in found.conversations if each.conversation_id in saying]
        return replace(found, conversations=tuple(shown))

    def whole(self, conversation_id: str, *, kind: str) -> WholeConversation:
        """The conversation, what was retrieved in it and its events, masked as everywhere."""
        found = super().whole(conversation_id, kind=kind)
        said = found.transcript
        privacy = self.policy(said.agent_id)
        if not privacy.redact:
            return found
        masked, redactor = redact_transcript(
            said, privacy, detector=self._detector(said), retrievals=found.retrievals
        )
        return WholeConversation(
            masked,
            redact_retrievals(found.retrievals, redactor),
            _masked_events(found.events, redactor),
        )

    def know(self, conversation_ids: Sequence[str]) -> None:
        """Read together what masking further texts about these conversations needs."""
        unknown = [key for key in dict.fromkeys(conversation_ids) if key not in self._redactors]
        if len(unknown) < 2:
            return
        said = super().transcripts(unknown)
        whole = {key: each for key, each in said.items() if isinstance(each, Transcript)}
        masked = {key for key, each in whole.items() if self.policy(each.agent_id).redact}
        retrieved = super().retrievals_of(sorted(masked))
        known = {} if len(self._redactors) >= _REDACTORS_KEPT else dict(self._redactors)
        for key, each in whole.items():
            if key not in masked:
                known[key] = None
                continue
            known[key] = redact_transcript(
                each,
                self.policy(each.agent_id),
                detector=self._detector(each),
                retrievals=retrieved.get(key, []),
            )[1]
        self._redactors = known

    def retrievals_of(self, conversation_ids: Sequence[str]) -> dict[str, list[Retrieval]]:
        """What was retrieved in conversations, with masked queries."""
        found = super().retrievals_of(conversation_ids)
        for key, rows in found.items():
            redactor = self.redactor(key)
            if redactor is not None:
                found[key] = redact_retrievals(rows, redactor)
        return found

    def events(self, conversation_id: str, *, kind: str | None = None) -> list[ConversationEvent]:
        """What happened in the conversation, such as feedback, with its words masked."""
        found = super().events(conversation_id, kind=kind)
        redactor = self.redactor(conversation_id) if found else None
        if redactor is None:
            return found
        return _masked_events(found, redactor)

    def events_of(
        self, conversation_ids: Sequence[str], *, kind: str
    ) -> dict[str, list[ConversationEvent]]:
        """The same of many conversations and of one kind, with their words masked."""
        found = super().events_of(conversation_ids, kind=kind)
        for key, events in found.items():
            redactor = self.redactor(key)
            if redactor is not None:
                found[key] = _masked_events(events, redactor)
        return found

    def redactor(self, conversation_id: str) -> Redactor | None:
        """Masks further texts about the conversation with the same placeholders.

        None when its agent masks nothing.
        """
        known = self._redactors  # another thread may put a new one in its place
        if conversation_id not in known:
            said = self._said.get(conversation_id) or super().transcript(conversation_id)
            masks = self.policy(said.agent_id).redact
            if len(known) >= _REDACTORS_KEPT:
                self._redactors = known = {}
            found = known[conversation_id] = self._redacted(said)[1] if masks else None
            return found
        return known[conversation_id]

    def _masked(self, said: Transcript, digest: str, policy: str) -> Transcript:
        """Mask a conversation for the first time, and keep that."""
        masked, redactor = self._redacted(said)
        self._redactors[said.conversation_id] = redactor
        if self._keep and said.status != "in_progress":
            self._remember(masked, redactor, digest, policy)
        return masked

    def silent_spans(self, conversation_id: str) -> "tuple[SilentSpan, ...]":
        """What of the conversation's recording nobody may hear, as its agent masks it."""
        redactor = self.redactor(conversation_id)
        if redactor is None:
            return ()
        # Sound needs numpy, and what only reads needs no sound.
        from conversation.voice.recording.silencing import silent_spans

        turns = super().transcript(conversation_id).turns
        masked = {
            index: [(start, end) for start, end, _ in redactor.mask(turn.text).edits]
            for index, turn in enumerate(turns)
        }
        return silent_spans(turns, masked)

    def _redacted(self, said: Transcript) -> tuple[Transcript, Redactor]:
        key = said.conversation_id
        if key in self._retrieved:
            retrieved = self._retrieved[key]
        else:
            retrieved = super().retrievals_of([key]).get(key, [])
        return redact_transcript(
            said, self.policy(said.agent_id), detector=self._detector(said), retrievals=retrieved
        )

    def _detector(self, said: Transcript) -> Detector:
        return self._detector_of(said.agent_id)

    def _detector_of(self, agent_id: str) -> Detector:
        privacy = self.policy(agent_id)
        language = self._languages.get(agent_id, "en")
        key = (privacy.detector, language)
        if key not in self._detectors:
            self._detectors[key] = self._open_detector(privacy, language)
        return self._detectors[key]

    def _kept(self, wanted: Mapping[str, tuple[str, str]]) -> dict[str, Transcript]:
        """Masked transcripts that are kept, by id, of these digests and policies."""
        table = tables.redacted_transcripts
        columns = (table.c.conversation_id, table.c.transcript_sha256, table.c.policy)
        kept: dict[str, Transcript] = {}
        for ids in batches(list(wanted)):
            found = sa.select(*columns, table.c.transcript).where(table.c.conversation_id.in_(ids))
            with self._reading() as connection:
                for row in connection.execute(found):
                    if wanted[row.conversation_id] == (row.transcript_sha256, row.policy):
                        kept[row.conversation_id] = Transcript.model_validate(row.transcript)
        return kept

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


_Answer = TypeVar("_Answer", StoredEvaluation, StoredValue)


class RedactedAnalysis(AnalysisStore):
    """The analysis store for reports; what was found before an agent masked is masked as well."""

    def __init__(self, engine: sa.Engine, conversations: RedactedConversations) -> None:
        """Read what `engine` holds, masked as `conversations` does."""
        super().__init__(engine)
        self._conversations = conversations

    def evaluations(self, conversation_ids: Sequence[str]) -> list[StoredEvaluation]:
        """Return evaluations with masked rationales and quotes."""
        return self._masked_evaluations(super().evaluations(conversation_ids))

    def collected_values(self, conversation_ids: Sequence[str]) -> list[StoredValue]:
        """Return collected values with masked values, rationales and quotes."""
        return self._masked_values(super().collected_values(conversation_ids))

    def runs(self, conversation_ids: Sequence[str]) -> list[StoredRun]:
        """Return analysis runs with masked summaries."""
        return self._masked_runs(super().runs(conversation_ids))

    def answers(self, conversation_ids: Sequence[str]) -> Answers:
        """Return all three, masked as one by one."""
        found = super().answers(conversation_ids)
        self._conversations.know([each.conversation_id for rows in found for each in rows])
        return Answers(
            self._masked_evaluations(found.evaluations),
            self._masked_values(found.values),
            self._masked_runs(found.runs),
        )

    def labels(self, conversation_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return labels with masked notes."""
        return [
            row | self._masked(row["conversation_id"], {"note": row["note"]})
            for row in super().labels(conversation_ids)
        ]

    def _masked_evaluations(self, rows: Sequence[StoredEvaluation]) -> list[StoredEvaluation]:
        return [self._masked_record(row) for row in rows]

    def _masked_values(self, rows: Sequence[StoredValue]) -> list[StoredValue]:
        return [self._masked_record(row) for row in rows]

    def _masked_record(self, row: _Answer) -> _Answer:
        if self._conversations.redactor(row.conversation_id) is None:
            return row
        return row.model_validate(self._masked(row.conversation_id, row.model_dump()))

    def _masked_runs(self, rows: Sequence[StoredRun]) -> list[StoredRun]:
        return [
            row._replace(**self._masked(row.conversation_id, {"summary": row.summary}))
            for row in rows
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


def _masked_events(
    events: Sequence[ConversationEvent], redactor: Redactor
) -> list[ConversationEvent]:
    return [replace(event, payload=redactor.anything(event.payload)) for event in events]
