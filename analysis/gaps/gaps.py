"""Knowledge gaps: questions that the documents do not answer, and whether they do by now."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from analysis.evaluators.unanswered import WEAK_SCORE, UnansweredQuestion, unanswered_questions
from analysis.gaps.checking import (
    GapCheck,
    GapSource,
    ask_again,
    gap_passage,
    is_fixed,
    missing_words,
    nearest_documents,
)
from analysis.gaps.records import Gap, GapRun, stored_gaps, typical_first, urgency
from analysis.gaps.store import (
    GapChange,
    GapState,
    KeptGap,
    KeptQuestion,
    as_title,
    read_gaps,
    read_questions,
    save_gaps,
    save_questions,
)
from analysis.store.store import AnalysisStore, StoredEvaluation
from analysis.store.touched import day_of
from analysis.topics.clustering import centroid, cluster, match_groups
from analysis.topics.read_before import look_again
from analysis.topics.reading import read_by_the_batch
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript
from kb.embedding.embedder import Embedder, Vectors

MAX_DISTANCE = 0.6
"""Questions are one gap while they differ by less than this on average. Of 40 hand-made questions
on ten subjects no gap mixed two of them, and of SGD's dialogues few topics did."""
_SAME_GAP = 0.8
_READ_BY = 1
"""Moves with the code that says which questions are unanswered."""
_FOUND_BY = (1, MAX_DISTANCE, _SAME_GAP)

NameGap = Callable[[Sequence[str]], str | None]
"""Questions, the most typical first -> a title, or None to take the most typical question."""


def find_gaps(
    agent_id: str,
    *,
    conversations: ConversationStore,
    store: AnalysisStore,
    embedder: Embedder,
    now: datetime,
    criteria: Iterable[str] = (),
    source: GapSource | None = None,
    recheck: bool = False,
    read: Callable[[str], Transcript] | None = None,
    name_gap: NameGap | None = None,
    named_by: str = "question",
    weak_score: float = WEAK_SCORE,
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
) -> GapRun:
    """Collect the agent's unanswered questions, group alike ones, and ask the documents again.

    Simulated conversations are left out. Only those that changed since the last run are read, and
    none where nothing did. A gap keeps its id as long as it has questions.

    Args:
        agent_id: Whose conversations.
        conversations: Where they are.
        store: Where verdicts are, and where gaps are kept.
        embedder: Turns questions into vectors.
        now: The time that is noted.
        criteria: Ids of the criteria whose failure reveals a gap.
        source: The agent's knowledge base; asked again what was not asked since it changed.
        recheck: Ask everything again.
        read: How a conversation is read; None reads the words that were said.
        name_gap: Asks a model for a title; None takes the most typical question.
        named_by: Who gives titles: `question`, or the model string.
        weak_score: Below this, the best passage counts as no answer.
        new_id: For gaps that were never seen before.
    """
    reader = read or conversations.transcript
    marked = set(criteria)
    version = source.index_version if source else None
    earlier = None
    if read is None:
        earlier = look_again(
            conversations,
            store,
            agent_id,
            "gaps",
            embedder,
            reads=(_READ_BY, sorted(marked), weak_score),
            settings=(_FOUND_BY, version, named_by),
        )
    if earlier is not None and earlier.nothing_new and not recheck:
        return GapRun(agent_id, tuple(stored_gaps(agent_id, store)), 0, 0)
    # In this order: what another run notes as read meanwhile, it has kept before.
    read_before = earlier.ids() if earlier else set[str]()
    known = {question.key: question for question in read_questions(store.engine, agent_id)}
    ended = {
        found.conversation_id: found.ended_at
        for found in conversations.conversations(agent_id=agent_id, simulated=False)
        if found.status != "in_progress"
    }
    fresh_ids = [key for key in ended if key not in read_before]
    found = _collected(
        fresh_ids, conversations, store, marked=marked, read=read, now=now, weak=weak_score
    )
    vectors = _vectors(found, known, embedder)
    save_questions(
        store.engine,
        agent_id,
        fresh_ids,
        list(zip(found, vectors, strict=True)),
        model_id=embedder.model_id if found else "",
    )
    kept = read_questions(store.engine, agent_id)
    before = {gap.gap_id: gap for gap in read_gaps(store.engine, agent_id)}
    grouped = _grouped(kept, before, new_id=new_id)
    again = _to_ask(grouped, before, source, everything=recheck)
    asked = {} if source is None else ask_again(again, source, reader)
    gaps: list[Gap] = []
    changes: list[GapChange] = []
    for gap_id, questions in grouped.items():
        gap, change = _judged(
            agent_id,
            gap_id,
            questions,
            before.get(gap_id),
            asked,
            version=version,
            now=now,
            name_gap=name_gap,
            named_by=named_by,
        )
        gaps.append(gap)
        changes += [change] if change else []
    _save(store, agent_id, gaps, before, changes, asked=asked, named_by=named_by, now=now)
    if earlier is not None:
        earlier.note(
            {key: day_of(at) for key in fresh_ids if (at := ended[key]) is not None},
            ended=len(ended),
            model_id=embedder.model_id if kept else "",
            now=now,
        )
    fresh = sum(question.key not in known for question in kept)
    return GapRun(agent_id, tuple(sorted(gaps, key=urgency)), fresh, len(asked))


