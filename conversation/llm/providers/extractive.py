"""`embedded/extractive`: no language model. It answers with sentences of the passages it is given.

For machines where no weights can be had, and as the floor that a model must beat. Passages are
read from the last user message: `<passage id="1" document="NAME">...</passage>`; what stands
outside of them is what the user said.
"""

import html
import logging
import re
import time
import unicodedata
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import cache

from conversation.agent.models.llm_config import EXTRACTIVE
from conversation.errors import ModelSetupError
from conversation.language.choosing.best_sentences import (
    QuotableSentence,
    best_sentences,
    quotable_sentences,
)
from conversation.language.set_sentences import (
    DONT_KNOW,
    GOODBYE,
    GREETING,
    NOTHING_ELSE,
    WELCOME,
    in_words_of,
)
from conversation.language.telling_words import telling_words, written_in
from conversation.language.tokens import estimated_tokens
from conversation.llm.chat_model import ChatMessage, Completion, CompletionOptions
from conversation.llm.limits.fallback import CONTINUE
from conversation.llm.provider import Provider
from conversation.transcript import Usage
from kb.retrieval.small_talk import should_search
from kb.words.courtesies import Courtesy, courtesy_of
from kb.words.languages import primary

_LOGGER = logging.getLogger(__name__)

MAX_SENTENCES = 2
NO_ANSWER = "I don't know. No sentence in the documents answers that."

_COURTESIES: tuple[tuple[Courtesy, re.Pattern[str]], ...] = (
    ("thanks", re.compile(r"\b(?:thanks?|thank|appreciated?|cheers)\b", re.IGNORECASE)),
    ("bye", re.compile(r"\b(?:bye|goodbye|goodnight|later)\b", re.IGNORECASE)),
    ("hello", re.compile(r"\b(?:hi|hiya|hey|hello|morning|afternoon|evening)\b", re.IGNORECASE)),
)
"""Of English, in what asks for nothing; the first that fits."""
_REPLIES: Mapping[Courtesy, Mapping[str, str]] = {
    "thanks": WELCOME,
    "bye": GOODBYE,
    "hello": GREETING,
}

_PASSAGE = re.compile(
    r'<passage\s+id="[^"]*"\s+document="(?P<document>[^"]*)">(?P<text>.*?)</passage>', re.DOTALL
)
_SAID = re.compile(r"^The user says:\s*", re.MULTILINE)
_REMARK = re.compile(r"\n\s*\n\(.*?\)\s*(?=\n\s*\n|\Z)", re.DOTALL)
_PIECE = re.compile(r"\s*\S+\s*\Z|\s*\S+")


class ExtractiveGenerator:
    """Answers with the sentences that share the most telling words with the question."""

    @property
    def model(self) -> str:
        """The model string."""
        return EXTRACTIVE

    def price_usd(self, *, read: int, written: int) -> float | None:
        """Nothing costs anything."""
        return 0.0

    async def check(self) -> None:
        """Nothing can be missing; whoever runs it is told once what it is."""
        _tell_the_operator()

    async def generate(
        self, messages: Sequence[ChatMessage], options: CompletionOptions
    ) -> AsyncGenerator[str | Completion, None]:
        """Yield the answer word by word, and then the `Completion`.

        Raises:
            ModelSetupError: A JSON answer or probabilities are asked for: only a language model
                can give those.
        """
        if options.schema is not None or options.top_logprobs:
            raise ModelSetupError(
                f"{EXTRACTIVE!r} quotes documents; it cannot judge conversations, fill in fields "
                "or choose tools. Name a language model as judge, e.g. "
                "'embedded/qwen2.5-coder-1.5b-instruct' (VIVAVOCE_JUDGE, or `analysis.judge` in "
                "the agent file)."
            )
        started_s = time.perf_counter()
        text = extractive_answer(messages, options.language)
        first_token_s = time.perf_counter()
        for piece in _PIECE.findall(text):
            yield piece
        yield Completion(
            text=text,
            usage=Usage(
                model=EXTRACTIVE,
                input_tokens=sum(estimated_tokens(message.content) for message in messages),
                output_tokens=estimated_tokens(text),
                cost_usd=0.0,
                source="estimated",
            ),
            finish_reason="stop",
            request_to_first_token_ms=(first_token_s - started_s) * 1000,
            request_to_last_token_ms=(time.perf_counter() - started_s) * 1000,
        )


