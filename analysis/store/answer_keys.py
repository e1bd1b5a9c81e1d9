"""What has been answered about a conversation, and what still has to be asked."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from analysis.evaluators.versions import judge_prompt_version
from conversation.agent.criteria import Criterion, DataCollectionField, JudgeVariant
from conversation.transcript import Transcript, Turn


class AnalysisKey(NamedTuple):
    """What identifies one answer. The same key is never paid for twice."""

    kind: str
    """`criterion`, `field` or `summary`."""
    conversation_id: str
    transcript_sha256: str
    question_id: str
    question_version: str
    judge_model: str
    judge_prompt_version: str
    sample: int


@dataclass(frozen=True, slots=True)
class Missing:
    """What a conversation still has to be asked."""

    criteria: tuple[Criterion, ...]
    fields: tuple[DataCollectionField, ...]
    summary: bool

    @property
    def nothing(self) -> bool:
        """Whether everything is answered."""
        return not (self.criteria or self.fields or self.summary)


def missing_from(
    answered: frozenset[AnalysisKey],
    conversation_id: str,
    transcript_sha256: str,
    *,
    criteria: Sequence[Criterion],
    fields: Sequence[DataCollectionField],
    judge: str,
    prompt_version: Callable[[str, JudgeVariant | None], str] = judge_prompt_version,
    sample: int = 0,
) -> Missing:
    """Return what `answered` has no key for.

    Args:
        answered: Keys of what is answered already.
        conversation_id: The conversation.
        transcript_sha256: Hash of what was said in it.
        criteria: Asked of the judge, or of their own judge.
        fields: Asked of the judge.
        judge: Model string.
        prompt_version: Model string of a judge, and how a criterion wants it asked -> version of
            the instructions it gets.
        sample: Number of the repetition; only sample 0 has a summary.
    """

    def is_missing(
        kind: str, question_id: str, version: str, model: str, variant: JudgeVariant | None
    ) -> bool:
        key = AnalysisKey(
            kind,
            conversation_id,
            transcript_sha256,
            question_id,
            version,
            model,
            prompt_version(model, variant),
            sample,
        )
        return key not in answered

    return Missing(
        criteria=tuple(
            c
            for c in criteria
            if is_missing("criterion", c.criterion_id, c.version, c.judge or judge, c.variant)
        ),
        fields=tuple(f for f in fields if is_missing("field", f.field_id, f.version, judge, None)),
        summary=sample == 0 and is_missing("summary", "", "", judge, None),
    )


def transcript_sha256(transcript: Transcript) -> str:
    """Return the digest of who said and did what, in order: times and costs change no verdict."""
    said = [[turn.role, turn.text, *_done(turn)] for turn in transcript.turns]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _done(turn: Turn) -> list[list[object]]:
    """What a turn did besides speaking; nothing for one that only spoke."""
    return [
        [call.tool_name, call.parameters, call.result, call.is_error] for call in turn.tool_calls
    ]