def _collected(
    conversation_ids: Sequence[str],
    conversations: ConversationStore,
    store: AnalysisStore,
    *,
    marked: set[str],
    read: Callable[[str], Transcript] | None,
    now: datetime,
    weak: float,
) -> list[UnansweredQuestion]:
    found: list[UnansweredQuestion] = []
    for some in read_by_the_batch(conversations, conversation_ids, read):
        ids = list(some)
        verdicts = _latest(store.evaluations(ids) if marked else ())
        retrieved = conversations.retrievals_of(ids)
        for key, transcript in some.items():
            failed = [
                verdict
                for question, verdict in verdicts.get(key, {}).items()
                if question in marked and verdict.verdict == "failure"
            ]
            found += unanswered_questions(
                transcript, retrieved.get(key, []), failed, now=now, weak_score=weak
            )
    return found


def _latest(verdicts: Iterable[StoredEvaluation]) -> dict[str, dict[str, StoredEvaluation]]:
    """The verdicts in force by conversation and criterion: the last ones of sample 0."""
    latest: dict[str, dict[str, StoredEvaluation]] = {}
    for verdict in verdicts:
        if verdict.sample == 0:
            latest.setdefault(verdict.conversation_id, {})[verdict.criterion_id] = verdict
    return latest


def _vectors(
    found: Sequence[UnansweredQuestion], known: Mapping[str, KeptQuestion], embedder: Embedder
) -> list[Vectors]:
    """Return the vector of each question; one that is kept already is not computed again."""
    vectors: dict[int, Vectors] = {}
    for index, question in enumerate(found):
        kept = known.get(f"{question.conversation_id}:{question.turn_index}")
        if kept and (kept.question, kept.model_id) == (question.question, embedder.model_id):
            vectors[index] = kept.vector
    missing = [index for index in range(len(found)) if index not in vectors]
    if missing:
        computed = embedder.embed([found[index].meaning for index in missing])
        vectors.update(zip(missing, computed, strict=True))
    return [vectors[index] for index in range(len(found))]


def _grouped(
    questions: Sequence[KeptQuestion], before: Mapping[str, KeptGap], *, new_id: Callable[[], str]
) -> dict[str, list[KeptQuestion]]:
    """Group alike questions under the ids that they had."""
    import numpy as np

    if not questions:
        return {}
    labels = cluster(np.stack([q.vector for q in questions]), max_distance=MAX_DISTANCE)
    groups: list[list[KeptQuestion]] = [[] for _ in range(max(labels) + 1)]
    for question, label in zip(questions, labels, strict=True):
        groups[label].append(question)
    held: dict[str, list[KeptQuestion]] = {}
    for question in questions:
        if question.gap_id is not None and question.gap_id in before:
            held.setdefault(question.gap_id, []).append(question)
    matched = match_groups(
        {key: _described(members) for key, members in held.items()},
        [_described(members) for members in groups],
        min_similarity=_SAME_GAP,
    )
    return {
        earlier or f"gap_{new_id()[:8]}": [replace(q, gap_id=earlier) for q in members]
        for members, earlier in zip(groups, matched, strict=True)
    }


