# ruff: noqa: E501, RUF001 (patterns; other scripts have letters that look like Latin ones)
"""A finished conversation -> the questions in it that the documents did not answer. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from analysis.results import Evaluation
from conversation.transcript import Retrieval, Transcript, Turn
from kb.retrieval.small_talk import should_search

GapReason = Literal["weak_retrieval", "dont_know", "reported", "ungrounded", "failed_criterion"]
"""Why a question counts as unanswered."""

REASON_TEXTS: Mapping[str, str] = {
    "weak_retrieval": "no passage fits",
    "dont_know": "the agent said it does not know",
    "reported": "the agent reported it",
    "ungrounded": "the answer rests on no passage",
    "failed_criterion": "a criterion failed there",
}
WEAK_SCORE = 0.3
"""Below this, the best passage probably does not answer. Of 194 queries to a help centre half of
whose pages were taken out, 40 fell below, 80 % of them seeking a missing page; 8 % of those whose
page was there did."""
REPORT_TOOL = "report_knowledge_gap"
"""A tool of this name says that the agent itself missed something. Its parameter `question` is
what was asked, when the agent gives it."""
_UNGROUNDED_SHARE = 0.5
_MIN_TELLING_WORDS = 3
"""A question with fewer leans on the turn before it."""
_MIN_SIGN_PAIRS = 5
_SIGNS = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")

_DONT_KNOW = re.compile(
    r"\b(?:i|we) (?:do not|don't) (?:know|have (?:any |that |the |this |enough |specific )*"
    r"(?:information|details|answer|data))\b"
    r"|\b(?:could not|couldn't|cannot|can't|was(?: not|n't) able to|unable to|did not|didn't)"
    r" (?:find|locate|answer)\b"
    r"|\b(?:documents?|documentation|passages?|sources|knowledge base)\b[^.?!]{0,40}"
    r"\b(?:do not|don't|does not|doesn't) (?:say|state|mention|cover|contain|provide|describe)\b"
    r"|\bno information (?:about|on|regarding)\b"
    r"|\bnot (?:mentioned|covered|stated|described|documented|specified) (?:in|by)\b"
    r"|\b(?:i'm|i am) not (?:sure|certain|aware)\b",
    re.IGNORECASE,
)
_QUESTION_MARK = re.compile("[?\uff1f\u061f\u037e]")
_ASKS = re.compile(
    r"^(?:(?:so|and|but|ok|okay|well|hi|hello|um|uh|yes|no|please)[,.!]? )*"
    r"(?:how|what|what's|when|where|where's|which|who|who's|whose|why|can|could|do|does|did|is|are|"
    r"was|were|will|would|should|may|has|have|am|i (?:want|need|would like|wonder)|i'd like|"
    r"i'm (?:looking|trying|wondering)|tell me|explain|show me|give me|help me|describe)\b",
    re.IGNORECASE,
)
_ASKS_IN_OTHERS = re.compile(
    r"^\W*(?:wie|was|wann|wo|woher|wohin|warum|wieso|welche[rsnm]?|wer|wem|wen|kann|können|könnte|gibt es"
    r"|haben sie|ist|sind|darf|muss|ich (?:möchte|brauche|suche|will|würde)|cómo|qué|cuándo|cuánto|cuántos"
    r"|cuánta|dónde|quién|cuál|por qué|puedo|puede|hay|quiero|quisiera|necesito|comment|quand|combien|où"
    r"|qui|quel(?:le)?s?|pourquoi|est-ce|puis-je|pouvez|je (?:voudrais|veux|cherche)|come|quando|quanto"
    r"|dove|chi|quale|perché|posso|vorrei|como|quanto|onde|quem|qual|por que|quero|gostaria|hoe|wat"
    r"|wanneer|waar|welke|waarom|kan ik|ik wil|jak|kiedy|gdzie|ile|kto|który|dlaczego|czy|chcę|как|что"
    r"|когда|где|сколько|кто|какой|какая|какие|почему|можно|есть ли|я хочу|كيف|ما|ماذا|متى|أين|كم|من|هل"
    r"|لماذا|أريد|कैसे|क्या|कब|कहाँ|कितना|कौन|nasıl|ne zaman|nerede|kaç|hur|när|var kan|vad|hvordan"
    r"|hvornår|hvor|hvad|når)(?!\w)"
    r"|请问|怎么|怎樣|怎样|怎麼|什么|什麼|多少|多久|哪里|哪裡|哪个|为什么|為什麼|能不能|可以吗|可不可以|是否|吗\W*$|嗎\W*$|呢\W*$"
    r"|か\W*$|いつ|どこ|どう(?:やって|すれば)|いくら|教えて|ですか|ますか|나요|까요|습니까|어떻게|언제|어디|얼마"
    r"|อย่างไร|ยังไง|เมื่อไหร่|เมื่อไร|ที่ไหน|เท่าไหร่|เท่าไร|อะไร|ไหม|หรือไม่|กี่",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class UnansweredQuestion:
    """A turn of a user that got no answer from the documents."""

    conversation_id: str
    turn_index: int
    question: str
    meaning: str
    """What is embedded: a short question together with the turn that it leans on."""
    asked_at: datetime
    reasons: tuple[GapReason, ...]
    score: float | None
    """Of the best passage that was found; None when nothing was searched."""
    seen_chunk_ids: tuple[str, ...]
    """Passages that were found and did not help."""


def unanswered_questions(
    transcript: Transcript,
    retrievals: Iterable[Retrieval],
    failed: Sequence[Evaluation] = (),
    *,
    now: datetime,
    weak_score: float = WEAK_SCORE,
) -> list[UnansweredQuestion]:
    """Return the questions without an answer, in order.

    Args:
        transcript: The conversation.
        retrievals: What was retrieved in it.
        failed: Verdicts `failure` of the criteria that reveal gaps. The turns they quote count;
            without a quote, the question whose best passage is weakest.
        now: When a question was asked that carries no time.
        weak_score: Below this, a search found nothing that fits.
    """
    passages: dict[str, list[Retrieval]] = {}
    for retrieval in retrievals:
        passages.setdefault(retrieval.turn_id, []).append(retrieval)
    exchanges = _exchanges(transcript)
    blamed = _blamed(transcript, exchanges, failed, passages)
    found: list[UnansweredQuestion] = []
    for index, answers in exchanges.items():
        seen = [p for turn in answers for p in passages.get(turn.turn_id or "", ())]
        asked = transcript.turns[index].text
        reasons = _reasons(asked, answers, seen, weak_score)
        if index in blamed:
            reasons.append("failed_criterion")
        if reasons:
            question = _reported_question(answers) or asked
            found.append(
                UnansweredQuestion(
                    conversation_id=transcript.conversation_id,
                    turn_index=index,
                    question=" ".join(question.split()),
                    meaning=_meaning(question, transcript.turns[:index]),
                    asked_at=_asked_at(transcript, index, now),
                    reasons=tuple(reasons),
                    score=max((p.score for p in seen), default=None),
                    seen_chunk_ids=tuple(dict.fromkeys(p.chunk_id for p in seen)),
                )
            )
    return found


def questions_asked(transcript: Transcript) -> list[int]:
    """Return the turns of the user that ask for something and were followed by the agent."""
    return [index for index, answers in _exchanges(transcript).items() if answers]


def says_dont_know(text: str) -> bool:
    """Whether a reply says that the answer is not known."""
    from conversation.grounding.not_knowing import admits_not_knowing

    plain = text.replace("\u2019", "'")
    return _DONT_KNOW.search(plain) is not None or admits_not_knowing(plain)


def _exchanges(transcript: Transcript) -> dict[int, list[Turn]]:
    """Return the agent turns that follow each turn of the user that may ask for something."""
    exchanges: dict[int, list[Turn]] = {}
    current: list[Turn] | None = None
    for index, turn in enumerate(transcript.turns):
        if turn.role == "agent":
            if current is not None:
                current.append(turn)
        elif should_search(turn.text, transcript.turns[:index]):
            current = exchanges.setdefault(index, [])
        else:
            current = None
    return exchanges


def _reasons(
    asked: str, answers: Sequence[Turn], seen: Sequence[Retrieval], weak_score: float
) -> list[GapReason]:
    reasons: list[GapReason] = []
    cited = any(turn.citations for turn in answers)
    unknown = any(says_dont_know(turn.generated_text or turn.text) for turn in answers)
    weak = bool(seen) and max(passage.score for passage in seen) < weak_score
    if weak and not cited and (unknown or _is_question(asked.strip())):
        reasons.append("weak_retrieval")
    if unknown:
        reasons.append("dont_know")
    if any(call.tool_name == REPORT_TOOL for turn in answers for call in turn.tool_calls):
        reasons.append("reported")
    if not unknown and any(_is_ungrounded(turn) for turn in answers):
        reasons.append("ungrounded")
    return reasons


def _is_question(asked: str) -> bool:
    patterns = (_QUESTION_MARK, _ASKS, _ASKS_IN_OTHERS)
    return any(pattern.search(asked) for pattern in patterns)


def _is_ungrounded(turn: Turn) -> bool:
    share = turn.grounded_share
    return share is not None and share < _UNGROUNDED_SHARE and bool(turn.unsupported_spans)


def _reported_question(answers: Sequence[Turn]) -> str | None:
    for turn in answers:
        for call in turn.tool_calls:
            given = call.parameters.get("question") if call.tool_name == REPORT_TOOL else None
            if isinstance(given, str) and given.strip():
                return given
    return None


def _blamed(
    transcript: Transcript,
    exchanges: Mapping[int, Sequence[Turn]],
    failed: Sequence[Evaluation],
    passages: Mapping[str, Sequence[Retrieval]],
) -> set[int]:
    """Return the questions that failed criteria point to."""
    if not exchanges:
        return set()

    def best(index: int) -> float:
        seen = [p for turn in exchanges[index] for p in passages.get(turn.turn_id or "", ())]
        return max((p.score for p in seen), default=0.0)

    blamed: set[int] = set()
    for evaluation in failed:
        quoted = {evidence.turn_index for evidence in evaluation.evidence}
        pointed = {
            max((index for index in exchanges if index <= turn_index), default=-1)
            for turn_index in quoted
        } - {-1}
        blamed |= pointed or {min(exchanges, key=best)}
    return blamed


def _meaning(question: str, before: Sequence[Turn]) -> str:
    # Lists of words are read by those who look for questions, and reports show what was found.
    from conversation.language.telling_words import telling_words, written_in

    words = telling_words(question, written_in(question, "en"))
    # Scripts without spaces give two signs at a time: a word of two has one, of three has two.
    least = _MIN_SIGN_PAIRS if _SIGNS.search(question) else _MIN_TELLING_WORDS
    if len(words) >= least:
        return question
    earlier = [turn.text for turn in before if turn.role == "user" and should_search(turn.text)]
    return f"{earlier[-1]} {question}" if earlier else question


def _asked_at(transcript: Transcript, index: int, now: datetime) -> datetime:
    start = transcript.started_at or transcript.ended_at or now
    return start + timedelta(seconds=transcript.turns[index].offset_s or 0.0)