@cache
def _tell_the_operator() -> None:
    _LOGGER.info(
        "%s quotes sentences of the documents: no language model is set up. Name one as "
        "`llm.model` in the agent file, or with VIVAVOCE_LLM.",
        EXTRACTIVE,
    )


def extractive_answer(messages: Sequence[ChatMessage], language: str = "en") -> str:
    """Return the best sentences of the passages in the last user message, with their source.

    A sentence scores the share of the question's telling words that it holds, rare words
    counting more; words of the user's turn before help with questions such as "and for members?".

    Args:
        messages: The prompt.
        language: That the agent speaks: of its own sentences, and of words where texts do not tell.
    """
    continues = bool(messages) and messages[-1].content == CONTINUE
    if continues:
        return f" ... {extractive_answer(messages[:-2], language)}"
    users = [message.content for message in messages if message.role == "user"]
    if not users:
        return _no_answer(language)
    said = _said(users[-1]).strip()
    if any(map(str.isalpha, said)) and not should_search(said):
        return _small_talk_reply(said, language)
    asked_in = written_in(said, language)
    candidates = _candidates(users[-1], asked_in)
    query = telling_words(said, asked_in)
    before = telling_words(_said(users[-2]), asked_in) if len(users) > 1 else frozenset[str]()
    context = before - query
    own_script = _of_script(candidates, said)
    chosen = best_sentences(own_script, query, context, most=MAX_SENTENCES) or best_sentences(
        candidates, query, context, most=MAX_SENTENCES
    )
    if not chosen:
        return _no_answer(language)
    parts: list[str] = []
    for index, candidate in enumerate(chosen):
        repeated = index > 0 and chosen[index - 1].document == candidate.document
        named = f"{candidate.document} says" if _is_english(language) else candidate.document
        parts.append(candidate.text if repeated else f"{named}: {candidate.text}")
    return " ".join(parts)


def _of_script(candidates: Sequence[QuotableSentence], said: str) -> list[QuotableSentence]:
    """Those that hold a letter of the question's own script: a name may be in any."""
    scripts = _scripts(said) - {"LATIN"}
    return [each for each in candidates if not scripts or scripts & _scripts(each.text)]


def _scripts(text: str) -> set[str]:
    """The first words of its letters' names in Unicode: LATIN, CYRILLIC, CJK, ..."""
    return {unicodedata.name(char, "").partition(" ")[0] for char in text if char.isalpha()}


def _is_english(language: str) -> bool:
    return primary(language) == "en"


def _no_answer(language: str) -> str:
    return NO_ANSWER if _is_english(language) else in_words_of(language, DONT_KNOW)


def _small_talk_reply(said: str, language: str) -> str:
    english: list[Courtesy] = [kind for kind, said_so in _COURTESIES if said_so.search(said)]
    kind = courtesy_of(said) or (english[0] if english else None)
    return in_words_of(language, NOTHING_ELSE if kind is None else _REPLIES[kind])


def _candidates(message: str, language: str) -> list[QuotableSentence]:
    texts = (
        (html.unescape(passage["document"]), html.unescape(passage["text"]))
        for passage in _PASSAGE.finditer(message)
    )
    return quotable_sentences(texts, language)


def _said(message: str) -> str:
    """Return what the user said: after its label when there is one, else all but passages.

    Paragraphs in parentheses are the application's own remarks.
    """
    outside = _PASSAGE.sub(" ", message)
    return html.unescape(_REMARK.sub("", _SAID.split(outside)[-1]))


EXTRACTIVE_PROVIDER = Provider(
    lambda model: model == EXTRACTIVE, lambda _wanted: ExtractiveGenerator(), may_fail=False
)
