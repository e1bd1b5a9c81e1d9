"""One or two sentences about a conversation."""

from collections.abc import Sequence

from analysis.judge.asking import Meter, Question, ask_twice
from analysis.judge.prompts import JudgeVariant, prompt, summary_words
from analysis.judge.windows import Window
from conversation.errors import ModelOutputError
from conversation.llm.chat_model import Completion, CompletionOptions

_OPTIONS = CompletionOptions(max_output_tokens=70)
_MAX_CHARS = 400


def summary_question(
    windows: Sequence[Window], *, variant: JudgeVariant, meter: Meter
) -> Question[str]:
    """Summarise a conversation; one in several windows gets a sentence for each.

    Raises:
        ModelError: The model failed, or answered twice with nothing.
    """
    parts: list[str] = []
    for window in windows:
        messages = prompt(window, summary_words(variant))
        parts.append((yield from ask_twice(messages, _OPTIONS, parse=_parse, meter=meter)))
    return " ".join(parts)


def whole_sentences(text: str, *, max_chars: int = _MAX_CHARS) -> str:
    """Return `text` on one line, cut after its last whole sentence within `max_chars`.

    A text without one is cut at a word, with an ellipsis.
    """
    line = " ".join(text.split())
    if len(line) <= max_chars and line.endswith((".", "!", "?")):
        return line
    cut = line[:max_chars]
    end = max(cut.rfind(mark) for mark in (". ", "! ", "? "))
    if end > 0:
        return cut[: end + 1]
    return line if len(line) <= max_chars else f"{cut.rsplit(' ', 1)[0]} …"


def _parse(completion: Completion) -> str:
    summary = whole_sentences(completion.text)
    if not summary:
        raise ModelOutputError("the summary is empty.")
    return summary
