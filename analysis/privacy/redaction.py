"""A conversation with personal data masked: the same value has the same placeholder throughout.

Placeholders are numbered by first appearance (`[EMAIL_1]`), so that a judge still sees that two
turns speak of the same address, and quotes are verified against the masked words.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from analysis.privacy.known_values import KnownValues
from analysis.privacy.pii import BuiltinDetector, Detector, PIISpan, without_overlaps
from conversation.agent.privacy_config import PIIKind, PrivacySection
from conversation.transcript import (
    Citation,
    Retrieval,
    ToolCall,
    Transcript,
    Turn,
    TurnFile,
    TurnSound,
)

_PLACEHOLDER = re.compile(r"\[([A-Z_]+)_(\d+)\]")
_RULES = 2
"""Raised when more of a conversation is masked, so that what is kept is masked anew."""
_SHORTEST_KNOWN = 6
_SHORTEST_SECRET = 4
"""Characters that a value must have to be masked wherever it stands, without words around it that
say what it is."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A text with placeholders."""

    text: str
    edits: tuple[tuple[int, int, int], ...]
    """[start, end) in the original text, and the length of what stands there now; in order."""

    def moved(self, offset: int) -> int:
        """Where `offset` of the original text lies now."""
        shift = 0
        for start, end, length in self.edits:
            if offset >= end:
                shift += length - (end - start)
            elif offset > start:
                return start + shift + min(offset - start, length)
        return offset + shift


class Redactor:
    """Masks the texts of one conversation; keeps which placeholder stands for what in memory."""

    def __init__(
        self, privacy: PrivacySection, *, detector: Detector | None = None, public: str = ""
    ) -> None:
        """Start without placeholders.

        Args:
            privacy: Says what is masked.
            detector: Finds it; None takes the built-in one.
            public: Text of the agent's documents: what stands there is not personal, such as the
                phone number of the shop.
        """
        self._kinds = privacy.kinds
        self._detector = detector or BuiltinDetector()
        self._public = public.casefold()
        self._placeholders: dict[tuple[PIIKind, str], str] = {}
        self._known = KnownValues()
        self._numbers: Counter[PIIKind] = Counter()
        self._taken: set[str] = set()
        self._found: dict[str, list[PIISpan]] = {}

    @property
    def counts(self) -> dict[str, int]:
        """How many different values of each kind were masked."""
        return dict(sorted(Counter(kind for kind, _ in self._placeholders).items()))

    def learn(self, texts: Sequence[str]) -> None:
        """Look through all texts of a conversation before any is masked.

        So a number that only its last mention calls a phone number is masked in the first one
        too, and no placeholder is given out that somebody typed.
        """
        for text in texts:
            self._taken.update(found.group() for found in _PLACEHOLDER.finditer(text))
        for text in texts:
            self.mask(text)

    def mask(self, text: str) -> Masked:
        """Return `text` with placeholders."""
        known = self._known.find(text)
        if text not in self._found:
            self._found[text] = self._detector.find(text, self._kinds)
        pieces: list[str] = []
        edits: list[tuple[int, int, int]] = []
        at = 0
        for finding in without_overlaps([*self._found[text], *known]):
            shown = text[finding.start : finding.end]
            if shown.casefold() in self._public:
                continue
            placeholder = self._placeholder(finding, shown)
            pieces += [text[at : finding.start], placeholder]
            edits.append((finding.start, finding.end, len(placeholder)))
            at = finding.end
        return Masked("".join([*pieces, text[at:]]), tuple(edits))

    def text(self, text: str) -> str:
        """Return `text` with placeholders, without saying where they are."""
        return self.mask(text).text

    def anything(self, value: Any, *, names: bool = False) -> Any:
        """Return a JSON value with placeholders in all of its strings and numbers.

        Args:
            value: Strings, numbers, lists and objects of them.
            names: Whether clients or models chose the names in objects: these are masked too.
                Names that a program looks for have to stay.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value if self.text(str(value)) == str(value) else self.text(str(value))
        if isinstance(value, dict):
            found = cast("dict[str, Any]", value)
            if names:
                return self._named(found)
            return {key: self.anything(item) for key, item in found.items()}
        if isinstance(value, list | tuple):
            return [self.anything(item, names=names) for item in cast("Sequence[Any]", value)]
        return value

    def _named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        used: Counter[str] = Counter()
        for name, value in values.items():
            masked = shown = self.text(name)
            # Two spellings of one address have one placeholder; neither value may be lost.
            while shown in found or used[masked] == 0:
                used[masked] += 1
                shown = masked if used[masked] == 1 else f"{masked} ({used[masked]})"
            found[shown] = self.anything(value, names=True)
        return found

    def _placeholder(self, finding: PIISpan, shown: str) -> str:
        key = (finding.kind, finding.value)
        if key not in self._placeholders:
            name = self._next_name(finding.kind)
            self._placeholders[key] = name
            self._taken.add(name)
            least = _SHORTEST_SECRET if finding.kind == "secret" else _SHORTEST_KNOWN
            if len(shown) >= least:
                self._known.add(shown, finding.kind, finding.value)
        return self._placeholders[key]

    def _next_name(self, kind: PIIKind) -> str:
        while True:
            # Goes on from the last one: a conversation may hold a thousand addresses.
            self._numbers[kind] += 1
            name = f"[{kind.upper()}_{self._numbers[kind]}]"
            if name not in self._taken:
                return name


def redact_transcript(
    transcript: Transcript,
    privacy: PrivacySection,
    *,
    detector: Detector | None = None,
    retrievals: Sequence[Retrieval] = (),
) -> tuple[Transcript, Redactor]:
    """Mask every turn, tool call and metadata value of a conversation, and names of variables.

    Returns:
        The masked conversation, and the redactor that knows its placeholders.
    """
    public = "\n".join(retrieval.text for retrieval in retrievals)
    redactor = Redactor(privacy, detector=detector, public=public)
    names = [file.name for turn in transcript.turns for file in turn.files]
    redactor.learn([*(turn.generated_text or turn.text for turn in transcript.turns), *names])
    turns = tuple(_turn(turn, redactor) for turn in transcript.turns)
    metadata = {key: redactor.text(value) for key, value in transcript.metadata.items()}
    given = {
        "variables": redactor.anything(transcript.variables, names=True),
        "overrides": redactor.anything(transcript.overrides),
    }
    update = {"turns": turns, "metadata": metadata, **given}
    return transcript.model_copy(update=update), redactor


def redact_retrievals(retrievals: Sequence[Retrieval], redactor: Redactor) -> list[Retrieval]:
    """Mask the queries; passages are the agent's own documents."""
    return [
        retrieval.model_copy(update={"query": redactor.text(retrieval.query)})
        for retrieval in retrievals
    ]


