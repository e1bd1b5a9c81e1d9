"""A lineage as a tree that people read."""

import io
from typing import get_args

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from analysis.printable import printable
from analysis.query.lineage import Lineage, LineagePassage, LineageQuote
from analysis.report.text import format_cell
from analysis.results import Verdict


def lineage_as_text(lineage: Lineage, *, width: int = 100) -> str:
    """Return the tree: answer -> question and judge -> quoted turns -> passages -> documents."""
    stream = io.StringIO()
    console = Console(file=stream, width=width, no_color=True, highlight=False, markup=False)
    console.print(_tree(lineage))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def _tree(lineage: Lineage) -> Tree:
    answer = lineage.answer if lineage.answer is not None else "no answer"
    status = f" ({lineage.status})" if lineage.status else ""
    tree = Tree(
        _line(
            f"{lineage.question_id} = {answer}{status}, conversation {lineage.conversation_id}, "
            f"agent {lineage.agent_id}"
        )
    )
    number = f"v{lineage.version_number} " if lineage.version_number else ""
    asked = f": {lineage.question}" if lineage.question else ""
    tree.add(_line(f"{lineage.kind} {number}({lineage.question_version}){asked}"))
    tree.add(_line(_judge_line(lineage)))
    if lineage.error:
        tree.add(_line(f"failed: {lineage.error}"))
    if lineage.rationale:
        tree.add(_line(f"because: {lineage.rationale}"))
    elif lineage.answer in get_args(Verdict) and lineage.kind == "criterion":
        tree.add(_line("the judge wrote no reason; `vivavoce why --ask` asks it for one"))
    for quote in lineage.unsupported_quotes:
        tree.add(_line(f"rejected, nobody said it there: {quote}"))
    if not lineage.quotes:
        tree.add(_line("no words of the conversation stand behind it"))
    for quote in lineage.quotes:
        _add_quote(tree, quote)
    return tree


def _judge_line(lineage: Lineage) -> str:
    parts = [
        f"judge {lineage.judge_model}, prompt {lineage.judge_prompt_version}",
        f"{lineage.evaluated_at:%Y-%m-%d %H:%M} UTC",
    ]
    if lineage.confidence is not None:
        parts.append(f"probability of success {lineage.confidence:.2f}")
    if lineage.input_tokens is not None:
        parts.append(f"{lineage.input_tokens:,} + {lineage.output_tokens or 0:,} tokens")
    if lineage.cost_usd is not None:
        parts.append(format_cell(lineage.cost_usd, "usd"))
    parts.append(f"transcript {lineage.transcript_sha256[:12]}")
    if lineage.older_answers:
        parts.append(f"{lineage.older_answers} older answers kept")
    return ", ".join(parts)


def _add_quote(tree: Tree, quote: LineageQuote) -> None:
    branch = tree.add(_line(f"turn {quote.turn_index}, {quote.role}: {quote.turn_text}"))
    if quote.quote != quote.turn_text:
        branch.add(_line(f"quoted: {quote.quote}"))
    if not quote.passages:
        branch.add(_line("nothing was retrieved for it"))
    for passage in quote.passages:
        _add_passage(branch, passage, quote.answering_turn_index)


def _add_passage(tree: Tree, passage: LineagePassage, turn_index: int | None) -> None:
    use = "cited" if passage.cited else "not cited" if passage.in_prompt else "not in the prompt"
    found = tree.add(
        _line(
            f"passage {passage.rank} for turn {turn_index}, score {passage.score:.3f}, {use}; "
            f"query: {passage.query}"
        )
    )
    page = f", page {passage.page}" if passage.page else ""
    chunk = found.add(
        _line(
            f"chunk {passage.chunk_id}, characters {passage.start_char}-{passage.end_char}{page}: "
            f"{_shortened(passage.text)}"
        )
    )
    version = f", version {passage.document_version}" if passage.document_version else ""
    document = chunk.add(_line(f"{passage.document_name}{version} ({passage.document_id})"))
    document.add(_line(passage.source or "source not exported: run `vivavoce ingest`"))


def _shortened(text: str, max_chars: int = 120) -> str:
    return text if len(text) <= max_chars else f"{text[: max_chars - 4]} ..."


def _line(text: str) -> Text:
    return Text(printable(text))
