"""Why an agent said what it said, as text for a terminal. Pure."""

from collections.abc import Sequence

from analysis.printable import printable_lines
from conversation.transcript import Citation, LLMCall, Retrieval, Turn
from kb.words.sentences import split_sentences

_PASSAGE_CHARS = 300
_HOW = {
    "hybrid": "by meaning and by words",
    "lexical": "by words alone, because the full search was too slow",
    "whole": "not at all: every document stands in the prompt",
    "none": "not at all: the user asked for nothing",
}


def turn_explanation(turn: Turn, retrieved: Sequence[Retrieval]) -> str:
    """Passages with rank and score, the source of each sentence, and what models did.

    Args:
        turn: Of the agent.
        retrieved: What was found for it.
    """
    lines = [*_search_lines(turn, retrieved), "", *_sentence_lines(turn)]
    lines += [f"tool {call.tool_name}: {call.result or 'done'}" for call in turn.tool_calls]
    calls = [_call_line(call) for call in turn.calls]
    return printable_lines("\n".join([*lines, *calls]))


def _search_lines(turn: Turn, retrieved: Sequence[Retrieval]) -> list[str]:
    if not retrieved:
        return ["No passage was found or looked for."]
    lines: list[str] = []
    cited = {citation.chunk_id for citation in turn.citations}
    queries = dict.fromkeys((found.query, found.mode) for found in retrieved)
    for query, mode in queries:
        lines.append(f"searched for {query!r}, {_HOW.get(mode, mode)}")
        lines += [
            line
            for found in retrieved
            if (found.query, found.mode) == (query, mode)
            for line in _passage_lines(found, is_cited=found.chunk_id in cited)
        ]
    return lines


def _passage_lines(found: Retrieval, *, is_cited: bool) -> list[str]:
    use = "not in the prompt" if not found.in_prompt else "cited" if is_cited else "read"
    text = " ".join(found.text.split())
    cut = f"{text[:_PASSAGE_CHARS].rstrip()} ..." if len(text) > _PASSAGE_CHARS else text
    head = f"  {found.rank}. {_place(found)}  score {found.score:.3f}  {use}"
    return [head, f"     {cut}"] if cut else [head]


def _sentence_lines(turn: Turn) -> list[str]:
    """Each sentence of the turn with the passage that carries it."""
    unsupported = set(turn.unsupported_spans)
    lines: list[str] = []
    for sentence in split_sentences(turn.text):
        span = (sentence.start, sentence.end)
        sources = [c for c in turn.citations if (c.turn_start_char, c.turn_end_char) == span]
        mark = "!" if span in unsupported else "+" if sources else " "
        lines.append(f"{mark} {' '.join(sentence.text.split())}")
        lines += [
            f'    {_place(source)}  overlap {source.score:.2f}: "{" ".join(source.quote.split())}"'
            for source in sources
        ]
        if mark == "!":
            lines.append("    no passage says this")
    if turn.grounded_share is not None:
        lines.append(f"grounded share {turn.grounded_share:.2f}")
    return lines


def _call_line(call: LLMCall) -> str:
    usage = call.usage
    parts = [f"model {usage.model} ({call.purpose})"]
    if call.error is not None:
        parts.append(f"failed: {call.error}")
    cached = f", {usage.cached_input_tokens:,} of them from the cache" * bool(
        usage.cached_input_tokens
    )
    parts.append(f"{usage.input_tokens:,} tokens read{cached}, {usage.output_tokens:,} written")
    if usage.cost_usd is not None:
        parts.append(f"{usage.cost_usd:.4f} USD")
    parts.append(usage.source)
    if call.request_to_first_token_ms is not None:
        parts.append(f"first token after {call.request_to_first_token_ms:,.0f} ms")
    return " · ".join(parts)


def _place(found: Retrieval | Citation) -> str:
    page = f", page {found.page}" if found.page else ""
    return f"{found.document_name}{page} [{found.start_char}-{found.end_char}]"