def policy_version(privacy: PrivacySection, detector: Detector) -> str:
    """Twelve hexadecimal digits that change when other things would be masked."""
    policy = f"{_RULES} {detector.version} {' '.join(sorted(privacy.kinds))}"
    return hashlib.sha256(policy.encode()).hexdigest()[:12]


def _turn(turn: Turn, redactor: Redactor) -> Turn:
    masked = redactor.mask(turn.text)
    return turn.model_copy(
        update={
            "text": masked.text,
            "generated_text": None
            if turn.generated_text is None
            else redactor.text(turn.generated_text),
            "citations": tuple(_citation(citation, masked) for citation in turn.citations),
            "unsupported_spans": tuple(
                (masked.moved(start), masked.moved(end)) for start, end in turn.unsupported_spans
            ),
            "tool_calls": tuple(_tool_call(call, redactor) for call in turn.tool_calls),
            "sound": None if turn.sound is None else _sound(turn.sound, masked),
            "error": None if turn.error is None else redactor.text(turn.error),
            "files": tuple(_file(each, redactor) for each in turn.files),
        }
    )


def _file(file: TurnFile, redactor: Redactor) -> TurnFile:
    shown = {"name": redactor.text(file.name), "mime_type": redactor.text(file.mime_type)}
    return file.model_copy(update=shown)


def _citation(citation: Citation, masked: Masked) -> Citation:
    return citation.model_copy(
        update={
            "turn_start_char": masked.moved(citation.turn_start_char),
            "turn_end_char": masked.moved(citation.turn_end_char),
        }
    )


def _sound(sound: TurnSound, masked: Masked) -> TurnSound:
    words = [
        word.model_copy(
            update={
                "start_char": masked.moved(word.start_char),
                "end_char": masked.moved(word.end_char),
            }
        )
        for word in sound.words
    ]
    return sound.model_copy(update={"words": tuple(words)})


def _tool_call(call: ToolCall, redactor: Redactor) -> ToolCall:
    result = None if call.result is None else redactor.text(call.result)
    parameters = redactor.anything(call.parameters, names=True)
    return call.model_copy(update={"parameters": parameters, "result": result})
