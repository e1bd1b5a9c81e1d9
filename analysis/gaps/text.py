"""Gaps and topics as text for a terminal."""

from collections.abc import Sequence
from datetime import date, timedelta

from analysis.columns import cut, wrapped
from analysis.evaluators.unanswered import REASON_TEXTS
from analysis.gaps.checking import ANSWERED_SCORE
from analysis.gaps.records import Gap
from analysis.printable import counted, printable
from analysis.topics.topics import TopicRun

_BARS = "▁▂▃▄▅▆▇█"
_DAYS_SHOWN = 14
_EXAMPLES = 3


def gaps_as_text(gaps: Sequence[Gap], *, today: date, width: int = 100) -> str:
    """Return each gap with its questions, its trend, what is near and what is missing."""
    if not gaps:
        return "No question of a user was left without an answer.\n"
    counts = {state: sum(gap.state == state for gap in gaps) for state in _STATES}
    questions = sum(len(gap.questions) for gap in gaps)
    shown = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    lines = [f"{counted(len(gaps), 'gap')} ({shown}) in {counted(questions, 'question')}", ""]
    for gap in gaps:
        lines += [*_gap_lines(gap, today=today, width=width), ""]
    return "\n".join(lines)


_STATES = ("open", "regressed", "fixed")


def _gap_lines(gap: Gap, *, today: date, width: int) -> list[str]:
    first, last = gap.first_asked_at.date(), gap.last_asked_at.date()
    asked = f"{first}" if first == last else f"{first} to {last}"
    where = counted(gap.conversations, "conversation")
    head = f"{gap.state:9}  {gap.title}"
    facts = [
        ("id", f"{gap.gap_id}, agent {gap.agent_id}, {gap.state} since {gap.state_since:%Y-%m-%d}"),
        ("asked", f"{counted(len(gap.questions), 'time')} in {where}, {asked}"),
        ("by day", sparkline(gap.per_day, until=today)),
        ("why", _why(gap)),
        ("missing", ", ".join(gap.missing_words)),
        *(("such as", example) for example in _examples(gap)),
        ("nearest", "; ".join(f"{p.document_name} ({p.score:.2f})" for p in gap.nearest)),
    ]
    if gap.passage is not None:
        quote = " ".join(gap.passage.text.split())
        version = f" v{gap.passage.document_version}" if gap.passage.document_version else ""
        facts.append(("fixed by", f'{gap.passage.document_name}{version}: "{quote[:300]}"'))
    elif gap.answered:
        facts.append(("answered", f"{gap.answered} of {len(gap.questions)} by now"))
    lines = [_line(head, width)]
    for name, text in facts:
        if text:
            lines += wrapped(f"  {name:9} ", printable(text), width)
    return lines


def _examples(gap: Gap) -> list[str]:
    """Different questions, the most typical first, each with a conversation where it was asked."""
    asked: dict[str, list[str]] = {}
    for question in gap.questions:
        asked.setdefault(question.question, []).append(question.conversation_id)
    return [
        f'"{text}" ({counted(len(ids), "time")}, e.g. {ids[0]})'
        for text, ids in list(asked.items())[:_EXAMPLES]
    ]


def _why(gap: Gap) -> str:
    parts = [f"{REASON_TEXTS.get(key, key)} ({count})" for key, count in gap.reasons.items()]
    then = max((question.score for question in gap.questions if question.score), default=None)
    if then is not None and then >= ANSWERED_SCORE:
        parts.append(f"a passage that fits ({then:.2f}) was there and was not used")
    elif then is not None:
        parts.append(f"the best passage then {then:.2f}")
    return ", ".join(parts)


def sparkline(per_day: dict[date, int], *, until: date) -> str:
    """Return the counts of the last days as bars, with the newest day last; empty without any."""
    days = [until - timedelta(days=back) for back in range(_DAYS_SHOWN - 1, -1, -1)]
    counts = [per_day.get(day, 0) for day in days]
    most = max(counts)
    if most == 0:
        return ""
    bars = "".join(
        _BARS[round(count / most * (len(_BARS) - 1))] if count else "·" for count in counts
    )
    return f"{bars}  (14 days until {until}, at most {most})"


def topics_as_text(run: TopicRun, *, width: int = 100) -> str:
    """Return the topics of an agent with their share of the conversations."""
    if not run.topics:
        return (
            f"{run.agent_id}: no topics in {counted(run.conversations, 'conversation')}; a topic "
            "needs three conversations that are about the same.\n"
        )
    heading = (
        f"{run.agent_id}: {counted(len(run.topics), 'topic')} in "
        f"{counted(run.conversations, 'conversation')}, {run.without_topic} without a topic"
    )
    lines = [heading, ""]
    for topic in run.topics:
        count = len(topic.conversation_ids)
        share = f"{100 * count / run.conversations:.0f} %"
        new = "  (new)" if topic.is_new else ""
        lines.append(_line(f"{count:6,}  {share:>5}  {topic.name}{new}", width))
        ids = ", ".join(topic.conversation_ids[:2])
        lines.append(_line(f"{'':15}{topic.topic_id}, e.g. {ids}", width))
    return "\n".join([*lines, ""])


def _line(text: str, width: int) -> str:
    return cut(printable(text), width)