def _described(members: Sequence[KeptQuestion]) -> tuple[set[str], Vectors]:
    import numpy as np

    middle = centroid(np.stack([question.vector for question in members]))
    return {question.key for question in members}, middle


def _to_ask(
    grouped: Mapping[str, Sequence[KeptQuestion]],
    before: Mapping[str, KeptGap],
    source: GapSource | None,
    *,
    everything: bool,
) -> list[KeptQuestion]:
    """Return the questions that the present index was not asked yet."""
    if source is None:
        return []
    return [
        question
        for gap_id, questions in grouped.items()
        for question in questions
        if everything
        or question.answered is None
        or gap_id not in before
        or before[gap_id].checked_index_version != source.index_version
    ]


def _judged(
    agent_id: str,
    gap_id: str,
    questions: Sequence[KeptQuestion],
    old: KeptGap | None,
    asked: Mapping[str, GapCheck],
    *,
    version: int | None,
    now: datetime,
    name_gap: NameGap | None,
    named_by: str,
) -> tuple[Gap, GapChange | None]:
    """Return a gap as it is now, and the change when its state is another one."""
    now_known = [
        replace(
            question,
            gap_id=gap_id,
            answered=found.answered,
            score_now=found.score,
            passage=found.fixing,
        )
        if (found := asked.get(question.key))
        else replace(question, gap_id=gap_id)
        for question in questions
    ]
    typical = typical_first(now_known)
    state = _state(typical, old)
    changed = old is None or state != old.state
    checked = [found for question in typical if (found := asked.get(question.key))]
    passage = gap_passage(typical) if state == "fixed" else None
    gap = Gap(
        gap_id=gap_id,
        agent_id=agent_id,
        title=_title(typical, old, name_gap, named_by),
        state=state,
        state_since=now if old is None or changed else old.state_since,
        questions=tuple(typical),
        nearest=nearest_documents(checked) if checked or old is None else old.nearest,
        missing_words=missing_words(checked) if checked or old is None else old.missing_words,
        passage=passage,
        checked_index_version=version if checked else old and old.checked_index_version,
    )
    change = GapChange(gap_id, state, gap.checked_index_version, len(typical), gap.answered)
    return gap, change if changed else None


def _state(questions: Sequence[KeptQuestion], old: KeptGap | None) -> GapState:
    if is_fixed(questions):
        return "fixed"
    return "open" if old is None or old.state == "open" else "regressed"


def _title(
    typical: Sequence[KeptQuestion], old: KeptGap | None, name_gap: NameGap | None, named_by: str
) -> str:
    if old is not None and old.titled_by == named_by:
        return old.title
    asked = name_gap([question.question for question in typical]) if name_gap else None
    return asked or as_title(typical[0].question)


def _save(
    store: AnalysisStore,
    agent_id: str,
    gaps: Sequence[Gap],
    before: Mapping[str, KeptGap],
    changes: Sequence[GapChange],
    *,
    asked: Mapping[str, GapCheck],
    named_by: str,
    now: datetime,
) -> None:
    kept: list[KeptGap] = []
    for gap in gaps:
        old = before.get(gap.gap_id)
        was_asked = any(question.key in asked for question in gap.questions)
        kept.append(
            KeptGap(
                gap_id=gap.gap_id,
                title=gap.title,
                titled_by=named_by,
                state=gap.state,
                state_since=gap.state_since,
                opened_at=old.opened_at if old else now,
                checked_at=now if was_asked else old and old.checked_at,
                checked_index_version=gap.checked_index_version,
                nearest=gap.nearest,
                missing_words=gap.missing_words,
                passage=gap.passage,
            )
        )
    questions = [question for gap in gaps for question in gap.questions]
    save_gaps(store.engine, agent_id, kept, questions, changes=changes, now=now)
